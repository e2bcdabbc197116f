//! The ID that a trusted proxy gives a request, by which logs name it.

use super::client_ip::ClientIp;
use super::request::RequestHead;

/// The longest ID that is shown, in bytes.
const LONGEST: usize = 64;

/// The ID of `request` in the header field `name`, which is in lower case. `None` unless a trusted proxy of
/// `client_ip` sends it, and it has at most 64 characters, all of them visible and ASCII: it is written into logs as
/// it is.
///
/// Of several lines the last one counts, since the nearest proxy wrote there. A client may have sent the others.
pub(crate) fn request_id<'a>(
    request: &'a impl RequestHead,
    name: &str,
    client_ip: &ClientIp,
) -> Option<&'a str> {
    let id = std::str::from_utf8(request.lines(name).next_back()?).ok()?;
    let is_fine = (1..=LONGEST).contains(&id.len()) && id.bytes().all(|it| it.is_ascii_graphic());
    (is_fine && client_ip.is_from_trusted_proxy(request)).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request::tests::PlainRequest;

    fn id_of(request: &PlainRequest) -> Option<&str> {
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        let client_ip = ClientIp::behind(proxies, "x-real-ip".parse().unwrap());
        request_id(request, "x-request-id", &client_ip)
    }

    #[test]
    fn an_id_is_short_and_visible() {
        let longest = "x".repeat(LONGEST);
        for (value, is_taken) in [
            ("7-a", true),
            (&*longest, true),
            (&*format!("{longest}x"), false),
            ("", false),
            ("two words", false),
            ("caf\u{e9}", false),
            ("a\tb", false),
            ("\u{7f}", false),
        ] {
            let request = PlainRequest::from("10.0.0.1").with_line("X-Request-Id", value);
            assert_eq!(id_of(&request), is_taken.then_some(value));
        }
        let no_text = PlainRequest::from("10.0.0.1").with_line("X-Request-Id", [0xff]);
        assert_eq!(id_of(&no_text), None);
        assert_eq!(id_of(&PlainRequest::from("10.0.0.1")), None);
    }

    #[test]
    fn a_trusted_proxy_alone_is_believed_and_its_line_is_the_last() {
        for (peer, is_taken) in [("10.9.9.9", true), ("203.0.113.7", false), ("", false)] {
            let request = PlainRequest::from(peer).with_line("X-Request-Id", "7-a");
            assert_eq!(id_of(&request).is_some(), is_taken, "{peer}");
        }
        let request = PlainRequest::from("10.0.0.1")
            .with_line("X-Request-Id", "forged")
            .with_line("X-Request-Id", "7-a");
        assert_eq!(id_of(&request), Some("7-a"));
    }
}
