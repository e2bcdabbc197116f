//! What a request is by the words of somebody else: a [`Descriptor`].

use std::fmt;

use super::escape::{escape, unescaped};

/// A domain and a list of keys with values, by which a proxy such as Envoy describes a request. Requests with equal
/// descriptors use one quota of a policy by [`KeySource::Descriptor`](crate::KeySource::Descriptor).
///
/// ```
/// use tollgate::{Client, Descriptor, KeySource, Policy};
///
/// let descriptor = Descriptor::new("edge").with("generic_key", "login").with("tenant", "a b");
/// let client = Client::unknown().with_descriptor(&descriptor);
/// let policy = Policy::new("default", "10/minute".parse()?)?.with_key(KeySource::Descriptor);
/// let identity = client.identity(&policy).to_string();
/// assert_eq!(identity, "descriptor:edge:generic_key=login,tenant=a%20b");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Descriptor {
    /// The domain, a colon and the entries. All are escaped, so no other descriptor has the same text.
    text: String,
}

impl Descriptor {
    /// A descriptor of `domain` without entries.
    #[must_use]
    pub fn new(domain: &str) -> Self {
        let mut text = String::with_capacity(domain.len() + 1);
        push(domain, &mut text);
        text.push(':');
        Self { text }
    }

    /// The same descriptor with one more entry after the others.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.push_key(key);
        push(value, &mut self.text);
        self
    }

    /// The same descriptor with one more entry, whose values count as one. They are the values in which `parts` stand in
    /// this order: the first part at the beginning of the value, and the last part at its end. A single part is a value
    /// by itself.
    #[must_use]
    pub fn with_any_of<P: AsRef<str>>(
        mut self,
        key: &str,
        parts: impl IntoIterator<Item = P>,
    ) -> Self {
        self.push_key(key);
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                self.text.push('*');
            }
            push(part.as_ref(), &mut self.text);
        }
        self
    }

    /// Reads `text`, the way a descriptor stands in an identity: `edge:generic_key=login,tenant=7`. `None` if it is none.
    pub(super) fn named(text: &str) -> Option<Self> {
        let plain = |text: &str| String::from_utf8(unescaped(text)).ok();
        let (domain, entries) = text.split_once(':')?;
        let mut descriptor = Self::new(&plain(domain)?);
        if entries.is_empty() {
            return Some(descriptor);
        }
        for entry in entries.split(',') {
            let (key, value) = entry.split_once('=')?;
            let parts: Vec<_> = value.split('*').map(plain).collect::<Option<_>>()?;
            descriptor = descriptor.with_any_of(&plain(key)?, parts);
        }
        Some(descriptor)
    }

    fn push_key(&mut self, key: &str) {
        if !self.text.ends_with(':') {
            self.text.push(',');
        }
        push(key, &mut self.text);
        self.text.push('=');
    }
}

fn push(part: &str, text: &mut String) {
    // Writing to a string does not fail.
    let _ = escape(part.as_bytes(), text);
}

impl fmt::Display for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl AsRef<str> for Descriptor {
    fn as_ref(&self) -> &str {
        &self.text
    }
}
