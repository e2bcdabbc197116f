//! The nodes of a cluster, and a key in slots all over each of them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use redis::{Cmd, ConnectionAddr, ConnectionInfo, RedisResult, Value, cmd};

use super::finding::{Findings, Names};
use super::topology::{KINDS, Subject, connector, place};
use crate::store::StoreError;
use crate::store::redis::cluster::map::{Place, Range, SLOTS, slot_of_tag};
use crate::store::redis::connect::target::{Target, at};
use crate::store::redis::error::connect_error;
use crate::store::redis::health::cause::{Cause, Says};
use crate::store::redis::node::pool::Connector;
use crate::store::redis::options::RedisOptions;

const ABOUT: &str = "cluster";

/// How many slots of a node have a key, at most; a node has few ranges, mostly one.
const MOST_SLOTS: usize = 16;

/// How many tags are tried for one in each of these slots.
const MOST_TAGS: u32 = 1 << 20;

/// Every node that has slots, as the first of `seeds` says that answers.
pub(super) fn subjects(
    seeds: &[ConnectionInfo],
    options: &RedisOptions,
    findings: &mut Findings,
) -> Result<Vec<Subject>, StoreError> {
    let mut failed = Vec::new();
    for seed in seeds {
        let connector = connector(Target::server(seed.clone(), options), options)?.of_member();
        match ask(&connector, seed).map_err(connect_error) {
            Ok(ranges) => {
                // Those that are named may be those that are left.
                for (seed, error) in failed {
                    findings.warn(ABOUT, format!("{} of store.url {}", place(seed), Says(&error)));
                }
                return members(seed, ranges, options, findings);
            }
            Err(error) if Cause::of(&error) == Cause::Permission => {
                let text = "which nodes there are is unknown, as its user needs +cluster|slots: only \
                            this one is examined";
                findings.warn(ABOUT, format!("{}: {text}", place(seed)));
                return Ok(vec![subject(place(seed), connector, Vec::new())]);
            }
            Err(error) => failed.push((seed, error)),
        }
    }
    for (seed, error) in failed {
        let remedy = Cause::of(&error).remedy();
        findings.fail(ABOUT, format!("{} {}. {remedy}", place(seed), Says(&error)));
    }
    Ok(Vec::new())
}

fn ask(connector: &Connector, seed: &ConnectionInfo) -> RedisResult<Vec<Range>> {
    let slots: Vec<Vec<Value>> = connector.bare()?.run(|it| slots_command().query(it))?;
    let (ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. }) = seed.addr()
    else {
        return Ok(Vec::new());
    };
    Range::all_of(slots, &Place { host: host.clone(), port: *port })
}

fn slots_command() -> Cmd {
    let mut slots = cmd("CLUSTER");
    slots.arg("SLOTS");
    slots
}

fn subject(name: String, connector: Connector, tags: Vec<String>) -> Subject {
    // ASKING is about the next command alone.
    let besides = vec![("+cluster|slots", slots_command()), ("+asking", cmd("ASKING"))];
    Subject { name, connector, tags, besides }
}

fn members(
    seed: &ConnectionInfo,
    ranges: Vec<Range>,
    options: &RedisOptions,
    findings: &mut Findings,
) -> Result<Vec<Subject>, StoreError> {
    let mut of_places: BTreeMap<(String, u16), Vec<RangeInclusive<usize>>> = BTreeMap::new();
    let mut held = 0;
    for range in ranges {
        held += range.slots().count();
        let place = (range.place.host.clone(), range.place.port);
        of_places.entry(place).or_default().push(range.slots());
    }
    let names: Vec<String> =
        of_places.keys().map(|(host, port)| format!("{host}:{port}")).collect();
    let named: Vec<&str> = names.iter().map(String::as_str).collect();
    match SLOTS.saturating_sub(held) {
        0 => findings.ok(ABOUT, format!("all slots are with {} nodes: {}", names.len(), Names(&named))),
        lost => findings.fail(
            ABOUT,
            format!("{lost} of {SLOTS} slots have no node, and their keys are not counted there: see CLUSTER SLOTS"),
        ),
    }
    let wanted: Vec<Vec<u16>> = of_places.values().map(|ranges| spread(ranges)).collect();
    let mut tags = tags_in(&wanted.concat());
    let member = |(((host, port), slots), name): (((String, u16), Vec<u16>), String)| {
        let target = Target::server(at(seed, host, port), options);
        let tags = slots.iter().filter_map(|slot| tags.remove(slot)).collect();
        Ok(subject(name, connector(target, options)?.of_member(), tags))
    };
    of_places.into_keys().zip(wanted).zip(names).map(member).collect()
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
    // Of many ranges, some.
    let step = slots.len().div_ceil(MOST_SLOTS).max(1);
    slots.into_iter().step_by(step).collect()
}

/// A tag in each of `slots`, of every kind by turns.
fn tags_in(slots: &[u16]) -> BTreeMap<u16, String> {
    let mut tags = BTreeMap::new();
    let kinds: BTreeMap<u16, usize> =
        slots.iter().enumerate().map(|(number, slot)| (*slot, number % KINDS.len())).collect();
    for number in 0..MOST_TAGS {
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
