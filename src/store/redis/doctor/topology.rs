//! Which servers a URL leads to.

use std::collections::BTreeSet;

use redis::{ConnectionInfo, cmd};

use super::cluster;
use super::finding::Findings;
use super::subject::{KINDS, Subject, connector, name_of};
use crate::store::StoreError;
use crate::store::redis::connect::connector::Connector;
use crate::store::redis::connect::target::Target;
use crate::store::redis::connect::url::topology::Topology;
use crate::store::redis::error::connect_error;
use crate::store::redis::health::cause::{Cause, Described};
use crate::store::redis::options::RedisOptions;

/// The servers to be examined: one server, the primary that the sentinels name, or every node of a
/// cluster that has slots. Each sentinel is asked.
pub(super) fn subjects(
    topology: &Topology,
    options: &RedisOptions,
    findings: &mut Findings,
) -> Result<Vec<Subject>, StoreError> {
    // Two of each kind, each with a slot of its own.
    let tags = || (0..2 * KINDS.len()).map(|it| format!("{}doctor-{it}", KINDS[it % KINDS.len()]));
    let one = |name: &str, target, more_commands| {
        let (name, tags) = (name.to_owned(), tags().collect());
        Ok(vec![Subject { name, connector: connector(target, options)?, tags, more_commands }])
    };
    match topology {
        Topology::Server(info) => {
            one("", Target::server(info.clone(), &options.connect), Vec::new())
        }
        Topology::Sentinel { sentinels, name, primary } => {
            let mut named = BTreeSet::new();
            for info in sentinels {
                let sentinel = connector(Target::server(info.clone(), &options.connect), options)?;
                named.extend(ask_sentinel(&sentinel, info, name, findings));
            }
            if named.len() > 1 {
                let named = named.into_iter().collect::<Vec<_>>().join(" and ");
                let text = format!("they name different primaries, {named}: wait for the failover");
                findings.fail("sentinel", text);
            }
            let target = Target::primary(sentinels, name, primary, &options.connect);
            one(name, target, vec![("+role", cmd("ROLE"))])
        }
        Topology::Cluster { nodes } => cluster::subjects(nodes, options, findings),
    }
}

/// Asks the sentinel at `info` for the primary. It is no failure if one does not answer: the others do.
fn ask_sentinel(
    sentinel: &Connector,
    info: &ConnectionInfo,
    name: &str,
    findings: &mut Findings,
) -> Option<String> {
    const ABOUT: &str = "sentinel";
    let sentinel_name = name_of(info);
    let mut ask = cmd("SENTINEL");
    ask.arg("get-master-addr-by-name").arg(name);
    let answer = sentinel
        .connect_without_script()
        .and_then(|mut connection| connection.run(|wire| ask.query::<Option<(String, u16)>>(wire)));
    match answer.map_err(connect_error) {
        Ok(Some((host, port))) => {
            findings.ok(ABOUT, format!("{sentinel_name} names {host}:{port}"));
            return Some(format!("{host}:{port}"));
        }
        Ok(None) => findings.fail(
            ABOUT,
            format!("{sentinel_name} knows no primary called {name}: see SENTINEL MASTERS"),
        ),
        Err(error) => match Cause::of(&error) {
            Cause::Permission => findings.fail(
                ABOUT,
                format!("{sentinel_name}: its user needs +sentinel|get-master-addr-by-name"),
            ),
            Cause::Command => findings.fail(
                ABOUT,
                format!(
                    "{sentinel_name} is no sentinel. Name the port of one, which is 26379 mostly."
                ),
            ),
            Cause::Password | Cause::NoPassword => findings.fail(
                ABOUT,
                format!(
                    "{sentinel_name} {}. Correct sentinel_user and sentinel_pass in store.url.",
                    Described(&error)
                ),
            ),
            _ => findings.warn(ABOUT, format!("{sentinel_name} {}", Described(&error))),
        },
    }
    None
}
