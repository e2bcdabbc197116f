//! What became of each client of the logs: [`Everyone`].

use std::collections::HashMap;

use super::names::Names;
use super::report::{ChangedClient, Difference, TOP, Totals};
use super::request::Replayed;
use crate::domain::key::{Identity, Ipv6Prefix};
use crate::store::{BuildFingerprintHasher, Fingerprint};

/// The most clients of each kind that a report names.
const MOST_NAMED: usize = 50;

/// What became of each client under the candidate, and under the current configuration if there is one. A client
/// is its user, or else its address, whatever the policies count by.
#[derive(Debug, Default)]
pub(super) struct Everyone {
    newly_denied: u64,
    newly_admitted: u64,
    /// The requests of each client.
    requests: HashMap<Fingerprint, u32, BuildFingerprintHasher>,
    refused: HashMap<Fingerprint, Refused, BuildFingerprintHasher>,
}

/// A client that a configuration refused.
#[derive(Debug)]
struct Refused {
    name: Box<str>,
    by: Refusals,
}

/// Refused requests, or whether a request is refused.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Refusals<T = u64> {
    pub(super) by_candidate: T,
    pub(super) by_current: T,
}

impl Everyone {
    /// Counts a request that was refused or not.
    pub(super) fn count(&mut self, request: &Replayed<'_>, is: Refusals<bool>, names: &Names) {
        let identity = identity_of(request);
        let fingerprint = Fingerprint::of_text(&identity);
        let requests = self.requests.entry(fingerprint).or_default();
        *requests = requests.saturating_add(1);
        if is.by_candidate || is.by_current {
            self.newly_denied += u64::from(!is.by_current);
            self.newly_admitted += u64::from(!is.by_candidate);
            let new = || Refused { name: names.of(&identity), by: Refusals::default() };
            let refused = self.refused.entry(fingerprint).or_insert_with(new);
            refused.by.by_candidate += u64::from(is.by_candidate);
            refused.by.by_current += u64::from(is.by_current);
        }
    }

    /// Adds what `other` counted.
    pub(super) fn add(&mut self, other: Self) {
        self.newly_denied += other.newly_denied;
        self.newly_admitted += other.newly_admitted;
        for (fingerprint, requests) in other.requests {
            let sum = self.requests.entry(fingerprint).or_default();
            *sum = sum.saturating_add(requests);
        }
        for (fingerprint, Refused { name, by }) in other.refused {
            let new = Refused { name, by: Refusals::default() };
            let sum = self.refused.entry(fingerprint).or_insert(new);
            sum.by.by_candidate += by.by_candidate;
            sum.by.by_current += by.by_current;
        }
    }

    /// Adds to `totals` what is known of clients, by what `refused_by` takes of their refusals.
    pub(super) fn complete(&self, totals: &mut Totals, refused_by: impl Fn(&Refusals) -> u64) {
        let refused = self.refused.values().map(|it| refused_by(&it.by)).filter(|it| *it > 0);
        let mut refused: Vec<u64> = refused.collect();
        refused.sort_unstable_by_key(|it| std::cmp::Reverse(*it));
        totals.clients = self.requests.len() as u64;
        totals.clients_denied = refused.len() as u64;
        totals.denied_without_top_ten = refused.iter().skip(TOP).sum();
    }

    /// Who fares differently.
    pub(super) fn difference(&self) -> Difference {
        let denied = self.changed(|it| (it.by_candidate, it.by_current));
        let admitted = self.changed(|it| (it.by_current, it.by_candidate));
        let first = |clients: &[ChangedClient]| clients.iter().take(MOST_NAMED).cloned().collect();
        Difference {
            newly_denied: self.newly_denied,
            newly_admitted: self.newly_admitted,
            clients_newly_denied: first(&denied),
            clients_newly_admitted: first(&admitted),
            clients_newly_denied_count: denied.len() as u64,
            clients_newly_admitted_count: admitted.len() as u64,
        }
    }

    /// The clients that the first of two configurations refused, and the second did not.
    fn changed(&self, refused_by: impl Fn(&Refusals) -> (u64, u64)) -> Vec<ChangedClient> {
        let changed = self.refused.iter().filter_map(|(fingerprint, refused)| {
            let (denied, by_other) = refused_by(&refused.by);
            let requests = self.requests.get(fingerprint).copied().unwrap_or(0).into();
            let client = refused.name.to_string();
            (denied > 0 && by_other == 0).then_some(ChangedClient { client, requests, denied })
        });
        let mut changed: Vec<ChangedClient> = changed.collect();
        changed.sort_by(|a, b| b.denied.cmp(&a.denied).then_with(|| a.client.cmp(&b.client)));
        changed
    }
}

/// Who sent `request`, as a report calls it.
fn identity_of(request: &Replayed<'_>) -> String {
    let identity = match (&request.user, request.address) {
        (Some(user), _) => Identity::User(user.id().into()),
        (None, Some(address)) => Identity::ip(address, Ipv6Prefix::default()),
        (None, None) => Identity::NoIp,
    };
    identity.to_string()
}
