use std::collections::BTreeSet;

use jsonwebtoken::Algorithm;

use super::signer::{SECRET, token};
use super::*;

/// Users who are called what the layout of keys is made of, or what another user's key is.
const ODD: [&str; 25] = [
    "1042",
    "1042}",
    "{1042",
    "{1042}",
    "1042}:default:f52w",
    "}:default:f52w",
    "tollgate:{user:1042}:default:f52w",
    "user:1042",
    "user%3A1042",
    "1042%7D",
    "%31042",
    "1042 ",
    " 1042",
    "1042\n",
    "1042\u{0}",
    "1042\u{0}1",
    "ip:127.0.0.1",
    "127.0.0.1",
    "global",
    "#",
    "1042,1043",
    "1042\r\n\r\n",
    "\u{ff11}042",
    "NULL",
    "\u{1f511}",
];

fn hs256(options: Options) -> Tollgate {
    let secret = std::str::from_utf8(SECRET).expect("text");
    options
        .env("TOLLGATE_AUTH__JWT__KEY", secret)
        .set("auth.jwt.algorithms", "HS256")
        .set("auth.jwt.audience", "api")
        .serve()
}

fn of(user: &str) -> String {
    token(Algorithm::HS256, &json!({ "sub": user }))
}

#[test]
fn whatever_a_user_is_called_its_count_is_its_own() {
    let (long, longer) = ("u".repeat(500), format!("{}x", "u".repeat(500)));
    let users: Vec<&str> = ODD.into_iter().chain([&*long, &*longer]).collect();
    let redis = Server::start();
    for hash_users in ["false", "true"] {
        let options = options(&redis.url()).set("store.hash_users", hash_users);
        let tollgate = hs256(options.set("store.key_prefix", hash_users));
        for user in &users {
            assert_eq!(remaining(&bearer(&tollgate, &of(user))), 9, "{user:?}");
        }
        assert_eq!(remaining(&tollgate.get("/api/data", &[])), 9, "the address");
        for user in &users {
            assert_eq!(remaining(&bearer(&tollgate, &of(user))), 8, "{user:?}");
        }
        let probe = format!("{hash_users}:{{probe");
        let is_of_this = |key: &Vec<u8>| {
            key.starts_with(hash_users.as_bytes()) && !key.starts_with(probe.as_bytes())
        };
        let keys: BTreeSet<_> = redis.dump().into_keys().filter(is_of_this).collect();
        assert_eq!(keys.len(), users.len() + 1);
        for key in keys {
            let key = String::from_utf8(key).expect("plain text");
            let rest =
                key.strip_prefix(&format!("{hash_users}:{{")).expect("the prefix and a brace");
            let identity = rest.strip_suffix("}:default:f52w").expect("the policy and the layout");
            assert!(!identity.contains(['{', '}', ' ', '\n', '\0']), "{key}");
        }
    }
}

#[test]
fn a_name_that_is_only_claimed_is_nobodys() {
    on_each_store(|options| {
        let options = options.set("client_ip.trusted_proxies", "203.0.113.7");
        let tollgate = hs256(options.set("auth.user_header", "x-user"));
        assert_eq!(remaining(&bearer(&tollgate, &of("1042"))), 9);
        // This is not the proxy that is trusted, and so not believed; the address is charged.
        for left in (0..10).rev() {
            assert_eq!(remaining(&tollgate.get("/api/data", &[("x-user", b"1042")])), left);
        }
        assert_eq!(tollgate.get("/api/data", &[("x-user", b"1042")]).status, 429);
        assert_eq!(remaining(&bearer(&tollgate, &of("1042"))), 8);
    });
}
