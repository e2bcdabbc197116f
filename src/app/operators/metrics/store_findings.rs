//! What was found when the store was examined last.

use std::fmt;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::encode::{encode, gauge};
use crate::app::operators::store_watch::StoreWatch;
use crate::store::Level;

#[derive(Debug)]
pub(super) struct StoreFindings(pub(super) StoreWatch);

impl Collector for StoreFindings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let last = self.0.last();
        if !last.levels.is_empty() {
            let help = "What `tollgate doctor` finds of the store: 0 good, 1 a warning, 2 bad";
            let mut family =
                encoder.encode_descriptor("store_finding", help, None, MetricType::Gauge)?;
            for (about, level) in &last.levels {
                let level = match level {
                    Level::Ok => 0,
                    Level::Warn => 1,
                    Level::Fail => 2,
                };
                gauge(level).encode(family.encode_family(&[("about", *about)])?)?;
            }
        }
        if let Some(evicted) = last.evicted() {
            let help = "Keys that Redis has evicted since it started";
            encode(&mut encoder, "store_evicted_keys", help, &ConstCounter::new(evicted))?;
        }
        let of_time = [
            (
                "store_clock_offset_seconds",
                "By how much the clock of Redis and this host's are apart",
                last.clock_offset_ms.map(Duration::from_millis),
            ),
            (
                "store_round_trip_seconds",
                "The longest of the round trips that were timed",
                last.round_trip_micros.map(Duration::from_micros),
            ),
        ];
        for (name, help, length) in of_time {
            if let Some(length) = length {
                encode(&mut encoder, name, help, &ConstGauge::new(length.as_secs_f64()))?;
            }
        }
        Ok(())
    }
}
