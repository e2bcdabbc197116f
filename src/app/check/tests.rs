use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

/// A finding and the file that has it: the code, the option, the line, the file.
const CASES: [(&str, &str, usize, &str); 40] = [
    (
        "slot-untold",
        "policies.p.slot_ms",
        4,
        "[gate]\nlisten = \"127.0.0.1:8082\"\n[policies.p]\nin_flight = 10\nkey = \"descriptor\"\n\
         [policies.q]\nin_flight = 10\nslot_ms = 5000\nkey = \"descriptor\"\n\
         [descriptors.edge.generic_key]\npolicies = [\"p\", \"q\"]",
    ),
    (
        "reserve-unused",
        "policies.p.reserve",
        3,
        "[policies.p]\nin_flight = 10\nreserve = \"20%\"\n[policies.q]\nin_flight = 10\nreserve = \"20%\"\n\
         [routes.\"/x\"]\npolicies = [\"p\", \"q\"]\n\
         [routes.\"/y\"]\npolicies = [\"q\"]\nuses_reserve = true",
    ),
    (
        "quota-unreachable",
        "policies.hourly.quota",
        4,
        "[policies.burst]\nquota = \"10/minute\"\n[policies.hourly]\nquota = \"1000/hour\"\n\
         [routes.\"/x\"]\npolicies = [\"burst\", \"hourly\"]",
    ),
    (
        // Only one of two equal policies is of no use. No quota of the same window would be better.
        "quota-unreachable",
        "policies.two.quota",
        4,
        "[policies.one]\nquota = \"10/minute\"\n[policies.two]\nquota = \"10/minute\"\n\
         [routes.\"/x\"]\npolicies = [\"one\", \"two\"]",
    ),
    (
        "quota-meaningless",
        "policies.default.quota",
        2,
        "[policies.default]\nquota = \"50/day; 200/hour; 5/minute\"",
    ),
    (
        "cost-above-quota",
        "routes.\"/x\".cost",
        5,
        "[policies.p]\nquota = \"10/minute\"\nplans = { pro = \"100/minute\" }\n\
         [routes.\"/x\"]\ncost = 50\npolicies = [\"p\"]",
    ),
    (
        "log-large",
        "policies.default.algorithm",
        3,
        "[policies.default]\nquota = \"10000/hour\"\nalgorithm = \"sliding-log\"",
    ),
    (
        "window-near-calendar",
        "policies.default.quota",
        2,
        "[policies.default]\nquota = \"1000/30 days\"\nkey = \"user\"",
    ),
    (
        "week-from-thursday",
        "policies.default.quota",
        2,
        "[policies.default]\nquota = \"1000/week\"\nkey = \"user\"",
    ),
    (
        "outcome-untold",
        "policies.p.charge_on",
        5,
        "[gate]\nlisten = \"127.0.0.1:8082\"\n[policies.p]\nquota = \"10/minute\"\n\
         charge_on = [\"401\"]\nkey = \"descriptor\"\n\
         [descriptors.edge.generic_key]\npolicies = [\"p\"]",
    ),
    (
        "outcome-never",
        "policies.default.refund_on",
        3,
        "[policies.default]\ncharge_on = [\"401\", \"5xx\"]\nrefund_on = [\"4xx\", \"5xx\"]",
    ),
    ("plan-window", "policies.default.plans.pro", 2, "[policies.default.plans]\npro = \"100/day\""),
    ("policy-unused", "policies.spare.quota", 2, "[policies.spare]\nquota = \"10/minute\""),
    (
        "descriptors-unserved",
        "descriptors.edge.generic_key.policies",
        5,
        "[policies.p]\nquota = \"10/minute\"\nkey = \"descriptor\"\n\
         [descriptors.edge.generic_key]\npolicies = [\"p\"]",
    ),
    (
        "route-shadows",
        "routes.\"/api/x\".policies",
        6,
        "[policies.p]\nquota = \"100/hour\"\n[routes.\"/api/*\"]\npolicies = [\"default\"]\n\
         [routes.\"/api/x\"]\npolicies = [\"p\"]\n[routes.\"/api/data\"]\npolicies = [\"default\"]",
    ),
    (
        "value-alone",
        "routes.\"/x\".policies",
        5,
        "[policies.p]\nquota = \"10/minute\"\nkey = \"cookie:session\"\n[routes.\"/x\"]\npolicies = [\"p\"]",
    ),
    (
        // A part that clients choose makes the whole key one that they choose.
        "value-alone",
        "routes.\"/x\".policies",
        5,
        "[policies.p]\nquota = \"10/minute\"\nkey = [\"ip\", \"query:api_key\"]\n[routes.\"/x\"]\npolicies = [\"p\"]",
    ),
    (
        "segment-missing",
        "policies.p.key",
        3,
        "[policies.p]\nquota = \"100/hour\"\nkey = \"segment:id\"\n[routes.\"/x/{id}\"]\npolicies = [\"p\", \"default\"]\n\
         [routes.\"/x/{name}/y\"]\npolicies = [\"p\", \"default\"]",
    ),
    (
        "claim-unproved",
        "policies.p.key",
        3,
        "[policies.p]\nquota = \"10/minute\"\nkey = [\"claim:org\", \"route\"]\n[routes.\"/x\"]\npolicies = [\"p\"]",
    ),
    (
        "penalty-for-all",
        "policies.p.key",
        3,
        "[policies.p]\nquota = \"10/minute\"\nkey = \"route\"\n\
         penalty = { denials = 20, within_ms = 60000, ban_ms = 60000, ban_at_most_ms = 3600000 }\n\
         [routes.\"/x\"]\npolicies = [\"p\"]",
    ),
    (
        "route-shadows",
        "routes.\"HEAD /x\".policies",
        6,
        "[policies.p]\nquota = \"100/hour\"\n[routes.\"GET /x\"]\npolicies = [\"default\"]\n\
         [routes.\"HEAD /x\"]\npolicies = [\"p\"]",
    ),
    (
        "header-alone",
        "routes.\"/x\".policies",
        5,
        "[policies.p]\nquota = \"10/minute\"\nkey = \"header:x-device\"\n[routes.\"/x\"]\npolicies = [\"p\"]",
    ),
    (
        "login-window-edge",
        "policies.p.algorithm",
        2,
        "[policies.p]\nquota = \"5/minute\"\n[routes.\"POST /sign-in\"]\npolicies = [\"p\"]",
    ),
    (
        "login-open-in-outage",
        "policies.p.on_store_failure",
        4,
        "[policies.p]\nquota = \"5/minute\"\nalgorithm = \"sliding-log\"\non_store_failure = \"allow\"\n\
         [routes.\"/v1/login\"]\npolicies = [\"p\"]",
    ),
    (
        "penalty-for-all",
        "policies.default.key",
        2,
        "[policies.default]\nkey = \"global\"\npenalty = { denials = 20 }",
    ),
    (
        "penalty-in-shadow",
        "policies.default.mode",
        3,
        "admin.listen = \"127.0.0.1:8081\"\n[policies.default]\nmode = \"shadow\"\npenalty = { denials = 20 }",
    ),
    (
        "lease-in-memory",
        "policies.default.lease_ms",
        4,
        "[store]\nurl = \"memory:\"\n[policies.default]\nlease_ms = 100",
    ),
    (
        "lease-in-trial",
        "policies.default.lease_ms",
        5,
        "admin.listen = \"127.0.0.1:8081\"\nstore.url = \"redis://127.0.0.1:6379\"\n[policies.default]\n\
         candidate = \"5/minute\"\nlease_ms = 100",
    ),
    (
        "proxies-everyone",
        "client_ip.trusted_proxies",
        3,
        "[client_ip]\nheader = \"x-real-ip\"\ntrusted_proxies = [\"10.0.0.0/8\", \"::/0\"]",
    ),
    (
        "allow-everyone",
        "access.allow",
        2,
        "[access]\nallow = [\"user:root\", \"10.0.0.0/8\", \"0.0.0.0/0\"]",
    ),
    (
        "hops-reachable",
        "client_ip.hops",
        4,
        "[server]\nlisten = \"0.0.0.0:8080\"\n[client_ip]\nhops = 1",
    ),
    ("instances-in-memory", "store.instances", 3, "[store]\nurl = \"memory:\"\ninstances = 4"),
    (
        "memory-crowded",
        "store.max_keys",
        3,
        "[store]\nurl = \"memory:\"\nmax_keys = 4000\n[policies.default]\nquota = \"1000/hour\"",
    ),
    (
        "memory-crowded",
        "store.max_keys",
        2,
        "[store]\nurl = \"memory:\"\n[policies.default]\nplans = { pro = \"1000/40 days\" }\nquota = \"9/40 days\"",
    ),
    ("trial-unseen", "policies.default.mode", 2, "[policies.default]\nmode = \"shadow\""),
    (
        "trial-unseen",
        "policies.default.candidate",
        2,
        "[policies.default]\ncandidate = \"5/minute\"",
    ),
    ("deny-cache-off", "store.deny_cache_ms", 2, "[store]\ndeny_cache_ms = 0"),
    ("overrides-late", "store.deny_cache_ms", 2, "[store]\ndeny_cache_ms = 10001"),
    (
        "reset-unsent",
        "headers.x_ratelimit_reset",
        3,
        "[headers]\nsend = [\"draft-7\"]\nx_ratelimit_reset = \"epoch\"",
    ),
    ("header-unread", "client_ip.header", 2, "[client_ip]\nheader = \"x-forwarded-for\""),
];

/// What is found in a configuration of these files.
fn found(files: &[&str]) -> Vec<finding::Placed> {
    let directory = TempDir::with_prefix("tollgate-check-").expect("a directory");
    let write = |(index, text): (usize, &&str)| {
        let path = directory.path().join(format!("{index}.toml"));
        fs::write(&path, text).expect("a file");
        path
    };
    let files: Vec<PathBuf> = files.iter().enumerate().map(write).collect();
    let sources = Sources { files, ..Sources::default() };
    examine(&sources).unwrap_or_else(|errors| panic!("{errors}")).findings
}

#[test]
fn each_finding_has_its_place_and_its_better_line_silences_it() {
    for (code, option, line, text) in CASES {
        let findings = found(&[text]);
        let [finding] = &findings[..] else { panic!("{code}: {findings:#?}") };
        assert_eq!((finding.code, &*finding.option, finding.line), (code, option, Some(line)));
        let silenced = found(&[text, &finding.better]);
        assert!(silenced.is_empty(), "{code}: {}\n{silenced:#?}", finding.better);
    }
}

#[test]
fn the_defaults_and_the_file_of_all_options_have_no_finding() {
    assert!(found(&[]).is_empty());
    let findings = found(&[include_str!("../../../config.toml")]);
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn what_may_be_meant_is_no_finding() {
    for text in [
        // The larger quota counts requests of another route too.
        "[policies.burst]\nquota = \"10/minute\"\n[policies.hourly]\nquota = \"1000/hour\"\n\
         [routes.\"/x\"]\npolicies = [\"burst\", \"hourly\"]\n[routes.\"/y\"]\npolicies = [\"hourly\"]",
        // One client's quota says nothing of all clients together.
        "[policies.each]\nquota = \"10/minute\"\n[policies.all]\nquota = \"1000/minute\"\nkey = \"global\"\n\
         [routes.\"/x\"]\npolicies = [\"each\", \"all\"]",
        // The smaller quota is only tried out.
        "[admin]\nlisten = \"127.0.0.1:8081\"\n[policies.burst]\nquota = \"10/minute\"\nmode = \"shadow\"\n[policies.hourly]\nquota = \"1000/hour\"\n\
         [routes.\"/x\"]\npolicies = [\"burst\", \"hourly\"]",
        "[policies.burst]\nquota = \"10/minute\"\nenforce = \"10%\"\n[policies.hourly]\nquota = \"1000/hour\"\n\
         [routes.\"/x\"]\npolicies = [\"burst\", \"hourly\"]",
        // While the store is away, only the larger quota holds.
        "[policies.burst]\nquota = \"10/minute\"\non_store_failure = \"allow\"\n[policies.hourly]\n\
         quota = \"1000/hour\"\n[routes.\"/x\"]\npolicies = [\"burst\", \"hourly\"]",
        // A plan may have more of the smaller quota.
        "[policies.burst]\nquota = \"10/minute\"\nplans = { pro = \"100/minute\" }\n[policies.hourly]\n\
         quota = \"1000/hour\"\n[routes.\"/x\"]\npolicies = [\"burst\", \"hourly\"]",
        // An exception without policies, and a policy that is reported on.
        "[routes.\"/*\"]\npolicies = [\"default\"]\n[routes.\"/health\"]\npolicies = []",
        "[policies.p]\nquota = \"100/hour\"\n[routes.\"/*\"]\npolicies = [\"default\"]\n\
         [routes.\"/x\"]\npolicies = [\"p\"]\npeek = [\"default\"]",
        // Another policy for one method of the same path.
        "[policies.p]\nquota = \"100/hour\"\n[routes.\"/x\"]\npolicies = [\"default\"]\n\
         [routes.\"POST /x\"]\npolicies = [\"p\"]",
        // A header beside an address; a login that is only read.
        "[policies.p]\nquota = \"10/minute\"\nkey = \"header:x-device\"\n\
         [routes.\"/x\"]\npolicies = [\"p\", \"default\"]",
        "[routes.\"GET /login\"]\npolicies = [\"default\"]",
        "[policies.p]\nquota = \"101/minute\"\n[routes.\"/login\"]\npolicies = [\"p\"]",
        "[client_ip]\ntrusted_proxies = [\"10.0.0.0/8\", \"fc00::/7\", \"fd00::/8\", \"173.245.48.0/20\"]",
        "[client_ip]\nhops = 1\nheader = \"x-real-ip\"",
        "[policies.p]\nquota = \"10/minute\"\nmode = \"off\"",
        // A policy that counts by outcome, where the status is known.
        "[policies.default]\ncharge_on = [\"401\"]\nrefund_on = [\"5xx\"]",
        // A policy that descriptors alone name, or as well.
        "[gate]\nlisten = \"127.0.0.1:8082\"\n[policies.p]\nquota = \"10/minute\"\nkey = \"descriptor\"\n\
         [descriptors.edge.generic_key]\npolicies = [\"p\"]",
        // The memory store has no deny cache, and overrides hold there at once.
        "[store]\nurl = \"memory:\"\ndeny_cache_ms = 0",
        "[store]\nurl = \"memory:\"\ndeny_cache_ms = 60000",
        "[store]\ndeny_cache_ms = 10000",
        // What is shared in Redis; and a memory store that counts only while Redis is away.
        "[store]\ninstances = 4",
        "[store]\nmax_keys = 100\n[policies.default]\nquota = \"1000/day\"",
        // Room for a client a second, and policies whose keys nobody makes up.
        "[store]\nurl = \"memory:\"\nmax_keys = 4800\n[policies.default]\nquota = \"1000/hour\"",
        "[store]\nurl = \"memory:\"\nmax_keys = 100\n[policies.default]\nquota = \"9/day\"\nkey = \"user\"",
        "[store]\nurl = \"memory:\"\nmax_keys = 100\n[policies.default]\nquota = \"9/day\"\nkey = \"global\"",
    ] {
        let findings = found(&[text]);
        assert!(findings.is_empty(), "{text}\n{findings:#?}");
    }
}

#[test]
fn a_default_that_is_at_fault_has_the_place_of_what_was_set_beside_it() {
    let findings = found(&["[routes.\"/login\"]\npolicies = [\"default\"]"]);
    let [finding] = &findings[..] else { panic!("{findings:#?}") };
    assert_eq!((finding.code, &*finding.place), ("login-window-edge", "the built-in defaults"));

    let beside = "[policies.default]\non_store_failure = \"deny\"\n[policies.strict]\nquota = \"5/minute\"\n\
                  [routes.\"/api/data\"]\npolicies = [\"strict\", \"default\"]";
    let findings = found(&[beside]);
    let [finding] = &findings[..] else { panic!("{findings:#?}") };
    assert_eq!((&*finding.option, finding.line), ("policies.default.quota", Some(2)));
}

#[test]
fn a_page_has_every_code() {
    let page = include_str!("../../../docs/src/check.md");
    for (code, ..) in CASES {
        assert!(page.contains(&format!("| `{code}` |")), "{code}");
    }
}
