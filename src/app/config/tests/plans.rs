//! The quotas of plans and of single users.

use super::*;

fn quotas<'a, N: ToString>(
    quotas: impl Iterator<Item = (N, &'a crate::domain::quota::ClientQuota)>,
) -> Vec<(String, String)> {
    quotas.map(|(name, quota)| (name.to_string(), quota.to_string())).collect()
}

#[test]
fn a_policy_may_have_quotas_for_plans_and_users() {
    let config = load_text(
        "[policies.default.plans]\npro = \"1000/minute\"\nfree = \"5/minute\"\n\
         [policies.default.users]\n\"1042\" = \"500/minute\"\n\"ann@example.com\" = \"1/day\"\n\
         [policies.other]\nquota = \"1/day\"\nplans = { gold = \"2/day\" }",
    )
    .unwrap();
    let policy = &config.policies[0];
    assert_eq!(policy.quota().to_string(), "10/minute", "everyone else's");
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|&(name, quota)| (name.to_owned(), quota.to_owned())).collect()
    };
    assert_eq!(quotas(policy.plans()), pairs(&[("free", "5/minute"), ("pro", "1000/minute")]));
    let users = policy.users().map(|(id, quota)| (id.escape_ascii(), quota));
    assert_eq!(quotas(users), pairs(&[("1042", "500/minute"), ("ann@example.com", "1/day")]));
    assert_eq!(Vec::from_iter(&config.plans), ["free", "gold", "pro"]);
}

#[test]
fn plans_and_users_are_set_from_outside_files_too() {
    let config = load(&Sources {
        settings: vec!["policies.default.users.\"10.42\"=7/day".to_owned()],
        ..variables(&[("TOLLGATE_POLICIES__DEFAULT__PLANS__PRO", "1000/minute")])
    })
    .unwrap();
    assert_eq!(quotas(config.policies[0].plans()), [("pro".to_owned(), "1000/minute".to_owned())]);
    let users = config.policies[0].users().map(|(id, quota)| (id.escape_ascii(), quota));
    assert_eq!(quotas(users), [("10.42".to_owned(), "7/day".to_owned())]);
}

#[test]
fn a_bad_quota_names_its_key() {
    let too_many = "units are too many for sliding-log with this window: at most 100000 fit";
    let cases = [
        (
            "policies.default.plans.pro = \"often\"",
            "policies.default.plans.pro: \"often\" is not a quota: expected units per window, as in \"10/minute\", \"100 per hour\" or \"5/2 seconds\"".into(),
        ),
        (
            "policies.default.users.1042 = 500",
            "policies.default.users.1042: expected text in quotes, got 500".into(),
        ),
        (
            "policies.default.users.\"\" = \"1/day\"",
            "policies.default.users.\"\": a user's ID is missing".into(),
        ),
        (
            "policies.default.plans.\"a b\" = \"1/day\"",
            "policies.default.plans.\"a b\": \"a b\" cannot name a plan: expected 1 to 64 ASCII letters, digits, '-', '_' or '.'".into(),
        ),
        (
            "policies.default = { algorithm = \"sliding-log\", plans = { pro = \"200000/day\" } }",
            format!("policies.default.plans.pro: 200000 {too_many}"),
        ),
        (
            "policies.default = { algorithm = \"sliding-log\", users = { 1042 = \"200001/day\" } }",
            format!("policies.default.users.1042: 200001 {too_many}"),
        ),
        (
            "policies.default = { algorithm = \"token-bucket\", burst = 20, plans = { pro = \"1000000000000/minute\" } }",
            "policies.default.plans.pro: 2000000000000 units are too many for token-bucket with this window: at most 150119987578 fit".into(),
        ),
        (
            "policies.default = { key = \"ip\", plans = { pro = \"1/day\" } }",
            "policies.default.plans: only a policy by user or user-or-ip can tell users apart, and this one is by ip".into(),
        ),
        (
            "policies.default = { key = \"header:x-tenant\", users = { 1042 = \"1/day\" } }",
            "policies.default.users: only a policy by user or user-or-ip can tell users apart, and this one is by header:x-tenant".into(),
        ),
        (
            "policies.default.plans = \"pro\"",
            "policies.default.plans: expected a table, got \"pro\"".into(),
        ),
        (
            "policies.default.plan = {}",
            "policies.default.plan: unknown key, expected key, ipv6_prefix, on_store_failure, in_flight, slot_ms, reserve, mode, enforce, candidate, timezone, week_begins, penalty, charge_on, refund_on, quota, plans, users, networks, algorithm, burst, refusal or lease_ms".into(),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error_of_text(text), expected, "for {text}");
    }
}

#[test]
fn a_quota_may_be_several_as_a_text_or_as_a_list() {
    let config = load_text(
        "[policies.default]\nquota = \"200/day; 50/h\"\nplans = { pro = [\"2000/day\", \"500/h\"] }\n\
         users = { 1042 = \"unlimited\" }\ncandidate = [\"300/day\", \"50/hour\"]\n\
         networks = { \"10.0.0.0/8\" = \"1000/m; 9/s\", \"fd00::/8\" = \"unlimited\" }",
    )
    .unwrap();
    let policy = &config.policies[0];
    assert_eq!(policy.quotas().to_string(), "200/day; 50/hour");
    assert_eq!(quotas(policy.plans()), [("pro".to_owned(), "2000/day; 500/hour".to_owned())]);
    let users = policy.users().map(|(id, quota)| (id.escape_ascii(), quota));
    assert_eq!(quotas(users), [("1042".to_owned(), "unlimited".to_owned())]);
    let told = [("10.0.0.0/8", "1000/minute; 9/second"), ("fd00::/8", "unlimited")];
    let told = told.map(|(network, quota)| (network.to_owned(), quota.to_owned()));
    assert_eq!(quotas(policy.networks()), told);
    let candidate = policy.rollout().candidate().map(ToString::to_string);
    assert_eq!(candidate.as_deref(), Some("300/day; 50/hour"));
    let config = load(&variables(&[
        ("TOLLGATE_POLICIES__DEFAULT__QUOTA", "200/day;50/hour"),
        ("TOLLGATE_POLICIES__DEFAULT__PLANS__PRO", "unlimited"),
    ]))
    .unwrap();
    assert_eq!(config.policies[0].quotas().to_string(), "200/day; 50/hour");
}

#[test]
fn quotas_that_make_no_sense_say_what_would() {
    for (text, reason) in [
        ("quota = []", "expected at least one quota, as in \"10/minute\""),
        ("quota = [1]", "expected a list of quotas"),
        ("quota = [\"200/day\", \"often\"]", "\"often\" is not a quota"),
        ("quota = \"200/day; 50/24 hours\"", "200/day means nothing beside 50/day"),
        ("quota = \"unlimited\"", "expected mode = \"off\", or a route without the policy"),
        ("candidate = \"unlimited\"", "expected mode = \"off\", or a route without the policy"),
        ("quota = \"0.5/second\"", "write \"1/2 seconds\""),
        ("plans = { pro = \"10_000/day\" }", "write \"10000/day\""),
        ("users = { 1042 = \"0/day\" }", "access.block refuses clients"),
        (
            "algorithm = \"token-bucket\"\nburst = 20\nquota = \"9/day; 5/hour\"",
            "one burst cannot be for several quotas",
        ),
        (
            "algorithm = \"sliding-log\"\nquota = \"1/day; 100001/week\"",
            "100001 units are too many",
        ),
        (
            "key = \"user\"\nnetworks = { \"10.0.0.0/8\" = \"1/day\" }",
            "only a policy by ip or user-or-ip can tell networks apart, and this one is by user",
        ),
        ("networks = { \"10.0.0.1/8\" = \"1/day\" }", "expected one or the other"),
        ("networks = { ten = \"1/day\" }", "\"ten\" is not a network"),
        (
            "networks = { \"10.0.0.0/8\" = \"1/day\", \"::ffff:10.0.0.0/104\" = \"2/day\" }",
            "10.0.0.0/8 has a quota already",
        ),
        ("networks = { \"2001:db8::1\" = \"1/day\" }", "expected /64 or a larger network"),
        ("networks = { \"10.0.0.0/8\" = \"often\" }", "\"often\" is not a quota"),
    ] {
        let error = error_of_text(&format!("[policies.default]\n{text}"));
        assert!(error.contains(reason), "{text}: {error}");
    }
    let narrow =
        "[policies.default]\nipv6_prefix = 128\nnetworks = { \"2001:db8::1\" = \"1/day\" }";
    assert!(load_text(narrow).is_ok());
}

#[test]
fn thousands_of_users_are_read_in_no_time() {
    let users = (0..20_000).map(|id| format!("{id} = \"{}/day\"\n", id + 1)).collect::<String>();
    let config = load_text(&format!("[policies.default.users]\n{users}")).unwrap();
    assert_eq!(config.policies[0].users().count(), 20_000);
}
