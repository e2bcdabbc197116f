//! How the limiter is configured that is measured.

use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::grpc::{CLIENT, DOMAIN, FURTHER};

/// Under a quota that nobody uses up.
pub(crate) const PLENTY: u64 = 1_000_000_000;

/// The header field that tells clients apart.
pub(crate) const CLIENT_FIELD: &str = "x-client";

/// The SHA-256 of the API key that `wrk.lua` sends.
const KEY_DIGEST: &str = "1b32c28cb38c05480eccc1bd60ff97029b57a05c96718b96dad7e9d84894f549";

/// One configuration.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// Allowed per hour.
    pub(crate) units: u64,
    /// One policy for each.
    pub(crate) algorithms: Vec<&'static str>,
    pub(crate) in_memory: bool,
    /// Whether API keys are taken: Tollgate's clients then show one.
    pub(crate) takes_keys: bool,
    /// Connections to Redis, where it is not the default.
    pub(crate) connections: Option<u32>,
    /// What a call to Redis may take.
    pub(crate) timeout_ms: u64,
    pub(crate) on_store_failure: &'static str,
    /// How many processes share the quotas.
    pub(crate) instances: u64,
    /// For how long a process may lease units; 0 for never.
    pub(crate) lease_ms: u64,
}

impl Setting {
    pub(crate) fn of(algorithms: &[&'static str]) -> Self {
        Self {
            units: PLENTY,
            algorithms: algorithms.to_vec(),
            in_memory: false,
            takes_keys: false,
            connections: None,
            timeout_ms: 50,
            // So that a store that fails shows.
            on_store_failure: "deny",
            instances: 1,
            lease_ms: 0,
        }
    }

    /// What is sent by gRPC: a descriptor for each policy.
    pub(crate) fn grpc_dialect(&self) -> &'static str {
        match self.algorithms.len() {
            1 => "grpc-1",
            2 => "grpc-2",
            _ => "grpc-3",
        }
    }

    /// Tollgate's configuration with its gate at `gate`, where proxies are trusted and each policy has a descriptor.
    pub(crate) fn config_with_gate(
        &self,
        listen: SocketAddr,
        redis: &str,
        gate: SocketAddr,
    ) -> String {
        let mut text = self.config(listen, redis);
        let _ = write!(text, "\n[gate]\nlisten = \"{gate}\"\n");
        let _ = write!(text, "\n[client_ip]\ntrusted_proxies = [\"127.0.0.1\"]\n");
        let entries = [CLIENT.to_owned()].into_iter();
        let entries = entries.chain(FURTHER.map(|further| format!("{CLIENT}, {further}")));
        for (number, entries) in entries.take(self.algorithms.len()).enumerate() {
            let _ = write!(
                text,
                "\n[descriptors.{DOMAIN}.\"{entries}\"]\npolicies = [\"{}\"]\n\
                 headers = {{ {CLIENT_FIELD} = \"{CLIENT}\" }}\n",
                policy_name(number)
            );
        }
        text
    }

    /// Tollgate's configuration.
    pub(crate) fn config(&self, listen: SocketAddr, redis: &str) -> String {
        let url = if self.in_memory { "memory:" } else { redis };
        let mut text = format!(
            "[server]\nlisten = \"{listen}\"\n\n[store]\nurl = \"{url}\"\ntimeout_ms = {}\n\
             max_keys = 2000000\ninstances = {}\n",
            self.timeout_ms, self.instances
        );
        if let Some(connections) = self.connections {
            let _ = writeln!(text, "connections = {connections}");
        }
        let names: Vec<String> = (0..self.algorithms.len()).map(policy_name).collect();
        for (name, algorithm) in names.iter().zip(&self.algorithms) {
            let _ = write!(
                text,
                "\n[policies.{name}]\nquota = \"{}/hour\"\nalgorithm = \"{algorithm}\"\n\
                 key = \"header:{CLIENT_FIELD}\"\non_store_failure = \"{}\"\n\
                 lease_ms = {}\n",
                self.units, self.on_store_failure, self.lease_ms
            );
        }
        let _ = write!(text, "\n[routes.\"/api/data\"]\npolicies = {names:?}\n");
        if self.takes_keys {
            let _ = write!(text, "\n[auth.keys]\n{KEY_DIGEST} = {{ user = \"bench\" }}\n");
        }
        text
    }
}

/// The name of the policy of that number.
pub(crate) fn policy_name(number: usize) -> String {
    if number == 0 { "default".to_owned() } else { format!("policy-{number}") }
}
