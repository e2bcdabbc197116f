//! What is counted of this process's memory.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::counter::ConstCounter;

use super::encode::{Sample, encode, encode_by_policy, gauge};
use crate::store::{MemoryStore, NewKeys, PolicyKeys};

#[derive(Debug)]
pub(super) struct MemoryMetrics(pub(super) Arc<MemoryStore>);

impl Collector for MemoryMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let status = self.0.status();
        for (name, help, keys) in [
            ("memory_keys", "Keys in this process's memory", status.keys),
            ("memory_max_keys", "Keys that it may hold", status.max_keys),
        ] {
            encode(&mut encoder, name, help, &gauge(keys))?;
        }
        let mut encode_each = |name, help, of: &dyn Fn(&PolicyKeys) -> Sample| {
            let metrics = status.policies.iter().map(|it| (it.policy.as_str(), of(it)));
            encode_by_policy(&mut encoder, name, help, metrics)
        };
        encode_each("memory_policy_keys", "Those of them that a policy has", &|it| {
            Sample::Gauge(gauge(it.keys))
        })?;
        encode_each(
            "memory_crowding",
            "How new keys of a policy are counted: 0 alone, 1 IPv6 by wider networks, 2 together",
            &|it| Sample::Gauge(gauge(crowding(it.new_keys))),
        )?;
        encode_each(
            "memory_coarse",
            "Requests of new IPv6 clients that were counted by wider networks",
            &|it| Sample::Counter(ConstCounter::new(it.coarse)),
        )?;
        encode_each(
            "memory_overflow",
            "Requests of new clients that were counted together, in overflow counts",
            &|it| Sample::Counter(ConstCounter::new(it.overflow)),
        )
    }
}

fn crowding(new_keys: NewKeys) -> usize {
    match new_keys {
        NewKeys::Alone => 0,
        NewKeys::ByWiderNetwork => 1,
        NewKeys::Together => 2,
    }
}
