use std::fmt::{self, Write as _};
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::Fingerprint;
use crate::domain::algorithm::Algorithm;
use crate::domain::key::{Identity, IdentityError, Ipv6Network, Ipv6Prefix};
use crate::domain::policy::Policy;
use crate::domain::scratch::scratch;

/// If the text of an identity has more bytes than this, its hash stands in the key instead.
const MAX_IDENTITY: usize = 128;

/// How the text of an identity begins that is hashed.
const HASHED: [&str; 10] = [
    "user:#",
    "header:#",
    "descriptor:#",
    "claim:#",
    "cookie:#",
    "query:#",
    "host:#",
    "segment:#",
    "route:#",
    "parts:#",
];

/// Names keys: `{prefix}:{<identity>}:<policy>:<layout>`.
///
/// The braces are a hash tag, so all policies of one identity are in one slot of a Redis Cluster. The
/// layout is a letter that tells how the value is written, and the length of the window in its largest unit, as
/// in `f1h`. Where the calendar ends the window, the layout is a `c`, its unit and its time zone, as in
/// `cmEurope/Berlin`. A name of a few bytes more would take 16 bytes more of Redis, by the sizes of its allocator. An algorithm
/// never reads the state of another one, and two windows of one policy have separate counts. Units and
/// burst are not part of the name, so what was used is kept if they change.
#[derive(Clone, Debug)]
pub struct Keyspace {
    /// What all keys begin with, up to the hash tag.
    before_tag: String,
    hash_users: bool,
}

impl Keyspace {
    /// Names that begin with `prefix`, which keeps the tenants of one Redis apart.
    #[must_use]
    pub fn new(prefix: impl Into<String>) -> Self {
        Self { before_tag: prefix.into() + ":{", hash_users: false }
    }

    /// The same names. If `hash_users` is set, the SHA-256 of a user's ID stands in them instead of the ID. So does
    /// that of what may hold an ID: a descriptor, a claim, a segment of the path, and several parts of which one is any
    /// of these. Cookies and parameters of the query are hashed always.
    #[must_use]
    pub fn with_hashed_users(self, hash_users: bool) -> Self {
        Self { hash_users, ..self }
    }

    /// The key that holds the state of `identity` under `policy`.
    #[must_use]
    pub fn key(&self, identity: &Identity<'_>, policy: &Policy) -> Key {
        self.state_key(policy, |text| self.write_identity(text, identity))
    }

    /// The text that stands for the identity that `text` names in every key, between the braces: the identity
    /// itself as [`Identity::named`] reads it, or its hash. It may name the hash as well.
    ///
    /// # Errors
    /// If `text` names no identity.
    pub fn tag_named(
        &self,
        text: &str,
        ipv6_prefix: Ipv6Prefix,
    ) -> Result<Box<str>, IdentityError> {
        let is_hash = |kind: &str| {
            let hash = text.strip_prefix(kind).unwrap_or_default();
            hash.len() == 64 && hash.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
        };
        if HASHED.into_iter().any(is_hash) {
            return Ok(text.into());
        }
        let identity = Identity::named(text, ipv6_prefix)?;
        Ok(self.with_tag(&identity, |tag| tag.into()))
    }

    /// Calls `read` with the text that stands for `identity` in every key.
    pub(crate) fn with_tag<T>(&self, identity: &Identity<'_>, read: impl FnOnce(&str) -> T) -> T {
        scratch(|text| {
            self.write_identity(text, identity);
            read(text)
        })
    }

    /// The key of the client of `tag` under `policy`.
    #[must_use]
    pub fn key_of_tag(&self, tag: &str, policy: &Policy) -> Key {
        self.state_key(policy, |text| text.push_str(tag))
    }

    /// The key that holds what is known of the denials by `policy` of the client whose key under it is `key`. It is in
    /// the same slot.
    #[must_use]
    pub fn penalty_key(&self, key: &Key, policy: &Policy) -> Key {
        self.penalty_key_of_tag(key.hash_tag(), policy)
    }

    /// The same for the client of `tag`.
    #[must_use]
    pub fn penalty_key_of_tag(&self, tag: &str, policy: &Policy) -> Key {
        self.key_under(policy, |text| text.push_str(tag), |text| text.push_str(":pn1"))
    }

    /// The key of the mark that the charge of `id` to `key` under `policy` was given back. It is in the same slot.
    pub(crate) fn refund_key(&self, key: &Key, policy: &Policy, id: &str) -> Key {
        let write_mark = |text: &mut String| {
            text.push_str(":rf1:");
            text.push_str(id);
        };
        self.key_under(policy, |text| text.push_str(key.hash_tag()), write_mark)
    }

    /// The key that a store charges to see whether it can. No identity has this key.
    #[cfg(feature = "redis")]
    pub(crate) fn probe(&self, policy: &Policy) -> Key {
        self.state_key(policy, |name| name.push_str("probe"))
    }

    /// The keys of the overrides that operators make: their text, and the lines of what was changed. No identity has
    /// these keys, and both are in one slot.
    #[cfg(feature = "redis")]
    pub(crate) fn overrides(&self) -> [Key; 2] {
        ["overrides", "changes"]
            .map(|name| self.compose(|text| text.push_str("operators"), |text| text.push_str(name)))
    }

    /// A key to try commands on. It has no identity and no layout.
    #[cfg(feature = "server")]
    pub(crate) fn examination(&self) -> Key {
        self.compose(|text| text.push_str("probe"), |text| text.push_str("examination"))
    }

    /// The key of a state under `policy`, whose identity `write_identity` writes.
    fn state_key(&self, policy: &Policy, write_identity: impl FnOnce(&mut String)) -> Key {
        self.key_under(policy, write_identity, |text| {
            text.push(':');
            write_layout(text, policy);
        })
    }

    /// The key with the hash tag that `write_tag` writes, the name of `policy`, and what `write_rest` writes.
    fn key_under(
        &self,
        policy: &Policy,
        write_tag: impl FnOnce(&mut String),
        write_rest: impl FnOnce(&mut String),
    ) -> Key {
        self.compose(write_tag, |text| {
            text.push_str(policy.name());
            write_rest(text);
        })
    }

    /// The key with the hash tag that `write_tag` writes, and then with the name that `write_name` writes.
    #[inline]
    fn compose(
        &self,
        write_tag: impl FnOnce(&mut String),
        write_name: impl FnOnce(&mut String),
    ) -> Key {
        scratch(|text| {
            text.push_str(&self.before_tag);
            let start = text.len();
            write_tag(text);
            let tag = start..text.len();
            text.push_str("}:");
            write_name(text);
            Key::new(text, tag)
        })
    }

    fn write_identity(&self, name: &mut String, identity: &Identity<'_>) {
        let start = name.len();
        // Writing to a string does not fail.
        let _ = identity.write_to(name);
        let is_long = name.len() - start > MAX_IDENTITY;
        let is_hidden = || identity.may_be_secret();
        if !(is_long || is_hidden() || self.hash_users && identity.may_be_personal()) {
            return;
        }
        let kind = identity.kind();
        let hash = Sha256::digest(&name[start..]);
        name.truncate(start);
        // An escaped text never has a '#', so a hash is never mistaken for an ID.
        let _ = write!(name, "{kind}:#{}", Hex(&hash));
    }
}

/// Writes the layout of a state under `policy`: see [`Keyspace`].
fn write_layout(text: &mut String, policy: &Policy) {
    if let Some(calendar) = policy.quota().window().calendar() {
        text.push('c');
        text.push_str(calendar.code());
        return;
    }
    text.push(match policy.algorithm() {
        Algorithm::FixedWindow => 'f',
        Algorithm::SlidingWindow => 's',
        Algorithm::SlidingLog => 'l',
        Algorithm::TokenBucket { .. } => 'b',
        Algorithm::InFlight => 'i',
    });
    let (number, unit) = policy.quota().window_in_units();
    text.push_str(itoa::Buffer::new().format(number));
    text.push_str(&unit[..1]);
}

/// The name of one state in a store; cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    text: Arc<str>,
    /// Where the hash tag begins and ends in the text.
    tag: (usize, usize),
    /// Computed once, however often the key is looked up.
    fingerprint: Fingerprint,
}

impl Key {
    fn new(text: &str, tag: Range<usize>) -> Self {
        let fingerprint = Fingerprint::of_text(text);
        Self { text: text.into(), tag: (tag.start, tag.end), fingerprint }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part between the braces. It is the same for all policies of an identity.
    #[must_use]
    pub fn hash_tag(&self) -> &str {
        &self.text[self.tag.0..self.tag.1]
    }

    /// The IPv6 network that it counts; `None` if it counts something else.
    pub(crate) fn network(&self) -> Option<Ipv6Network> {
        self.hash_tag().strip_prefix("ip:").and_then(Ipv6Network::of_text)
    }

    /// The fingerprint of the key that has `identity` in place of its own, and is the same otherwise.
    pub(crate) fn fingerprint_for(&self, identity: &dyn fmt::Display) -> Fingerprint {
        let (before, after) = (&self.text[..self.tag.0], &self.text[self.tag.1..]);
        scratch(|text| {
            // Writing to a string does not fail.
            let _ = write!(text, "{before}{identity}{after}");
            Fingerprint::of_text(text)
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.text).finish()
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests;
