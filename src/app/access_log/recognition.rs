//! Recognises the format of a file by its first lines.

use super::alb::is_alb;
use super::clf::is_combined;
use super::draft::Draft;
use super::field_path::FieldPath;
use super::format::{Format, NAMES};

/// The format of the first of `lines` that can be read in the format that it looks like, or a sentence that says
/// why there is none.
pub(super) fn recognise<'a>(
    lines: impl Iterator<Item = &'a [u8]>,
    fields: &[FieldPath],
) -> Result<Format, String> {
    let mut has_json = false;
    for line in lines {
        let format = guess(line);
        let mut draft = Draft::default();
        if format.parser(fields).read(line, &mut draft).is_ok() {
            return Ok(format);
        }
        has_json |= matches!(format, Format::Json);
    }
    Err(if has_json {
        "has lines of JSON in which no time, path or address is found: name their fields, as by \
         --field time=NAME --field ip=NAME --field path=NAME"
            .to_owned()
    } else {
        format!(
            "has lines in no format that is recognised: name it by --format, which takes {NAMES}, or the \
             log_format of nginx or the LogFormat of Apache that the lines are written by"
        )
    })
}

/// The format that `line` looks like.
fn guess(line: &[u8]) -> Format {
    let has = |text: &str| memchr::memmem::find(line, text.as_bytes()).is_some();
    if line.trim_ascii_start().starts_with(b"{") {
        return if has("\"RequestMethod\"") || has("\"DownstreamStatus\"") {
            Format::Traefik
        } else if has("\"ts\"") && has("\"request\":{") {
            Format::Caddy
        } else {
            Format::Json
        };
    }
    if is_alb(line) {
        Format::Alb
    } else if is_combined(line) {
        Format::Combined
    } else {
        Format::Common
    }
}

#[cfg(test)]
mod tests;
