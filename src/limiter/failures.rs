//! The gate of those who may fail only so often. Clients on the list of those who pass unchecked are spared.

use super::admission::Admitting;
use super::check::Check;
use super::observer::AskedBy;
use super::{Access, Limiter, Policies};
use crate::domain::client::Client;
use crate::domain::quota::Cost;

/// Counts failed attempts, such as wrong credentials. A client that has used up the policies by failures may not
/// try again.
#[derive(Clone, Debug)]
pub(crate) struct Failures {
    limiter: Limiter,
    policies: Policies,
}

impl Failures {
    /// Counts failures under `policies` of `limiter`.
    pub(crate) fn new(limiter: Limiter, policies: Policies) -> Self {
        Self { limiter, policies }
    }

    /// Whether `client` is blocked by an access list, or banned, so that its attempt need not be verified.
    pub(crate) fn is_blocked(&self, client: impl FnOnce() -> Client<'static>) -> bool {
        let is_refused = |client: &Client<'_>| {
            self.limiter.access(client) == Access::Blocked
                || self.limiter.banned(Some(&self.policies), client).is_some()
        };
        self.limiter.may_refuse_clients() && is_refused(&client())
    }

    /// Decides whether `client` may try, without a charge. The deny cache also remembers that a client may try, for
    /// as long as it remembers denials at most, and not beyond the next failure in this process.
    pub(crate) fn may_try(&self, client: &Client<'_>) -> Admitting {
        Admitting::start(self.ask(0, client), || None)
    }

    /// Charges a failure of `client`. Concurrent attempts may all be verified before the first failure
    /// is charged, so this one may be denied as well.
    pub(crate) fn charge(&self, client: &Client<'_>) -> Admitting {
        Admitting::start(self.ask(1, client), || None)
    }

    /// `None` if nothing is to be asked, because the client passes unchecked.
    fn ask(&self, count: u32, client: &Client<'_>) -> Option<Check> {
        if self.limiter.access(client) == Access::Allowed {
            return None;
        }
        let asked_by = AskedBy::AUTHENTICATION;
        Some(self.limiter.ask(asked_by, &self.policies, Cost::ONE, count, client))
    }
}
