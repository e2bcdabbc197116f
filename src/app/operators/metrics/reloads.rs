//! Which configuration is in force.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::encode::encode;
use crate::app::reload::ReloadStatus;

#[derive(Debug)]
pub(super) struct ReloadMetrics(pub(super) Arc<ReloadStatus>);

impl Collector for ReloadMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let status = &self.0;
        let generation = ConstGauge::new(status.generation());
        let help = "The number of the configuration in force: 1 after the start";
        encode(&mut encoder, "config_generation", help, &generation)?;
        let seconds = std::time::Duration::from_millis(status.in_force_since()).as_secs_f64();
        let help = "When the configuration in force was taken, in seconds since the Unix epoch";
        encode(&mut encoder, "config_taken_timestamp_seconds", help, &ConstGauge::new(seconds))?;
        let outdated = ConstGauge::new(i64::from(status.refused().is_some()));
        let help = "Whether the files have a newer configuration, which was refused";
        encode(&mut encoder, "config_outdated", help, &outdated)?;
        let counts = status.counts();
        let help = "Reloads of the configuration, by how they ended";
        let outcomes = [("taken", counts.taken), ("refused", counts.refused)];
        let kind = ConstCounter::new(0u64).metric_type();
        let mut family = encoder.encode_descriptor("config_reloads", help, None, kind)?;
        for (outcome, count) in outcomes {
            let labels = [("outcome", outcome)];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
