//! The section `[refusals]`, and the tables `refusal` of policies: own bodies of denials.

use crate::app::config::error::ConfigError;
use crate::app::config::file;
use crate::app::config::leaf::Leaf;
use crate::app::config::section::Section;
use crate::domain::policy::Policy;
use crate::domain::quota::Quota;
use crate::http::accept::BodyFormat;
use crate::http::{RefusalBodies, Refusals};

/// The options of the formats: a body itself, and the file that has it.
const OPTIONS: [(BodyFormat, &str, &str); 3] = [
    (BodyFormat::Text, "text", "text_file"),
    (BodyFormat::Html, "html", "html_file"),
    (BodyFormat::Json, "json", "json_file"),
];

/// The bodies for all policies.
pub(super) fn refusals(section: &mut Section) -> Refusals {
    Refusals::new(bodies(section))
}

/// Adds the bodies of the policy called `name` in `section` to `refusals`.
pub(super) fn add_policy(name: &str, section: &mut Section, refusals: &mut Refusals) {
    let bodies = section.table("refusal", bodies);
    if bodies != RefusalBodies::new() {
        *refusals = std::mem::take(refusals).policy(name, bodies);
    }
}

fn bodies(section: &mut Section) -> RefusalBodies {
    let mut bodies = RefusalBodies::new();
    for (format, option, file_option) in OPTIONS {
        let (leaf, text) = match (section.take(option), section.take(file_option)) {
            (None, None) => continue,
            (Some(_), Some(leaf)) => {
                let message = format_args!("{option} is set as well: expected one of the two");
                section.note::<()>(Err(leaf.refuse(message)));
                continue;
            }
            (Some(leaf), None) => {
                let text = leaf.text().map(str::to_owned);
                (leaf, text)
            }
            (None, Some(leaf)) => {
                let text = text_of_file(&leaf);
                (leaf, text)
            }
        };
        let with = text.and_then(|text| with_body(&leaf, bodies.clone(), format, &text));
        bodies = section.note(with).unwrap_or(bodies);
    }
    bodies
}

fn with_body(
    leaf: &Leaf,
    bodies: RefusalBodies,
    format: BodyFormat,
    text: &str,
) -> Result<RefusalBodies, ConfigError> {
    let bodies = bodies.with(format, text).map_err(|error| leaf.refuse(error))?;
    if format == BodyFormat::Json {
        expect_json(leaf, &bodies)?;
    }
    Ok(bodies)
}

/// Checks that the JSON of `bodies` is JSON once its variables have values, also without an ID of the request.
fn expect_json(leaf: &Leaf, bodies: &RefusalBodies) -> Result<(), ConfigError> {
    let policy = Quota::new(10, 60_000).ok().and_then(|quota| Policy::new("default", quota).ok());
    for request_id in ["", "\"7-a\""] {
        let sample = policy.as_ref().and_then(|it| bodies.sample(BodyFormat::Json, it, request_id));
        let parsed =
            serde_json::from_str::<serde::de::IgnoredAny>(sample.as_deref().unwrap_or("0"));
        parsed.map_err(|error| {
            leaf.refuse(format_args!(
                "with values for its variables the body is no JSON: {error}. Expected quotes around texts, as in {}",
                r#"{"error":"rate_limited","policy":"{policy}","retry_after":{retry_after}}"#
            ))
        })?;
    }
    Ok(())
}

/// The text of the file that `leaf` names.
fn text_of_file(leaf: &Leaf) -> Result<String, ConfigError> {
    let path = leaf.path()?;
    let cannot_be_read = |error: &dyn std::fmt::Display| {
        leaf.refuse(format_args!("{} cannot be read: {error}", path.display()))
    };
    let bytes =
        file::read_at_most(&path, Refusals::MOST_BYTES).map_err(|error| cannot_be_read(&error))?;
    String::from_utf8(bytes).map_err(|_| cannot_be_read(&"it is not UTF-8 text"))
}
