//! The words of a line, which spaces separate.

use memchr::{memchr, memchr_iter};

use super::escape::closing_quote;

/// Splits the first word off `text`, without the spaces before it.
pub(super) fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    text.split_at(memchr(b' ', text).unwrap_or(text.len()))
}

/// Splits a string in quotes off `text`, without the spaces before it.
pub(super) fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_start().strip_prefix(b"\"")?;
    let close = closing_quote(text)?;
    Some((&text[..close], &text[close + 1..]))
}

/// Splits a word or a string in quotes off `text`.
pub(super) fn word_or_quoted(text: &[u8]) -> (&[u8], &[u8]) {
    quoted(text).unwrap_or_else(|| word(text))
}

/// Where the list at the start of `text` ends: at the first space that is not behind a comma.
pub(super) fn end_of_list(text: &[u8]) -> usize {
    let is_end = |at: &usize| at.checked_sub(1).and_then(|before| text.get(before)) != Some(&b',');
    memchr_iter(b' ', text).find(is_end).unwrap_or(text.len())
}
