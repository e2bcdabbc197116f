//! What policies count by, so that nothing else is looked for in a request.

use std::collections::BTreeSet;

use crate::domain::policy::{KeySource, Policy};

/// The parts of requests that policies count by, other than address and user.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// In lower case and in order.
    pub(super) headers: BTreeSet<Box<str>>,
    pub(super) query: bool,
    pub(super) host: bool,
    /// The route, or a part of the path that its pattern names.
    pub(super) route: bool,
}

impl Counted {
    pub(super) fn of<'a>(policies: impl IntoIterator<Item = &'a Policy>) -> Self {
        let mut counted = Self::default();
        for source in policies.into_iter().flat_map(|policy| policy.key().parts()) {
            match source {
                KeySource::Header(name) => _ = counted.headers.insert(name.clone()),
                KeySource::Cookie(_) => _ = counted.headers.insert("cookie".into()),
                KeySource::Query(_) => counted.query = true,
                KeySource::Host => counted.host = true,
                KeySource::Segment(_) | KeySource::Route => counted.route = true,
                _ => {}
            }
        }
        counted
    }
}
