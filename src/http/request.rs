//! What is read of a request, whatever framework received it: a [`RequestHead`].

use std::borrow::Cow;
use std::net::IpAddr;

/// The head of a request, as [`ClientIp`](crate::ClientIp) reads it.
///
/// It is implemented for the requests of each framework that has a feature here. Implement it for those of
/// another one:
///
/// ```
/// use std::net::IpAddr;
/// use tollgate::{ClientIp, RequestHead};
///
/// struct Request {
///     peer: IpAddr,
///     headers: Vec<(String, String)>,
/// }
///
/// impl RequestHead for Request {
///     fn peer(&self) -> Option<IpAddr> {
///         Some(self.peer)
///     }
///
///     fn lines<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
///         let lines = self.headers.iter().filter(move |(it, _)| it.eq_ignore_ascii_case(name));
///         lines.map(|(_, value)| value.as_bytes())
///     }
/// }
///
/// let request = Request {
///     peer: "10.0.0.1".parse()?,
///     headers: vec![("X-Forwarded-For".into(), "203.0.113.7".into())],
/// };
/// let client_ip = ClientIp::behind(["10.0.0.0/8".parse()?], "x-forwarded-for".parse()?);
/// assert_eq!(client_ip.address(&request), Some("203.0.113.7".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait RequestHead {
    /// The address of the other end of the connection; `None` where it has none, as on a Unix socket, or
    /// was reset before its address was taken.
    fn peer(&self) -> Option<IpAddr>;

    /// The values of all lines of the header field `name`, in their order. `name` is in lower case.
    fn lines<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]>;
}

/// The whole value of the header field `name` that has these `lines`: the values of repeated lines are one list
/// (RFC 9110, section 5.3), and cookies are one list of their own form (RFC 9113, section 8.2.3). `None` where there is
/// no line.
pub(crate) fn whole_value<'a>(
    name: &str,
    mut lines: impl Iterator<Item = &'a [u8]>,
) -> Option<Cow<'a, [u8]>> {
    let mut value = Cow::Borrowed(lines.next()?);
    for line in lines {
        let joint: &[u8] = if name == "cookie" { b"; " } else { b", " };
        value.to_mut().extend([joint, line].concat());
    }
    Some(value)
}

/// The authority of a request: that of its target, or else the only line of its field `Host`, which has these `lines`.
/// `None` if neither says one.
pub(crate) fn authority<'a>(
    of_target: Option<&'a str>,
    mut lines: impl Iterator<Item = &'a [u8]>,
) -> Option<&'a str> {
    of_target.or_else(|| match (lines.next(), lines.next()) {
        (Some(line), None) => std::str::from_utf8(line).ok(),
        _ => None,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[test]
    fn lines_of_a_field_are_one_list_and_those_of_cookies_one_of_cookies() {
        let lines = || [&b"a=1"[..], b"b=2"].into_iter();
        assert_eq!(whole_value("x-tenant", lines()).as_deref(), Some(&b"a=1, b=2"[..]));
        assert_eq!(whole_value("cookie", lines()).as_deref(), Some(&b"a=1; b=2"[..]));
        assert_eq!(whole_value("cookie", [].into_iter()), None);
    }

    #[test]
    fn the_host_is_that_of_the_target_or_of_the_only_line() {
        let hosts = |lines: &[&'static [u8]]| authority(None, lines.iter().copied());
        assert_eq!(authority(Some("a"), [&b"b"[..]].into_iter()), Some("a"));
        assert_eq!(hosts(&[b"b:80"]), Some("b:80"));
        assert_eq!(hosts(&[b"b", b"b"]), None);
        assert_eq!(hosts(&[b"\xff"]), None);
        assert_eq!(hosts(&[]), None);
    }

    /// A request without a framework.
    #[derive(Debug, Default)]
    pub(crate) struct PlainRequest {
        peer: Option<IpAddr>,
        lines: Vec<(String, Vec<u8>)>,
    }

    impl PlainRequest {
        /// A request from `peer`; from nowhere where that is empty.
        pub(crate) fn from(peer: &str) -> Self {
            let peer = (!peer.is_empty()).then(|| peer.parse().expect(peer));
            Self { peer, lines: Vec::new() }
        }

        /// The request with one more line of the field `name`.
        pub(crate) fn with_line(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
            self.lines.push((name.to_ascii_lowercase(), value.as_ref().to_vec()));
            self
        }
    }

    impl RequestHead for PlainRequest {
        fn peer(&self) -> Option<IpAddr> {
            self.peer
        }

        fn lines<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
            self.lines.iter().filter(move |(it, _)| it == name).map(|(_, value)| &**value)
        }
    }
}
