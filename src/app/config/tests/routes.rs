//! Routes: their patterns, and what a request of them costs.

use super::*;

#[test]
fn a_route_may_be_a_pattern_with_a_method_and_a_cost() {
    let config = load_text(
        "[routes.\"GET /api/items/{id}\"]\npolicies = [\"default\"]\ncost = 5\n[routes.\"/*\"]\npeek = [\"default\"]",
    )
    .unwrap();
    let routes: Vec<_> =
        config.routes.iter().map(|it| (it.pattern.to_string(), it.cost.units())).collect();
    let expected = [("/*", 1), ("/api/data", 1), ("/api/status", 1), ("GET /api/items/{id}", 5)];
    assert_eq!(routes, expected.map(|(pattern, cost)| (pattern.to_owned(), cost)));
}

#[test]
fn what_is_wrong_with_a_route_is_said_at_its_key() {
    let examples = "as in \"/api/data\", \"GET /api/items/{id}\" or \"/api/*\"";
    let cases = [
        (
            "[routes.\"get /x\"]",
            format!("routes.\"get /x\": \"get /x\" is not a route: a method is written in capital letters, with one space after it, {examples}"),
        ),
        (
            "[routes.\"/x/**\"]",
            format!("routes.\"/x/**\": \"/x/**\" is not a route: '*' must be all that stands after the last slash, {examples}"),
        ),
        (
            "[routes.\"/a/{x}\"]\n[routes.\"/a/{y}\"]",
            "routes.\"/a/{y}\": is for the same requests as \"/a/{x}\"".to_owned(),
        ),
        (
            "[routes.\"/x\"]\ncost = 0",
            "routes.\"/x\".cost: expected a whole number from 1 to 9007199254740991, got 0".to_owned(),
        ),
        (
            "[routes.\"/x\"]\npolicies = [\"default\"]\ncost = 11",
            "routes.\"/x\".cost: the policy \"default\" never admits a request that costs 11 units: at most 10".to_owned(),
        ),
        (
            "policies.default.plans = { pro = \"20/minute\" }\n[routes.\"/x\"]\npolicies = [\"default\"]\ncost = 21",
            "routes.\"/x\".cost: the policy \"default\" never admits a request that costs 21 units: at most 20".to_owned(),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error_of_text(text), expected, "for {text}");
    }
    // Some may: that is a way to say who.
    let text = "policies.default.plans = { pro = \"20/minute\" }\n[routes.\"/x\"]\npolicies = [\"default\"]\ncost = 20";
    assert!(load_text(text).is_ok());
}
