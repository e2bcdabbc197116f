use super::api_keys::new_key;
use super::*;

/// An answer to a request that the proxy on this machine says is from `client`.
fn from(tollgate: &Tollgate, client: &str, name: &str, value: &str) -> Response {
    let lines = [("x-forwarded-for", client.as_bytes()), (name, value.as_bytes())];
    tollgate.get("/api/data", &lines)
}

fn behind_a_proxy(options: Options) -> Options {
    options.set("client_ip.trusted_proxies", "127.0.0.1").set("client_ip.ipv6_prefix", "48")
}

#[test]
fn wrong_credentials_are_charged_to_the_client_and_not_to_its_proxy() {
    let (key, line) = new_key(&["--user", "ann"]);
    let right = format!("Bearer {key}");
    on_each_store(|options| {
        let options = behind_a_proxy(options).set("auth.failures", "2/52 weeks");
        let tollgate = options.config(&format!("[auth.keys]\n{line}")).serve();
        let ask =
            |client: &str, value: &str| from(&tollgate, client, "authorization", value).status;
        // A client, and a network that is one.
        let clients = [["203.0.113.1"; 3], ["2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8::9"]];
        for [first, second, third] in clients {
            assert_eq!(ask(first, "Bearer tg_wrong"), 401);
            // What it says of itself stands before what the proxy says.
            assert_eq!(ask(&format!("198.51.100.7, {second}"), "Bearer tg_wrong"), 401);
            assert_eq!(ask(third, "Bearer tg_wrong"), 429);
            assert_eq!(ask(third, &right), 429);
        }
        assert_eq!(ask("203.0.113.2", &right), 200);
        assert_eq!(ask("198.51.100.7", &right), 200);
        assert_eq!(ask("2001:db8:1::1", &right), 200);
    });
}

#[test]
fn a_trusted_proxy_is_believed_about_its_user() {
    on_each_store(|options| {
        let tollgate = behind_a_proxy(options).set("auth.user_header", "x-user").serve();
        assert_eq!(remaining(&from(&tollgate, "203.0.113.1", "x-user", "ann")), 9);
        assert_eq!(remaining(&from(&tollgate, "203.0.113.2", "x-user", "ann")), 8);
        assert_eq!(remaining(&from(&tollgate, "203.0.113.1", "x-user", "")), 9);
    });
}

#[test]
fn a_blocked_address_is_told_nothing_of_its_credentials() {
    let (key, line) = new_key(&["--user", "ann"]);
    on_each_store(|options| {
        let options = behind_a_proxy(options).set("auth.failures", "1/52 weeks");
        let text = format!("[access]\nblock = [\"203.0.113.0/24\"]\n[auth.keys]\n{line}");
        let tollgate = options.config(&text).serve();
        for value in ["Bearer tg_wrong", "Bearer tg_wrong", &format!("Bearer {key}")] {
            let answer = from(&tollgate, "203.0.113.1", "authorization", value);
            assert_eq!(answer.status, 403, "{answer:?}");
        }
    });
}
