//! The nodes of a cluster, and hash tags in slots all over each of them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use redis::{Cmd, ConnectionInfo, RedisResult, Value, cmd};

use super::finding::{Findings, Names};
use super::subject::{KINDS, Subject, connector, name_of};
use crate::store::StoreError;
use crate::store::redis::cluster::slots::{NodeAddress, Range, SLOTS, slot_of_tag};
use crate::store::redis::connect::connector::Connector;
use crate::store::redis::connect::target::Target;
use crate::store::redis::connect::url::topology::with_address;
use crate::store::redis::error::connect_error;
use crate::store::redis::health::cause::{Cause, Described};
use crate::store::redis::options::RedisOptions;

const ABOUT: &str = "cluster";

/// How many slots of a node are examined at most. A node mostly has one range of slots, or few.
const MAX_SLOTS: usize = 16;

/// How many hash tags are tried at most until one is in each of these slots.
const MAX_TAGS: u32 = 1 << 20;

/// Every node that has slots, as the first of `seeds` says that answers.
pub(super) fn subjects(
    seeds: &[ConnectionInfo],
    options: &RedisOptions,
    findings: &mut Findings,
) -> Result<Vec<Subject>, StoreError> {
    let mut failed = Vec::new();
    for seed in seeds {
        let connector =
            connector(Target::server(seed.clone(), &options.connect), options)?.of_member();
        match ask(&connector, seed).map_err(connect_error) {
            Ok(ranges) => {
                // The others in store.url may be nodes that have left the cluster.
                for (seed, error) in failed {
                    findings.warn(
                        ABOUT,
                        format!("{} of store.url {}", name_of(seed), Described(&error)),
                    );
                }
                return members(seed, ranges, options, findings);
            }
            Err(error) if Cause::of(&error) == Cause::Permission => {
                let text = "which nodes there are is unknown, as its user needs +cluster|slots: only \
                            this one is examined";
                findings.warn(ABOUT, format!("{}: {text}", name_of(seed)));
                return Ok(vec![subject(name_of(seed), connector, Vec::new())]);
            }
            Err(error) => failed.push((seed, error)),
        }
    }
    for (seed, error) in failed {
        let remedy = Cause::of(&error).remedy();
        findings.fail(ABOUT, format!("{} {}. {remedy}", name_of(seed), Described(&error)));
    }
    Ok(Vec::new())
}

fn ask(connector: &Connector, seed: &ConnectionInfo) -> RedisResult<Vec<Range>> {
    let mut connection = connector.connect_without_script()?;
    let slots: Vec<Vec<Value>> = connection.run(|wire| slots_command().query(wire))?;
    let Some(asked) = NodeAddress::of(seed) else { return Ok(Vec::new()) };
    Range::all_of(slots, &asked)
}

fn slots_command() -> Cmd {
    let mut slots = cmd("CLUSTER");
    slots.arg("SLOTS");
    slots
}

fn subject(name: String, connector: Connector, tags: Vec<String>) -> Subject {
    // ASKING only concerns the next command.
    let more_commands = vec![("+cluster|slots", slots_command()), ("+asking", cmd("ASKING"))];
    Subject { name, connector, tags, more_commands }
}

fn members(
    seed: &ConnectionInfo,
    ranges: Vec<Range>,
    options: &RedisOptions,
    findings: &mut Findings,
) -> Result<Vec<Subject>, StoreError> {
    let mut by_address: BTreeMap<NodeAddress, Vec<RangeInclusive<usize>>> = BTreeMap::new();
    let mut held = 0;
    for range in ranges {
        held += range.slots().count();
        let slots = range.slots();
        by_address.entry(range.address).or_default().push(slots);
    }
    let names: Vec<String> = by_address.keys().map(NodeAddress::to_string).collect();
    let named: Vec<&str> = names.iter().map(String::as_str).collect();
    match SLOTS.saturating_sub(held) {
        0 => findings.ok(ABOUT, format!("all slots are with {} nodes: {}", names.len(), Names(&named))),
        lost => findings.fail(
            ABOUT,
            format!("{lost} of {SLOTS} slots have no node, and their keys are not counted there: see CLUSTER SLOTS"),
        ),
    }
    let wanted: Vec<Vec<u16>> = by_address.values().map(|ranges| spread(ranges)).collect();
    let mut tags = tags_in(&wanted.concat());
    let member = |((address, slots), name): ((NodeAddress, Vec<u16>), String)| {
        let target =
            Target::server(with_address(seed, address.host, address.port), &options.connect);
        let tags = slots.iter().filter_map(|slot| tags.remove(slot)).collect();
        Ok(subject(name, connector(target, options)?.of_member(), tags))
    };
    by_address.into_keys().zip(wanted).zip(names).map(member).collect()
}

/// Some of the slots in `ranges`, the first and the last of each among them.
fn spread(ranges: &[RangeInclusive<usize>]) -> Vec<u16> {
    let ends = ranges.iter().flat_map(|range| {
        let (first, last) = (*range.start(), *range.end());
        let third = (last - first) / 3;
        [first, first + third, last - third, last]
    });
    let mut slots: Vec<u16> = ends.filter_map(|slot| u16::try_from(slot).ok()).collect();
    slots.dedup();
    // Of many slots, only some.
    let step = slots.len().div_ceil(MAX_SLOTS).max(1);
    slots.into_iter().step_by(step).collect()
}

/// A hash tag in each of `slots`, of each kind in turn.
fn tags_in(slots: &[u16]) -> BTreeMap<u16, String> {
    let mut tags = BTreeMap::new();
    let kinds: BTreeMap<u16, usize> =
        slots.iter().enumerate().map(|(number, slot)| (*slot, number % KINDS.len())).collect();
    for number in 0..MAX_TAGS {
        if tags.len() == kinds.len() {
            break;
        }
        for (kind, text) in KINDS.into_iter().enumerate() {
            let tag = format!("{text}doctor-{number}");
            let slot = slot_of_tag(&tag);
            if kinds.get(&slot) == Some(&kind) {
                tags.entry(slot).or_insert(tag);
            }
        }
    }
    tags
}
