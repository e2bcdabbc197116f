//! A parameter of a query, as `application/x-www-form-urlencoded` has it.

use std::borrow::Cow;

/// The value of the parameter `name` in `query`, decoded. `None` if it is not there, or there more than once: servers
/// differ in which of several they take, so a client could have one counted and another one used.
pub(super) fn parameter<'a>(query: &'a str, name: &str) -> Option<Cow<'a, [u8]>> {
    let mut found = None;
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decoded(key).eq(name.bytes()) && found.replace(value).is_some() {
            return None;
        }
    }
    found.map(|value| match value.bytes().any(is_encoded) {
        false => Cow::Borrowed(value.as_bytes()),
        true => Cow::Owned(decoded(value).collect()),
    })
}

fn is_encoded(byte: u8) -> bool {
    byte == b'%' || byte == b'+'
}

/// The bytes of `text`, in which `+` is a space, and `%` with two hexadecimal digits is a byte.
fn decoded(text: &str) -> impl Iterator<Item = u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut rest = text.as_bytes();
    std::iter::from_fn(move || {
        let (&first, after) = rest.split_first()?;
        rest = after;
        if first == b'%'
            && let [high, low, after @ ..] = after
            && let Some((high, low)) = digit(*high).zip(digit(*low))
        {
            rest = after;
            return Some(high << 4 | low);
        }
        Some(if first == b'+' { b' ' } else { first })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_decoded_and_found_however_its_name_is_written() {
        for (query, expected) in [
            ("key=abc", Some("abc")),
            ("a=1&key=abc&b=2", Some("abc")),
            ("k%65y=abc", Some("abc")),
            ("%6B%65%79=abc", Some("abc")),
            ("key=a+b%20c%2B", Some("a b c+")),
            ("key=a=b", Some("a=b")),
            ("key=%zz%", Some("%zz%")),
            ("key=", Some("")),
            ("key", Some("")),
            ("&&key=1&", Some("1")),
            ("", None),
            ("Key=abc", None),
            ("keys=abc", None),
            ("a=key=abc", None),
        ] {
            let value = parameter(query, "key");
            assert_eq!(value.as_deref(), expected.map(str::as_bytes), "{query}");
        }
        assert_eq!(parameter("a%20b=1", "a b").as_deref(), Some(&b"1"[..]));
        assert_eq!(parameter("key=%ff%00", "key").as_deref(), Some(&b"\xff\0"[..]));
    }

    #[test]
    fn a_parameter_that_is_repeated_counts_as_missing() {
        for query in ["key=a&key=b", "key=a&key=a", "key&key", "key=a&x=1&k%65y=b"] {
            assert_eq!(parameter(query, "key"), None, "{query}");
        }
    }
}
