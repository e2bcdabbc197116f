//! Requests that have nothing of what a policy counts by.

use crate::domain::key::Identity;
use crate::domain::policy::KeySource;

/// The identity of all requests that have nothing of `source`, such as no user, as it stands in a key; `None` if each
/// request has it.
pub(super) fn tag_of_no_key(source: &KeySource) -> Option<Box<str>> {
    let identity = match source {
        KeySource::User => Identity::NoUser,
        KeySource::Ip | KeySource::UserOrIp => Identity::NoIp,
        KeySource::Header(name) => Identity::NoHeader((&**name).into()),
        KeySource::Global => return None,
    };
    Some(identity.to_string().into())
}
