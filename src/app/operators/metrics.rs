//! What is counted of the stores, as Prometheus reads it.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use self::connections::Listeners;
use self::store_findings::Watched;
use crate::app::connections::Connections;
use crate::app::operators::store_watch::StoreWatch;
use crate::store::{MemoryStore, NewKeys, PolicyKeys, RedisStatus, RedisStore};

mod connections;
mod store_findings;

/// The media type of [`Metrics::text`].
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics, whose names begin with `tollgate_`.
#[derive(Debug)]
pub(crate) struct Metrics(Registry);

impl Metrics {
    /// Those of `store`, unless this process counts, of its memory, where it does or stands in, and of
    /// the connections to each of `listeners`.
    pub(crate) fn of(
        store: Option<&Arc<RedisStore>>,
        memory: &Arc<MemoryStore>,
        watch: Option<Arc<StoreWatch>>,
        listeners: [Arc<Connections>; 2],
    ) -> Self {
        let mut registry = Registry::with_prefix("tollgate");
        registry.register_collector(Box::new(Listeners(listeners)));
        registry.register_collector(Box::new(Memory(memory.clone())));
        if let Some(store) = store {
            registry.register_collector(Box::new(Store(store.clone())));
        }
        if let Some(watch) = watch {
            registry.register_collector(Box::new(Watched(watch)));
        }
        Self(registry)
    }

    /// In the text format of OpenMetrics 1.0.
    ///
    /// # Errors
    /// None: text is written to memory.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.0)?;
        Ok(text)
    }
}

#[derive(Debug)]
struct Store(Arc<RedisStore>);

impl Collector for Store {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let status = self.0.status();
        let up = ConstGauge::new(i64::from(status.down_for.is_none()));
        show(&mut encoder, "store_up", "Whether Redis is asked; 0 while it fails", &up)?;
        let down = ConstGauge::new(status.down_for.unwrap_or_default().as_secs_f64());
        let help = "For how long Redis has not been asked; 0 while it is";
        show(&mut encoder, "store_down_seconds", help, &down)?;
        for (name, help, count) in counts(&status) {
            show(&mut encoder, name, help, &ConstCounter::new(count))?;
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

#[derive(Debug)]
struct Memory(Arc<MemoryStore>);

impl Collector for Memory {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let status = self.0.status();
        for (name, help, keys) in [
            ("memory_keys", "Keys in this process's memory", status.keys),
            ("memory_max_keys", "Keys that it may hold", status.max_keys),
        ] {
            show(&mut encoder, name, help, &gauge(keys))?;
        }
        let mut show = |name, help, of: &dyn Fn(&PolicyKeys) -> Number| {
            let metrics = status.policies.iter().map(|it| (it.policy.as_str(), of(it)));
            show_by_policy(&mut encoder, name, help, metrics)
        };
        show("memory_policy_keys", "Those of them that a policy has", &|it| {
            Number::Gauge(gauge(it.keys))
        })?;
        show(
            "memory_crowding",
            "How new keys of a policy are counted: 0 alone, 1 IPv6 by wider networks, 2 together",
            &|it| Number::Gauge(gauge(crowding(it.new_keys))),
        )?;
        show(
            "memory_coarse",
            "Requests of new IPv6 clients that were counted by wider networks",
            &|it| Number::Counter(ConstCounter::new(it.coarse)),
        )?;
        show(
            "memory_overflow",
            "Requests of new clients that were counted together, in overflow counts",
            &|it| Number::Counter(ConstCounter::new(it.overflow)),
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

/// One metric of a policy.
enum Number {
    Gauge(ConstGauge<i64>),
    Counter(ConstCounter<u64>),
}

fn gauge(number: usize) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Shows a metric that each policy has, labelled with the policy's name.
fn show_by_policy<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metrics: impl Iterator<Item = (&'a str, Number)>,
) -> Result<(), fmt::Error> {
    let mut metrics = metrics.peekable();
    let Some((_, first)) = metrics.peek() else { return Ok(()) };
    let kind = match first {
        Number::Gauge(metric) => metric.metric_type(),
        Number::Counter(metric) => metric.metric_type(),
    };
    let mut family = encoder.encode_descriptor(name, help, None, kind)?;
    for (policy, number) in metrics {
        let labels = [("policy", policy)];
        let encoder = family.encode_family(&labels)?;
        match number {
            Number::Gauge(metric) => metric.encode(encoder)?,
            Number::Counter(metric) => metric.encode(encoder)?,
        }
    }
    Ok(())
}

/// Shows a metric without labels.
fn show(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> Result<(), fmt::Error> {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}
