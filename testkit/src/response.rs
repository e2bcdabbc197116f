//! An answer over HTTP.

use ureq::http::{HeaderMap, HeaderName, HeaderValue};

/// One answer.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// In the order in which they came; a repeated field keeps its values in order.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: String,
}

impl Response {
    /// The answer that this text is, with the whole of its body.
    pub fn parse(answer: &str) -> Option<Self> {
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let (line, fields) = head.split_once("\r\n")?;
        let status = line.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
        let mut headers = HeaderMap::new();
        for field in fields.split("\r\n") {
            let (name, value) = field.split_once(": ")?;
            headers.append(name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?);
        }
        Some(Self { status, headers, body: body.to_owned() })
    }

    /// The only value of a header field, `None` without one.
    pub fn header(&self, name: &str) -> Option<&str> {
        let values = self.all(name);
        assert!(values.len() <= 1, "{name} came {} times: {values:?}", values.len());
        values.first().copied()
    }

    /// All values of a header field, in order.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name of a header field");
        let text = |value| HeaderValue::to_str(value).expect("a header field of ASCII text");
        self.headers.get_all(name).into_iter().map(text).collect()
    }
}
