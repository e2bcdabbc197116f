//! The section `[store]`.

use super::tls;
use crate::app::config::error::ConfigError;
use crate::app::config::leaf::Leaf;
use crate::app::config::options::StoreOptions;
use crate::app::config::section::Section;
use crate::app::config::store_url::StoreUrlError;
use crate::app::config::words::show_text;

/// The longest prefix of keys, in bytes: every key in Redis begins with it.
const LONGEST_PREFIX: usize = 64;

pub(super) fn store(section: &mut Section) -> StoreOptions {
    let default = StoreOptions::default();
    let url = section.get("url", default.url, |leaf| {
        leaf.text()?.parse().map_err(|error: StoreUrlError| leaf.refuse(error))
    });
    StoreOptions {
        tls: section.table("tls", |section| tls::tls(section, &url)),
        url,
        key_prefix: section.get("key_prefix", default.key_prefix, key_prefix),
        timeout: section.get("timeout_ms", default.timeout, |leaf| leaf.millis(1..=60_000)),
        idle_timeout: section
            .get("idle_timeout_ms", default.idle_timeout, |leaf| leaf.millis(100..=86_400_000)),
        examine_interval: section.get("examine_interval_ms", default.examine_interval, |leaf| {
            leaf.millis(100..=86_400_000)
        }),
        connections: section.get("connections", default.connections, |leaf| leaf.size(1..=64)),
        instances: section.get("instances", default.instances, |leaf| leaf.number(1..=1_000_000)),
        deny_cache: section
            .get("deny_cache_ms", default.deny_cache, |leaf| leaf.millis(0..=60_000)),
        max_keys: section.get("max_keys", default.max_keys, |leaf| leaf.size(1..=1_000_000_000)),
        hash_users: section.get("hash_users", default.hash_users, Leaf::flag),
    }
}

fn key_prefix(leaf: &Leaf) -> Result<String, ConfigError> {
    const EXPECTED: &str = "1 to 64 ASCII letters, digits, '-', '_', '.' or ':'";
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    leaf.parse(EXPECTED, |text| {
        if (1..=LONGEST_PREFIX).contains(&text.len()) && text.bytes().all(is_plain) {
            Ok(text.to_owned())
        } else {
            Err(format!("expected {EXPECTED}, got {}", show_text(text)))
        }
    })
}
