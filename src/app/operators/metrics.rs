//! The metrics of the process, as Prometheus reads them.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

use self::calls::CallMetrics;
use self::connections::ConnectionMetrics;
use self::decisions::DecisionMetrics;
use self::leases::LeaseMetrics;
use self::memory::MemoryMetrics;
use self::redis::RedisMetrics;
use self::reloads::ReloadMetrics;
use self::store_findings::StoreFindings;
use super::store_watch::StoreWatch;
use crate::app::assemble::{CurrentSnapshot, Lasting};
use crate::app::connections::Connections;
use crate::app::reload::ReloadStatus;

mod calls;
mod connections;
mod decisions;
mod encode;
mod leases;
mod memory;
mod redis;
mod reloads;
mod store_findings;

/// The media type of [`Metrics::text`].
pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics. Their names begin with `tollgate_`.
#[derive(Debug)]
pub(super) struct Metrics(Registry);

impl Metrics {
    /// The metrics of `lasting`, of the snapshot in force, of `reloads`, of what `watch` finds, and of the connections to each of `listeners`.
    pub(super) fn new(
        lasting: &Lasting,
        snapshot: CurrentSnapshot,
        reloads: Arc<ReloadStatus>,
        watch: Option<StoreWatch>,
        listeners: [Arc<Connections>; 3],
    ) -> Self {
        let mut registry = Registry::with_prefix("tollgate");
        registry.register_collector(Box::new(ConnectionMetrics(listeners)));
        registry.register_collector(Box::new(MemoryMetrics(lasting.stores.memory.clone())));
        registry.register_collector(Box::new(LeaseMetrics(snapshot.clone())));
        registry.register_collector(Box::new(DecisionMetrics {
            counts: lasting.counts.clone(),
            who: lasting.who.clone(),
            snapshot,
        }));
        registry.register_collector(Box::new(ReloadMetrics(reloads)));
        if let Some(redis) = &lasting.stores.redis {
            registry.register_collector(Box::new(RedisMetrics(redis.clone())));
            registry.register_collector(Box::new(CallMetrics(redis.clone())));
        }
        if let Some(watch) = watch {
            registry.register_collector(Box::new(StoreFindings(watch)));
        }
        Self(registry)
    }

    /// The metrics in the text format of OpenMetrics 1.0.
    ///
    /// # Errors
    /// None in practice: writing text to memory does not fail.
    pub(super) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.0)?;
        Ok(text)
    }
}
