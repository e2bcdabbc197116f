//! The overrides as requests meet them: by the client's identity, with each boost as a policy that is ready.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};

use super::entry::{Effect, Override};
use super::time::StoreTime;
use crate::domain::banned::Banned;
use crate::domain::client::Client;
use crate::domain::clock::Millis;
use crate::domain::key::{Identity, Ipv6Prefix, counted};
use crate::domain::policy::{KeySource, Policy, Share};
use crate::domain::quota::Quotas;
use crate::store::Keyspace;

/// The overrides that hold for the requests of one limiter. Without any, a request pays for one load.
#[derive(Debug, Default)]
pub(in crate::limiter) struct Overridden {
    is_any: AtomicBool,
    table: ArcSwap<OverrideTable>,
}

/// Overrides by whom they are about.
#[derive(Debug, Default)]
pub(in crate::limiter) struct OverrideTable {
    time: Option<Arc<StoreTime>>,
    clients: HashMap<Arc<str>, OfClient>,
    off: HashMap<Box<str>, Millis>,
    /// The sizes of the IPv6 networks that are banned, or one of any size.
    ban_prefixes: Vec<Ipv6Prefix>,
}

/// A policy with another quota, or with several.
type Boosted = Arc<[Arc<Policy>]>;

/// The overrides of one client.
#[derive(Debug, Default)]
struct OfClient {
    bans: Vec<Until<Option<Box<str>>>>,
    /// First those that are for one policy.
    boosts: Vec<Until<Boosted>>,
}

/// What holds until a time, by the store's clock.
#[derive(Debug)]
struct Until<T> {
    it: T,
    until: Millis,
}

impl Overridden {
    /// All of them; `None` if there is none.
    pub(in crate::limiter) fn load(&self) -> Option<Guard<Arc<OverrideTable>>> {
        self.is_any.load(Ordering::Acquire).then(|| self.table.load())
    }

    /// Lets `overrides` hold for requests under `policies`.
    pub(in crate::limiter) fn set<'a>(
        &self,
        overrides: &[Override],
        time: &Arc<StoreTime>,
        policies: impl Iterator<Item = &'a Policy> + Clone,
    ) {
        self.table.store(Arc::new(OverrideTable::new(overrides, time, policies)));
        self.is_any.store(!overrides.is_empty(), Ordering::Release);
    }
}

impl OverrideTable {
    fn new<'a>(
        overrides: &[Override],
        time: &Arc<StoreTime>,
        policies: impl Iterator<Item = &'a Policy> + Clone,
    ) -> Self {
        let mut table = Self { time: Some(time.clone()), ..Self::default() };
        let mut prefixes = HashSet::new();
        let mut boosted: HashMap<(&str, Share, &Quotas), Option<Boosted>> = HashMap::new();
        for Override { effect, key, policy: only, until, .. } in overrides {
            let until = *until;
            let of_client = match key {
                Some(key) => table.clients.entry((**key).into()).or_default(),
                None => {
                    if let (Effect::Off, Some(policy)) = (effect, only) {
                        table.off.insert(policy.clone(), until);
                    }
                    continue;
                }
            };
            match effect {
                Effect::Ban => {
                    of_client.bans.push(Until { it: only.clone(), until });
                    prefixes.extend(key.as_deref().and_then(prefix_of));
                }
                Effect::Boost(quotas) => {
                    let key = key.as_deref().unwrap_or_default();
                    let is_meant = |policy: &&Policy| match only {
                        Some(only) => policy.name() == &**only,
                        None => may_count(policy.key(), key),
                    };
                    let of_quota = policies.clone().filter(is_meant).filter_map(|policy| {
                        let boosted = boosted.entry((policy.name(), policy.reserve(), quotas));
                        let made = || {
                            let parts = policy.with_own_quotas(quotas).ok()?;
                            Some(parts.into_iter().map(Arc::new).collect())
                        };
                        boosted.or_insert_with(made).clone()
                    });
                    let boosts = of_quota.map(|it| Until { it, until });
                    let at = if only.is_some() { 0 } else { of_client.boosts.len() };
                    of_client.boosts.splice(at..at, boosts);
                }
                Effect::Off => {}
            }
        }
        table.ban_prefixes = prefixes.into_iter().collect();
        table
    }

    /// Whether `policy` is switched off.
    pub(in crate::limiter) fn is_off(&self, policy: &Policy) -> bool {
        self.off.get(policy.name()).is_some_and(|until| self.left(*until).is_some())
    }

    /// The policy that holds in place of the one called `policy` for the client of `tag`, once for each of its quotas, if
    /// the client has a boost.
    pub(in crate::limiter) fn boosted(&self, policy: &Policy, tag: &str) -> Option<&[Arc<Policy>]> {
        let boosts = &self.clients.get(tag)?.boosts;
        let holds = |boost: &&Until<Boosted>| {
            is_in_place_of(policy, &boost.it) && self.left(boost.until).is_some()
        };
        boosts.iter().find(holds).map(|boost| &*boost.it)
    }

    /// The boosts of the client of `tag` under `policy`, whichever holds.
    pub(in crate::limiter) fn boosts(
        &self,
        policy: &Policy,
        tag: &str,
    ) -> impl Iterator<Item = &Arc<Policy>> {
        let boosts = self.clients.get(tag).into_iter().flat_map(|it| &it.boosts);
        boosts.flat_map(|boost| &*boost.it).filter(|it| it.name() == policy.name())
    }

    /// The ban of the address or the user of `client`, whatever it asks for.
    pub(in crate::limiter) fn ban_of_client(
        &self,
        client: &Client<'_>,
        keyspace: &Keyspace,
    ) -> Option<Banned> {
        let of = |identity: Identity<'_>| keyspace.with_tag(&identity, |tag| self.ban(tag, None));
        let user = client.user_id().and_then(|id| of(Identity::User(id.into())));
        let address = if self.ban_prefixes.is_empty() { None } else { client.address() };
        let address = address.and_then(|address| {
            let sizes = if counted(address).is_ipv4() { 1 } else { usize::MAX };
            let prefixes = self.ban_prefixes.iter().take(sizes);
            longest(prefixes.map(|prefix| of(Identity::ip(address, *prefix))))
        });
        longest([user, address])
    }

    /// The ban of the client of `tag` under `policy`.
    pub(in crate::limiter) fn ban_of_key(&self, policy: &Policy, tag: &str) -> Option<Banned> {
        self.ban(tag, Some(policy))
    }

    fn ban(&self, tag: &str, policy: Option<&Policy>) -> Option<Banned> {
        let (key, of_client) = self.clients.get_key_value(tag)?;
        let bans = of_client.bans.iter().filter(|ban| match &ban.it {
            Some(only) => policy.is_some_and(|policy| policy.name() == &**only),
            None => true,
        });
        longest(bans.map(|ban| Some(Banned::new(key.clone(), self.left(ban.until)?))))
    }

    /// How much time is left until `until`; `None` if that has come.
    fn left(&self, until: Millis) -> Option<Duration> {
        let left = until.checked_sub(self.time.as_ref()?.now()).filter(|left| *left > 0)?;
        Some(Duration::from_millis(left))
    }
}

/// Whether a boost holds in place of `policy`, with or without the reserve of its slots.
fn is_in_place_of(policy: &Policy, boosted: &Boosted) -> bool {
    let first = boosted.first();
    first.is_some_and(|it| it.name() == policy.name() && it.reserve() == policy.reserve())
}

/// The ban that ends last.
fn longest(bans: impl IntoIterator<Item = Option<Banned>>) -> Option<Banned> {
    bans.into_iter().flatten().max_by_key(Banned::ends_after)
}

/// The size of the IPv6 network of the client of `tag`; of one IPv4 address, any.
fn prefix_of(tag: &str) -> Option<Ipv6Prefix> {
    match Identity::named(tag, Ipv6Prefix::default()).ok()? {
        Identity::Ipv6(network) => Some(network.prefix()),
        Identity::Ipv4(_) => Some(Ipv6Prefix::default()),
        _ => None,
    }
}

/// Whether a policy with `source` as its key may count the client of `tag`.
pub(in crate::limiter) fn may_count(source: &KeySource, tag: &str) -> bool {
    match tag.split_once(":#") {
        // A hash does not show of which field it is.
        Some((kind, _)) => source.may_count_kind(kind),
        None => {
            let identity = Identity::named(tag, Ipv6Prefix::default());
            identity.is_ok_and(|identity| source.may_count(&identity))
        }
    }
}
