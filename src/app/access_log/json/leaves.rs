//! The values of a line of JSON that are neither objects nor lists, each with its path.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A value that is neither an object nor a list. What is never read, such as `null`, is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Leaf<'a> {
    Text(&'a str),
    Integer(u64),
    Float(f64),
}

impl<'a> Leaf<'a> {
    /// Its text; `None` for a number.
    pub(super) fn text(self) -> Option<&'a [u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::Integer(_) | Self::Float(_) => None,
        }
    }
}

/// Calls `take` with the path and value of each leaf of `line`. The values of a list have the path of the list.
pub(super) fn each_leaf(
    line: &[u8],
    path: &mut String,
    take: &mut dyn FnMut(&str, Leaf<'_>),
) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_slice(line);
    Value { path, take }.deserialize(&mut json)?;
    json.end()
}

/// Reads a value at a path.
struct Value<'a> {
    path: &'a mut String,
    take: &'a mut dyn FnMut(&str, Leaf<'_>),
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        // It is negative: the others are unsigned.
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        (self.take)(self.path, Leaf::Integer(number));
        Ok(())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        (self.take)(self.path, Leaf::Float(number));
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        (self.take)(self.path, Leaf::Text(text));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Value { path: self.path, take: self.take })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let length = self.path.len();
        while object.next_key_seed(Name(self.path))?.is_some() {
            object.next_value_seed(Value { path: self.path, take: self.take })?;
            self.path.truncate(length);
        }
        Ok(())
    }
}

/// Reads the name of a field, and appends it to a path.
struct Name<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<(), E> {
        if !self.0.is_empty() {
            self.0.push('.');
        }
        self.0.push_str(name);
        Ok(())
    }
}
