//! The policies by which a request is counted.

use super::admission::Incoming;
use super::{Access, Limiter, Policies};

impl Limiter {
    /// The policies by which `request` is counted; `None` if it has no route, or an access list lets its client pass
    /// uncounted.
    pub(crate) fn counted_by<'a>(&'a self, request: &'a impl Incoming) -> Option<&'a Policies> {
        let owed = if request.is_skipped() { None } else { self.owed(request) };
        let policies = owed?.policies;
        let is_counted = request.with_client(|client| self.access(client) != Access::Allowed);
        (is_counted && !policies.is_empty()).then_some(policies)
    }
}
