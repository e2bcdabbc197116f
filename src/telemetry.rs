//! What is counted of the store, as Prometheus reads it.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::store::{RedisStatus, RedisStore};

/// The media type of [`Metrics::text`].
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics, whose names begin with `tollgate_`.
#[derive(Debug)]
pub(crate) struct Metrics(Registry);

impl Metrics {
    /// Those of `store`; without one, as where this process counts, there is nothing to tell.
    pub(crate) fn of(store: Option<&Arc<RedisStore>>) -> Self {
        let mut registry = Registry::with_prefix("tollgate");
        if let Some(store) = store {
            registry.register_collector(Box::new(Store(store.clone())));
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

/// Shows a metric without labels.
fn show(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> Result<(), fmt::Error> {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}
