use super::*;
use crate::app::config::{RawConfig, Sources};

fn options(settings: &[&str]) -> BTreeMap<String, OptionValue> {
    let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
    RawConfig::read(&Sources { settings, ..Sources::default() }).options()
}

/// The differences as lines.
fn lines(before: &[&str], after: &[&str]) -> Vec<String> {
    let shown = |value: &Option<OptionValue>| {
        value.as_ref().map_or("default".to_owned(), |value| value.shown().to_owned())
    };
    let line = |it: &Difference| {
        format!(
            "{}: {} -> {} ({})",
            it.key,
            shown(&it.before),
            shown(&it.after),
            it.effect().words()
        )
    };
    differences(&options(before), &options(after)).iter().map(line).collect()
}

#[test]
fn each_changed_option_is_named_with_what_its_change_does() {
    assert_eq!(lines(&[], &[]), [""; 0]);
    let before = [
        "policies.a.quota=1/minute",
        "policies.b.quota=1/minute",
        "policies.c.algorithm=token-bucket",
        "store.deny_cache_ms=5",
        "store.timeout_ms=7",
    ];
    let after = [
        "policies.a.quota=2/minute",
        "policies.b.quota=1/hour",
        "policies.c.algorithm=sliding-log",
        "policies.c.penalty.denials=20",
        "store.timeout_ms=8",
        "headers.cors_expose=true",
        "descriptors.edge.path.share=path",
        "descriptors.edge.path.policies=c",
    ];
    assert_eq!(
        lines(&before, &after),
        [
            "descriptors.edge.path.policies: default -> \"c\" (live)",
            "descriptors.edge.path.share: default -> \"path\" (live; counts begin anew)",
            "headers.cors_expose: default -> \"true\" (live)",
            "policies.a.quota: \"1/minute\" -> \"2/minute\" (live; counts are kept)",
            "policies.b.quota: \"1/minute\" -> \"1/hour\" (live; the new window has a count of its own)",
            "policies.c.algorithm: \"token-bucket\" -> \"sliding-log\" (live; counts begin anew)",
            "policies.c.penalty.denials: default -> \"20\" (live)",
            "store.deny_cache_ms: \"5\" -> default (live)",
            "store.timeout_ms: \"7\" -> \"8\" (at the next restart)",
        ]
    );
}

#[test]
fn no_secret_is_shown() {
    let digest = "ab".repeat(32);
    let keys = format!("auth.keys.{digest}.user=hunter2");
    for line in lines(
        &[],
        &["store.url=redis://:hunter2@h/", "auth.jwt.key=hunter2", &keys, "admin.hosts=a@hunter2"],
    ) {
        assert!(!line.contains("hunter2"), "{line}");
    }
}
