//! Writes metrics.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// The metric of one policy.
pub(super) enum Sample {
    Gauge(ConstGauge<i64>),
    Counter(ConstCounter<u64>),
}

pub(super) fn gauge(number: usize) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Encodes a metric that each policy has, labelled with the policy's name.
pub(super) fn encode_by_policy<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metrics: impl Iterator<Item = (&'a str, Sample)>,
) -> Result<(), fmt::Error> {
    let mut metrics = metrics.peekable();
    let Some((_, first)) = metrics.peek() else { return Ok(()) };
    let kind = match first {
        Sample::Gauge(metric) => metric.metric_type(),
        Sample::Counter(metric) => metric.metric_type(),
    };
    let mut family = encoder.encode_descriptor(name, help, None, kind)?;
    for (policy, sample) in metrics {
        let labels = [("policy", policy)];
        let encoder = family.encode_family(&labels)?;
        match sample {
            Sample::Gauge(metric) => metric.encode(encoder)?,
            Sample::Counter(metric) => metric.encode(encoder)?,
        }
    }
    Ok(())
}

/// Encodes a metric without labels.
pub(super) fn encode(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> Result<(), fmt::Error> {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}
