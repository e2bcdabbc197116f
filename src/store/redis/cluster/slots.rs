//! The slots of a cluster, and the addresses of the nodes that hold them.

use std::fmt;
use std::ops::RangeInclusive;

use crc::{CRC_16_XMODEM, Crc};
use redis::{ConnectionAddr, ConnectionInfo, FromRedisValue as _, RedisResult, Value};

use crate::store::Key;

/// The number of slots of every cluster.
pub(crate) const SLOTS: usize = 16_384;

const HASH: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);

/// The slot of `key`, which all keys of an identity share. Redis hashes what the first braces of a key hold, and those
/// may be braces of the prefix.
pub(super) fn slot_of(key: &Key) -> u16 {
    let text = key.as_str();
    let tag = text.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    slot_of_tag(tag.map_or(text, |(tag, _)| if tag.is_empty() { text } else { tag }))
}

pub(crate) fn slot_of_tag(tag: &str) -> u16 {
    HASH.checksum(tag.as_bytes()) % 16_384
}

/// The address at which a node listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeAddress {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl NodeAddress {
    /// The address in `info`; `None` if it is the path of a socket.
    pub(crate) fn of(info: &ConnectionInfo) -> Option<Self> {
        match info.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                Some(Self { host: host.clone(), port: *port })
            }
            _ => None,
        }
    }

    /// Reads the `host:port` of a redirection. Without a host, it is the host of the node that was
    /// `asked`.
    pub(super) fn of_redirection(text: &str, asked: &Self) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = if host.is_empty() { asked.host.clone() } else { host.to_owned() };
        Some(Self { host, port: port.parse().ok()? })
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Consecutive slots of one node.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Range {
    first: usize,
    last: usize,
    pub(crate) address: NodeAddress,
}

impl Range {
    /// Reads the reply to `CLUSTER SLOTS` of the node that was `asked`. It leaves out nodes whose
    /// address is unknown.
    pub(crate) fn all_of(reply: Vec<Vec<Value>>, asked: &NodeAddress) -> RedisResult<Vec<Self>> {
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
            let host = if host.is_empty() { asked.host.clone() } else { host };
            let address = NodeAddress { host, port };
            Ok(Some(Self { first: first.into(), last: last.into(), address }))
        };
        reply.into_iter().filter_map(|it| range(it).transpose()).collect()
    }

    pub(crate) fn slots(&self) -> RangeInclusive<usize> {
        self.first..=self.last
    }
}

#[cfg(test)]
mod tests;
