//! A client that makes up keys fills no store, resets no count and keeps nobody out, as
//! docs/src/memory.md promises.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use serde_json::{Value, json};
use tollgate::store::{NewKeys, Store};
use tollgate::{Client, Cost, KeySource, Limiter, ManualClock, MemoryStore, Policy};

use crate::support::http;
use crate::support::port;
use crate::support::process::{Options, Tollgate};
use crate::support::redis::Server;
use crate::support::stores::{HOUR, NOW};
use crate::support::traffic;

const MAX_KEYS: usize = 10_000;
const QUOTA: usize = 5;

/// As many overflow counts has each policy.
const OVERFLOW: usize = MAX_KEYS / 100;

/// The limiter of a service with two policies, in memory alone.
struct Service {
    clock: Arc<ManualClock>,
    memory: Arc<MemoryStore>,
    limiter: Limiter,
}

fn policy(name: &str, key: KeySource, units: usize) -> Policy {
    let quota = format!("{units}/hour").parse().expect("a quota");
    Policy::new(name, quota).expect("a name").with_key(key)
}

impl Service {
    fn new() -> Self {
        Self::of_quota(QUOTA)
    }

    fn of_quota(units: usize) -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let memory = Arc::new(MemoryStore::with_clock(MAX_KEYS, clock.clone()));
        let limiter = Limiter::builder(memory.clone() as Arc<dyn Store>)
            .policy(policy("ip", KeySource::Ip, units))
            .policy(policy("tenant", KeySource::Header("x-tenant".into()), units))
            .build()
            .expect("a limiter");
        Self { clock, memory, limiter }
    }

    /// How many of `count` requests from `address` are admitted.
    fn admits(&self, address: impl Into<IpAddr>, count: usize) -> usize {
        admits(&self.limiter, "ip", &Client::at(address.into()), count)
    }

    /// How many of `count` requests with this value of the header field are admitted.
    fn admits_tenant(&self, value: usize, count: usize) -> usize {
        let value = value.to_string();
        let headers = |_: &str| Some(value.as_bytes().into());
        admits(&self.limiter, "tenant", &Client::unknown().with_headers(&headers), count)
    }
}

/// None of them is left undecided.
fn admits(limiter: &Limiter, policy: &str, client: &Client<'_>, count: usize) -> usize {
    let policies = limiter.policies([policy]).expect("it exists");
    let decide = || limiter.check(&policies, Cost::ONE, client).wait().expect("a decision");
    (0..count).filter(|_| decide().is_allowed()).count()
}

/// Of a network that a hoster gives away, 2001:db8::/44, its /64 of this number.
fn attacker(number: usize) -> Ipv6Addr {
    let number = u128::try_from(number).expect("a small number");
    assert!(number < 1 << 20, "a /44 has no more");
    Ipv6Addr::from_bits(0x2001_0db8 << 96 | number << 64 | 1)
}

/// One of the addresses 10.0.0.0 and on, or 20.0.0.0 and on.
fn ipv4(first: u8, number: usize) -> Ipv4Addr {
    let number = u32::try_from(number).expect("a small number");
    Ipv4Addr::from_bits(u32::from(first) << 24 | number)
}

const KNOWN: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)),
    IpAddr::V6(Ipv6Addr::new(0x2a00, 1, 2, 3, 0, 0, 0, 4)),
];

#[test]
fn one_network_of_ipv6_takes_no_place_of_others_and_little_of_the_quota() {
    let service = Service::new();
    for known in KNOWN {
        assert_eq!(service.admits(known, 2), 2);
    }
    let of_attacker: usize = (0..200_000).map(|number| service.admits(attacker(number), 1)).sum();

    assert!(service.memory.len() <= MAX_KEYS, "{} keys", service.memory.len());
    // A count for each place up to 80 % of the policy's room, which is three quarters of all while the
    // other policy has no keys; one for each of its sixteen /48, and one for its /32.
    let own = MAX_KEYS * 3 / 4 * 8 / 10;
    let most = own + own / 50 + 17 * QUOTA;
    assert!((own * 9 / 10..=most).contains(&of_attacker), "{of_attacker} of {most}");

    for known in KNOWN {
        assert_eq!(service.admits(known, 9), QUOTA - 2, "{known} goes on with its own count");
    }
    // New ones of IPv4, as many as a tenth of the room has places for.
    for number in 0..MAX_KEYS * 3 / 4 / 10 {
        assert_eq!(service.admits(ipv4(10, number), QUOTA + 1), QUOTA);
    }
    // New ones of IPv6, each with the quota of its /48.
    for site in 0..50 {
        let home = Ipv6Addr::new(0x2a00, site, 7, 1, 0, 0, 0, 1);
        let neighbour = Ipv6Addr::new(0x2a00, site, 7, 2, 0, 0, 0, 1);
        assert_eq!((service.admits(home, 3), service.admits(neighbour, 9)), (3, QUOTA - 3));
    }
    let status = service.memory.status();
    let ip = status.policies.iter().find(|it| it.policy == "ip").expect("it is known");
    assert_eq!((ip.new_keys, ip.overflow), (NewKeys::ByWiderNetwork, 0));
    assert!(ip.coarse >= 190_000, "{ip:?}");

    // From the next window on, all is as before.
    service.clock.set(NOW + 2 * HOUR);
    assert_eq!(service.admits(attacker(0), 9), QUOTA);
    assert_eq!(service.admits(attacker(1), 9), QUOTA);
    assert!(service.memory.status().policies.iter().all(|it| it.new_keys == NewKeys::Alone));
}

#[test]
fn no_number_of_ipv6_networks_fills_a_policys_room() {
    let service = Service::new();
    // Far more than anyone has: 30,000 /48 networks of three /32.
    for number in 0..300_000_u32 {
        let [_, a, b, c] = number.to_be_bytes();
        let site = u16::from_be_bytes([b, c]) % 10_000;
        let provider = 0xdb8 + number / 10_000 % 3;
        let provider = u16::try_from(provider).expect("one of three");
        service.admits(Ipv6Addr::new(0x2001, provider, site, a.into(), 0, 0, 0, 1), 1);
    }
    let new_ones = (0..MAX_KEYS * 3 / 4 / 20).map(|number| service.admits(ipv4(10, number), 9));
    assert!(new_ones.into_iter().all(|admitted| admitted == QUOTA));
    assert_eq!(service.memory.status().policies.iter().map(|it| it.overflow).sum::<u64>(), 0);
}

#[test]
fn a_policy_by_a_made_up_header_leaves_the_others_their_room() {
    let service = Service::new();
    for known in KNOWN {
        assert_eq!(service.admits(known, 2), 2);
    }
    assert_eq!(service.admits_tenant(0, 2), 2);
    let of_attacker: usize = (1..50_000).map(|value| service.admits_tenant(value, 1)).sum();
    // Three quarters of the places are for one of two policies at most.
    let most = MAX_KEYS * 3 / 4 + MAX_KEYS / 50 + OVERFLOW * QUOTA;
    assert!((MAX_KEYS * 7 / 10..=most).contains(&of_attacker), "{of_attacker} of {most}");
    assert_eq!(service.admits_tenant(0, 9), QUOTA - 2, "it is known");

    for known in KNOWN {
        assert_eq!(service.admits(known, 9), QUOTA - 2);
    }
    // The quarter that is reserved for the other; less some, as shards are not filled evenly.
    for number in 0..MAX_KEYS / 4 * 7 / 10 {
        assert_eq!(service.admits(ipv4(10, number), 9), QUOTA, "client {number} has its own count");
    }
    assert!(service.memory.len() <= MAX_KEYS);
    let status = service.memory.status();
    let of = |name: &str| status.policies.iter().find(|it| it.policy == name).expect("it is known");
    assert_eq!(of("tenant").new_keys, NewKeys::Together);
    assert_eq!(of("ip").overflow, 0);
}

#[test]
fn both_attacks_at_once_leave_new_clients_of_ipv4_a_part_of_what_is_reserved() {
    let service = Service::new();
    for known in KNOWN {
        assert_eq!(service.admits(known, 2), 2);
    }
    for number in 0..50_000 {
        service.admits(attacker(number), 1);
        service.admits_tenant(number, 1);
    }
    assert!(service.memory.len() <= MAX_KEYS);
    for known in KNOWN {
        assert_eq!(service.admits(known, 9), QUOTA - 2);
    }
    // A fifth of a quarter, less some.
    for number in 0..MAX_KEYS / 4 / 5 * 4 / 10 {
        assert_eq!(service.admits(ipv4(10, number), 9), QUOTA, "client {number} has its own count");
    }
    assert_eq!(service.admits(Ipv6Addr::new(0x2a00, 9, 7, 1, 0, 0, 0, 1), 9), QUOTA);
}

#[test]
fn when_ipv4_addresses_fill_a_policys_room_new_clients_share_a_hundredth_of_what_it_counts() {
    const LARGE: usize = 100;
    let service = Service::of_quota(LARGE);
    for known in KNOWN {
        assert_eq!(service.admits(known, 2), 2);
    }
    // More than there are places in any shard.
    for number in 0..MAX_KEYS * 9 / 10 {
        assert_eq!(service.admits(ipv4(10, number), 1), 1, "a new client is served all the same");
    }
    let status = service.memory.status();
    let ip = status.policies.iter().find(|it| it.policy == "ip").expect("it is known");
    let (held, used) = (ip.keys, usize::try_from(ip.overflow).expect("few"));
    assert_eq!((ip.new_keys, held + used), (NewKeys::Together, 2 + MAX_KEYS * 9 / 10));
    assert!(held <= MAX_KEYS * 3 / 4 + MAX_KEYS / 50, "{held} keys");

    // One client gets its policy's quota at most, however much is left for all of them.
    let alone = service.admits(ipv4(20, 0), 10 * LARGE);
    assert!((LARGE / 2..=LARGE).contains(&alone), "{alone}");
    // And all of them together that of the overflow counts, to the last unit.
    let together: usize = (1..40_000).map(|number| service.admits(ipv4(20, number), 1)).sum();
    assert_eq!(used + alone + together, OVERFLOW * LARGE);
    assert_eq!(service.memory.len(), held, "none of them took a place");

    for known in KNOWN {
        assert_eq!(service.admits(known, LARGE), LARGE - 2);
    }
    assert_eq!(service.admits_tenant(7, LARGE + 1), LARGE, "the other policy has its room");
    service.clock.set(NOW + HOUR);
    assert_eq!(service.admits(ipv4(20, 0), LARGE + 1), LARGE);
}

#[test]
fn a_clock_that_was_ahead_while_the_store_filled_keeps_nobody_out() {
    const DAYS: u64 = 24 * HOUR;
    let service = Service::new();
    service.clock.set(NOW + 30 * DAYS);
    for number in 0..2 * MAX_KEYS {
        service.admits(ipv4(10, number), 1);
    }
    service.clock.set(NOW);
    // What was used then counts as used now, for a window.
    assert_eq!(service.admits(ipv4(10, 0), 9), QUOTA - 1);
    for number in 0..2 * MAX_KEYS {
        service.admits(ipv4(20, number), 1);
    }
    service.clock.set(NOW + HOUR);
    for number in 0..MAX_KEYS * 6 / 10 {
        assert_eq!(service.admits(ipv4(30, number), 9), QUOTA, "client {number} has its own count");
    }
}

#[test]
fn the_store_that_stands_in_for_redis_is_filled_no_more_easily() {
    let mut server = Server::start();
    let store = traffic::store(&traffic::options(&server.url()));
    let clock = Arc::new(ManualClock::new(NOW));
    let memory = Arc::new(MemoryStore::with_clock(MAX_KEYS, clock));
    let limiter = Limiter::builder(store as Arc<dyn Store>)
        .local(memory.clone())
        .policy(policy("ip", KeySource::Ip, QUOTA))
        .build()
        .expect("a limiter");
    let admits = |address: IpAddr, count| admits(&limiter, "ip", &Client::at(address), count);
    for known in KNOWN {
        assert_eq!(admits(known, 2), 2);
    }
    server.kill();
    for known in KNOWN {
        // Perhaps charged, when the connection breaks, and no longer there to tell.
        assert_eq!(admits(known, 1), 1);
    }
    let of_attacker: usize = (0..50_000).map(|number| admits(attacker(number).into(), 1)).sum();
    let most = MAX_KEYS * 8 / 10 + MAX_KEYS / 50 + 17 * QUOTA;
    assert!(of_attacker <= most, "{of_attacker} of {most}");
    for known in KNOWN {
        assert_eq!(admits(known, 9), QUOTA - 3, "{known} goes on with its own count");
    }
    for number in 0..MAX_KEYS / 10 {
        assert_eq!(admits(ipv4(10, number).into(), 9), QUOTA);
    }
    assert_eq!(admits(Ipv6Addr::new(0x2a00, 9, 7, 1, 0, 0, 0, 1).into(), 9), QUOTA);
    assert!(memory.len() <= MAX_KEYS);
}

/// The app in memory, with places for a hundred keys, and who asks as its operator.
fn serve() -> (Tollgate, http::Client) {
    let listen = format!("127.0.0.1:{}", port::free());
    let tollgate = Options::default()
        .set("store.url", "memory:")
        .set("store.max_keys", "100")
        .set("admin.listen", &listen)
        .set("policies.default.quota", "5/day")
        .set("policies.default.key", "header:x-tenant")
        .set("policies.site.quota", "1000000/day")
        .set("policies.site.key", "ip")
        .set("routes.\"/api/data\".policies", "default,site")
        .serve();
    (tollgate, http::Client::of(format!("http://{listen}")))
}

fn readiness(operator: &http::Client) -> Value {
    serde_json::from_str(&operator.get("/ready", &[]).body).expect("JSON")
}

#[test]
fn operators_are_told_of_it_and_nobody_is_refused_for_want_of_room() {
    let (mut tollgate, operator) = serve();
    let get = |tollgate: &Tollgate, tenant: &str| {
        tollgate.get("/api/data", &[("x-tenant", tenant.as_bytes())]).status
    };
    assert_eq!(get(&tollgate, "mine"), 200);
    assert_eq!(readiness(&operator), json!({ "status": "ready", "store": "up" }));
    let statuses: Vec<u16> = (0..300).map(|tenant| get(&tollgate, &tenant.to_string())).collect();
    assert!(statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
    assert!(statuses.ends_with(&[429]), "all new ones share a quota, which is used up");
    assert_eq!(get(&tollgate, "mine"), 200, "it goes on with its own count");

    let together = json!({ "default": "together" });
    let expected = json!({ "status": "ready", "store": "up", "new_keys": together });
    assert_eq!(readiness(&operator), expected);

    let metrics = operator.get("/metrics", &[]).body;
    let value = |name: &str| -> u64 {
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in {metrics}")).parse().expect("a number")
    };
    assert_eq!(value("tollgate_memory_max_keys"), 100);
    assert!((50..=100).contains(&value("tollgate_memory_keys")));
    assert_eq!(value("tollgate_memory_policy_keys{policy=\"site\"}"), 1);
    let of_default = value("tollgate_memory_policy_keys{policy=\"default\"}");
    assert_eq!(of_default, value("tollgate_memory_keys") - 1);
    let overflow = value("tollgate_memory_overflow_total{policy=\"default\"}");
    assert_eq!(overflow, 301 - of_default);
    assert_eq!(value("tollgate_memory_overflow_total{policy=\"site\"}"), 0);
    assert_eq!(value("tollgate_memory_coarse_total{policy=\"default\"}"), 0);
    assert_eq!(value("tollgate_memory_crowding{policy=\"default\"}"), 2);
    assert_eq!(value("tollgate_memory_crowding{policy=\"site\"}"), 0);

    tollgate.wait_for_line("new ones share overflow counts (1 in all");
    let mut warnings = |text: &str| {
        let said = tollgate.stderr().iter().filter(|line| line.contains("WARN"));
        said.filter(|line| line.contains(text)).count()
    };
    assert_eq!(warnings("Policy \"default\" has 80 % of the keys that it may have of the 100"), 1);
    assert_eq!(warnings("Policy \"default\" has as many keys as it may of the 100"), 1);
    assert_eq!(warnings("Policy \"site\""), 0);
}
