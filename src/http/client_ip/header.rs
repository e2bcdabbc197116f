//! The field into which proxies write the addresses of clients. It is read from its end.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::address;
use crate::domain::policy::is_token_byte;
use crate::http::request::RequestHead;

/// The field of RFC 7239; all others list addresses alone.
pub(super) const FORWARDED: &str = "forwarded";

pub(super) const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The most entries that are read. No real chain of proxies is longer.
const MOST_ENTRIES: usize = 32;

/// The longest entry in bytes: an address with a port has 53, and `Forwarded` has more parameters.
const LONGEST_ENTRY: usize = 512;

/// The header field that proxies write the addresses of clients into: `forwarded` as RFC 7239 has it,
/// or one that lists addresses, such as `x-forwarded-for` (the default), `x-real-ip` or
/// `cf-connecting-ip`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardingHeader(Cow<'static, str>);

impl ForwardingHeader {
    /// Its name, in lower case.
    pub(super) fn name(&self) -> &str {
        &self.0
    }

    /// The addresses in the field of `request`, the last one first, up to the first invalid entry.
    pub(super) fn addresses<'a>(
        &'a self,
        request: &'a impl RequestHead,
    ) -> impl Iterator<Item = IpAddr> {
        let is_forwarded = self.0 == FORWARDED;
        // Lines of one name are one list (RFC 9110, section 5.3).
        let lines = request.lines(&self.0).rev();
        let entries = lines.flat_map(move |line| Entries::of(line, is_forwarded));
        entries.take(MOST_ENTRIES).filter(|entry| *entry != Some(b"")).map_while(move |entry| {
            let text = std::str::from_utf8(entry?).ok()?;
            if is_forwarded { address::read_forwarded(text) } else { address::read(text) }
        })
    }
}

impl Default for ForwardingHeader {
    fn default() -> Self {
        Self(Cow::Borrowed(X_FORWARDED_FOR))
    }
}

impl FromStr for ForwardingHeader {
    type Err = ForwardingHeaderError;

    fn from_str(text: &str) -> Result<Self, ForwardingHeaderError> {
        if text.is_empty() || !text.bytes().all(is_token_byte) {
            return Err(ForwardingHeaderError(text.to_owned()));
        }
        Ok(Self(Cow::Owned(text.to_ascii_lowercase())))
    }
}

impl fmt::Display for ForwardingHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is not the name of a header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardingHeaderError(String);

impl fmt::Display for ForwardingHeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} cannot name a header field: expected x-forwarded-for, forwarded, x-real-ip or another name",
            self.0
        )
    }
}

impl std::error::Error for ForwardingHeaderError {}

/// The entries of one line, the last one first, without the space around them. `None` stands for an entry that
/// is too long, and ends the iteration.
///
/// A client may have written the left part of the line. It cannot change how the right part is read: an
/// unclosed quote on the left neither hides nor joins the entries that a proxy appended.
struct Entries<'a> {
    /// The part that is not read yet; `None` at the end.
    rest: Option<&'a [u8]>,
    has_quotes: bool,
}

impl<'a> Entries<'a> {
    fn of(line: &'a [u8], has_quotes: bool) -> Self {
        Self { rest: Some(line), has_quotes }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let near = &rest[rest.len().saturating_sub(LONGEST_ENTRY + 1)..];
        let comma = last_comma(near, self.has_quotes);
        let entry = match comma {
            Some(at) => &near[at + 1..],
            None if near.len() > LONGEST_ENTRY => return Some(None),
            None => near,
        };
        self.rest = comma.map(|_| &rest[..rest.len() - entry.len() - 1]);
        Some(Some(entry.trim_ascii()))
    }
}

/// The position of the last comma outside of quoted strings.
fn last_comma(text: &[u8], has_quotes: bool) -> Option<usize> {
    let mut is_quoted = false;
    for (at, byte) in text.iter().enumerate().rev() {
        match byte {
            b',' if !is_quoted => return Some(at),
            // After an odd number of backslashes a quote is part of the string.
            b'"' if has_quotes => {
                let escapes = text[..at].iter().rev().take_while(|&&byte| byte == b'\\').count();
                is_quoted ^= escapes % 2 == 0;
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
