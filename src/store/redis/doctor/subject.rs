//! A server to be examined.

use std::slice;

use redis::{Cmd, ConnectionInfo, RedisResult};

use crate::store::StoreError;
use crate::store::redis::connect::connector::Connector;
use crate::store::redis::connect::target::Target;
use crate::store::redis::connect::url::topology::HostList;
use crate::store::redis::error::store_error;
use crate::store::redis::options::RedisOptions;

/// The kinds of identities that keys have: the user of a Redis may be permitted only some of them. No
/// identity has a `#` other than before a hash, so that none is examined by accident.
pub(super) const KINDS: [&str; 4] = ["ip:#", "user:#", "header:#", "global#"];

/// A server that keys may live on.
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) connector: Connector,
    /// The hash tags of keys that the server should have.
    pub(super) tags: Vec<String>,
    /// The commands that its user must be permitted besides those of the script, each with the rule of
    /// an ACL that permits it. None of them changes anything.
    pub(super) more_commands: Vec<(&'static str, Cmd)>,
}

impl Subject {
    /// What keys with its tags begin with. The first braces of a key are its hash tag.
    pub(super) fn prefixes(&self, prefix: &str) -> impl Iterator<Item = String> {
        self.tags.iter().map(move |tag| format!("{prefix}:{{{tag}}}"))
    }
}

pub(super) fn connector(
    target: RedisResult<Target>,
    options: &RedisOptions,
) -> Result<Connector, StoreError> {
    target.map(|target| Connector::new(target, &options.connect)).map_err(store_error)
}

/// What findings call the server at `info`.
pub(super) fn name_of(info: &ConnectionInfo) -> String {
    HostList(slice::from_ref(info)).to_string()
}
