//! What the page explains of a request.

use super::*;

/// The explanation of a request of the client `key` to `path`.
fn explained(browser: &Browser, key: &str, path: &str) -> String {
    // The page shows a key as the process writes it, which may not be as it was typed.
    browser.run("document.querySelector('#client').replaceChildren()");
    look_up_as(browser, key, "What would happen to its request now?");
    let path = format!("document.querySelector('#client [name=path]').value = '{path}'");
    browser.run(&path);
    click(browser, "#client", "Explain");
    browser.until_it_shows("#client .answer", "Nothing was charged.");
    browser.text("#client .answer")
}

#[test]
#[ignore = "make test-real"]
fn all_that_a_key_says_is_explained_and_what_it_does_not_say_is_told() {
    let mut options = in_memory();
    let keys = [
        ("tenants", "ip, header:x-tenant, host"),
        ("orgs", "user, claim:org"),
        ("sessions", "cookie:session"),
        ("pages", "query:page"),
        ("items", "segment:id, route"),
    ];
    for (name, key) in keys {
        let option = |option| format!("policies.{name}.{option}");
        options = options.set(&option("quota"), "9/52 weeks").set(&option("key"), key);
    }
    let names = keys.map(|(name, _)| name).join(",");
    let served = Served::by(options.set("routes.\"/items/{id}\".policies", &names));
    // In a value stands what separates parts.
    let fields: [(&str, &[u8]); 2] = [("x-tenant", b"a,ip:1:2"), ("cookie", b"session=s1")];
    let counted = served.tollgate.get("/items/7?page=1%262", &fields);
    assert!(counted.header("ratelimit").is_some(), "there is nothing, and it counts all the same");
    let browser = shown(&served, 1280, "light");
    let digest = "0".repeat(64);
    let [hashed_user, hashed_cookie, hashed_parts] =
        ["user", "cookie", "parts"].map(|kind| format!("{kind}:#{digest}"));
    let used = "1 used, 8 left";
    // (key, what the answer has)
    let cases: [(&str, &[&str]); 9] = [
        (
            "ip:127.0.0.1,header:x-tenant:a%2Cip:1:2,host:127.0.0.1",
            &["for ip:127.0.0.1,header:x-tenant:a%2Cip%3A1%3A2,host:127.0.0.1; 1 used, 8 left"],
        ),
        ("user:\u{e9},claim:org:acme", &["for user:%C3%A9,claim:org:acme; 0 used, 9 left"]),
        ("cookie:session:s1", &["for cookie:#", used]),
        ("query:page:1&2", &["for query:#", used]),
        (
            "segment:id:7,route:GET /items/{id}",
            &[
                "for segment:id:7,route:%2Fitems%2F%7Bid%7D; 1 used, 8 left",
                "Routes and segments come from the path, so type one of that route.",
            ],
        ),
        (&hashed_user, &["Only a hash of the user is known", "for user,claim:org; 1 used"]),
        (&hashed_cookie, &["Only a hash of the cookie is known", "for cookie:session; 0 used"]),
        (
            &hashed_parts,
            &["Only a hash of the key is known, so the request is explained without it."],
        ),
        ("user:%FF", &["The user cannot be sent from this page", "for user,claim:org; 1 used"]),
    ];
    for (key, expected) in cases {
        let told = explained(&browser, key, "/items/7");
        for text in expected {
            assert!(told.contains(text), "{key}: {told}");
        }
        let is_all_known = !key.contains('#') && !key.contains("%FF");
        assert_eq!(told.contains("explained without it"), !is_all_known, "{key}: {told}");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
#[ignore = "make test-real"]
fn an_explanation_says_which_statuses_count_and_how_long_units_are_leased() {
    let redis = Server::start();
    let options = in_memory()
        .set("store.url", &redis.url())
        .set("policies.wrong.quota", "9/52 weeks")
        .set("policies.wrong.charge_on", "401,403")
        .set("policies.wrong.refund_on", "5xx")
        .set("policies.wrong.mode", "shadow")
        .set("policies.leased.quota", "50000/52 weeks")
        .set("policies.leased.lease_ms", "100")
        .set("routes.\"/login\".policies", "wrong,leased,default");
    let served = Served::by(options);
    let browser = shown(&served, 1280, "light");
    let told = explained(&browser, "ip:127.0.0.1", "/login");
    let of = |name: &str| {
        let terms = browser.run(&format!(
            "const it = [...document.querySelectorAll('#client dt')].find((it) => it.textContent === '{name}'); \
             return it?.nextElementSibling.textContent"
        ));
        terms.as_str().unwrap_or_else(|| panic!("{told}")).to_owned()
    };
    let expected = "It counts only if the status of its response is one of 401, 403. \
        It is given back if the status of its response is one of 5xx.";
    assert!(of("wrong").ends_with(expected), "{told}");
    assert!(of("wrong").contains("). It counts only"), "after why it denies nobody: {told}");
    assert!(of("leased").ends_with("; leased for 100 ms at a time."), "{told}");
    let default = of("default");
    assert!(!default.contains("leased") && !default.contains("status"), "{told}");
    assert_eq!(browser.complaints(), [""; 0]);
}
