//! Every option with its type and its default.

use std::collections::BTreeSet;
use std::num::NonZeroU8;
use std::time::Duration;

use actix_web::http::header::HeaderName;

use super::host::HostName;
use super::listen::Listen;
use super::server::Server;
use super::store_url::StoreUrl;
use crate::app::auth::{ApiKeys, JwtKeys, JwtRules};
use crate::domain::key::Ipv6Prefix;
use crate::domain::network::Network;
use crate::domain::policy::Policy;
use crate::domain::quota::{Cost, Quota};
use crate::http::ForwardingHeader;
use crate::limiter::{AccessEntry, RoutePattern};
use crate::store::RedisTls;

/// A whole configuration, in which everything that refers to something finds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    /// The server.
    pub(crate) server: Server,
    /// Where operators ask.
    pub(crate) admin: Admin,
    /// The store.
    pub(crate) store: Store,
    /// How the addresses of clients are found.
    pub(crate) client_ip: ClientIp,
    /// The header fields of answers.
    pub(crate) headers: Headers,
    /// Who is refused, and who passes unchecked.
    pub(crate) access: Access,
    /// How users prove who they are.
    pub(crate) auth: Auth,
    /// The policies, by name.
    pub(crate) policies: Vec<Policy>,
    /// The plans that any policy has a quota for.
    pub(crate) plans: BTreeSet<String>,
    /// The routes, by pattern.
    pub(crate) routes: Vec<Route>,
}

/// Where operators and their tools ask how it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Admin {
    /// The address to listen on, `host:port`; none by default.
    pub(crate) listen: Option<Box<str>>,
    /// Names that requests may call it by, besides addresses, `localhost` and the host of `listen`.
    pub(crate) hosts: Vec<HostName>,
}

/// Where state lives, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Store {
    /// The place.
    pub(crate) url: StoreUrl,
    /// Whom a connection with TLS trusts, and what it shows.
    pub(crate) tls: RedisTls,
    /// What all keys begin with.
    pub(crate) key_prefix: String,
    /// How long each of connect, read, write, the wait for a connection and the wait in the queue may
    /// take.
    pub(crate) timeout: Duration,
    /// How long a connection may idle before a new one takes its place.
    pub(crate) idle_timeout: Duration,
    /// How long after a look at the store, as `tollgate doctor` looks at it, the next one follows.
    pub(crate) examine_interval: Duration,
    /// Dispatcher threads, each with a pooled connection of its own.
    pub(crate) connections: usize,
    /// Processes that share the quotas, for when each counts locally.
    pub(crate) instances: u64,
    /// How long a denial may be answered from this process's memory; zero for never.
    pub(crate) deny_cache: Duration,
    /// Keys that this process's memory store holds at most.
    pub(crate) max_keys: usize,
    /// Whether users' IDs are stored only as their SHA-256.
    pub(crate) hash_users: bool,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            url: StoreUrl::default(),
            tls: RedisTls::default(),
            key_prefix: "tollgate".to_owned(),
            timeout: Duration::from_millis(50),
            idle_timeout: Duration::from_secs(30),
            examine_interval: Duration::from_secs(60),
            connections: 2,
            instances: 1,
            deny_cache: Duration::from_millis(1_000),
            max_keys: 1_000_000,
            hash_users: false,
        }
    }
}

/// How the addresses of clients are found, and what counts as one client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientIp {
    /// The proxies that may say where a request comes from, by address.
    pub(crate) trusted_proxies: Vec<Network>,
    /// The field that they say it in, if it is named: over a Unix socket, that is to trust its peers.
    pub(crate) header: Option<ForwardingHeader>,
    /// How many proxies are always in front, where their addresses are not known.
    pub(crate) hops: Option<NonZeroU8>,
    /// The size of the IPv6 networks that are one client each, for policies that name no other.
    pub ipv6_prefix: Ipv6Prefix,
}

/// Which header fields answers carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Headers {
    /// Whether the older `X-RateLimit-*` fields are sent, too.
    pub(crate) legacy: bool,
    /// Whether `Access-Control-Expose-Headers` names the fields, for scripts of other origins.
    pub(crate) cors_expose: bool,
}

impl ClientIp {
    /// Whether any proxy is known that tells the truth of its clients. Those that `hops` counts are not:
    /// it would be everyone's word.
    pub(crate) fn trusts_any(&self, listen: &Listen) -> bool {
        let is_over_unix = matches!(listen, Listen::Unix(_)) && self.header.is_some();
        self.hops.is_none() && (!self.trusted_proxies.is_empty() || is_over_unix)
    }
}

/// The lists that no policy overrules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Access {
    /// Who passes unchecked.
    pub(crate) allow: Vec<AccessEntry>,
    /// Who is refused, also where `allow` lists them.
    pub(crate) block: Vec<AccessEntry>,
}

/// How users prove who they are; in no way by default.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Auth {
    /// The wrong credentials that one address may send, and over how long.
    pub(crate) failures: Quota,
    /// The API keys; none where they prove nothing.
    pub(crate) api_keys: Option<ApiKeys>,
    /// The header field of API keys, instead of `Authorization`.
    pub(crate) api_key_header: Option<HeaderName>,
    /// The header field in which a trusted proxy says who the user is.
    pub(crate) user_header: Option<HeaderName>,
    /// What tokens must be; none where they prove nothing.
    pub(crate) jwt: Option<Jwt>,
}

impl Default for Auth {
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
pub(crate) struct Jwt {
    /// The keys that they are signed with.
    pub(crate) keys: JwtKeys,
    /// What they must be.
    pub(crate) rules: JwtRules,
}

/// The policies of the requests for a path, or for those of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// The requests that it is for.
    pub(crate) pattern: RoutePattern,
    /// The policies that a request is checked against and charged to, by name.
    pub(crate) policies: Vec<String>,
    /// The policies that an answer only reports, by name.
    pub(crate) peek: Vec<String>,
    /// What a request costs.
    pub(crate) cost: Cost,
}
