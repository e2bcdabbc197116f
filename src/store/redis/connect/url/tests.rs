use super::*;

/// The user and the password of connections to the URL `text`.
fn credentials(text: &str) -> (Option<String>, Option<String>) {
    let url: RedisUrl = text.parse().expect(text);
    let settings = match url.topology() {
        Topology::Server(info) => info.redis_settings().clone(),
        Topology::Sentinel { sentinels, .. } => sentinels[0].redis_settings().clone(),
        Topology::Cluster { nodes } => nodes[0].redis_settings().clone(),
    };
    (settings.username().map(str::to_owned), settings.password().map(str::to_owned))
}

#[test]
fn names_and_passwords_are_what_their_escapes_stand_for() {
    let some = |text: &str| Some(text.to_owned());
    let cases = [
        ("redis://h", (None, None)),
        ("redis://:a@h", (None, some("a"))),
        ("redis://u%3A:%40%2F%3F%23%25@h", (some("u:"), some("@/?#%"))),
        ("redis://u:a:b+c@h", (some("u"), some("a:b+c"))),
        ("redis+unix:///r?user=u&pass=a+b@c%26", (some("u"), some("a+b@c&"))),
        ("redis+cluster://u:p@a,b", (some("u"), some("p"))),
        ("redis+sentinel://u:p@a/n?sentinel_user=s&sentinel_pass=q+", (some("s"), some("q+"))),
        ("redis+sentinel://u:p@a/n", (None, None)),
    ];
    for (text, expected) in cases {
        assert_eq!(credentials(text), expected, "{text}");
    }
}

#[test]
#[cfg(not(feature = "tls"))]
fn tls_in_a_build_without_it_is_refused_in_a_sentence() {
    for text in ["rediss://h", "rediss+cluster://h", "rediss+sentinel://h/n"] {
        let refused = text.parse::<RedisUrl>().expect_err(text).to_string();
        assert!(refused.contains("this is built without TLS"), "{refused}");
    }
}
