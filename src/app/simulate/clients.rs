//! What is counted of each client of a policy: [`Clients`].

use std::collections::HashMap;

use super::names::Names;
use super::report::{TOP, WorstClient};
use crate::domain::clock::Millis;
use crate::domain::window::Window;
use crate::store::{BuildFingerprintHasher, Fingerprint, Key};

/// The clients that were denied most often, of which a report tells.
const MOST_WORST: usize = 20;

/// The clients of one policy. There may be millions, so most of what is kept is kept only of clients that were
/// denied.
#[derive(Debug, Default)]
pub(super) struct Clients {
    all: HashMap<Fingerprint, Client, BuildFingerprintHasher>,
    denied: Vec<DeniedClient>,
}

/// What is counted of a client. The numbers are small, and stop at the largest that fits.
#[derive(Clone, Copy, Debug, Default)]
struct Client {
    requests: u32,
    /// Requests in the window that is counted now.
    in_window: u32,
    /// When that window began, in seconds since the epoch.
    window: u32,
    /// The most requests in one window.
    peak: u32,
    /// The place after that of the client among those that were denied; 0 if it was not.
    denied: u32,
    /// Whether it used up nearly all of its quota at some time.
    is_near: bool,
}

/// A client that was denied.
#[derive(Debug)]
struct DeniedClient {
    fingerprint: Fingerprint,
    name: Box<str>,
    denied: u64,
    first_at: Millis,
    last_at: Millis,
    /// When the denials began that no admission has ended yet.
    closed_since: Option<Millis>,
    longest_closed: Millis,
}

/// A request of a client, as a policy decided it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub(super) at: Millis,
    /// The window of the quota.
    pub(super) window: Window,
    pub(super) is_denied: bool,
    /// Whether the quota is nearly used up.
    pub(super) is_near: bool,
}

/// What a report tells of the clients of a policy.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) clients: u64,
    pub(super) clients_denied: u64,
    pub(super) clients_near: u64,
    pub(super) longest_closed: Option<(Millis, String)>,
    /// Denials of each denied client, the most first.
    pub(super) denials: Vec<u64>,
    pub(super) worst: Vec<WorstClient>,
}

impl Clients {
    /// Counts a request of the client that `key` counts.
    pub(super) fn count(&mut self, key: &Key, request: Counted, names: &Names) {
        let fingerprint = key.fingerprint();
        let client = self.all.entry(fingerprint).or_default();
        client.requests = client.requests.saturating_add(1);
        client.is_near |= request.is_near;
        // The lower half is enough to tell one window from the next. All begin with a second.
        let began = request.window.holding(request.at).start / 1_000;
        let window = u32::try_from(began & u64::from(u32::MAX)).unwrap_or(0);
        if window != client.window {
            (client.window, client.in_window) = (window, 0);
        }
        client.in_window = client.in_window.saturating_add(1);
        client.peak = client.peak.max(client.in_window);
        if let Some(denied) = client.denied.checked_sub(1) {
            if let Some(denied) = self.denied.get_mut(denied as usize) {
                denied.count(request);
            }
        } else if request.is_denied {
            self.denied.push(DeniedClient::new(fingerprint, names.of(key.hash_tag()), request.at));
            client.denied = u32::try_from(self.denied.len()).unwrap_or(0);
        }
    }

    /// Adds the clients of `other`, which are none of these.
    pub(super) fn add(&mut self, other: Self) {
        let before = u32::try_from(self.denied.len()).unwrap_or(u32::MAX);
        self.denied.extend(other.denied);
        self.all.extend(other.all.into_iter().map(|(fingerprint, client)| {
            let denied = if client.denied == 0 { 0 } else { client.denied.saturating_add(before) };
            (fingerprint, Client { denied, ..client })
        }));
    }

    pub(super) fn summary(&self) -> Summary {
        let mut order: Vec<&DeniedClient> = self.denied.iter().collect();
        order.sort_by(|a, b| b.denied.cmp(&a.denied).then_with(|| a.name.cmp(&b.name)));
        let longest = order.iter().max_by_key(|it| it.longest_closed);
        let is_near = |client: &&Client| client.is_near && client.denied == 0;
        Summary {
            clients: self.all.len() as u64,
            clients_denied: self.denied.len() as u64,
            clients_near: self.all.values().filter(is_near).count() as u64,
            longest_closed: longest.map(|it| (it.longest_closed, it.name.to_string())),
            denials: order.iter().map(|it| it.denied).collect(),
            worst: order.iter().take(MOST_WORST).map(|it| self.worst(it)).collect(),
        }
    }

    fn worst(&self, denied: &DeniedClient) -> WorstClient {
        let client = self.all.get(&denied.fingerprint).copied().unwrap_or_default();
        WorstClient {
            client: denied.name.to_string(),
            requests: client.requests.into(),
            denied: denied.denied,
            peak: client.peak.into(),
            first_denied_at: denied.first_at,
            last_denied_at: denied.last_at,
        }
    }
}

impl DeniedClient {
    fn new(fingerprint: Fingerprint, name: Box<str>, at: Millis) -> Self {
        Self {
            fingerprint,
            name,
            denied: 1,
            first_at: at,
            last_at: at,
            closed_since: Some(at),
            longest_closed: 0,
        }
    }

    fn count(&mut self, request: Counted) {
        if !request.is_denied {
            self.closed_since = None;
            return;
        }
        self.denied += 1;
        self.last_at = request.at;
        let since = *self.closed_since.get_or_insert(request.at);
        self.longest_closed = self.longest_closed.max(request.at.saturating_sub(since));
    }
}

impl Summary {
    /// The denials of the client that was denied `place`th most often, from 1.
    pub(super) fn denials_of(&self, place: usize) -> u64 {
        self.denials.get(place - 1).copied().unwrap_or(0)
    }

    /// The denials of all clients but those that were denied most often.
    pub(super) fn denied_without_top_ten(&self) -> u64 {
        self.denials.iter().skip(TOP).sum()
    }
}
