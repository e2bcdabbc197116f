//! Which route a request takes, however its path is written, and what it costs there.

use super::odd_requests::get;
use super::*;

/// One policy for each route, called after its place, that each request is charged under.
fn serve(options: Options, routes: &[(&str, &str)]) -> Tollgate {
    let mut config = String::new();
    for (pattern, name) in routes {
        config += &format!("[policies.{name}]\nquota = \"1000/52 weeks\"\n");
        config += &format!("[routes.\"{pattern}\"]\npolicies = [\"{name}\"]\n");
    }
    options.config(&config).serve()
}

/// The policy that an answer names.
fn policy_of(answer: &str) -> Option<&str> {
    let (_, field) = answer.split_once("ratelimit-policy: \"")?;
    field.split_once('"').map(|(name, _)| name)
}

#[test]
fn the_most_specific_route_holds() {
    on_each_store(|options| {
        let tollgate = serve(
            options,
            &[
                ("/*", "all"),
                ("/api/*", "api"),
                ("/api/items/{id}", "item"),
                ("GET /api/items/{id}", "read"),
                ("/api/items/new", "new"),
                ("POST /api/*", "write"),
            ],
        );
        for (method, path, name) in [
            ("GET", "/", "all"),
            ("GET", "/apis", "all"),
            ("GET", "/api", "api"),
            ("GET", "/api/items", "api"),
            ("GET", "/api/items/7/parts", "api"),
            ("GET", "/api/items/7", "read"),
            ("GET", "/api/items/7?x=/api/items/new", "read"),
            ("PUT", "/api/items/7", "item"),
            ("GET", "/api/items/new", "new"),
            ("POST", "/api/items/new", "new"),
            // The path first, the method second.
            ("POST", "/api/items/7", "item"),
            ("POST", "/api/items", "write"),
            // A HEAD does what a GET does.
            ("HEAD", "/api/items/7", "read"),
        ] {
            let response = tollgate.request(method, path, &[]);
            let policy = format!("\"{name}\";q=1000;w=31449600");
            let told = response.header("ratelimit-policy");
            assert_eq!(told, Some(&*policy), "{method} {path}");
        }
    });
}

#[test]
fn no_spelling_of_a_path_leaves_the_route_that_answers_it() {
    let routes = [("/api/data", "data"), ("/api/items/{id}", "item"), ("/*", "all")];
    let tollgate = serve(Options::default().set("store.url", "memory:"), &routes);
    // (what is asked for, the policy it is charged under): docs/src/routes.md.
    for (target, name) in [
        // As the router reads a path: these are `/api/data`.
        ("/api/data", "data"),
        ("/api/%64ata", "data"),
        ("/%61%70%69/data?x=1", "data"),
        ("http://other/api/data", "data"),
        // And these are not, to the router either: they are answered 404.
        ("/api//data", "all"),
        ("//api/data", "all"),
        ("/api/data/", "all"),
        ("/api/./data", "all"),
        ("/api/../api/data", "all"),
        ("/api/%2e%2e/api/data", "all"),
        ("/API/DATA", "all"),
        ("/api%2fdata", "all"),
        ("/api%2Fdata", "all"),
        ("/api/data%00", "all"),
        ("/api/data;x=1", "all"),
        ("*", "all"),
        // Any one segment, whatever is encoded in it.
        ("/api/items/7", "item"),
        ("/api/items/a%2fb", "item"),
        ("/api/items/%25", "item"),
        ("/api/items/%ff", "item"),
        ("/api/items/..", "item"),
        ("/api/items/", "all"),
        ("/api/items/7/", "all"),
        ("/api/items//7", "all"),
    ] {
        let answer = get(&tollgate, target.as_bytes());
        assert_eq!(policy_of(&answer), Some(name), "{target}: {answer}");
        assert_eq!(answer.contains("Here is your data!"), name == "data", "{target}");
    }
}

#[test]
fn a_head_request_cannot_lead_around_the_limit_of_a_get() {
    on_each_store(|options| {
        let tollgate = options
            .set("policies.default.quota", "2/52 weeks")
            .set("routes.\"/api/data\".policies", "")
            .set("routes.\"GET /api/data\".policies", "default")
            .serve();
        let ask = |method| tollgate.request(method, "/api/data", &[]).status;
        let statuses = [ask("HEAD"), ask("GET"), ask("HEAD"), ask("GET")];
        assert_eq!(statuses, [200, 200, 429, 429]);
        assert_eq!(ask("POST"), 405);
    });
}

#[test]
fn a_route_charges_what_it_costs() {
    on_each_store(|options| {
        let tollgate = ten(options.set("routes.\"/api/data\".cost", "4"));
        let asked = [(200, 6), (200, 2), (429, 2)];
        assert_eq!(
            asked.map(|_| {
                let response = tollgate.get("/api/data", &[]);
                (response.status, remaining(&response))
            }),
            asked
        );
        // The status costs nothing, and says what is left.
        assert_eq!(remaining(&tollgate.get("/api/status", &[])), 2);
    });
}

#[test]
fn routes_that_are_not_listed_have_the_policies_of_all_others() {
    on_each_store(|options| {
        let tollgate = options
            .set("policies.default.quota", "2/52 weeks")
            .set("routes.\"/*\".policies", "default")
            .serve();
        let ask = |path: &str| tollgate.get(path, &[]).status;
        assert_eq!(
            [ask("/nowhere"), ask("/"), ask("/a/b/c"), ask("/api/data")],
            [404, 404, 429, 429]
        );
        assert_eq!(ask("/api/status"), 200, "a route of its own, without a charge");
    });
}
