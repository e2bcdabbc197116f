//! Requests in the making: a [`Draft`] takes what the reader of a format finds in a line.

use std::sync::Arc;
use std::time::Duration;

use super::address;
use super::escape::unescape;
use super::request::{Head, LoggedRequest, Place, extend_field, name_of, push_field};
use crate::domain::clock::{self, Millis};

const X_FORWARDED_FOR: &[u8] = b"x-forwarded-for";

/// The longest method that is taken for one.
const LONGEST_METHOD: usize = 32;

/// Appends a text as it is logged to bytes.
type Write = fn(&[u8], &mut Vec<u8>);

/// Whether a time is when a request began, or when its response had been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Start,
    End,
}

/// Requests that were read, and the one that is being read.
#[derive(Debug, Default)]
pub(super) struct Draft {
    texts: Vec<u8>,
    requests: Vec<Drafted>,
    /// Where the texts of the request begin that is being read.
    start: usize,
    head: Head,
    began_at: Option<Millis>,
    ended_at: Option<Millis>,
    duration: Option<Duration>,
    /// The place of the last field, for a further line of the same name.
    last_field: usize,
}

/// A request that was read, without its texts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drafted {
    pub(super) head: Head,
    /// The time in the line.
    pub(super) logged_at: Millis,
    /// Whether its duration was taken off.
    pub(super) has_duration: bool,
    /// Whether the line tells when it ended, beside when it began.
    pub(super) knows_end: bool,
}

impl Draft {
    /// Forgets what was taken of a line that is not finished, and begins with another.
    pub(super) fn begin(&mut self) {
        self.texts.truncate(self.start);
        self.last_field = self.start;
        self.head = Head::default();
        (self.began_at, self.ended_at, self.duration) = (None, None, None);
    }

    /// Takes the request that is being read among the others; `None` if it has no time.
    pub(super) fn finish(&mut self) -> Option<&Drafted> {
        let logged_at = self.ended_at.or(self.began_at)?;
        let took = self.duration.map_or(0, clock::millis);
        self.head.began_at = self.began_at.unwrap_or(logged_at.saturating_sub(took));
        self.head.ended_at = self.ended_at.unwrap_or(self.head.began_at.saturating_add(took));
        self.head.fields = self.place_from(self.start);
        self.start = self.texts.len();
        let has_duration = self.duration.is_some() && self.began_at.is_none();
        let has_both = self.began_at.is_some() && self.ended_at.is_some();
        let knows_end = self.duration.is_some() || has_both;
        self.requests.push(Drafted { head: self.head, logged_at, has_duration, knows_end });
        self.requests.last()
    }

    /// The bytes of the texts of all requests.
    pub(super) fn size(&self) -> usize {
        self.texts.len()
    }

    /// Hands the requests over, each with the time in its line.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (LoggedRequest, Millis)> {
        self.begin();
        let texts: Arc<[u8]> = Arc::from(self.texts.as_slice());
        self.texts.clear();
        self.start = 0;
        let requests = self.requests.drain(..);
        requests.map(move |it| (LoggedRequest::new(Arc::clone(&texts), it.head), it.logged_at))
    }

    /// The time in the line.
    pub(super) fn time(&mut self, at: Millis, moment: Moment) {
        match moment {
            Moment::Start => self.began_at = Some(at),
            Moment::End => self.ended_at = Some(at),
        }
    }

    pub(super) fn has_time(&self) -> bool {
        self.began_at.is_some() || self.ended_at.is_some()
    }

    pub(super) fn duration(&mut self, duration: Duration) {
        self.duration = Some(duration);
    }

    /// The field of the client: its address, or a list of addresses, which is a forwarding field.
    pub(super) fn client(&mut self, text: &[u8]) {
        if memchr::memchr(b',', text).is_some() {
            self.field(X_FORWARDED_FOR, text);
            self.head.peer = address::read_last(text);
        } else {
            self.head.peer = address::read(text);
        }
    }

    pub(super) fn has_peer(&self) -> bool {
        self.head.peer.is_some()
    }

    pub(super) fn user(&mut self, text: &[u8]) {
        if text != b"\"\"" {
            self.head.user = self.text(text, unescape);
        }
    }

    pub(super) fn plain_user(&mut self, text: &[u8]) {
        self.head.user = self.text(text, append);
    }

    pub(super) fn method(&mut self, text: &[u8]) {
        self.head.method = self.text(text, unescape);
    }

    pub(super) fn plain_method(&mut self, text: &[u8]) {
        self.head.method = self.text(text, append);
    }

    pub(super) fn target(&mut self, text: &[u8]) {
        self.head.target = self.text(text, unescape);
    }

    pub(super) fn plain_target(&mut self, text: &[u8]) {
        self.head.target = self.text(text, append);
    }

    pub(super) fn has_target(&self) -> bool {
        !self.head.target.is_empty()
    }

    pub(super) fn has_method(&self) -> bool {
        !self.head.method.is_empty()
    }

    /// The line of the request: `GET /path HTTP/1.1`. One that is none becomes the target, without a method.
    pub(super) fn request_line(&mut self, line: &[u8]) {
        match split_request_line(line) {
            Some((method, target)) => {
                self.method(method);
                self.target(target);
            }
            None => self.target(line),
        }
    }

    pub(super) fn status(&mut self, text: &[u8]) {
        if let [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] = text {
            let digit = |byte: &u8| u16::from(byte - b'0');
            self.head.status = Some(digit(a) * 100 + digit(b) * 10 + digit(c));
        }
    }

    /// A header field by its name in lower case. A further line of the field before it goes on with its list.
    pub(super) fn field(&mut self, name: &[u8], value: &[u8]) {
        self.write_field(name, value, unescape);
    }

    pub(super) fn plain_field(&mut self, name: &[u8], value: &[u8]) {
        self.write_field(name, value, append);
    }

    fn write_field(&mut self, name: &[u8], value: &[u8], write: Write) {
        if is_absent(value) {
            return;
        }
        if self.is_last_field(name) {
            extend_field(&mut self.texts, self.last_field, |texts| {
                texts.extend_from_slice(b", ");
                write(value, texts);
            });
            return;
        }
        self.last_field = self.texts.len();
        push_field(&mut self.texts, name, |texts| write(value, texts));
    }

    /// Whether the last that was written is a field of this name.
    fn is_last_field(&self, name: &[u8]) -> bool {
        let last = self.texts.get(self.last_field..).unwrap_or_default();
        name_of(last) == Some(name)
    }

    /// Writes a text as a field without a name.
    fn text(&mut self, text: &[u8], write: Write) -> Place {
        if is_absent(text) {
            return Place::default();
        }
        let mut start = 0;
        push_field(&mut self.texts, b"", |texts| {
            start = texts.len();
            write(text, texts);
        });
        self.last_field = self.texts.len();
        self.place_from(start)
    }

    fn place_from(&self, start: usize) -> Place {
        let place = |at: usize| u32::try_from(at).unwrap_or_default();
        Place { start: place(start), end: place(self.texts.len()) }
    }
}

/// The path and query of a target that may be a URL with scheme and host.
pub(super) fn origin_form(target: &[u8]) -> &[u8] {
    let is_url = [b"http".as_slice(), b"ws"].iter().any(|scheme| target.starts_with(scheme));
    let Some(host) = is_url.then(|| memchr::memmem::find(target, b"://")).flatten() else {
        return target;
    };
    let after = &target[host + 3..];
    match after.iter().position(|byte| matches!(byte, b'/' | b'?')) {
        Some(at) if after[at] == b'/' => &after[at..],
        _ => b"/",
    }
}

/// The method and target of the line of a request. Its version may be missing, and its target may have spaces.
pub(super) fn split_request_line(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = memchr::memchr(b' ', line.get(..LONGEST_METHOD.min(line.len()))?)?;
    let (method, rest) = (&line[..space], &line[space + 1..]);
    let is_method = method.first().is_some_and(u8::is_ascii_alphabetic)
        && method.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let target = match memchr::memrchr(b' ', rest) {
        Some(at) if rest[at + 1..].starts_with(b"HTTP/") => &rest[..at],
        Some(_) => return None,
        None => rest,
    };
    (is_method && !target.is_empty()).then_some((method, target))
}

/// Appends a text that has no escapes.
fn append(text: &[u8], bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(text);
}

fn is_absent(text: &[u8]) -> bool {
    matches!(text, b"" | b"-")
}
