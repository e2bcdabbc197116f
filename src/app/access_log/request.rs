//! A request as a line tells of it: a [`LoggedRequest`].

use std::fmt;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use crate::domain::clock::Millis;

/// The bytes of a length of a value, in front of a field.
const LENGTH: usize = 4;

/// A request as a line tells of it. It shares the memory of its texts with the requests read along with it, so that
/// millions of them are made and moved at little cost.
#[derive(Clone)]
pub(crate) struct LoggedRequest {
    texts: Arc<[u8]>,
    head: Head,
}

/// What is known of a request, with the places of its texts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    pub(super) began_at: Millis,
    /// As `began_at` if the line does not tell.
    pub(super) ended_at: Millis,
    /// Where its fields are among the texts.
    pub(super) fields: Place,
    pub(super) method: Place,
    pub(super) target: Place,
    pub(super) user: Place,
    pub(super) peer: Option<IpAddr>,
    pub(super) status: Option<u16>,
    /// Whether it came too late to be sorted in.
    pub(super) is_late: bool,
}

/// A part of the texts. The texts of some thousands of lines stay far below 4 GiB.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Place {
    pub(super) fn is_empty(self) -> bool {
        self.start == self.end
    }

    fn of(self, texts: &[u8]) -> &[u8] {
        texts.get(self.range()).unwrap_or_default()
    }

    fn range(self) -> Range<usize> {
        let index = |place: u32| usize::try_from(place).unwrap_or(usize::MAX);
        index(self.start)..index(self.end)
    }
}

impl LoggedRequest {
    pub(super) fn new(texts: Arc<[u8]>, head: Head) -> Self {
        Self { texts, head }
    }

    /// When it began, in ms since the epoch.
    pub(crate) fn began_at(&self) -> Millis {
        self.head.began_at
    }

    /// When it ended, in ms since the epoch; when it began if the line does not tell how long it took.
    pub(crate) fn ended_at(&self) -> Millis {
        self.head.ended_at
    }

    /// Its method; empty if the line has no request that can be read.
    pub(crate) fn method(&self) -> &[u8] {
        self.head.method.of(&self.texts)
    }

    /// Its path and query as sent. If the line has no request that can be read, what it has instead.
    pub(crate) fn target(&self) -> &[u8] {
        self.head.target.of(&self.texts)
    }

    /// The address that sent it.
    pub(crate) fn peer(&self) -> Option<IpAddr> {
        self.head.peer
    }

    /// The name of its user, as the server that wrote the line has it.
    pub(crate) fn user(&self) -> Option<&[u8]> {
        let user = self.head.user;
        (!user.is_empty()).then(|| user.of(&self.texts))
    }

    /// The header field of this name in lower case, if it is logged. Lines of one name are one list.
    pub(crate) fn field(&self, name: &str) -> Option<&[u8]> {
        let fields = self.head.fields.of(&self.texts);
        Fields(fields).find(|(found, _)| *found == name.as_bytes()).map(|(_, value)| value)
    }

    /// The status that it was answered with.
    pub(crate) fn status(&self) -> Option<u16> {
        self.head.status
    }

    pub(super) fn is_late(&self) -> bool {
        self.head.is_late
    }

    /// Moves it to `at`, in ms since the epoch.
    pub(super) fn move_to(&mut self, at: Millis) {
        self.head.began_at = at;
    }

    /// Marks it as too late to be sorted in.
    pub(super) fn mark_late(&mut self) {
        self.head.is_late = true;
    }
}

impl fmt::Debug for LoggedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggedRequest")
            .field("began_at", &self.began_at())
            .field("method", &self.method().escape_ascii().to_string())
            .field("target", &self.target().escape_ascii().to_string())
            .field("peer", &self.peer())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// Appends the field `name` to `texts`: the lengths of its name and value, then both. A name has at most 255 bytes.
pub(super) fn push_field(texts: &mut Vec<u8>, name: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
    let Ok(name_length) = u8::try_from(name.len()) else { return };
    let start = texts.len();
    texts.push(name_length);
    texts.extend_from_slice(&[0; LENGTH]);
    texts.extend_from_slice(name);
    extend_field(texts, start, write);
}

/// Appends to the value of the last field of `texts`, which begins at `start`.
pub(super) fn extend_field(texts: &mut Vec<u8>, start: usize, write: impl FnOnce(&mut Vec<u8>)) {
    write(texts);
    let value = start + 1 + LENGTH + usize::from(texts[start]);
    let length = u32::try_from(texts.len() - value).unwrap_or_default();
    texts[start + 1..=start + LENGTH].copy_from_slice(&length.to_le_bytes());
}

/// The name of the field that `texts` begin with.
pub(super) fn name_of(texts: &[u8]) -> Option<&[u8]> {
    Fields(texts).next().map(|(name, _)| name)
}

/// Iterates over fields: name and value.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name_length, rest) = self.0.split_first()?;
        let (length, rest) = rest.split_first_chunk::<LENGTH>()?;
        let (name, rest) = rest.split_at_checked(usize::from(*name_length))?;
        let (value, rest) =
            rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        self.0 = rest;
        Some((name, value))
    }
}
