//! A line of the log as an object of JSON.

use std::time::{Duration, UNIX_EPOCH};

use log::Record;
use log::kv::{Error, Key, Value, VisitSource, VisitValue};
use serde_json::{Map, json};

use crate::domain::clock::Clock;

/// The object for `record`: its time by `clock`, level, target and message, and its own fields by name.
pub(super) fn object(record: &Record<'_>, clock: &dyn Clock) -> serde_json::Value {
    let mut fields = Fields(Map::new());
    // Fields are visited without fail.
    let _ = record.key_values().visit(&mut fields);
    let Fields(mut object) = fields;
    let at = UNIX_EPOCH + Duration::from_millis(clock.now());
    object.insert("timestamp".into(), json!(humantime::format_rfc3339_millis(at).to_string()));
    object.insert("level".into(), json!(record.level().as_str().to_ascii_lowercase()));
    object.insert("target".into(), json!(record.target()));
    object.insert("message".into(), json!(record.args().to_string()));
    object.into()
}

struct Fields(Map<String, serde_json::Value>);

impl<'a> VisitSource<'a> for Fields {
    fn visit_pair(&mut self, key: Key<'a>, value: Value<'a>) -> Result<(), Error> {
        let mut read = Read(serde_json::Value::Null);
        value.visit(&mut read)?;
        self.0.insert(key.as_str().to_owned(), read.0);
        Ok(())
    }
}

/// A value as one of JSON.
struct Read(serde_json::Value);

impl VisitValue<'_> for Read {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), Error> {
        self.0 = json!(value.to_string());
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), Error> {
        self.0 = json!(value);
        Ok(())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), Error> {
        self.0 = json!(value);
        Ok(())
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), Error> {
        self.0 = json!(value);
        Ok(())
    }

    fn visit_str(&mut self, value: &str) -> Result<(), Error> {
        self.0 = json!(value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use log::Level;

    use super::*;
    use crate::domain::clock::ManualClock;

    #[test]
    fn a_line_is_an_object_with_its_fields_by_name() {
        let fields =
            [("policy", Value::from("a\"b")), ("wait", Value::from(7_u64)), ("id", Value::null())];
        let object = object(
            &Record::builder()
                .args(format_args!("two\nlines"))
                .level(Level::Info)
                .target("tollgate")
                .key_values(&fields.as_slice())
                .build(),
            &ManualClock::new(1_700_000_000_123),
        );
        let expected = json!({
            "timestamp": "2023-11-14T22:13:20.123Z",
            "level": "info",
            "target": "tollgate",
            "message": "two\nlines",
            "policy": "a\"b",
            "wait": 7,
            "id": null,
        });
        assert_eq!(object, expected);
        assert!(!object.to_string().contains('\n'), "it is one line");
    }
}
