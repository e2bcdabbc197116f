//! Every option with its type and its default.

use std::collections::BTreeSet;
use std::num::NonZeroU8;
use std::time::Duration;

use actix_web::http::header::HeaderName;

use super::access::{AccessOptions, CorsOptions};
use super::host::HostName;
use super::listen::Listen;
use super::server::{ConnectionLimits, ServerOptions};
use super::store_url::StoreUrl;
use crate::app::auth::{ApiKeys, JwtKeys, JwtRules, KeyDigest};
use crate::app::server_tls::ServerTls;
use crate::domain::key::Ipv6Prefix;
use crate::domain::network::Network;
use crate::domain::policy::Policy;
use crate::domain::quota::{Cost, Quota};
use crate::http::fields::FieldOptions;
use crate::http::{ForwardingHeader, Refusals};
use crate::limiter::{DescriptorPattern, RoutePattern};
use crate::store::RedisTls;

/// A whole, checked configuration: every name in it refers to something that exists.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    /// The server and its limits.
    pub(crate) server: ServerOptions,
    /// The operators' listener.
    pub(crate) admin: AdminOptions,
    /// The listener for proxies and other servers.
    pub(crate) gate: GateOptions,
    /// The store.
    pub(crate) store: StoreOptions,
    /// How the addresses of clients are found.
    pub(crate) client_ip: ClientIpOptions,
    /// The header fields of responses.
    pub(crate) headers: FieldOptions,
    /// What becomes of CORS preflights.
    pub(crate) cors: CorsOptions,
    /// Own bodies of denials.
    pub(crate) refusals: Refusals,
    /// Clients that are always refused, and clients that pass unchecked.
    pub(crate) access: AccessOptions,
    /// How users prove who they are.
    pub(crate) auth: AuthOptions,
    /// The policies, by name.
    pub(crate) policies: Vec<Policy>,
    /// What is logged, and how.
    pub(crate) log: LogOptions,
    /// Every plan that a policy has a quota for.
    pub(crate) plans: BTreeSet<String>,
    /// The routes, by pattern.
    pub(crate) routes: Vec<RouteOptions>,
    /// What Envoy says of requests, by domain and pattern.
    pub(crate) descriptors: Vec<DescriptorOptions>,
}

/// The listener for operators and their tools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AdminOptions {
    /// The address to listen on; `None` for no such listener.
    pub(crate) listen: Option<Listen>,
    /// Names that requests may use for it, besides addresses, `localhost` and the host of `listen`.
    pub(crate) hosts: Vec<HostName>,
    /// The SHA-256 of the token of who may change things; `None` if nobody needs one.
    pub(crate) token: Option<KeyDigest>,
    /// The SHA-256 of the token of who may only read.
    pub(crate) read_token: Option<KeyDigest>,
}

/// The listener for proxies and other servers, which ask about the requests of their own clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GateOptions {
    /// The address to listen on; `None` for no such listener.
    pub(crate) listen: Option<Listen>,
    /// The SHA-256 of the token of who may ask; `None` if nobody needs one.
    pub(crate) token: Option<KeyDigest>,
    /// The certificates of connections; `None` for connections without TLS.
    pub(crate) tls: Option<ServerTls>,
    /// Whether each connection has to begin with a header of the PROXY protocol.
    pub(crate) proxy_protocol: bool,
    /// Connections that may be open at a time.
    pub(crate) max_connections: usize,
    /// Questions that one request may ask.
    pub(crate) max_batch: usize,
    /// The limits of one connection.
    pub(crate) limits: ConnectionLimits,
}

impl Default for GateOptions {
    fn default() -> Self {
        Self {
            listen: None,
            token: None,
            tls: None,
            proxy_protocol: false,
            max_connections: 1_000,
            max_batch: 100,
            limits: ConnectionLimits {
                header_timeout: Duration::from_secs(5),
                body_timeout: Duration::from_secs(5),
                max_body_bytes: 65_536,
                ..ConnectionLimits::default()
            },
        }
    }
}

impl GateOptions {
    /// Whether every caller has to prove that it may ask.
    pub(crate) fn knows_callers(&self) -> bool {
        self.token.is_some() || self.tls.as_ref().is_some_and(ServerTls::knows_clients)
    }
}

/// What is logged, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogOptions {
    /// How a line is written.
    pub(crate) format: LogFormat,
    /// The header field in which a trusted proxy sends the ID of a request.
    pub(crate) request_id_header: Option<HeaderName>,
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// As an object of JSON.
    Json,
}

/// Where requests are counted, and how that store is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreOptions {
    /// The URL of the store.
    pub(crate) url: StoreUrl,
    /// The certificates of connections with TLS.
    pub(crate) tls: RedisTls,
    /// The prefix of all keys.
    pub(crate) key_prefix: String,
    /// The time limit of each connect, read and write, and of each wait for a connection or in the queue.
    pub(crate) timeout: Duration,
    /// How long a connection may be idle before a new one replaces it.
    pub(crate) idle_timeout: Duration,
    /// The time between two examinations of the store, which ask what `tollgate doctor` asks.
    pub(crate) examine_interval: Duration,
    /// Dispatcher threads, each with a pooled connection of its own.
    pub(crate) connections: usize,
    /// Processes among which the quotas are divided while each counts locally.
    pub(crate) instances: u64,
    /// How long a denial may be repeated without asking the store; zero for never.
    pub(crate) deny_cache: Duration,
    /// The most keys that this process's memory holds.
    pub(crate) max_keys: usize,
    /// Whether users' IDs are stored only as their SHA-256.
    pub(crate) hash_users: bool,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            url: StoreUrl::default(),
            tls: RedisTls::default(),
            key_prefix: "tollgate".to_owned(),
            timeout: Duration::from_millis(50),
            idle_timeout: Duration::from_secs(30),
            examine_interval: Duration::from_secs(60),
            connections: 4,
            instances: 1,
            deny_cache: Duration::from_millis(1_000),
            max_keys: 1_000_000,
            hash_users: false,
        }
    }
}

/// How the addresses of clients are found, and what counts as one client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientIpOptions {
    /// The proxies that are trusted to name a client's address.
    pub(crate) trusted_proxies: Vec<Network>,
    /// The field in which they name it. Over a Unix socket, setting this means to trust its peers.
    pub(crate) header: Option<ForwardingHeader>,
    /// How many proxies are always in front, if their addresses are not known.
    pub(crate) hops: Option<NonZeroU8>,
    /// The size of the IPv6 networks that count as one client, for policies without their own.
    pub(crate) ipv6_prefix: Ipv6Prefix,
}

impl ClientIpOptions {
    /// Whether any proxy is trusted to name its clients. Proxies that `hops` only counts are not: any peer
    /// might be one.
    pub(crate) fn trusts_any(&self, listen: &Listen) -> bool {
        let is_over_unix = matches!(listen, Listen::Unix(_)) && self.header.is_some();
        self.hops.is_none() && (!self.trusted_proxies.is_empty() || is_over_unix)
    }
}

/// How users prove who they are. By default nothing proves a user.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AuthOptions {
    /// How many wrong credentials one address may send, and over how long.
    pub(crate) failures: Quota,
    /// The API keys; `None` if API keys prove nothing.
    pub(crate) api_keys: Option<ApiKeys>,
    /// The header field of API keys, instead of `Authorization`.
    pub(crate) api_key_header: Option<HeaderName>,
    /// The header field in which a trusted proxy names the user.
    pub(crate) user_header: Option<HeaderName>,
    /// Which tokens prove a user; `None` if tokens prove nothing.
    pub(crate) jwt: Option<JwtOptions>,
}

impl AuthOptions {
    /// Whether there is any way to prove a user.
    pub(crate) fn proves_users(&self) -> bool {
        self.api_keys.is_some() || self.jwt.is_some() || self.user_header.is_some()
    }
}

impl Default for AuthOptions {
    fn default() -> Self {
        Self {
            failures: Quota::new(10, 60_000).expect("10 a minute are a quota"),
            api_keys: None,
            api_key_header: None,
            user_header: None,
            jwt: None,
        }
    }
}

/// Which JSON Web Tokens prove a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JwtOptions {
    /// The keys that verify them.
    pub(crate) keys: JwtKeys,
    /// What they must be.
    pub(crate) rules: JwtRules,
}

/// The policies of the requests that a pattern matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RouteOptions {
    /// Which requests it is for.
    pub(crate) pattern: RoutePattern,
    /// The policies that a request is checked against and charged to, by name.
    pub(crate) policies: Vec<String>,
    /// The policies that responses only report on, by name.
    pub(crate) peek: Vec<String>,
    /// What a request costs.
    pub(crate) cost: Cost,
    /// Whether requests may use the slots that these policies keep in reserve.
    pub(crate) uses_reserve: bool,
}

/// The policies of the requests of which Envoy says what a pattern matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DescriptorOptions {
    /// The domain.
    pub(crate) domain: String,
    /// Which descriptors it is for.
    pub(crate) pattern: DescriptorPattern,
    /// The policies that a request is checked against and charged to, by name.
    pub(crate) policies: Vec<String>,
    /// Whether requests may use the slots that these policies keep in reserve.
    pub(crate) uses_reserve: bool,
    /// Whether every request is refused.
    pub(crate) refuse: bool,
    /// The entries whose values do not tell requests apart, by their indexes in the pattern.
    pub(crate) share: Vec<usize>,
    /// The entries that say who the client is.
    pub(crate) client: ClientEntries,
    /// The most that a request may ask for as a limit of its own; `None` if it may not.
    pub(crate) quota_override: Option<Quota>,
}

/// Which entries of a descriptor say who the client is, by their indexes in the pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientEntries {
    /// The entry with its address.
    pub(crate) ip: Option<usize>,
    /// The entry with its user.
    pub(crate) user: Option<usize>,
    /// The entry with the plan of the user.
    pub(crate) plan: Option<usize>,
    /// The entries with what would be header fields, by the names of those in lower case.
    pub(crate) headers: Vec<(Box<str>, usize)>,
}
