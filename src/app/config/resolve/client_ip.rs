//! The section `[client_ip]`, and the prefix of a policy.

use std::num::NonZeroU8;

use crate::app::config::error::ConfigError;
use crate::app::config::leaf::Leaf;
use crate::app::config::options::ClientIpOptions;
use crate::app::config::section::Section;
use crate::domain::key::Ipv6Prefix;
use crate::domain::policy::KeySource;

/// The most proxies that may be in front.
const MOST_HOPS: u64 = 32;

pub(super) fn client_ip(section: &mut Section) -> ClientIpOptions {
    let trusted_proxies =
        section.list("trusted_proxies", "networks, as in [\"127.0.0.1\", \"10.0.0.0/8\"]");
    let header = section.get("header", None, |leaf| {
        leaf.parse("the name of a header field", |text| text.parse().map(Some))
    });
    let hops = section.get("hops", None, |leaf| {
        let hops = leaf.number(0..=MOST_HOPS)?;
        if hops > 0 && !trusted_proxies.is_empty() {
            return Err(leaf.refuse(
                "trusted_proxies are set as well: expected either, to go by addresses or to count",
            ));
        }
        Ok(u8::try_from(hops).ok().and_then(NonZeroU8::new))
    });
    let ipv6_prefix = section.get("ipv6_prefix", Ipv6Prefix::default(), ipv6_prefix);
    ClientIpOptions { trusted_proxies, header, hops, ipv6_prefix }
}

/// The prefix of a policy that counts by `key`: its own, or else the common one.
pub(super) fn prefix_of_policy(
    section: &mut Section,
    key: &KeySource,
    common: Ipv6Prefix,
) -> Ipv6Prefix {
    section.get("ipv6_prefix", common, |leaf| match key.is_by_address() {
        true => ipv6_prefix(leaf),
        false => {
            Err(leaf.refuse(format_args!("only addresses have it, and this is counted by {key}")))
        }
    })
}

fn ipv6_prefix(leaf: &Leaf) -> Result<Ipv6Prefix, ConfigError> {
    let length = leaf.number(1..=128)?;
    Ok(u8::try_from(length).ok().and_then(Ipv6Prefix::new).unwrap_or_default())
}
