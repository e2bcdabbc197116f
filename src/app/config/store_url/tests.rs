use super::*;

/// What the text is refused with.
fn refusal(text: &str) -> String {
    let refused = text.parse::<StoreUrl>().expect_err(text);
    let printed = format!("{refused} {refused:?}");
    assert!(!printed.contains("unter2"), "{printed}");
    refused.to_string()
}

#[test]
fn each_mistake_has_its_own_sentence() {
    // (what is wrong, as it is written, words of the answer)
    let cases = [
        ("", "it is empty: expected memory:, redis://host:port/db"),
        ("localhost", "does not begin with a scheme"),
        ("localhost:6379", "does not begin with a scheme"),
        ("memory", "does not begin with a scheme: expected memory:, "),
        ("redis", "does not begin with a scheme"),
        ("memory://", "nothing may follow memory:"),
        ("memory:hunter2", "nothing may follow memory:"),
        ("http://:hunter2@h", "no store has that scheme: expected memory:, redis://"),
        ("unix:///run/redis.sock", "expected redis+unix:///path"),
        ("valkeys://h", "expected rediss://host:port/db"),
        ("redis-sentinel://h/name", "expected redis+sentinel://"),
        ("rediss+unix:///r", "as no TLS is spoken over a socket"),
        // Spaces and slashes.
        (" redis://h", "there is white space in it"),
        ("redis://h ", "there is white space in it"),
        ("redis://u:hunter 2@h", "a space is written %20"),
        ("redis://h\n", "there is white space in it"),
        (
            "redis:h:6379",
            "two slashes follow the scheme; expected redis://user:password@host:port/db",
        ),
        ("rediss:/h", "two slashes follow the scheme; expected rediss://"),
        ("redis+unix:/r", "two slashes follow the scheme; expected redis+unix:///path"),
        // Hosts.
        ("redis://", "a host is missing"),
        ("redis:///0", "a host is missing"),
        ("redis://:6379", "a host is missing"),
        ("redis://u:hunter2@", "a host is missing"),
        ("redis+cluster://h,", "a host is missing"),
        ("redis+sentinel://h,,i/name", "a host is missing"),
        ("redis://h_1!", "a host is a name of letters"),
        ("redis://h%41", "a host is a name of letters"),
        ("redis://höst", "a host is a name of letters"),
        ("redis://h,i", "it names several hosts: a cluster is redis+cluster://"),
        (
            "redis://::1",
            "more than one ':' in a host and its port: an IPv6 address stands in brackets",
        ),
        ("redis://fd00::1:6379/0", "an IPv6 address stands in brackets"),
        ("redis+cluster://a,::1", "an IPv6 address stands in brackets"),
        ("redis://[::1", "what stands in brackets is not an IPv6 address"),
        ("redis://[host]:6379", "what stands in brackets is not an IPv6 address"),
        ("redis://0.0.0.0", "addresses to listen on, not to connect to"),
        ("redis://[::]:6379", "addresses to listen on, not to connect to"),
        // Ports.
        ("redis://h:port", "a port is a number from 1 to 65535"),
        ("redis://u:hunter2", "a port is a number from 1 to 65535"),
        ("redis://h:", "a port is a number from 1 to 65535"),
        ("redis://h:0", "a port is a number from 1 to 65535"),
        ("redis://h:65536", "a port is a number from 1 to 65535"),
        ("redis://h:+1", "a port is a number from 1 to 65535"),
        ("redis://[::1]6379", "a port is a number from 1 to 65535"),
        ("redis+cluster://a:1,b:x", "a port is a number from 1 to 65535"),
        // Databases and other paths.
        ("redis://h/cache", "a database is a number from 0 to 2147483647"),
        ("redis://h/-1", "a database is a number from 0 to 2147483647"),
        ("redis://h/+1", "a database is a number from 0 to 2147483647"),
        ("redis://h/2147483648", "a database is a number from 0 to 2147483647"),
        ("redis://h/0/1", "nothing follows it in the path"),
        ("redis+unix:///r?db=x", "a database is a number from 0 to 2147483647"),
        ("redis+unix:///r?db=-1", "a database is a number from 0 to 2147483647"),
        ("redis+sentinel://h/name/x", "a database is a number from 0 to 2147483647"),
        ("redis+sentinel://h/name/1/2", "nothing follows it in the path"),
        ("redis+cluster://h/1", "it has but one database, 0"),
        ("redis+cluster://h/name", "nothing follows the hosts of a cluster"),
        // The names of primaries, and sockets.
        ("redis+sentinel://h", "the name by which the sentinels know the primary is missing"),
        ("redis+sentinel://h/", "the name by which the sentinels know the primary is missing"),
        ("redis+sentinel://h//0", "the name by which the sentinels know the primary is missing"),
        ("redis+sentinel://h/na%20me", "the name of a primary has ASCII letters"),
        ("redis+unix://run/redis.sock", "the path of a socket begins with '/'"),
        ("redis+unix://u:hunter2@/r", "come after it, as options"),
        ("redis+unix://", "the path of a socket begins with '/'"),
        // Users and passwords.
        ("redis://hunter2@h", "there is no password: write user:password, :password"),
        ("redis://hunter2:@h", "there is no password"),
        ("redis://@h", "there is no password"),
        ("redis://:@h", "there is no password"),
        ("redis+cluster://hunter2@h", "there is no password"),
        ("redis+unix:///r?user=hunter2", "there is no password"),
        ("redis+unix:///r?user=u&pass=", "there is no password"),
        ("redis+sentinel://h/name?sentinel_user=hunter2", "there is no password"),
        ("redis://u:hunter2@i@h", "there is more than one '@'"),
        ("redis+cluster://u:hunter2@h,u:hunter2@i", "user and password stand once"),
        ("redis://u:hunter2%ff@h", "is not UTF-8: '%' itself is written %25"),
        // A character that ends a password early.
        ("redis://u:12/hunter2@h", "such as @ : / ? # and % are written %40 %3A"),
        ("redis://u:12?hunter2@h", "such as @ : / ? # and % are written %40 %3A"),
        ("redis://u:12#hunter2@h", "such as @ : / ? # and % are written %40 %3A"),
        ("redis+cluster://u:12/hunter2@h", "such as @ : / ? # and % are written %40 %3A"),
        ("redis+sentinel://u:12?hunter2@h/n", "such as @ : / ? # and % are written %40 %3A"),
        // Options.
        ("redis://h/0?timeout=5", "the only option that it takes after '?' is protocol"),
        ("redis://h?password=hunter2", "the only option that it takes after '?' is protocol"),
        ("redis://h?db=2", "user, password and database stand before it"),
        ("redis://h?protocol=4", "protocol is resp2 or resp3"),
        ("redis+unix:///r?password=hunter2", "its options are db, user, pass and protocol"),
        ("redis+sentinel://h/n?pass=hunter2", "its options are sentinel_user and sentinel_pass"),
        ("redis+cluster://h?timeout=5", "it takes no option"),
        ("rediss://h#insecure", "#insecure is not taken, as certificates are always verified"),
        ("rediss+cluster://h#insecure", "set store.tls.ca_file"),
        ("redis://h#hunter2", "nothing may stand behind a '#'"),
        ("redis://u:hunter2#", "nothing may stand behind a '#'"),
    ];
    for (text, words) in cases {
        let refusal = refusal(text);
        assert!(refusal.contains(words), "{text:?}: {refusal}");
        let escapes = refusal.contains("%40 %3A");
        assert_eq!(escapes, words.contains("%40 %3A"), "{text:?}: {refusal}");
    }
}

#[test]
fn what_is_well_written_is_taken() {
    for text in [
        "MEMORY:",
        "redis://h",
        "redis://h/",
        "Redis://:p@127.0.0.1:65535/2147483647?protocol=resp3",
        "redis://a-b_c.d:6379",
        "redis://[fd00::1]:6379/1",
        "redis://u:p:q@h",
        "redis://u:%40%3A%2F%3F%23%25@h",
        "redis+unix:///run/redis.sock?db=1&user=u&pass=p@:/+",
        "redis+sentinel://u:p@a,b:1/name?sentinel_pass=p@q",
        "redis+sentinel://a/name/3",
        "redis+cluster://a,[::1]:7000/0",
        "rediss+cluster://a",
    ] {
        let url = text.parse::<StoreUrl>();
        assert!(url.is_ok(), "{text}: {url:?}");
    }
}
