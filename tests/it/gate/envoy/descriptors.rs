//! How the configuration maps descriptors to policies.

use super::client::messages::{RateLimitOverride, RateLimitUnit, Unit};
use super::client::{Code, RateLimitDescriptor, codes, descriptor, remaining};
use super::{serve, serve_with};
use crate::support::http::Client;
use crate::support::port;
use crate::support::process::Options;

const CONFIG: &str = r#"
[store]
url = "memory:"

[policies.each]
quota = "10/day"
key = "descriptor"

[policies.users]
quota = "5/day"
key = "user"
plans = { pro = "50/day" }

[policies.tenants]
quota = "7/day"
key = "header:x-tenant"

[policies.tried]
quota = "1/day"
key = "descriptor"
mode = "shadow"

[descriptors.edge."a, b"]
policies = ["each"]

[descriptors.edge."path=/files/*"]
policies = ["each"]
share = ["path"]

[descriptors.edge."path=/each/*"]
policies = ["each"]

[descriptors.edge."user_id, plan"]
policies = ["users"]
user = "user_id"
plan = "plan"

[descriptors.edge."tenant"]
policies = ["tenants"]
headers = { X-Tenant = "tenant" }

[descriptors.edge."tried"]
policies = ["tried", "each"]

[descriptors.edge."override"]
policies = ["each"]
quota_override = "100/minute"
"#;

#[test]
fn keys_and_values_that_are_alike_when_joined_have_counts_of_their_own() {
    let (_tollgate, envoy) = serve(CONFIG);
    for (one, other) in [("a=x,b=y_z", "a=x_y,b=z"), ("a=,b=x", "a=x,b=")] {
        assert_eq!(remaining(&envoy.decide(vec![descriptor(one)])), [9], "{one}");
        assert_eq!(remaining(&envoy.decide(vec![descriptor(other)])), [9], "{other}");
        assert_eq!(remaining(&envoy.decide(vec![descriptor(one)])), [8], "{one}");
    }
}

#[test]
fn the_values_of_a_wildcard_share_a_count_if_that_is_set() {
    let (_tollgate, envoy) = serve(CONFIG);
    for (path, left) in [("/files/a", 9), ("/files/b", 8), ("/each/a", 9), ("/each/b", 9)] {
        let response = envoy.decide(vec![descriptor(&format!("path={path}"))]);
        assert_eq!(remaining(&response), [left], "{path}");
    }
}

#[test]
fn entries_name_the_user_the_plan_and_header_fields() {
    let (_tollgate, envoy) = serve(CONFIG);
    for (text, left) in [
        ("user_id=ann,plan=free", 4),
        ("user_id=bob,plan=pro", 49),
        ("user_id=ann,plan=free", 3),
        ("tenant=acme", 6),
        ("tenant=other", 6),
        ("tenant=acme", 5),
    ] {
        assert_eq!(remaining(&envoy.decide(vec![descriptor(text)])), [left], "{text}");
    }
}

#[test]
fn a_policy_that_is_tried_out_refuses_nobody() {
    let (_tollgate, envoy) = serve(CONFIG);
    for left in (7..10).rev() {
        let response = envoy.decide(vec![descriptor("tried=x")]);
        assert_eq!((codes(&response).0, remaining(&response)), (Code::Ok, vec![left]));
    }
}

#[test]
fn a_limit_of_envoys_own_holds_as_far_as_the_configuration_allows_it() {
    let admin = port::free_address();
    let options = Options::default().config(CONFIG).set("admin.listen", &admin.to_string());
    let (_tollgate, envoy) = serve_with(options);
    let limit = |requests_per_unit, unit: RateLimitUnit| {
        Some(RateLimitOverride { requests_per_unit, unit: unit.into() })
    };
    let ask = |text, limit| {
        let descriptor = RateLimitDescriptor { limit, ..descriptor(text) };
        let mut response = envoy.decide(vec![descriptor]);
        let status = response.statuses.remove(0);
        let limit = status.current_limit.clone().expect("a limit");
        (limit.requests_per_unit, limit.unit(), status.limit_remaining)
    };
    assert_eq!(ask("override=a", limit(20, RateLimitUnit::Minute)), (20, Unit::Minute, 19));
    assert_eq!(ask("override=b", limit(200, RateLimitUnit::Minute)), (100, Unit::Minute, 99));
    // 5000 an hour are fewer than 100 a minute, and 7000 are more.
    assert_eq!(ask("override=c", limit(5_000, RateLimitUnit::Hour)), (5_000, Unit::Hour, 4_999));
    assert_eq!(ask("override=d", limit(7_000, RateLimitUnit::Hour)), (100, Unit::Minute, 99));
    assert_eq!(ask("override=e", None), (10, Unit::Day, 9));
    // Where none is allowed, it is ignored and counted.
    assert_eq!(ask("path=/each/a", limit(1, RateLimitUnit::Minute)), (10, Unit::Day, 9));
    let metrics = Client::of(format!("http://{admin}")).get("/metrics", &[]).body;
    assert!(metrics.contains("\ntollgate_envoy_ignored_limits_total 1\n"), "{metrics}");
    for limit in [limit(0, RateLimitUnit::Minute), limit(1, RateLimitUnit::Unknown)] {
        let descriptor = RateLimitDescriptor { limit, ..descriptor("override=f") };
        let status = envoy.ask(super::client::request(vec![descriptor])).expect_err("no quota");
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
    }
}
