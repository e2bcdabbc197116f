//! Where a field of a request is in lines of JSON: a [`FieldPath`], such as `ip=client.addr`.

use std::fmt;
use std::str::FromStr;

/// The start of the names of header fields, as in `header:x-api-key`.
const HEADER: &str = "header:";

/// What of a request a field of a line tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogField {
    /// When it began, or when it was logged.
    Time,
    /// The address of the client.
    Ip,
    /// The name of the user.
    User,
    /// The method.
    Method,
    /// The path, with the query or without.
    Path,
    /// The status of the response.
    Status,
    /// How long it took: in seconds, unless the name of the field ends in `ms`, `us` or `ns`.
    Duration,
    /// The addresses of clients and proxies, as in `X-Forwarded-For`.
    Forwarded,
    /// A header field of the request, by its name in lower case.
    Header(String),
}

/// Where a field of a request is in lines of JSON. Dots lead into objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldPath {
    /// What the field tells.
    pub(crate) field: LogField,
    /// The names of the objects and of the field, with dots between them.
    pub(crate) path: String,
}

impl FromStr for FieldPath {
    type Err = FieldPathError;

    /// Reads `NAME=path.to.value`.
    fn from_str(text: &str) -> Result<Self, FieldPathError> {
        let refused = || FieldPathError { text: text.to_owned() };
        let (name, path) = text.split_once('=').ok_or_else(refused)?;
        let field = match name.trim() {
            "time" => LogField::Time,
            "ip" => LogField::Ip,
            "user" => LogField::User,
            "method" => LogField::Method,
            "path" => LogField::Path,
            "status" => LogField::Status,
            "duration" => LogField::Duration,
            "forwarded" => LogField::Forwarded,
            name => match name.strip_prefix(HEADER) {
                Some(name) if !name.is_empty() => LogField::Header(name.to_ascii_lowercase()),
                _ => return Err(refused()),
            },
        };
        let path = path.trim().trim_start_matches('.').to_owned();
        if path.is_empty() { Err(refused()) } else { Ok(Self { field, path }) }
    }
}

/// A text that is not a [`FieldPath`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldPathError {
    text: String,
}

impl fmt::Display for FieldPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} does not say where a field is: expected time, ip, user, method, path, status, duration, \
             forwarded or {HEADER}NAME, then = and the path of a value, as in ip=client.addr",
            self.text
        )
    }
}

impl std::error::Error for FieldPathError {}
