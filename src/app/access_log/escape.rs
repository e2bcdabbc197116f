//! The escapes in quoted strings, as nginx, Apache and JSON write them.

use memchr::{memchr, memchr2};

/// The position of the first quote of `text` that no backslash escapes.
pub(super) fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let found = at + memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[found] == b'"' {
            return Some(found);
        }
        at = found + 2;
    }
}

/// Appends `text` to `bytes` with its escapes resolved. An escape that stands for nothing stays as it is.
pub(super) fn unescape(text: &[u8], bytes: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr(b'\\', rest) {
        bytes.extend_from_slice(&rest[..at]);
        rest = resolve(&rest[at..], bytes);
    }
    bytes.extend_from_slice(rest);
}

/// Appends what the escape at the start of `text` stands for; returns what comes after it.
fn resolve<'a>(text: &'a [u8], bytes: &mut Vec<u8>) -> &'a [u8] {
    match text {
        [_, byte @ (b'"' | b'\\' | b'/'), rest @ ..] => {
            bytes.push(*byte);
            rest
        }
        [_, b'x', high, low, rest @ ..] if is_hex(*high) && is_hex(*low) => {
            bytes.push(hex(*high) << 4 | hex(*low));
            rest
        }
        [_, b'u', a, b, c, d, rest @ ..]
            if [a, b, c, d].into_iter().all(|digit| is_hex(*digit)) =>
        {
            let code =
                [a, b, c, d].into_iter().fold(0, |code, digit| code << 4 | u32::from(hex(*digit)));
            // Half of a surrogate pair is no character.
            let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            rest
        }
        [byte, rest @ ..] => {
            bytes.push(*byte);
            rest
        }
        [] => text,
    }
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

/// The value of a hexadecimal digit; 0 for any other byte.
fn hex(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => byte - b'A' + 10,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
