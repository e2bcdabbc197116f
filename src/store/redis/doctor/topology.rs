//! Which servers keys may live on, and what there is to ask because of how they are reached.

use std::collections::BTreeSet;
use std::slice;

use redis::{Cmd, ConnectionInfo, RedisResult, cmd};

use super::cluster;
use super::finding::Findings;
use crate::store::StoreError;
use crate::store::redis::connect::target::Target;
use crate::store::redis::connect::url::{Places, Topology};
use crate::store::redis::error::{connect_error, store_error};
use crate::store::redis::health::cause::{Cause, Says};
use crate::store::redis::node::pool::Connector;
use crate::store::redis::options::RedisOptions;

/// The kinds of identities that keys are of: a user of Redis may be permitted some of them alone.
/// A `#` stands in no identity but before a hash.
pub(super) const KINDS: [&str; 4] = ["ip:#", "user:#", "header:#", "global#"];

/// A server that keys may live on.
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) connector: Connector,
    /// Hash tags of keys that it should have.
    pub(super) tags: Vec<String>,
    /// What its user must be permitted besides what the script calls, each with the rule of an ACL
    /// that permits it. None of it changes anything.
    pub(super) besides: Vec<(&'static str, Cmd)>,
}

impl Subject {
    /// What keys with its tags begin with. The first braces of a key are its hash tag.
    pub(super) fn prefixes(&self, prefix: &str) -> impl Iterator<Item = String> {
        self.tags.iter().map(move |tag| format!("{prefix}:{{{tag}}}"))
    }
}

/// The servers to be examined: behind sentinels, of which each is asked, the primary; of a cluster,
/// every node that has slots.
pub(super) fn subjects(
    topology: &Topology,
    options: &RedisOptions,
    findings: &mut Findings,
) -> Result<Vec<Subject>, StoreError> {
    // Two of each kind, in slots of their own.
    let tags = || (0..2 * KINDS.len()).map(|it| format!("{}doctor-{it}", KINDS[it % KINDS.len()]));
    let one = |name: &str, target, besides| {
        let (name, tags) = (name.to_owned(), tags().collect());
        Ok(vec![Subject { name, connector: connector(target, options)?, tags, besides }])
    };
    match topology {
        Topology::Server(info) => one("", Target::server(info.clone(), options), Vec::new()),
        Topology::Sentinel { sentinels, name, primary } => {
            let mut named = BTreeSet::new();
            for info in sentinels {
                let sentinel = connector(Target::server(info.clone(), options), options)?;
                named.extend(ask_sentinel(&sentinel, info, name, findings));
            }
            if named.len() > 1 {
                let named = named.into_iter().collect::<Vec<_>>().join(" and ");
                let text = format!("they name different primaries, {named}: wait for the failover");
                findings.fail("sentinel", text);
            }
            let target = Target::primary(sentinels, name, primary, options);
            one(name, target, vec![("+role", cmd("ROLE"))])
        }
        Topology::Cluster { nodes } => cluster::subjects(nodes, options, findings),
    }
}

pub(super) fn connector(
    target: RedisResult<Target>,
    options: &RedisOptions,
) -> Result<Connector, StoreError> {
    target.map(|target| Connector::new(target, options)).map_err(store_error)
}

/// The primary that the sentinel at `info` names: one that does not answer is what the others are for.
fn ask_sentinel(
    sentinel: &Connector,
    info: &ConnectionInfo,
    name: &str,
    findings: &mut Findings,
) -> Option<String> {
    const ABOUT: &str = "sentinel";
    let place = place(info);
    let mut ask = cmd("SENTINEL");
    ask.arg("get-master-addr-by-name").arg(name);
    let answer = sentinel.bare().and_then(|mut connection| {
        connection.run(|connection| ask.query::<Option<(String, u16)>>(connection))
    });
    match answer.map_err(connect_error) {
        Ok(Some((host, port))) => {
            findings.ok(ABOUT, format!("{place} names {host}:{port}"));
            return Some(format!("{host}:{port}"));
        }
        Ok(None) => findings
            .fail(ABOUT, format!("{place} knows no primary called {name}: see SENTINEL MASTERS")),
        Err(error) => match Cause::of(&error) {
            Cause::Permission => findings
                .fail(ABOUT, format!("{place}: its user needs +sentinel|get-master-addr-by-name")),
            Cause::Command => findings.fail(
                ABOUT,
                format!("{place} is no sentinel. Name the port of one, which is 26379 mostly."),
            ),
            Cause::Password | Cause::NoPassword => findings.fail(
                ABOUT,
                format!(
                    "{place} {}. Correct sentinel_user and sentinel_pass in store.url.",
                    Says(&error)
                ),
            ),
            _ => findings.warn(ABOUT, format!("{place} {}", Says(&error))),
        },
    }
    None
}

pub(super) fn place(info: &ConnectionInfo) -> String {
    Places(slice::from_ref(info)).to_string()
}
