/// The longest name of a policy: it is sent in header fields and stored in every key.
pub const MAX_NAME: usize = 64;

/// Whether header fields and keys can carry `text` as it is.
pub(crate) fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(is_plain)
}
