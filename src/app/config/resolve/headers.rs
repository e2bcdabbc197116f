//! The section `[headers]`.

use crate::app::config::error::ConfigError;
use crate::app::config::leaf::Leaf;
use crate::app::config::section::Section;
use crate::domain::policy::Share;
use crate::http::HeaderFormat;
use crate::http::fields::{FieldOptions, HeaderFormats};

pub(super) fn headers(section: &mut Section) -> FieldOptions {
    legacy(section);
    let default = FieldOptions::default();
    FieldOptions {
        send: section.get("send", default.send, send),
        x_ratelimit_reset: section.get("x_ratelimit_reset", default.x_ratelimit_reset, |leaf| {
            leaf.parse("seconds or epoch", str::parse)
        }),
        cors_expose: section.get("cors_expose", default.cors_expose, Leaf::flag),
        retry_jitter: section.get("retry_jitter", default.retry_jitter, |leaf| {
            leaf.parse("a share, as in \"10%\"", str::parse::<Share>)
        }),
    }
}

fn send(leaf: &Leaf) -> Result<HeaderFormats, ConfigError> {
    let formats = leaf.list("formats, as in [\"draft-11\", \"x-ratelimit\"]")?;
    let format = |name: &String| leaf.parse_item(name, "a format", str::parse::<HeaderFormat>);
    let formats: Vec<_> = formats.iter().map(format).collect::<Result<_, _>>()?;
    HeaderFormats::new(formats).map_err(|error| leaf.refuse(error))
}

/// `legacy` was an option once. Whoever sets it is told what stands for it now.
fn legacy(section: &mut Section) {
    let Some(leaf) = section.take_gone("legacy") else { return };
    let message = match leaf.flag() {
        Ok(false) => "send stands for it now: leave this line out",
        _ => {
            "send stands for it now: expected send = [\"draft-11\", \"x-ratelimit\"] instead of this line"
        }
    };
    section.note::<()>(Err(leaf.refuse(message)));
}
