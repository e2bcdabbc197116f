//! Numbers as text.

use bytes::Bytes;

use crate::domain::clock::Millis;

/// Appends `number` to `text`, without the cost of a formatter.
pub(crate) fn push(text: &mut String, number: u64) {
    text.push_str(itoa::Buffer::new().format(number));
}

/// In one allocation.
pub(super) fn number(number: u64) -> Bytes {
    Bytes::copy_from_slice(itoa::Buffer::new().format(number).as_bytes())
}

/// Rounded up, so that a client which waits this long is not early.
pub(crate) fn seconds_up(wait: Millis) -> u64 {
    wait.div_ceil(1_000)
}

/// The largest integer of a structured field: 15 digits (RFC 9651, section 3.3.1).
const LARGEST_INTEGER: u64 = 999_999_999_999_999;

/// A parameter or a value of a structured field at the end of `list`: the number, or the largest that such a field
/// can carry.
pub(super) fn parameter(list: &mut String, key: &str, number: u64) {
    list.push_str(key);
    push(list, number.min(LARGEST_INTEGER));
}
