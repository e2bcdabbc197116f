//! Descriptors: their patterns, and what in them says who a client is.

use super::*;

#[test]
fn a_descriptor_may_have_every_option() {
    let config = load_text(
        r#"
        [policies.tenants]
        quota = "10/minute"
        key = "header:x-tenant"
        [descriptors.edge."path=/files/*, user, plan, tenant, remote_address"]
        policies = ["default", "tenants"]
        share = ["path"]
        ip = "remote_address"
        user = "user"
        plan = "plan"
        headers = { X-Tenant = "tenant" }
        quota_override = "1000/minute"
        [descriptors.edge."banned=\\*"]
        refuse = true
        "#,
    )
    .unwrap();
    let [refused, all] = &config.descriptors[..] else { panic!("{:#?}", config.descriptors) };
    assert_eq!((&*refused.domain, refused.refuse), ("edge", true));
    assert_eq!(refused.pattern.to_string(), r"banned=\*");
    assert_eq!(
        (&all.policies[..], &all.share[..]),
        (&["default", "tenants"].map(String::from)[..], &[0][..])
    );
    let client = &all.client;
    assert_eq!((client.ip, client.user, client.plan), (Some(4), Some(1), Some(2)));
    assert_eq!(client.headers, [("x-tenant".into(), 3)]);
    assert_eq!(all.quota_override.unwrap().to_string(), "1000/minute");
}

#[test]
fn what_is_wrong_with_a_descriptor_is_said_at_its_key() {
    let of = |pattern: &str, options: &str| format!("[descriptors.edge.{pattern:?}]\n{options}");
    let policy = |key: &str| format!("\n[policies.p]\nquota = \"1/day\"\nkey = {key:?}");
    let cases = [
        (of("a*=b", ""), r#"descriptors.edge."a*=b": "a*" is not a key: a star stands for any text in values alone, and "\*" for itself"#.to_owned()),
        (of("a", "policies = [\"none\"]"), "descriptors.edge.a.policies: no policy is called \"none\", expected default".into()),
        (of("a", "policies = [\"p\", \"p\"]") + &policy("descriptor"), "descriptors.edge.a.policies: the policy \"p\" is listed twice for this descriptor".into()),
        (of("a, b", "share = [\"c\"]"), "descriptors.edge.\"a, b\".share: no entry has the key \"c\", expected a or b".into()),
        (of("a", "ip = \"b\""), "descriptors.edge.a.ip: no entry has the key \"b\", expected a".into()),
        (of("a", "plan = \"a\""), "descriptors.edge.a.plan: a plan without a user has no effect: expected user as well".into()),
        (of("a", "headers = { \"x y\" = \"a\" }"), "descriptors.edge.a.headers.\"x y\": \"x y\" names no header field".into()),
        (of("a", "refuse = true\npolicies = [\"p\"]") + &policy("descriptor"), "descriptors.edge.a: refuses every request, so it needs no policies: expected one of the two".into()),
        (of("a", "quota_override = \"1\""), "descriptors.edge.a.quota_override: \"1\" is not a quota: expected units per window, as in \"10/minute\", \"100 per hour\" or \"5/2 seconds\"".into()),
        (of("a", "policies = [\"p\"]") + &policy("ip"), "descriptors.edge.a: the policy \"p\" counts by ip: expected ip, with the key of the entry that says it".into()),
        (of("a", "policies = [\"p\"]") + &policy("user"), "descriptors.edge.a: the policy \"p\" counts by user: expected user, with the key of the entry that says it".into()),
        (of("a", "policies = [\"p\"]") + &policy("user-or-ip"), "descriptors.edge.a: the policy \"p\" counts by user-or-ip: expected user, ip or both, with the key of the entry that says it".into()),
        (of("a", "policies = [\"p\"]") + &policy("header:x-b"), "descriptors.edge.a: the policy \"p\" counts by header:x-b: expected headers.x-b, with the key of the entry that says it".into()),
        (of("a=b, c", "") + "\n" + &of("a = b,c", ""), "descriptors.edge.\"a=b, c\": is for the same descriptors as \"a = b,c\"".into()),
        ("[descriptors.\"\".a]".into(), "descriptors.\"\": a domain has a name, which Envoy sends with each request".into()),
        (of("a", "cost = 1"), "descriptors.edge.a.cost: unknown key, expected policies, uses_reserve, refuse, share, ip, user, plan, headers or quota_override".into()),
        (
            format!("[routes.\"/x\"]\npolicies = [\"p\"]{}", policy("descriptor")),
            "routes.\"/x\": the policy \"p\" counts by descriptor, and requests of a route have none: expected it under [descriptors]".into(),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error_of_text(&text), expected, "{text}");
    }
}
