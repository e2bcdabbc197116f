//! Reads objects of two kinds, which their first member tells apart.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IntoDeserializer as _, MapAccess, Visitor,
};

/// An object that is a `One` if its first member has one of these names, and an `Other` if not.
pub(super) fn read<'de, D, One, Other, T>(
    deserializer: D,
    names: &'static [&'static str],
    one: fn(One) -> T,
    other: fn(Other) -> T,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    One: Deserialize<'de>,
    Other: Deserialize<'de>,
{
    deserializer.deserialize_map(Either { names, one, other, of: PhantomData })
}

struct Either<One, Other, T> {
    names: &'static [&'static str],
    one: fn(One) -> T,
    other: fn(Other) -> T,
    of: PhantomData<(One, Other)>,
}

impl<'de, One, Other, T> Visitor<'de> for Either<One, Other, T>
where
    One: Deserialize<'de>,
    Other: Deserialize<'de>,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let first: Option<String> = map.next_key()?;
        let is_one = first.as_deref().is_some_and(|first| self.names.contains(&first));
        let whole = MapAccessDeserializer::new(Whole { first, map });
        match is_one {
            true => One::deserialize(whole).map(self.one),
            false => Other::deserialize(whole).map(self.other),
        }
    }
}

/// An object of which the first name was read already.
struct Whole<A> {
    first: Option<String>,
    map: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Whole<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(first) => seed.deserialize(first.into_deserializer()).map(Some),
            None => self.map.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}
