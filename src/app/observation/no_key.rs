//! Requests that have nothing of what a policy counts by.

use crate::domain::client::Client;
use crate::domain::policy::{KeySource, Policy};

/// The identity of all requests that have nothing of what `policy` counts by, such as no user, as it stands in a key;
/// `None` if each request has it.
pub(super) fn tag_of_no_key(policy: &Policy) -> Option<Box<str>> {
    let has_none = *policy.key() != KeySource::Global;
    has_none.then(|| Client::unknown().identity(policy).to_string().into())
}
