//! Which node holds which slot.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crc::{CRC_16_XMODEM, Crc};
use redis::{FromRedisValue as _, RedisResult, Value};

use super::super::node::Node;
use crate::store::Key;

/// Slots of every cluster.
pub(crate) const SLOTS: usize = 16_384;

const HASH: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);

/// The slot that holds `key`: of its hash tag, so that all keys of an identity have the same.
pub(super) fn slot_of(key: &Key) -> u16 {
    slot_of_tag(key.hash_tag())
}

pub(crate) fn slot_of_tag(tag: &str) -> u16 {
    HASH.checksum(tag.as_bytes()) % 16_384
}

/// Where a node listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Place {
    /// The place that a redirection names, `host:port`; without a host, that of the `teller`.
    pub(super) fn named(text: &str, teller: &Self) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = if host.is_empty() { teller.host.clone() } else { host.to_owned() };
        Some(Self { host, port: port.parse().ok()? })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A node that holds slots.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) place: Place,
    pub(super) node: Node,
    /// The slot that its probe charges: one of its own.
    pub(super) probed: u16,
}

/// The members, by slot.
#[derive(Default)]
pub(super) struct Map {
    members: HashMap<Place, Arc<Member>>,
    owners: Vec<Option<Arc<Member>>>,
    /// Whether every slot has a node.
    is_whole: bool,
}

impl Map {
    pub(super) fn new(members: HashMap<Place, Arc<Member>>, ranges: &[Range]) -> Self {
        let mut owners = vec![None; SLOTS];
        for range in ranges {
            owners[range.slots()].fill(members.get(&range.place).cloned());
        }
        let is_whole = owners.iter().all(Option::is_some);
        Self { members, owners, is_whole }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether every slot has a node, and every node answers.
    pub(super) fn is_up(&self) -> bool {
        self.is_whole && self.members.values().all(|member| member.node.is_up())
    }

    pub(super) fn owner(&self, slot: u16) -> Option<&Arc<Member>> {
        self.owners.get(usize::from(slot))?.as_ref()
    }

    pub(super) fn at(&self, place: &Place) -> Option<&Arc<Member>> {
        self.members.get(place)
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.values()
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("members", &self.members).finish_non_exhaustive()
    }
}

/// Slots of one node.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Range {
    first: usize,
    last: usize,
    pub(crate) place: Place,
}

impl Range {
    /// What `CLUSTER SLOTS` replies, asked at `teller`. Nodes whose place is not known are left out.
    pub(crate) fn all_of(reply: Vec<Vec<Value>>, teller: &Place) -> RedisResult<Vec<Self>> {
        let range = |range: Vec<Value>| -> RedisResult<Option<Self>> {
            let mut range = range.into_iter();
            let mut next = || range.next().unwrap_or(Value::Nil);
            let (first, last) = (u16::from_redis_value(next())?, u16::from_redis_value(next())?);
            let mut primary = Vec::<Value>::from_redis_value(next())?.into_iter();
            let mut next = || primary.next().unwrap_or(Value::Nil);
            let host = Option::<String>::from_redis_value(next())?.unwrap_or_default();
            let port = u16::from_redis_value(next())?;
            if host == "?" || usize::from(last) >= SLOTS || first > last {
                return Ok(None);
            }
            let host = if host.is_empty() { teller.host.clone() } else { host };
            let place = Place { host, port };
            Ok(Some(Self { first: first.into(), last: last.into(), place }))
        };
        reply.into_iter().filter_map(|it| range(it).transpose()).collect()
    }

    pub(crate) fn slots(&self) -> std::ops::RangeInclusive<usize> {
        self.first..=self.last
    }
}

#[cfg(test)]
mod tests;
