//! Turns the raw tables into a [`Config`]: checks types, ranges, and what refers to what.

use std::collections::BTreeSet;

use ::config::{Map, Value};

pub(crate) use self::in_flight::DEFAULT_SLOT;
use super::error::{ConfigError, ConfigErrors};
use super::options::{Config, LogFormat, LogOptions};
use super::section::Section;

mod access;
mod auth;
mod client_ip;
mod cors;
mod descriptors;
mod gate;
mod gate_tls;
mod headers;
mod in_flight;
mod lease;
mod outcomes;
mod penalty;
mod policies;
mod policy_names;
mod proxy_protocol;
mod quotas;
mod refusals;
mod reserve;
mod rollout;
mod routes;
mod server;
mod store;
mod timezone;
mod tls;

/// The configuration in `tables`.
///
/// # Errors
/// With `errors`, which were found before, and all that is wrong with the tables.
pub(super) fn config(
    tables: Map<String, Value>,
    errors: Vec<ConfigError>,
) -> Result<Config, ConfigErrors> {
    let mut root = Section::root(tables, errors);
    let server = root.table("server", server::server);
    let admin = root.table("admin", server::admin);
    let gate = root.table("gate", |section| gate::gate(section, server.limits));
    let store = root.table("store", store::store);
    let client_ip = root.table("client_ip", |section| {
        let client_ip = client_ip::client_ip(section);
        proxy_protocol::examine(section, &client_ip, &server, &gate);
        client_ip
    });
    let headers = root.table("headers", headers::headers);
    let cors = root.table("cors", cors::cors);
    let access = root.table("access", access::access);
    let log = root.table("log", log);
    let mut refusals = root.table("refusals", refusals::refusals);
    let mut plans = BTreeSet::new();
    let policies = root.table("policies", |section| {
        let deny_cache = store.deny_cache;
        policies::policies(section, client_ip.ipv6_prefix, &mut plans, deny_cache, &mut refusals)
    });
    let trusts_any = client_ip.trusts_any(&server.listen);
    let mut auth = root.table("auth", |section| auth::auth(section, trusts_any, &plans));
    if let Some(jwt) = &mut auth.jwt {
        jwt.rules.claims = policies::claims(&policies);
    }
    let routes = root.table("routes", |section| routes::routes(section, &policies));
    let descriptors =
        root.table("descriptors", |section| descriptors::descriptors(section, &policies));
    let policies = policies.into_values().flatten().collect();
    let config = Config {
        server,
        admin,
        gate,
        store,
        client_ip,
        headers,
        cors,
        refusals,
        access,
        auth,
        policies,
        log,
        plans,
        routes,
        descriptors,
    };
    ConfigErrors::none_or(root.finish(), config)
}

fn log(section: &mut Section) -> LogOptions {
    let format = |text: &str| match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("{text:?} is not a format: expected text or json")),
    };
    LogOptions {
        format: section.get("format", LogFormat::Text, |leaf| leaf.parse("text or json", format)),
        request_id_header: section
            .get("request_id_header", None, |leaf| auth::field_name(leaf).map(Some)),
    }
}
