//! What is counted of decisions.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;

use super::encode::{Sample, encode, encode_by_policy, encode_counts, encode_histogram};
use crate::app::assemble::CurrentSnapshot;
use crate::app::auth::FAILURES;
use crate::app::observation::{Counts, PolicyCount, Who, dominant};
use crate::domain::policy::Policy;

/// Microseconds in a second.
const MICROS: f64 = 1e6;

/// What becomes of a request under one of its policies, as labels.
const OUTCOMES: [(PolicyCount, &str); 5] = [
    (PolicyCount::Admitted, "admitted"),
    (PolicyCount::Denied, "denied"),
    (PolicyCount::Spared, "denied_by_another"),
    (PolicyCount::Banned, "banned"),
    (PolicyCount::Undecided, "undecided"),
];

/// What a policy would change that is only tried out, as labels.
const TRIALS: [(PolicyCount, &str, &str); 5] = [
    (PolicyCount::ShadowAgrees, "shadow", "agrees"),
    (PolicyCount::ShadowDenies, "shadow", "would_deny"),
    (PolicyCount::CandidateAgrees, "candidate", "agrees"),
    (PolicyCount::CandidateDenies, "candidate", "would_deny"),
    (PolicyCount::CandidateAdmits, "candidate", "would_admit"),
];

/// What became of what was to be given back, as labels.
const REFUNDS: [(PolicyCount, &str); 2] =
    [(PolicyCount::GivenBack, "given_back"), (PolicyCount::NotGivenBack, "failed")];

#[derive(Debug)]
pub(super) struct DecisionMetrics {
    pub(super) counts: Arc<Counts>,
    pub(super) who: Arc<Who>,
    pub(super) snapshot: CurrentSnapshot,
}

impl Collector for DecisionMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        encode(&mut encoder, "build", "The version that runs", &version)?;
        let routes = self.counts.routes().into_iter().map(|(route, door, what, count)| {
            let labels =
                [("door", door.to_owned()), ("route", route), ("outcome", what.name().to_owned())];
            (labels, count)
        });
        encode_counts(&mut encoder, "requests", "Requests, by what became of them", routes)?;
        let by_policy = OUTCOMES.iter().flat_map(|(what, outcome)| {
            let counts = self.counts.policies(*what).into_iter();
            counts.map(move |(policy, count)| {
                ([("policy", policy), ("outcome", (*outcome).to_owned())], count)
            })
        });
        let help = "Requests that met a policy, by what became of them under it";
        encode_counts(&mut encoder, "policy_decisions", help, by_policy)?;
        let trials = TRIALS.iter().flat_map(|(what, kind, outcome)| {
            let counts = self.counts.policies(*what).into_iter().filter(|(_, count)| *count > 0);
            counts.map(move |(policy, count)| {
                let labels = [
                    ("policy", policy),
                    ("kind", (*kind).to_owned()),
                    ("outcome", (*outcome).to_owned()),
                ];
                (labels, count)
            })
        });
        let help = "Requests on which a policy or a quota was tried out, by what it would change";
        encode_counts(&mut encoder, "policy_trials", help, trials)?;
        let refunds = REFUNDS.iter().flat_map(|(what, outcome)| {
            let counts = self.counts.policies(*what).into_iter();
            counts.map(move |(policy, count)| {
                ([("policy", policy), ("outcome", (*outcome).to_owned())], count)
            })
        });
        let help = "Requests whose charge was to be given back, by whether it was";
        encode_counts(&mut encoder, "policy_refunds", help, refunds)?;
        let by_whom = self.counts.by_whom().map(|(name, count)| ([("by", name.to_owned())], count));
        encode_counts(&mut encoder, "decisions", "Requests, by who decided them", by_whom)?;
        let help = "How long decisions waited that were not made at once, as those in memory are";
        let waits = self.counts.waits();
        encode_histogram(&mut encoder, "decision_wait_seconds", help, &waits, MICROS)?;
        let ends = self.counts.authentications();
        let ends = ends.map(|(how, count)| ([("outcome", how.name().to_owned())], count));
        encode_counts(&mut encoder, "authentications", "Requests, by what they prove", ends)?;
        let errors = self.counts.gate_errors().map(|(error, count)| {
            ([("door", error.door().to_owned()), ("kind", error.kind().to_owned())], count)
        });
        encode_counts(
            &mut encoder,
            "gate_errors",
            "Questions that the gate could not answer",
            errors,
        )?;
        let help = "Limits that Envoy asked for, and that were ignored because no rule allows them";
        let ignored = ConstCounter::new(self.counts.ignored_limits());
        encode(&mut encoder, "envoy_ignored_limits", help, &ignored)?;
        self.encode_findings(&mut encoder)
    }
}

impl DecisionMetrics {
    /// What operators should look at.
    fn encode_findings(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for (name, help, what) in [
            (
                "policy_near_limit",
                "Admitted requests that left less than a tenth of the quota",
                PolicyCount::NearLimit,
            ),
            (
                "policy_no_key",
                "Requests without what the policy counts by, which are counted together",
                PolicyCount::NoKey,
            ),
        ] {
            let counts = self.counts.policies(what);
            let counts = counts.into_iter().map(|(policy, count)| ([("policy", policy)], count));
            encode_counts(encoder, name, help, counts)?;
        }
        let snapshot = self.snapshot.load();
        // Nothing is wrong if nobody sends wrong credentials.
        let policies = snapshot.observer.policies().filter(|(policy, _)| *policy != FAILURES);
        let unmet = policies
            .map(|(policy, is_met)| (policy, Sample::Gauge(ConstGauge::new(i64::from(!is_met)))));
        let help = "Whether no request has met the policy since the configuration was taken";
        encode_by_policy(encoder, "policy_unmet", help, unmet)?;
        let policies = snapshot.limiter.all_policies().map(|(policy, _)| policy);
        let mut policies: Vec<&Policy> = policies.filter(|it| it.name() != FAILURES).collect();
        policies.sort_by_key(|policy| policy.name());
        let parts = policies.iter().map(|policy| {
            let part = dominant(&self.who, policy).map_or(0.0, |it| it.part());
            (policy.name(), Sample::Ratio(ConstGauge::new(part)))
        });
        let help = "The part of the policy's requests of the last minutes that its busiest key has at least; 0 if \
                    they are too few, or share a key by its nature";
        encode_by_policy(encoder, "policy_busiest_key_ratio", help, parts)
    }
}
