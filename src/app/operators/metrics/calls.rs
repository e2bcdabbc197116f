//! What is counted of calls to Redis.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::counter::ConstCounter;

use super::encode::{encode, encode_histogram, gauge};
use crate::store::RedisStore;

/// Microseconds in a second.
const MICROS: f64 = 1e6;

#[derive(Debug)]
pub(super) struct CallMetrics(pub(super) Arc<RedisStore>);

impl Collector for CallMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let calls = self.0.calls();
        let help = "How long it took until Redis had decided the requests of one call";
        encode_histogram(&mut encoder, "store_call_duration_seconds", help, &calls.times, MICROS)?;
        let help = "Requests of one call";
        encode_histogram(&mut encoder, "store_call_requests", help, &calls.requests, 1.0)?;
        for (name, help, count) in [
            (
                "store_coalesced",
                "Requests that were decided together with an identical one",
                calls.coalesced,
            ),
            (
                "store_unknown_scripts",
                "How often Redis did not know the script, and was sent it again",
                calls.unknown_scripts,
            ),
        ] {
            encode(&mut encoder, name, help, &ConstCounter::new(count))?;
        }
        for (name, help, number) in [
            ("store_waiting_requests", "Requests that wait for a dispatcher", calls.waiting),
            ("store_pool_connections", "Connections to Redis in the pool", calls.connections),
            ("store_pool_idle_connections", "Those of them that are not in use", calls.idle),
        ] {
            encode(&mut encoder, name, help, &gauge(number))?;
        }
        Ok(())
    }
}
