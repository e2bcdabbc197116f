//! The requests of every client: [`Traffic`].

use std::collections::HashMap;

use super::times::Times;
use crate::domain::clock::Millis;
use crate::store::{BuildFingerprintHasher, Fingerprint};

/// The requests of every client. A client takes about 100 bytes, and its [`Times`].
#[derive(Clone, Debug, Default)]
pub(super) struct Traffic {
    pub(super) clients: Vec<Times>,
    pub(super) requests: u64,
}

/// Puts the requests of a log together by client.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    clients: HashMap<Fingerprint, Times, BuildFingerprintHasher>,
}

impl Gathering {
    /// Adds a request of `client` at `at`, which is not before those that it sent already.
    pub(super) fn add(&mut self, client: Fingerprint, at: Millis) {
        self.clients.entry(client).or_default().push(at);
    }

    pub(super) fn end(self) -> Traffic {
        self.clients.into_values().collect()
    }
}

impl FromIterator<Times> for Traffic {
    fn from_iter<I: IntoIterator<Item = Times>>(clients: I) -> Self {
        let mut clients: Vec<Times> = clients.into_iter().collect();
        clients.iter_mut().for_each(Times::shrink);
        let requests = clients.iter().map(Times::len).sum();
        Self { clients, requests }
    }
}
