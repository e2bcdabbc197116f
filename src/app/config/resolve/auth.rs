//! The section `[auth]`.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr as _;

use actix_web::http::header::{AUTHORIZATION, HeaderName};

use crate::app::auth::{
    ApiKeys, JwksUrl, JwksUrlError, JwtAlgorithm, JwtAlgorithmError, JwtKeys, JwtRules, KeyDigest,
    KeyDigestError, RemoteJwks, Secret, check_keys,
};
use crate::app::config::error::ConfigError;
use crate::app::config::file;
use crate::app::config::leaf::Leaf;
use crate::app::config::options::{AuthOptions, JwtOptions};
use crate::app::config::origin::Origin;
use crate::app::config::section::Section;
use crate::app::config::toml;
use crate::app::config::words::one_of;
use crate::http::identity::User;

/// The options that set the keys of tokens. Only one of them may be set.
const KEYS_OF_TOKENS: [&str; 4] = ["key", "key_file", "jwks_file", "jwks_url"];

/// Reads the section. `trusts_any` says whether any proxy is trusted; `plans` are those that any policy
/// has a quota for.
pub(super) fn auth(
    section: &mut Section,
    trusts_any: bool,
    plans: &BTreeSet<String>,
) -> AuthOptions {
    let default = AuthOptions::default();
    let failures = section.get("failures", default.failures, |leaf| {
        leaf.parse("units per window, as in \"10/minute\"", str::parse)
    });
    let api_keys = api_keys(section, plans);
    let api_key_header = section.take("api_key_header").and_then(|leaf| {
        let name = field_name(&leaf).and_then(|name| match &api_keys {
            _ if name == AUTHORIZATION => {
                Err(leaf.refuse("leave it out for Authorization: Bearer"))
            }
            None => Err(leaf.refuse("there are no API keys: expected auth.keys or auth.keys_file")),
            Some(_) => Ok(name),
        });
        section.note(name)
    });
    let user_header = section.take("user_header");
    let user_header = user_header.and_then(|leaf| {
        let name = field_name(&leaf).and_then(|name| match trusts_any {
            true => Ok(name),
            false => Err(leaf.refuse(
                "no proxy is known that may send it: expected client_ip.trusted_proxies, not hops",
            )),
        });
        section.note(name)
    });
    let jwt = section.table("jwt", jwt);
    AuthOptions { failures, api_keys, api_key_header, user_header, jwt }
}

pub(super) fn field_name(leaf: &Leaf) -> Result<HeaderName, ConfigError> {
    const EXPECTED: &str = "the name of a header field, as in \"x-api-key\"";
    leaf.parse(EXPECTED, |text| {
        HeaderName::from_str(text).map_err(|_| format!("expected {EXPECTED}"))
    })
}

/// The keys of the configuration and of the keys file; `None` if there is neither.
fn api_keys(section: &mut Section, plans: &BTreeSet<String>) -> Option<ApiKeys> {
    let mut keys = ApiKeys::default();
    let file = section.take("keys_file");
    let is_set = section.table("keys", |section| {
        let is_set = section.names().next().is_some();
        add_keys(section, &mut keys, plans);
        is_set
    });
    let table = file.as_ref().map(|leaf| keys_of_file(leaf, &mut keys, plans));
    if let Some(errors) = table.and_then(|table| section.note(table)) {
        section.add(errors);
    }
    (is_set || file.is_some()).then_some(keys)
}

/// Adds the keys in the file that `leaf` names, and returns what is wrong with them.
fn keys_of_file(
    leaf: &Leaf,
    keys: &mut ApiKeys,
    plans: &BTreeSet<String>,
) -> Result<Vec<ConfigError>, ConfigError> {
    let path = leaf.path()?;
    let text = String::from_utf8(read(leaf, &path)?);
    let text = text.map_err(|_| leaf.refuse("the file is not UTF-8 text"))?;
    let origin = Origin::file(path.display().to_string());
    let table = match toml::parse(&text, &origin) {
        Ok(table) => table,
        Err(error) => return Ok(vec![ConfigError::of(error.origin(&origin), error)]),
    };
    let mut section = Section::part(&["auth", "keys"], origin, table);
    add_keys(&mut section, keys, plans);
    Ok(section.finish())
}

fn add_keys(section: &mut Section, keys: &mut ApiKeys, plans: &BTreeSet<String>) {
    // A name that is no digest may be a key, which must not get into the log.
    if section.reject(|name| name.parse::<KeyDigest>().is_err()) {
        section.refuse(format_args!(
            "a name in it is {KeyDigestError}, as `tollgate keys new` prints them"
        ));
    }
    let listed = section.tables(|name, section| {
        let user = key_user(section, plans)?;
        Some((name.parse::<KeyDigest>().ok()?, user))
    });
    for (digest, user) in listed.into_iter().flatten() {
        if !keys.insert(digest, user) {
            section.refuse(format_args!("the key {digest} is there twice"));
        }
    }
}

/// The user of a key.
fn key_user(section: &mut Section, plans: &BTreeSet<String>) -> Option<User> {
    let user = section.take("user");
    let plan = section.take("plan").and_then(|leaf| section.note(known_plan(&leaf, plans)));
    let Some(user) = user else {
        section.refuse("user is missing, expected whose key it is, as in user = \"1042\"");
        return None;
    };
    let user = User::new(section.note(not_empty(&user))?);
    Some(match plan {
        Some(plan) => user.with_plan(plan),
        None => user,
    })
}

/// A plan that some policy knows. Any other would silently have no effect, and is a typing error.
fn known_plan(leaf: &Leaf, plans: &BTreeSet<String>) -> Result<String, ConfigError> {
    let plan = not_empty(leaf)?;
    if plans.contains(&plan) {
        return Ok(plan);
    }
    Err(leaf.refuse(format_args!("no policy has a quota for a plan {plan:?}")))
}

fn jwt(section: &mut Section) -> Option<JwtOptions> {
    let leaves: Vec<_> = KEYS_OF_TOKENS
        .into_iter()
        .filter_map(|name| section.take(name).map(|leaf| (name, leaf)))
        .collect();
    let listed = section.take("algorithms");
    let algorithms = listed.map_or(Some(Vec::new()), |leaf| section.note(algorithms(&leaf)));
    let are_missing = algorithms.as_ref().is_some_and(Vec::is_empty);
    let rules = rules(section, algorithms.unwrap_or_default());
    let fetched = fetched(section);
    let [(name, leaf)] = &leaves[..] else {
        // These options make sense only if tokens are verified, so a missing key is an error.
        let is_meant = !rules.algorithms.is_empty()
            || rules.issuer.is_some()
            || !rules.audience.is_empty()
            || !leaves.is_empty();
        if is_meant {
            section.refuse(format_args!("expected one key: {}", one_of(&KEYS_OF_TOKENS)));
        }
        return None;
    };
    if are_missing {
        section.refuse("algorithms is missing, expected how tokens are signed, as in [\"RS256\"]");
    }
    let keys = section.note(match *name {
        "key" => leaf.text().map(|text| JwtKeys::Only(Secret::new(text.as_bytes()))),
        "key_file" => file(leaf).map(JwtKeys::Only),
        "jwks_file" => file(leaf).map(JwtKeys::Set),
        _ => url(leaf).map(|url| JwtKeys::Remote(fetched(url))),
    })?;
    if rules.algorithms.is_empty() {
        return None;
    }
    section.note(check_keys(&keys, &rules).map_err(|error| leaf.refuse(error)))?;
    Some(JwtOptions { keys, rules })
}

/// How a JWK Set is fetched from a URL.
fn fetched(section: &mut Section) -> impl Fn(JwksUrl) -> RemoteJwks + use<> {
    let refresh_ms = section.get("jwks_refresh_ms", 300_000, |leaf| leaf.number(100..=86_400_000));
    let cooldown_ms = section.get("jwks_cooldown_ms", 10_000, |leaf| leaf.number(100..=3_600_000));
    let timeout_ms = section.get("jwks_timeout_ms", 2_000, |leaf| leaf.number(1..=60_000));
    move |url| RemoteJwks { url, refresh_ms, cooldown_ms, timeout_ms }
}

/// Reads a URL. [`Leaf::parse`] would not show what is wrong with it, since it hides every URL.
fn url(leaf: &Leaf) -> Result<JwksUrl, ConfigError> {
    leaf.text()?.parse().map_err(|error: JwksUrlError| leaf.refuse(error))
}

fn algorithms(leaf: &Leaf) -> Result<Vec<JwtAlgorithm>, ConfigError> {
    let all: Result<Vec<_>, _> =
        leaf.list("algorithms, as in [\"RS256\"]")?.iter().map(|name| name.parse()).collect();
    all.map_err(|error: JwtAlgorithmError| leaf.refuse(format_args!("a name in it is {error}")))
}

fn rules(section: &mut Section, algorithms: Vec<JwtAlgorithm>) -> JwtRules {
    let default = JwtRules::default();
    JwtRules {
        algorithms,
        issuer: section.get("issuer", default.issuer, |leaf| not_empty(leaf).map(Some)),
        audience: section.get("audience", default.audience, |leaf| {
            leaf.list("audiences, as in [\"https://api.example\"]")
        }),
        leeway_seconds: section
            .get("leeway_seconds", default.leeway_seconds, |leaf| leaf.number(0..=300)),
        user_claim: section.get("user_claim", default.user_claim, not_empty),
        plan_claim: section.get("plan_claim", default.plan_claim, |leaf| not_empty(leaf).map(Some)),
        // They follow from the policies.
        claims: default.claims,
    }
}

fn not_empty(leaf: &Leaf) -> Result<String, ConfigError> {
    match leaf.text()? {
        "" => Err(leaf.refuse("expected text, got nothing")),
        text => Ok(text.to_owned()),
    }
}

fn file(leaf: &Leaf) -> Result<Secret, ConfigError> {
    Ok(Secret::new(read(leaf, &leaf.path()?)?))
}

/// Reads the file at `path`. Errors do not show the path: it may be a secret in the wrong option.
fn read(leaf: &Leaf, path: &Path) -> Result<Vec<u8>, ConfigError> {
    file::read(path)
        .map_err(|error| leaf.refuse(format_args!("the file of that name cannot be read: {error}")))
}
