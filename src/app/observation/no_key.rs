//! Requests that have nothing of what a policy counts by.

use crate::domain::policy::KeySource;

/// Whether the key of the identity `tag` is that of all requests that have nothing of `source`, such as no user.
pub(super) fn is_of_no_key(source: &KeySource, tag: &str) -> bool {
    match source {
        KeySource::User => tag == "user",
        KeySource::Ip | KeySource::UserOrIp => tag == "ip",
        // The name of the field, and then the value, if there is one.
        KeySource::Header(_) => tag.split(':').count() < 3 && !tag.contains('#'),
        KeySource::Global => false,
    }
}
