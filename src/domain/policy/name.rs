/// The longest name of a policy, in bytes: names are sent in header fields and stored in every key.
pub const MAX_NAME: usize = 64;

/// Whether `text` can stand in header fields and keys as it is.
pub(crate) fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(is_plain)
}
