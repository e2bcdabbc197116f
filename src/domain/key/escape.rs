//! How any bytes stand in the text of an identity.

use std::fmt;

/// For each byte, whether it is an unreserved character or `@`.
const IS_PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'@');
        byte += 1;
    }
    table
};

/// Writes `bytes`, percent-encoded (RFC 3986, section 2.1) except for the unreserved characters and `@`.
pub(super) fn escape(bytes: &[u8], text: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = bytes;
    loop {
        let plain = rest.iter().position(|byte| !IS_PLAIN[usize::from(*byte)]);
        let (plain, after) = rest.split_at(plain.unwrap_or(rest.len()));
        text.write_str(std::str::from_utf8(plain).unwrap_or_default())?;
        let Some((byte, after)) = after.split_first() else { return Ok(()) };
        write!(text, "%{byte:02X}")?;
        rest = after;
    }
}

/// The bytes of `text`, in which `%` and two hexadecimal digits stand for a byte.
pub(crate) fn unescaped(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escape = match after {
            [high, low, after @ ..] if *first == b'%' => {
                digit(*high).zip(digit(*low)).map(|(high, low)| (high << 4 | low, after))
            }
            _ => None,
        };
        let (byte, after) = escape.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    bytes
}
