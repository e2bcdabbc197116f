//! Passwords, which nothing prints.

use super::*;

#[test]
fn store_urls_print_without_their_credentials() {
    let cases = [
        ("memory:", "memory:"),
        ("redis://localhost", "redis://localhost:6379/0"),
        ("redis://user:hunter2@h:1/2", "redis://***@h:1/2"),
        ("REDIS://:hunter2@[::1]", "redis://***@[::1]:6379/0"),
        ("redis://:hunter2@h", "redis://***@h:6379/0"),
        ("redis://:%68unter2@h/?protocol=resp3", "redis://***@h:6379/0"),
        ("redis+unix:///run/redis.sock", "redis+unix:///run/redis.sock?db=0"),
        ("redis+unix:///r?db=1&user=u&pass=hunter2", "redis+unix:///r?db=1&pass=***"),
        ("rediss://user:hunter2@h", "rediss://***@h:6379/0"),
        ("REDISS://h:1/2?protocol=resp3", "rediss://h:1/2"),
        ("redis+sentinel://a,b:1,[::1]/name", "redis+sentinel://a:26379,b:1,[::1]:26379/name/0"),
        (
            "rediss+sentinel://u:hunter2@a/n/2?sentinel_user=s&sentinel_pass=%68unter2",
            "rediss+sentinel://***@a:26379/n/2?sentinel_pass=***",
        ),
        ("redis+cluster://:hunter2@a,b:1/", "redis+cluster://***@a:6379,b:1"),
        ("rediss+cluster://:hunter2@a", "rediss+cluster://***@a:6379"),
    ];
    for (text, shown) in cases {
        let config = load(&settings(&[&format!("store.url={text}")])).unwrap();
        assert_eq!(config.store.url.to_string(), shown);
        assert!(!format!("{config:#?}").contains("unter2"), "{config:#?}");
        if let StoreUrl::Redis(url) = &config.store.url {
            assert_eq!(url.expose(), text);
            assert_eq!(url.is_tls(), shown.starts_with("rediss"), "{text}");
        }
    }
}

#[test]
fn store_urls_that_are_refused_are_not_repeated() {
    let bad = [
        "",
        "hunter2",
        "http://:hunter2@h",
        "memory:hunter2",
        "redis:hunter2@h",
        "redis://",
        "redis://:hunter2@",
        "redis://hunter2@h",
        "redis+cluster://hunter2@a,b",
        "redis://u:hunter2@h:port",
        "redis://u:hunter2@h/db",
        "redis://u:hunter2@h/-1",
        "redis://u:hunter2@0.0.0.0",
        "redis://u:hunter2@h?protocol=4",
        // A '/', '?' or '#' in the password that is not escaped.
        "redis://u:12/hunter2@h",
        "redis://u:12?hunter2@h",
        "redis://u:12#hunter2@h",
        // redis-rs would read past these.
        "redis://h?password=hunter2",
        "redis://h?db=2",
        "redis+unix:///r?password=hunter2",
        "redis+unix://run/redis.sock?pass=hunter2",
        "redis+unix:///r?db=x&pass=hunter2",
        "unix:///r?pass=hunter2",
        // It would not verify whom it connects to.
        "rediss://:hunter2@h#insecure",
        "rediss://:hunter2@h/x",
        "redis+cluster://:hunter2@",
        "redis+cluster://:hunter2@h,",
        // A cluster has but one database.
        "redis+cluster://:hunter2@h,i/1",
        "redis+cluster://:hunter2@h?pass=hunter2",
        "redis+cluster://:hunter2@h,i@:hunter2@j",
        "redis+sentinel://:hunter2@h,i",
        "redis+sentinel://:hunter2@h,i/",
        "redis+sentinel://:hunter2@h/name/-1",
        "redis+sentinel://:hunter2@h/name/hunter2",
        "redis+sentinel://:hunter2@h/name/1/hunter2",
        "redis+sentinel://:hunter2@h/na%20me",
        "redis+sentinel://h/name?pass=hunter2",
        "redis+sentinel://h/name#hunter2",
        "redis+sentinel://u:12/hunter2@h/name",
        "unix+sentinel://:hunter2@h/name",
    ];
    for text in bad {
        let error = load_text(&format!("store.url = \"{text}\"")).expect_err(text);
        assert!(!format!("{error}{error:?}").contains(SECRET), "{error}");
        assert!(error.to_string().starts_with("store.url: "), "{error}");
    }
}

#[test]
fn a_url_under_a_wrong_key_is_not_repeated() {
    let url = "redis://:hunter2@h";
    let keys = [
        "server.listen",
        "server.workers",
        "store.key_prefix",
        "store.timeout_ms",
        "store.hash_users",
        "auth",
        "auth.failures",
        "auth.api_key_header",
        "auth.user_header",
        "auth.keys",
        "auth.keys_file",
        "auth.jwt",
        "auth.jwt.key",
        "auth.jwt.key_file",
        "auth.jwt.jwks_file",
        "auth.jwt.jwks_url",
        "auth.jwt.algorithms",
        "auth.jwt.issuer",
        "auth.jwt.leeway_seconds",
        "store.urll",
        "store",
        "url",
        "policies",
        "policies.default",
        "policies.default.quota",
        "policies.default.algorithm",
        "policies.default.key",
        "policies.default.burst",
        "policies.default.on_store_failure",
        "policies.default.ipv6_prefix",
        "client_ip.trusted_proxies",
        "client_ip.header",
        "client_ip.hops",
        "routes.\"/x\"",
        "routes.\"/x\".policies",
    ];
    for key in keys {
        for sources in
            [settings(&[&format!("{key}={url}")]), settings(&[&format!("{key}.x={url}")])]
        {
            let errors = load(&sources).expect_err(key);
            assert!(!format!("{errors}{errors:?}").contains(SECRET), "{errors}");
        }
        let errors = load_text(&format!("{key} = \"{url}\"")).expect_err(key);
        assert!(!format!("{errors}{errors:?}").contains(SECRET), "{errors}");
    }
    // Both names of one policy, the second time in a list.
    let twice = format!("[routes.\"/x\"]\npolicies = [\"{url}\", \"{url}\"]");
    assert!(!errors_of_text(&twice).join("\n").contains(SECRET));
    let proxy = format!("client_ip.trusted_proxies = [\"{url}\"]");
    assert!(!error_of_text(&proxy).contains(SECRET));
}

#[test]
fn sources_print_no_values() {
    let sources = Sources {
        settings: vec!["store.url=redis://:hunter2@h".to_owned()],
        ..variables(&[("TOLLGATE_STORE__URL", "redis://:hunter2@h")])
    };
    assert!(!format!("{sources:?}").contains(SECRET));
}
