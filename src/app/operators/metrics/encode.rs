//! Writes metrics.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::store::HistogramCounts;

/// The metric of one policy.
pub(super) enum Sample {
    Gauge(ConstGauge<i64>),
    Ratio(ConstGauge<f64>),
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
        Sample::Ratio(metric) => metric.metric_type(),
        Sample::Counter(metric) => metric.metric_type(),
    };
    let mut family = encoder.encode_descriptor(name, help, None, kind)?;
    for (policy, sample) in metrics {
        let labels = [("policy", policy)];
        let encoder = family.encode_family(&labels)?;
        match sample {
            Sample::Gauge(metric) => metric.encode(encoder)?,
            Sample::Ratio(metric) => metric.encode(encoder)?,
            Sample::Counter(metric) => metric.encode(encoder)?,
        }
    }
    Ok(())
}

/// Encodes a counter that has `labels` for each of its numbers.
pub(super) fn encode_counts<const N: usize>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    counts: impl IntoIterator<Item = ([(&'static str, String); N], u64)>,
) -> Result<(), fmt::Error> {
    let mut counts = counts.into_iter().peekable();
    if counts.peek().is_none() {
        return Ok(());
    }
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (labels, count) in counts {
        ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

/// Encodes a histogram. A value of `unit` is one in the metric's own unit.
pub(super) fn encode_histogram(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    counts: &HistogramCounts,
    unit: f64,
) -> Result<(), fmt::Error> {
    let in_unit = |value: u64| Duration::from_micros(value).as_secs_f64() * 1e6 / unit;
    let bounded = counts.buckets.iter().map(|(bound, count)| (in_unit(*bound), *count));
    let buckets: Vec<(f64, u64)> = bounded.chain([(f64::INFINITY, counts.above)]).collect();
    let count = buckets.iter().map(|(_, count)| count).sum();
    let mut encoder = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
    encoder.encode_histogram::<NoLabelSet>(in_unit(counts.sum), count, &buckets, None)
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
