//! Learns where the slots are, again whenever they may have moved: no request waits for that.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, after};
use redis::{ErrorKind, RedisError, RedisResult, Value, cmd};

use super::super::error::{connect_error, store_error};
use super::super::node::Node;
use super::Cluster;
use super::map::{Map, Member, Place, Range, slot_of_tag};
use crate::store::redis::health::cause::{Cause, Says};
use crate::store::{StoreError, StoreErrorKind};

/// How long after a refresh that left something to be desired the next one comes.
const INTERVAL: Duration = Duration::from_millis(250);

/// How long after any refresh the next one comes, however many redirections ask for it.
const LEAST_INTERVAL: Duration = Duration::from_millis(20);

/// How many names of a probe's key are tried for one in a node's slots.
const MOST_NAMES: u32 = 1 << 20;

/// Refreshes once, and starts the thread that does when it is woken, and while a node is down.
pub(super) fn start(cluster: &Arc<Cluster>, wakes: Receiver<()>) -> Result<(), StoreError> {
    if let Err(error) = refresh(cluster).map_err(connect_error) {
        let (tally, cause) = (cluster.accounts.tally(), Cause::of(&error));
        tally.outages.add(1);
        tally.failures.add(1);
        tally.set_cause(cause);
        log::warn!(
            "Redis at {} {}: counting in this process, or as on_store_failure says, until it does. {}",
            cluster.address,
            Says(&error),
            cause.remedy()
        );
    }
    let weak = Arc::downgrade(cluster);
    thread::Builder::new()
        .name("tollgate-slots".to_owned())
        .spawn(move || run(&weak, &wakes))
        .map(drop)
        .map_err(|error| StoreError::caused_by(StoreErrorKind::Closed, error))
}

fn run(cluster: &Weak<Cluster>, wakes: &Receiver<()>) {
    loop {
        let Some(is_up) = cluster.upgrade().map(|cluster| cluster.is_up()) else { return };
        let woken = if is_up {
            wakes.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            wakes.recv_timeout(INTERVAL)
        };
        if woken == Err(RecvTimeoutError::Disconnected) {
            return;
        }
        let Some(cluster) = cluster.upgrade() else { return };
        if let Err(error) = refresh(&cluster) {
            log::debug!("Redis at {} does not say where slots are: {error}.", cluster.address);
        }
        drop(cluster);
        let _ = after(LEAST_INTERVAL).recv();
    }
}

/// Asks where the slots are; what cannot be learnt stays as it was.
fn refresh(cluster: &Cluster) -> RedisResult<()> {
    let before = cluster.map();
    let ranges = ask(cluster, &before)?;
    let members = members(cluster, &before, &ranges);
    let is_same = members.len() == before.members().count()
        && members.keys().all(|place| before.at(place).is_some());
    if !is_same {
        let mut places: Vec<String> = members.keys().map(Place::to_string).collect();
        places.sort();
        log::info!("Redis at {}: its slots are with {}.", cluster.address, places.join(", "));
    }
    cluster.set_map(Map::new(members, &ranges));
    // What is owed to a node that went may be owed to another now.
    cluster.map().members().for_each(|member| member.node.link().look());
    Ok(())
}

/// Who holds which slots, as the first node says that answers: those in use first.
fn ask(cluster: &Cluster, map: &Map) -> RedisResult<Vec<Range>> {
    let mut places: Vec<Place> = Vec::new();
    let (up, down): (Vec<_>, Vec<_>) = map.members().partition(|member| member.node.is_up());
    places.extend(up.into_iter().map(|member| member.place.clone()));
    for seed in &cluster.seeds {
        let address = seed.addr().clone();
        if let redis::ConnectionAddr::Tcp(host, port)
        | redis::ConnectionAddr::TcpTls { host, port, .. } = address
        {
            places.push(Place { host, port });
        }
    }
    places.extend(down.into_iter().map(|member| member.place.clone()));
    let mut failure = RedisError::from((ErrorKind::InvalidClientConfig, "no node"));
    for place in places {
        match ask_at(cluster, &place) {
            Ok(ranges) if ranges.is_empty() => {
                failure = (ErrorKind::Client, "no slots are assigned").into();
            }
            Ok(ranges) => return Ok(ranges),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn ask_at(cluster: &Cluster, place: &Place) -> RedisResult<Vec<Range>> {
    let target = cluster.target(place)?;
    let timeout = cluster.options.timeout;
    let connection = target.connect(timeout);
    let mut connection = connection.map_err(|error| target.explain(error, timeout))?;
    let slots: Vec<Vec<Value>> = cmd("CLUSTER").arg("SLOTS").query(&mut connection)?;
    Range::all_of(slots, place)
}

/// The nodes of `ranges`: those that are there already, and new ones.
fn members(cluster: &Cluster, before: &Map, ranges: &[Range]) -> HashMap<Place, Arc<Member>> {
    let mut of_places: HashMap<&Place, Vec<&Range>> = HashMap::new();
    for range in ranges {
        of_places.entry(&range.place).or_default().push(range);
    }
    let mut members = HashMap::new();
    for (place, ranges) in of_places {
        let owns =
            |slot: u16| ranges.iter().any(|range| range.slots().contains(&usize::from(slot)));
        // A probe by a key of another node would fail for ever.
        let known = before.at(place).filter(|member| member.node.is_up() || owns(member.probed));
        let member = match known {
            Some(member) => Ok(member.clone()),
            None => join(cluster, place, owns).map(Arc::new),
        };
        match member {
            Ok(member) => drop(members.insert(place.clone(), member)),
            Err(error) => log::warn!("Redis at {place} cannot be used: {error}."),
        }
    }
    members
}

/// The node at `place`, which `owns` slots, as one of the members.
fn join(
    cluster: &Cluster,
    place: &Place,
    owns: impl Fn(u16) -> bool,
) -> Result<Member, StoreError> {
    let of_name = |number: u32| format!("probe-{number}");
    let name = (0..MOST_NAMES).map(of_name).find(|name| owns(slot_of_tag(name)));
    let name = name.unwrap_or_default();
    // The first braces of a key are its hash tag.
    let key_prefix = format!("{}:{{{name}}}", cluster.options.key_prefix);
    let options = cluster.options.clone().key_prefix(key_prefix);
    let connector = cluster.connector(place).map_err(store_error)?;
    let accounts = &cluster.accounts;
    let node = Node::start(place.to_string(), connector, &options, accounts, &cluster.makers)?;
    Ok(Member { place: place.clone(), node, probed: slot_of_tag(&name) })
}
