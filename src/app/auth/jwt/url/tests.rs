use super::*;

#[test]
fn keys_come_over_tls_or_from_this_machine() {
    for (url, is_https, is_on_this_machine) in [
        ("https://id.example/.well-known/jwks.json", true, false),
        ("https://id.example:8443/keys?tenant=1", true, false),
        ("https://127.0.0.1/keys", true, true),
        ("http://127.0.0.1:8081/keys", false, true),
        ("http://127.9.9.9/keys", false, true),
        ("http://localhost/keys", false, true),
        ("http://[::1]:80/keys", false, true),
    ] {
        let read: JwksUrl = url.parse().expect(url);
        assert_eq!((read.is_https(), read.is_on_this_machine()), (is_https, is_on_this_machine));
        assert_eq!(read.as_str(), url);
    }
}

#[test]
fn other_urls_are_refused_and_not_repeated() {
    for (url, expected) in [
        ("http://id.example/keys", JwksUrlError::Plain),
        ("http://127.0.0.1.hunter2.example/keys", JwksUrlError::Plain),
        ("http://localhost.hunter2.example/keys", JwksUrlError::Plain),
        ("http://2130706433/keys", JwksUrlError::Plain),
        ("https://user:hunter2@id.example/keys", JwksUrlError::Credentials),
        ("http://127.0.0.1@hunter2.example/keys", JwksUrlError::Credentials),
        ("", JwksUrlError::NotAUrl),
        ("/keys", JwksUrlError::NotAUrl),
        ("https:///hunter2", JwksUrlError::NotAUrl),
        ("file:///etc/hunter2", JwksUrlError::NotAUrl),
        ("ftp://id.example/hunter2", JwksUrlError::NotAUrl),
        ("hunter2", JwksUrlError::NotAUrl),
    ] {
        let refused = url.parse::<JwksUrl>().expect_err(url);
        assert_eq!(refused, expected, "{url}");
        assert!(!format!("{refused} {refused:?}").contains("hunter2"), "{refused}");
    }
}
