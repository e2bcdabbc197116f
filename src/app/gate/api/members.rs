//! Reads the members of a described request, and says what was expected. A member that is there is never `null`.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};

use crate::actix::adapter::decoded_path;
use crate::domain::quota::{Cost, MAX_EXACT};

/// The longest path, in bytes.
const LONGEST_PATH: usize = 8_192;

/// The longest wrong text that a message repeats, in characters.
const LONGEST_SHOWN: usize = 64;

/// The method of a request.
pub(super) fn method<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    text(deserializer, "a method, such as GET", |method| {
        let is_method = !method.is_empty() && method.bytes().all(is_usual);
        is_method.then(|| Some(method.to_owned()))
    })
}

/// A path as a member has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The path, decoded as the app's router decodes it.
    pub(super) path: String,
    /// What follows its `?`, as it was sent.
    pub(super) query: Option<String>,
}

/// A path as it is sent, perhaps with its query.
pub(super) fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Target>, D::Error> {
    let expected =
        "a path as it is sent, percent-encoded and of at most 8192 bytes, such as /api/data";
    text(deserializer, expected, |target| {
        let is_sent = |byte: u8| byte.is_ascii_graphic() && !b"<>`".contains(&byte);
        let whole = target.split('#').next().unwrap_or_default();
        let (path, query) = match whole.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (whole, None),
        };
        let is_path =
            target.starts_with('/') && target.len() <= LONGEST_PATH && target.bytes().all(is_sent);
        decoded_path(path).filter(|_| is_path).map(|path| Some(Target { path, query }))
    })
}

/// An address.
pub(super) fn ip<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IpAddr>, D::Error> {
    text(deserializer, "an IPv4 or IPv6 address, such as 203.0.113.7", |ip| {
        ip.parse().ok().map(Some)
    })
}

/// A text that is not empty.
pub(super) fn filled<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    text(deserializer, "a text that is not empty", |text| {
        (!text.is_empty()).then(|| Some(text.to_owned()))
    })
}

/// The units that a request uses.
pub(super) fn cost<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cost>, D::Error> {
    deserializer.deserialize_u64(Units).map(Some)
}

/// The status of a response.
pub(super) fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let number = u64::deserialize(deserializer)?;
    let status = u16::try_from(number).ok().filter(|status| (100..=599).contains(status));
    status.ok_or_else(|| {
        let expected = "expected the status of a response, from 100 to 599";
        D::Error::custom(format_args!("{expected}, got {number}"))
    })
}

/// One or more names.
pub(super) fn policies<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    let names = Vec::deserialize(deserializer)?;
    match names.is_empty() {
        true => Err(D::Error::custom("expected at least one name of a policy")),
        false => Ok(Some(names)),
    }
}

/// `true` or `false`.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    bool::deserialize(deserializer).map(Some)
}

/// Header fields by their names in lower case.
pub(super) fn headers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    deserializer.deserialize_map(Fields)
}

/// Reads a text that `parse` takes; messages call it `expected`.
pub(super) fn text<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    expected: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(Text { expected, parse, of: PhantomData })
}

struct Text<F, T> {
    expected: &'static str,
    parse: F,
    of: PhantomData<T>,
}

impl<F: Fn(&str) -> Option<T>, T> Visitor<'_> for Text<F, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).ok_or_else(|| {
            let shown: String = text.chars().take(LONGEST_SHOWN).collect();
            E::custom(format_args!("expected {}, got {shown:?}", self.expected))
        })
    }
}

struct Units;

impl Visitor<'_> for Units {
    type Value = Cost;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from 1 to {MAX_EXACT}")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Cost, E> {
        Cost::new(number).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    /// To JSON, 5.0 is a whole number.
    fn visit_f64<E: Error>(self, number: f64) -> Result<Cost, E> {
        let is_whole = number.fract() == 0.0;
        let units = format!("{number:.0}").parse().ok().filter(|_| is_whole);
        units.and_then(Cost::new).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some(FieldName(name)) = map.next_key()? {
            let value: String = map.next_value()?;
            // Lines of one field are one list (RFC 9110, section 5.3), and cookies are one of their own form.
            let joint = if name == "cookie" { "; " } else { ", " };
            fields
                .entry(name)
                .and_modify(|lines: &mut String| *lines += &format!("{joint}{value}"))
                .or_insert(value);
        }
        Ok(fields)
    }
}

/// The name of a header field, in lower case.
struct FieldName(String);

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A token (RFC 9110, section 5.6.2).
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        text(deserializer, "the name of a header field", |name| {
            let is_name = !name.is_empty() && name.bytes().all(is_token);
            is_name.then(|| Self(name.to_ascii_lowercase()))
        })
    }
}

#[cfg(test)]
mod tests;
