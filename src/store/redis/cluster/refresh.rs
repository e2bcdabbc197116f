//! Learns where the slots are, again whenever they may have moved. No request waits for that.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, after};
use redis::{ErrorKind, RedisError, RedisResult, Value, cmd};

use super::map::{Map, Member};
use super::slots::{NodeAddress, Range, slot_of_tag};
use super::state::ClusterState;
use crate::store::redis::error::{connect_error, store_error};
use crate::store::redis::health::cause::{Cause, Described};
use crate::store::redis::node::Node;
use crate::store::{StoreError, StoreErrorKind};

/// The interval of refreshes while a node is down or a slot has no node.
const INTERVAL: Duration = Duration::from_millis(250);

/// The shortest interval between two refreshes, however many redirections ask for one.
const MIN_INTERVAL: Duration = Duration::from_millis(20);

/// How many hash tags are tried at most until one is in a slot of the node.
const MAX_TAGS: u32 = 1 << 20;

/// Refreshes the map once, and starts the thread that does so when it is woken at `woken`, and again and
/// again while a node is down. The thread ends when the state is dropped.
pub(super) fn start(cluster: &Arc<ClusterState>, woken: Receiver<()>) -> Result<(), StoreError> {
    if let Err(error) = refresh(cluster).map_err(connect_error) {
        let (tally, cause) = (&cluster.shared.tally, Cause::of(&error));
        tally.outages.add(1);
        tally.failures.add(1);
        tally.set_cause(cause);
        log::warn!(
            "Redis at {} {}: counting in this process, or as on_store_failure says, until it does. {}",
            cluster.name,
            Described(&error),
            cause.remedy()
        );
    }
    let weak = Arc::downgrade(cluster);
    thread::Builder::new()
        .name("tollgate-slots".to_owned())
        .spawn(move || run(&weak, &woken))
        .map(drop)
        .map_err(|error| StoreError::caused_by(StoreErrorKind::Closed, error))
}

fn run(cluster: &Weak<ClusterState>, woken: &Receiver<()>) {
    loop {
        let Some(is_up) = cluster.upgrade().map(|cluster| cluster.map().is_up()) else { return };
        let received = if is_up {
            woken.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            woken.recv_timeout(INTERVAL)
        };
        if received == Err(RecvTimeoutError::Disconnected) {
            return;
        }
        let Some(cluster) = cluster.upgrade() else { return };
        if let Err(error) = refresh(&cluster) {
            log::debug!("Redis at {} does not say where slots are: {error}.", cluster.name);
        }
        drop(cluster);
        let _ = after(MIN_INTERVAL).recv();
    }
}

/// Asks where the slots are, and updates the map. If nobody answers, the map stays as it was.
fn refresh(cluster: &ClusterState) -> RedisResult<()> {
    let before = cluster.map();
    let ranges = ask(cluster, &before)?;
    let members = members(cluster, &before, &ranges);
    let is_same = members.len() == before.members().count()
        && members.keys().all(|address| before.at(address).is_some());
    if !is_same {
        let mut addresses: Vec<String> = members.keys().map(NodeAddress::to_string).collect();
        addresses.sort();
        log::info!("Redis at {}: its slots are with {}.", cluster.name, addresses.join(", "));
    }
    cluster.set_map(Map::new(members, &ranges));
    // What was owed to a node that is gone may now be owed to another one.
    cluster.map().members().for_each(|member| member.node.link().wake());
    Ok(())
}

/// Asks one node after another which node holds which slots, until one answers. It begins with nodes
/// that are up.
fn ask(cluster: &ClusterState, map: &Map) -> RedisResult<Vec<Range>> {
    let (up, down): (Vec<_>, Vec<_>) = map.members().partition(|member| member.node.is_up());
    let mut addresses: Vec<NodeAddress> =
        up.into_iter().map(|member| member.address.clone()).collect();
    addresses.extend(cluster.seeds.iter().filter_map(NodeAddress::of));
    addresses.extend(down.into_iter().map(|member| member.address.clone()));
    let mut failure = RedisError::from((ErrorKind::InvalidClientConfig, "no node"));
    for address in addresses {
        match ask_at(cluster, &address) {
            Ok(ranges) if ranges.is_empty() => {
                failure = (ErrorKind::Client, "no slots are assigned").into();
            }
            Ok(ranges) => return Ok(ranges),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn ask_at(cluster: &ClusterState, address: &NodeAddress) -> RedisResult<Vec<Range>> {
    let target = cluster.target(address)?;
    let timeout = cluster.options.connect.timeout;
    let connection = target.connect(timeout);
    let mut connection = connection.map_err(|error| target.explain(error, timeout))?;
    let slots: Vec<Vec<Value>> = cmd("CLUSTER").arg("SLOTS").query(&mut connection)?;
    Range::all_of(slots, address)
}

/// The members that hold `ranges`: those that are known already, and new ones.
fn members(
    cluster: &ClusterState,
    before: &Map,
    ranges: &[Range],
) -> HashMap<NodeAddress, Arc<Member>> {
    let mut by_address: HashMap<&NodeAddress, Vec<&Range>> = HashMap::new();
    for range in ranges {
        by_address.entry(&range.address).or_default().push(range);
    }
    let mut members = HashMap::new();
    for (address, ranges) in by_address {
        let owns =
            |slot: u16| ranges.iter().any(|range| range.slots().contains(&usize::from(slot)));
        // A node that is down and has lost the slot of its probe would never be taken up: it joins anew.
        let known = before.at(address).filter(|member| member.node.is_up() || owns(member.probed));
        let member = match known {
            Some(member) => Ok(member.clone()),
            None => join(cluster, address, owns).map(Arc::new),
        };
        match member {
            Ok(member) => drop(members.insert(address.clone(), member)),
            Err(error) => log::warn!("Redis at {address} cannot be used: {error}."),
        }
    }
    members
}

/// Makes a member of the node at `address`, which `owns` slots.
fn join(
    cluster: &ClusterState,
    address: &NodeAddress,
    owns: impl Fn(u16) -> bool,
) -> Result<Member, StoreError> {
    let numbered = |number: u32| format!("probe-{number}");
    let tag = (0..MAX_TAGS).map(numbered).find(|tag| owns(slot_of_tag(tag)));
    let tag = tag.unwrap_or_default();
    // The first braces of a key are its hash tag.
    let key_prefix = format!("{}:{{{tag}}}", cluster.options.key_prefix);
    let options = cluster.options.clone().key_prefix(key_prefix);
    let connector = cluster.connector(address).map_err(store_error)?;
    let node = Node::start(address.to_string(), connector, &options, &cluster.shared)?;
    Ok(Member { address: address.clone(), node, probed: slot_of_tag(&tag) })
}
