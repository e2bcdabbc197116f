//! What is counted of the connections to each listener.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

use super::encode::gauge;
use crate::app::connections::{Connections, Limit};

#[derive(Debug)]
pub(super) struct ConnectionMetrics(pub(super) [Arc<Connections>; 3]);

impl Collector for ConnectionMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "Open connections";
        let mut family = encoder.encode_descriptor("connections", help, None, MetricType::Gauge)?;
        for connections in &self.0 {
            let labels = [("listener", connections.listener())];
            gauge(connections.open()).encode(family.encode_family(&labels)?)?;
        }
        let help = "Connections that clients made, those that were refused among them";
        let mut family =
            encoder.encode_descriptor("connections_accepted", help, None, MetricType::Counter)?;
        for connections in &self.0 {
            let labels = [("listener", connections.listener())];
            let accepted = ConstCounter::new(connections.accepted());
            accepted.encode(family.encode_family(&labels)?)?;
        }
        let help = "Handshakes of TLS that failed";
        let mut family =
            encoder.encode_descriptor("tls_handshakes_failed", help, None, MetricType::Counter)?;
        for connections in &self.0 {
            let labels = [("listener", connections.listener())];
            let failed = ConstCounter::new(connections.failed_handshakes());
            failed.encode(family.encode_family(&labels)?)?;
        }
        let help = "How often a setting of the listener closed a connection, or refused one or its request";
        let mut family =
            encoder.encode_descriptor("connection_limits", help, None, MetricType::Counter)?;
        for connections in &self.0 {
            for limit in Limit::ALL {
                let labels = [("listener", connections.listener()), ("setting", limit.setting())];
                let acted = ConstCounter::new(connections.acted(limit));
                acted.encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
