//! What an observer learns of each request.

use std::sync::Mutex;

use super::admission::{Request, becomes, builder, in_memory, to};
use super::*;
use crate::domain::policy::Rollout;
use crate::limiter::{DecisionEvent, Observer, TrialOutcome};

/// Remembers each event as a line of text.
#[derive(Debug, Default)]
struct Recorder(Mutex<Vec<String>>);

impl Observer for Recorder {
    fn on_decision(&self, event: &DecisionEvent<'_>) {
        let key = |charge: &Charge| format!("{}/{}", charge.policy.name(), charge.key.hash_tag());
        let trial = |it: &TrialOutcome<'_>| {
            let verb = if it.admits { "admits" } else { "denies" };
            format!(", {:?} of {} {verb}", it.kind, it.policy.name())
        };
        let line = format!(
            "{} {} {}: {:?} by {:?}{}, remaining {:?}{}",
            event.door,
            event.route.map_or("-".to_owned(), |route| route.pattern.to_string()),
            event.charges.iter().map(key).collect::<Vec<_>>().join("+"),
            event.outcome,
            event.decided_by,
            if event.is_peek { " (peek)" } else { "" },
            event.standings.iter().map(|it| it.remaining).collect::<Vec<_>>(),
            event.trials.iter().map(trial).collect::<String>(),
        );
        self.0.lock().unwrap().push(line);
    }
}

/// What an observer learns of `requests` to a limiter over `store`.
fn observed(store: Arc<dyn Store>, requests: &[Request]) -> Vec<String> {
    let recorder = Arc::new(Recorder::default());
    let limiter = builder(store).observer(recorder.clone()).build().unwrap();
    for request in requests {
        becomes(&limiter, request);
    }
    let lines = recorder.0.lock().unwrap();
    lines.clone()
}

#[test]
fn an_observer_learns_of_each_request_once_and_of_each_peek() {
    let mut skipped = to("/one", "bob");
    skipped.is_skipped = true;
    let requests = [
        to("/one", "bob"),
        to("/one", "bob"),
        to("/peek", "bob"),
        to("/none", "bob"),
        skipped,
        to("/one", "ann"),
        to("/one", "eve"),
    ];
    assert_eq!(
        observed(in_memory(), &requests),
        [
            "library /one one/user:bob: Admitted by Store, remaining [0]",
            "library /one many/user:bob: Admitted by Store (peek), remaining [9]",
            "library /one one/user:bob: Denied by Store, remaining [0]",
            "library /peek : Unlimited by Limiter, remaining []",
            "library /peek many/user:bob: Admitted by Store (peek), remaining [9]",
            "library - : Unlimited by Limiter, remaining []",
            "library - : Unlimited by Limiter, remaining []",
            "library /one : Allowed by Limiter, remaining []",
            "library /one : Blocked by Limiter, remaining []",
        ]
    );
}

#[test]
fn an_observer_learns_of_what_the_store_did_not_decide() {
    assert_eq!(
        observed(Arc::new(Failing), &[to("/one", "bob")]),
        ["library /one one/user:bob: Undecided(TimedOut) by Fallback, remaining []"]
    );
}

#[test]
fn an_observer_learns_of_what_is_tried_out_on_requests_alone() {
    let of = |name, rollout| {
        let policy = policy(name, "1/day", OnStoreFailure::Deny);
        policy.with_rollout(rollout).unwrap()
    };
    let recorder = Arc::new(Recorder::default());
    let limiter = Limiter::builder(in_memory())
        .policy(of("tried", Rollout::Shadow))
        .route("/tried", ["tried"], [])
        .route("/shown", [], ["tried"])
        .observer(recorder.clone())
        .build()
        .unwrap();
    for path in ["/tried", "/tried", "/shown"] {
        becomes(&limiter, &to(path, "bob"));
    }
    assert_eq!(
        *recorder.0.lock().unwrap(),
        [
            "library /tried : Admitted by Store, remaining [], Shadow of tried admits",
            "library /tried : Admitted by Store, remaining [], Shadow of tried denies",
            "library /shown : Unlimited by Limiter, remaining []",
        ]
    );
}
