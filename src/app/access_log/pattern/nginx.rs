//! The `log_format` of nginx.

use super::piece::{Piece, Pieces};
use crate::app::access_log::draft::Moment;
use crate::app::access_log::number::Unit;
use crate::app::access_log::role::Role;

/// The pieces of `format`, such as `$remote_addr - $remote_user [$time_local] "$request" $status`.
pub(super) fn pieces(format: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Pieces::default();
    let mut rest = format;
    while let Some((text, after)) = rest.split_once('$') {
        pieces.text(text);
        let (name, after) = split_name(after).ok_or("a $ has no name of a variable after it")?;
        pieces.value(role(name));
        rest = after;
    }
    pieces.text(rest);
    Ok(pieces.into_vec())
}

/// The name at the start of `text`, which may be in braces, and what comes after it.
fn split_name(text: &str) -> Option<(&str, &str)> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let (name, rest) = match text.strip_prefix('{') {
        Some(inside) => inside.split_once('}')?,
        None => text.split_at(text.bytes().take_while(is_name).count()),
    };
    (!name.is_empty() && name.bytes().all(|byte| is_name(&byte))).then_some((name, rest))
}

fn role(name: &str) -> Role {
    match name {
        "remote_addr" => Role::Client,
        "remote_user" => Role::User,
        // nginx writes a line when the response was sent.
        "time_local" | "time_iso8601" | "msec" => Role::Time(Moment::End),
        "request" => Role::RequestLine,
        "request_method" => Role::Method,
        "request_uri" => Role::Target,
        "uri" | "document_uri" => Role::Path,
        "args" | "query_string" | "is_args" => Role::Query,
        "status" => Role::Status,
        "request_time" => Role::Duration(Unit::Seconds),
        _ => match name.strip_prefix("http_") {
            Some(field) => Role::Field(field.to_ascii_lowercase().replace('_', "-").into()),
            None => Role::Other,
        },
    }
}
