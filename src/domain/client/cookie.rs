//! A cookie in the field `Cookie` (RFC 6265bis, section 4.2).

use std::borrow::Cow;

/// The value of the cookie `name` in `field`, as it was sent: neither decoded nor without quotation marks. It is the first one
/// of several. `None` if it is not there, or has control characters.
pub(super) fn cookie<'a>(field: Cow<'a, [u8]>, name: &str) -> Option<Cow<'a, [u8]>> {
    match field {
        Cow::Borrowed(field) => find(field, name).map(Cow::Borrowed),
        Cow::Owned(field) => find(&field, name).map(|value| Cow::Owned(value.to_owned())),
    }
}

fn find<'f>(field: &'f [u8], name: &str) -> Option<&'f [u8]> {
    let value = field.split(|byte| *byte == b';').find_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let (key, value) = (&pair[..at], &pair[at + 1..]);
        (key.trim_ascii() == name.as_bytes()).then(|| value.trim_ascii())
    })?;
    Some(value).filter(|value| !value.iter().any(u8::is_ascii_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name_and_taken_as_it_was_sent() {
        for (field, expected) in [
            ("session=abc", Some("abc")),
            ("a=1; session=abc; b=2", Some("abc")),
            ("a=1;session=abc", Some("abc")),
            ("session = abc ", Some("abc")),
            ("session=a=b", Some("a=b")),
            ("session=\"a b\"", Some("\"a b\"")),
            ("session=a%62", Some("a%62")),
            ("session=", Some("")),
            ("session=first; session=second", Some("first")),
            ("", None),
            ("session", None),
            ("Session=abc", None),
            ("xsession=abc", None),
            ("a=session=abc", None),
            ("session=a\0b", None),
            ("session=a\x7fb", None),
        ] {
            let value = cookie(field.as_bytes().into(), "session");
            assert_eq!(value.as_deref(), expected.map(str::as_bytes), "{field:?}");
            let owned = cookie(field.as_bytes().to_owned().into(), "session");
            assert_eq!(owned, value);
        }
    }
}
