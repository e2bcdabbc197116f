//! What a proxy is told about requests that it describes well.

use super::*;

/// The client of these tests.
const IP: &str = "203.0.113.7";

/// The fields of a decision, and all that a refusal has.
const FIELDS: [&str; 5] =
    ["ratelimit", "ratelimit-policy", "retry-after", "cache-control", "content-type"];

fn fields(response: &Response) -> Vec<Option<&str>> {
    FIELDS.iter().map(|name| response.header(name)).collect()
}

#[test]
fn ten_of_ten_pass_and_the_eleventh_is_refused_with_the_apps_own_answer() {
    let stand = Stand::new("[headers]\nsend = [\"draft-11\", \"x-ratelimit\"]\n");
    for (number, proxy) in BY_FIELDS.into_iter().enumerate() {
        let ip = format!("203.0.113.{number}");
        for left in (0..10).rev() {
            let response = stand.ask(proxy, "GET", "/api/data", &ip);
            assert_eq!((response.status, &*response.body), (200, ""), "{response:?}");
            let field = response.header("ratelimit").expect("where the policy stands");
            assert!(field.starts_with(&format!("\"default\";r={left};t=")), "{field}");
            let policy = response.header("ratelimit-policy");
            assert_eq!(policy, Some("\"default\";q=10;w=31449600"));
            assert_eq!(response.header("x-ratelimit-remaining"), Some(&*left.to_string()));
            assert_eq!(response.header("retry-after"), None);
            assert_eq!(response.header("cache-control"), Some("no-store"));
        }
        let app = stand.tollgate.get("/api/data", &[("x-forwarded-for", ip.as_bytes())]);
        let denied = stand.ask(proxy, "GET", "/api/data", &ip);
        assert_eq!((app.status, problem(&denied)["status"].as_u64()), (429, Some(429)));
        // The seconds may pass over an edge between the two.
        let names = |it: &Response| fields(it).iter().map(Option::is_some).collect::<Vec<_>>();
        assert_eq!(names(&denied), names(&app));
        assert_eq!(denied.header("x-ratelimit-limit"), Some("10"));
        assert_eq!(problem(&denied)["violated-policies"], problem(&app)["violated-policies"]);
        let marked = denied.header("x-tollgate-status");
        if proxy == "nginx" {
            assert_eq!((denied.status, marked), (403, Some("429")));
            assert_eq!(denied.header("x-tollgate-body"), Some(&*denied.body));
        } else {
            assert_eq!((denied.status, marked), (429, None));
        }
    }
}

#[test]
fn envoy_asks_with_the_method_and_the_path_of_its_own_request() {
    let stand = Stand::new("");
    let lines = [("x-forwarded-for", IP.as_bytes())];
    let ask = |method, path| stand.gate.request(method, path, &lines);
    assert_eq!(ask("POST", "/v1/auth/api/posts?proxy=nginx").status, 200);
    assert_eq!(ask("POST", "/v1/auth/api/posts").status, 429);
    assert_eq!(ask("POST", "/v1/auth/api/p%6Fsts?a=b").status, 429);
    assert_eq!(ask("POST", "/v1/%61uth/%61pi/posts").status, 429);
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"] {
        assert_eq!(ask(method, "/v1/auth/api/posts").status, 200, "{method}");
    }
    assert_eq!(stand.used(&format!("ip:{IP}"), "default"), 6);
    let other = [("x-forwarded-for", &b"203.0.113.8"[..])];
    assert_eq!(stand.gate.get("/v1/auth/", &other).status, 200);
    assert_eq!(stand.gate.get("/v1/auth/", &other).status, 429, "that is the path /");
    // A client's own fields describe nothing to Envoy.
    let forged = [lines[0], ("x-forwarded-uri", b"/free"), ("x-forwarded-method", b"GET")];
    assert_eq!(stand.gate.request("POST", "/v1/auth/api/posts", &forged).status, 429);
}

#[test]
fn head_and_bodies_are_fine() {
    let stand = Stand::new("");
    let lines =
        format!("x-forwarded-method: POST\r\nx-forwarded-uri: /api/posts\r\nx-forwarded-for: {IP}");
    let connect = || Conversation::over(connect_from(Ipv4Addr::LOCALHOST, stand.port));
    let mut conversation = connect();
    conversation.say(format!(
        "POST /v1/auth?proxy=traefik HTTP/1.1\r\nhost: t\r\n{lines}\r\ncontent-length: 5\r\n\r\nhello"
    ));
    assert_eq!(conversation.answer().status, 200);
    conversation.say(format!("HEAD /v1/auth?proxy=traefik HTTP/1.1\r\nhost: t\r\n{lines}\r\n\r\n"));
    let denied = conversation.head();
    assert_eq!(denied.status, 429);
    assert!(denied.header("ratelimit").is_some() && denied.header("retry-after").is_some());
    // The connection is still in step.
    conversation.say(format!("PURGE /v1/auth?proxy=caddy HTTP/1.1\r\nhost: t\r\n{lines}\r\n\r\n"));
    assert_eq!(conversation.answer().status, 429);
}

#[test]
fn paths_are_decoded_as_the_router_of_the_app_decodes_them() {
    let stand = Stand::new("");
    for (number, uri) in [
        "/api/posts",
        "/api/p%6fsts",
        "/%61%70%69/posts?x=/free",
        "http://example.com/api/posts",
        "https://example.com:8443/api/p%6Fsts?a=b",
        "/api/posts#/free",
    ]
    .into_iter()
    .enumerate()
    {
        let ip = format!("203.0.113.{number}");
        assert_eq!(stand.ask("caddy", "POST", uri, &ip).status, 200, "{uri}");
        assert_eq!(stand.ask("caddy", "POST", "/api/posts", &ip).status, 429, "{uri}");
    }
    for (uri, app) in [("/api%2Fposts", "/api%2Fposts"), ("//api/posts", "//api/posts")] {
        let response = stand.ask("caddy", "POST", uri, IP);
        let limited = response.header("ratelimit").is_some();
        let lines = [("x-forwarded-for", IP.as_bytes())];
        let of_app = stand.tollgate.request("POST", app, &lines).header("ratelimit").is_some();
        assert_eq!(limited, of_app, "{uri}");
    }
}

#[test]
fn a_policy_by_a_field_reads_it_from_the_clients_request() {
    let stand = Stand::new("");
    let ask = |tenant: &str| {
        let line = [("x-tenant", tenant.as_bytes())];
        stand.ask_with("haproxy", "GET", "/tenants", IP, &line).status
    };
    let statuses = ["a", "a", "a", "b"].map(ask);
    assert_eq!(statuses, [200, 200, 429, 200]);
}

#[test]
fn users_are_authenticated_as_by_the_app() {
    let made = Options::default().run(&["keys", "new", "--user", "1042"]).stdout;
    let (key, line) = made.trim_end().split_once('\n').expect("a key and its line");
    let auth = "[auth]\nfailures = \"2/52 weeks\"\nuser_header = \"x-user\"\n[auth.keys]\n";
    let stand = Stand::new(&format!("{auth}{line}\n"));
    let ask = |proxy, name, value: &str| {
        stand.ask_with(proxy, "GET", "/api/data", IP, &[(name, value.as_bytes())])
    };
    assert_eq!(ask("caddy", "authorization", &format!("Bearer {key}")).status, 200);
    assert_eq!(ask("caddy", "x-user", "ann").status, 200);
    assert_eq!(["user:1042", "user:ann"].map(|key| stand.used(key, "default")), [1, 1]);
    for proxy in ["nginx", "apache"] {
        let refused = ask(proxy, "authorization", "Bearer tg_wrong");
        let app = stand.tollgate.get(
            "/api/data",
            &[("x-forwarded-for", b"198.51.100.9"), ("authorization", b"Bearer tg_wrong")],
        );
        assert_eq!((refused.status, app.status), (401, 401));
        assert_eq!(refused.body, app.body);
        assert_eq!(refused.header("www-authenticate"), app.header("www-authenticate"));
        assert_eq!(refused.header("x-tollgate-status"), (proxy == "nginx").then_some("401"));
    }
    let too_many = ask("nginx", "authorization", &format!("Bearer {key}"));
    assert_eq!((too_many.status, too_many.header("x-tollgate-status")), (403, Some("429")));
    assert_eq!(ask("traefik", "authorization", &format!("Bearer {key}")).status, 429);
}

#[test]
fn blocked_clients_are_told_apart_from_denied_ones() {
    let stand = Stand::new("[access]\nblock = [\"198.51.100.0/24\"]\n");
    for (proxy, marked) in [("nginx", Some("403")), ("caddy", None)] {
        let blocked = stand.ask(proxy, "GET", "/free", "198.51.100.1");
        assert_eq!((blocked.status, blocked.header("x-tollgate-status")), (403, marked));
        assert_eq!(problem(&blocked)["title"], "Forbidden");
        assert_eq!(blocked.header("ratelimit"), None);
    }
}

#[test]
fn requests_without_a_policy_pass_without_fields_and_all_are_counted_by_door() {
    let stand = Stand::new("");
    let response = stand.ask("apache", "GET", "/free", IP);
    assert_eq!((response.status, response.header("ratelimit")), (200, None));
    assert_eq!(stand.ask("apache", "GET", "/api/data", IP).status, 200);
    let text = stand.admin.get("/metrics", &[]).body;
    for line in [
        "tollgate_requests_total{door=\"forward-auth\",route=\"none\",outcome=\"unlimited\"} 1",
        "tollgate_requests_total{door=\"forward-auth\",route=\"/api/data\",outcome=\"admitted\"} 1",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn what_cannot_be_decided_is_503() {
    let stand = Stand::over(
        &format!("redis://{}/0", port::free_address()),
        &format!(
            "{TRUSTED}[policies.default]\nquota = \"10/minute\"\non_store_failure = \"deny\"\n"
        ),
    );
    for (proxy, status, marked) in [("nginx", 403, Some("503")), ("haproxy", 503, None)] {
        let response = stand.ask(proxy, "GET", "/api/data", IP);
        assert_eq!((response.status, response.header("x-tollgate-status")), (status, marked));
        assert_eq!(response.header("retry-after"), Some("1"));
        assert_eq!(problem(&response)["status"], 503);
    }
}

#[test]
fn an_own_body_reaches_clients_through_every_proxy_and_nginx_in_one_line() {
    let stand = Stand::new("[refusals]\nhtml = \"\"\"\n<p>\n\t{policy}</p>\n\"\"\"\n");
    for (number, proxy) in BY_FIELDS.into_iter().enumerate() {
        let ip = format!("203.0.113.{number}");
        let lines = [
            ("x-forwarded-method", &b"POST"[..]),
            ("x-forwarded-uri", b"/api/posts"),
            ("x-forwarded-for", ip.as_bytes()),
            ("accept", b"text/html, */*;q=0.1"),
        ];
        let ask = || stand.gate.get(&format!("/v1/auth?proxy={proxy}"), &lines);
        assert_eq!(ask().status, 200);
        let denied = ask();
        assert_eq!(denied.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(denied.body, "<p>\n\tposts</p>\n");
        let marked = denied.header("x-tollgate-body");
        assert_eq!(marked, (proxy == "nginx").then_some("<p>  posts</p>"), "{proxy}");
    }
}

#[test]
fn a_longer_wait_is_told_alike_in_the_fields_and_the_body_and_never_shorter() {
    let stand = Stand::new("[headers]\nretry_jitter = \"50%\"\n");
    let exact = || -> u64 {
        let body = problem(&stand.admin.get(&format!("/v1/keys?key=ip:{IP}"), &[]));
        let stands = body["policies"].as_array().into_iter().flatten();
        let posts = stands.clone().find(|it| it["policy"] == "posts");
        posts.and_then(|it| it["retry_after_ms"].as_u64()).unwrap_or_else(|| panic!("{body}"))
    };
    assert_eq!(stand.ask("caddy", "POST", "/api/posts", IP).status, 200);
    let of_envoy = [("x-forwarded-for", IP.as_bytes())];
    let mut waits = Vec::new();
    for proxy in BY_FIELDS.into_iter().chain(["envoy"]).cycle().take(12) {
        let before = exact();
        let denied = match proxy {
            "envoy" => stand.gate.request("POST", "/v1/auth/api/posts", &of_envoy),
            proxy => stand.ask(proxy, "POST", "/api/posts", IP),
        };
        let after = exact();
        let told = denied.header("retry-after").expect("a wait");
        let wait: u64 = told.parse().expect("seconds");
        let [least, most] = [after, before * 3 / 2].map(|millis| millis.div_ceil(1_000));
        assert!((least..=most).contains(&wait), "{proxy}: {wait}, {before}");
        assert_eq!(denied.header("ratelimit"), Some(&*format!("\"posts\";r=0;t={told}")));
        let detail = format!("Retry in {told} s.");
        assert!(denied.body.contains(&detail), "{proxy}: {}", denied.body);
        let in_one_line = denied.header("x-tollgate-body");
        assert_eq!(in_one_line.is_some_and(|it| it.contains(&detail)), proxy == "nginx");
        waits.push(wait);
    }
    // Without a longer wait, they would differ by what this test takes.
    let (least, most) = (waits.iter().min(), waits.iter().max());
    assert!(most.zip(least).is_some_and(|(most, least)| most - least > 3_600), "{waits:?}");
}
