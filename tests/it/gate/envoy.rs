//! Envoy's rate limit service.

mod generated;
