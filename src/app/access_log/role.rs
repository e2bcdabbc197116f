//! What a value in a line stands for.

use super::draft::Moment;
use super::number::Unit;

/// What a value in a line stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing that is read.
    Other,
    Time(Moment),
    /// A part of a time that is logged in parts.
    Part(TimePart),
    /// The address of the client.
    Client,
    User,
    /// `GET /path HTTP/1.1`
    RequestLine,
    Method,
    /// The path and query as sent.
    Target,
    /// The path alone.
    Path,
    /// The query alone, with `?` or without.
    Query,
    Status,
    Duration(Unit),
    /// A header field of the request, by its name in lower case.
    Field(Box<str>),
}

/// A part of a time that is logged in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimePart {
    Year,
    Month,
    /// `May`
    MonthName,
    Day,
    Hour,
    Minute,
    Second,
    /// Seconds since the epoch.
    Epoch,
    /// Milliseconds within the second.
    Millis,
    /// Microseconds within the second.
    Micros,
    /// `+0200`
    Offset,
}
