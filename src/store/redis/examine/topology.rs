//! What there is to ask because of how a Redis is reached: by sentinels, or as a cluster.

use std::slice;

use redis::{Cmd, ConnectionInfo, RedisResult, cmd};

use super::super::cause::{Cause, Says};
use super::super::pool::Connector;
use super::super::target::Target;
use super::super::url::{Places, Topology};
use super::super::{RedisOptions, StoreError, connect_error, store_error};
use super::finding::Findings;
use crate::store::StoreErrorKind;

/// Who connects to what is examined: behind sentinels, of which each is asked, to the primary; of a
/// cluster, to one node.
pub(super) fn connector(
    topology: &Topology,
    options: &RedisOptions,
    findings: &mut Findings,
) -> Result<Connector, StoreError> {
    let connector = |target: RedisResult<Target>| {
        target.map(|target| Connector::new(target, options)).map_err(store_error)
    };
    match topology {
        Topology::Server(info) => connector(Target::server(info.clone(), options)),
        Topology::Sentinel { sentinels, name, primary } => {
            for info in sentinels {
                let sentinel = connector(Target::server(info.clone(), options))?;
                ask_sentinel(&sentinel, info, name, findings);
            }
            connector(Target::primary(sentinels, name, primary, options))
        }
        Topology::Cluster { nodes } => {
            let mut node = None;
            for info in nodes {
                let candidate = connector(Target::server(info.clone(), options))?.of_member();
                if node.is_none() || candidate.bare().is_ok() {
                    let answers = candidate.bare().is_ok();
                    node = Some((place(info), candidate));
                    if answers {
                        break;
                    }
                }
            }
            let (place, connector) =
                node.ok_or_else(|| StoreError::new(StoreErrorKind::Unreachable))?;
            findings.warn(
                "cluster",
                format!("all that follows is of the node at {place}; the others are not checked"),
            );
            Ok(connector)
        }
    }
}

/// The commands that are needed besides, each with the rule of an ACL that permits it. None of them
/// changes anything; `ASKING` is about the next command alone.
pub(super) fn commands(topology: &Topology) -> Vec<(&'static str, Cmd)> {
    let mut slots = cmd("CLUSTER");
    slots.arg("SLOTS");
    match topology {
        Topology::Server(_) => Vec::new(),
        Topology::Sentinel { .. } => vec![("+role", cmd("ROLE"))],
        Topology::Cluster { .. } => vec![("+cluster|slots", slots), ("+asking", cmd("ASKING"))],
    }
}

/// Whether the sentinel at `info` names a primary: one that does not answer is what the others are for.
fn ask_sentinel(sentinel: &Connector, info: &ConnectionInfo, name: &str, findings: &mut Findings) {
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
        }
        Ok(None) => findings
            .fail(ABOUT, format!("{place} knows no primary called {name}: see SENTINEL MASTERS")),
        Err(error) => match Cause::of(&error) {
            Cause::Permission => findings
                .fail(ABOUT, format!("{place}: its user needs +sentinel|get-master-addr-by-name")),
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
}

fn place(info: &ConnectionInfo) -> String {
    Places(slice::from_ref(info)).to_string()
}
