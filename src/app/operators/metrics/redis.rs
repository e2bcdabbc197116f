//! What is counted of Redis.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::encode::encode;
use crate::store::{RedisStatus, RedisStore};

#[derive(Debug)]
pub(super) struct RedisMetrics(pub(super) Arc<RedisStore>);

impl Collector for RedisMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let status = self.0.status();
        let up = ConstGauge::new(i64::from(status.down_for.is_none()));
        encode(&mut encoder, "store_up", "Whether Redis is asked; 0 while it fails", &up)?;
        let down = ConstGauge::new(status.down_for.unwrap_or_default().as_secs_f64());
        let help = "For how long Redis has not been asked; 0 while it is";
        encode(&mut encoder, "store_down_seconds", help, &down)?;
        for (name, help, count) in counts(&status) {
            encode(&mut encoder, name, help, &ConstCounter::new(count))?;
        }
        Ok(())
    }
}

/// The counts of `status`, each with its name, to which Prometheus adds `_total`, and its meaning.
fn counts(status: &RedisStatus) -> [(&'static str, &'static str, u64); 8] {
    [
        ("store_outages", "How often Redis was given up", status.outages),
        (
            "store_failures",
            "Calls to Redis that failed, and connections that could not be made",
            status.failures,
        ),
        ("store_slow", "Calls that Redis answered, but later than it may", status.slow),
        ("store_unanswered", "Checks and peeks that Redis did not answer", status.unanswered),
        (
            "store_overloads",
            "Those of them that were not sent, as too many waited, or for too long",
            status.overloads,
        ),
        (
            "store_charged_back_units",
            "Units that were admitted without Redis and charged to it afterwards",
            status.charged_back,
        ),
        (
            "store_not_charged_back_units",
            "Units likewise that it could not be charged with",
            status.not_charged_back,
        ),
        (
            "store_not_given_back_units",
            "Units of denied requests that a cluster could not be told to give back",
            status.not_given_back,
        ),
    ]
}
