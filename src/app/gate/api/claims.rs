//! Reads the claims of a described request.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::domain::client::Claims;
use crate::domain::quota::MAX_EXACT;

/// Claims by their names. Those that are no text, number, true or false are refused, since no policy counts by them.
pub(super) fn claims<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Claims, D::Error> {
    deserializer.deserialize_map(All)
}

struct All;

impl<'de> Visitor<'de> for All {
    type Value = Claims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
        let mut claims = Claims::default();
        while let Some((name, ClaimText(value))) = map.next_entry::<String, _>()? {
            claims = claims.with(&name, value);
        }
        Ok(claims)
    }
}

/// The text by which a claim is counted.
struct ClaimText(String);

impl<'de> Deserialize<'de> for ClaimText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(One)
    }
}

struct One;

impl Visitor<'_> for One {
    type Value = ClaimText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true or false")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ClaimText, E> {
        Ok(ClaimText(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<ClaimText, E> {
        Ok(ClaimText(flag.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<ClaimText, E> {
        Ok(ClaimText(number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<ClaimText, E> {
        Ok(ClaimText(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<ClaimText, E> {
        // Greater ones were rounded as they were read, so two of them might look alike.
        let number = serde_json::Number::from_f64(number).filter(|_| number.abs() <= EXACT);
        let number = number.ok_or_else(|| E::custom("a number is too large to be exact"))?;
        Ok(ClaimText(number.to_string()))
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is the largest number that is exact")]
const EXACT: f64 = MAX_EXACT as f64;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Claims, String> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        claims(&mut deserializer).map_err(|error| error.to_string())
    }

    #[test]
    fn claims_are_texts_numbers_and_flags() {
        let read_claims = read(r#"{"a":"x","b":7,"c":-1,"d":true,"e":1.5}"#).unwrap();
        let expected = [("a", "x"), ("b", "7"), ("c", "-1"), ("d", "true"), ("e", "1.5")];
        for (name, value) in expected {
            assert_eq!(read_claims.get(name), Some(value.as_bytes()), "{name}");
        }
        assert_eq!(read("{}"), Ok(Claims::default()));
    }

    #[test]
    fn what_no_policy_counts_by_is_refused_with_what_was_expected() {
        for json in [r#"{"a":null}"#, r#"{"a":["x"]}"#, r#"{"a":{"b":1}}"#, "[]", "7"] {
            let error = read(json).unwrap_err();
            assert!(error.contains("expected a"), "{json}: {error}");
        }
        assert!(read(r#"{"a":1e300}"#).unwrap_err().contains("too large"));
    }
}
