//! What is counted of leases.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::gauge::ConstGauge;

use super::encode::{Sample, encode_by_policy, encode_counts};
use crate::app::assemble::CurrentSnapshot;
use crate::limiter::LeaseCounts;

/// What becomes of units, as labels.
type Fate = (&'static str, fn(&LeaseCounts) -> u64);

const FATES: [Fate; 4] = [
    ("leased", |it| it.leased),
    ("spent", |it| it.spent),
    ("given_back", |it| it.given_back),
    ("expired", |it| it.expired),
];

#[derive(Debug)]
pub(super) struct LeaseMetrics(pub(super) CurrentSnapshot);

impl Collector for LeaseMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let counts = self.0.load().limiter.lease_counts();
        let units = FATES.iter().flat_map(|(fate, of)| {
            counts.iter().map(move |it| {
                ([("policy", it.policy.to_string()), ("fate", (*fate).to_owned())], of(it))
            })
        });
        let help = "Units of leases, by what became of them";
        encode_counts(&mut encoder, "lease_units", help, units)?;
        let mut encode_each = |name, help, of: fn(&LeaseCounts) -> u64| {
            let gauge = |number| ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX));
            let gauges = counts.iter().map(|it| (&*it.policy, Sample::Gauge(gauge(of(it)))));
            encode_by_policy(&mut encoder, name, help, gauges)
        };
        encode_each("leases", "Leases that this process holds", |it| it.held)?;
        encode_each("lease_units_held", "Units that it may still use of them", |it| it.units_held)
    }
}
