//! A store that fails: each policy says what holds, and nobody is told that it is their fault.

use super::*;
use crate::store::{Acquire, Acquired, Answer, Key, Store, StoreError, StoreErrorKind};

/// A store that never answers but with a failure, at once or later.
#[derive(Debug)]
struct Failing {
    kind: StoreErrorKind,
    later: bool,
}

impl Store for Failing {
    fn acquire(&self, _: &Acquire) -> Answer<Acquired> {
        if self.later {
            let (sender, answer) = Answer::later();
            let _ = sender.send(Err(StoreError::new(self.kind)));
            answer
        } else {
            Answer::ready(Err(StoreError::new(self.kind)))
        }
    }

    fn reset(&self, _: Vec<Key>) -> Answer<()> {
        Answer::ready(Err(StoreError::new(self.kind)))
    }
}

/// Every kind of failure, answered at once and later.
fn failures() -> impl Iterator<Item = LimiterBuilder> {
    use StoreErrorKind::{Closed, Declined, Lost, Overloaded, Refused, TimedOut, Unreachable};
    let kinds = [Unreachable, Lost, TimedOut, Refused, Declined, Overloaded, Closed];
    kinds.into_iter().flat_map(|kind| [false, true].map(|later| Failing { kind, later })).map(
        |store| {
            let clock = Arc::new(ManualClock::new(NOW));
            let local = MemoryStore::with_clock(1_000, clock);
            Limiter::builder(Arc::new(store)).local(Arc::new(local))
        },
    )
}

/// The middleware over `failure`, with one policy `default` and its rule.
fn under(failure: LimiterBuilder, rule: OnStoreFailure) -> RateLimit {
    let policy = policy("default", "2/minute").with_on_store_failure(rule);
    let limiter = failure.policy(policy).build().unwrap();
    RateLimit::new(limiter).policies(["default"]).unwrap()
}

#[test]
fn a_policy_that_counts_locally_counts_on_in_this_process() {
    run(async {
        for failure in failures() {
            let app = App::new()
                .wrap(under(failure, OnStoreFailure::Local))
                .route("/", web::get().to(HttpResponse::Ok));
            let app = init_service(app).await;
            let seen = send(&app, TestRequest::get().to_request()).await;
            assert_eq!(seen.status, 200);
            assert_eq!(seen.field("ratelimit"), Some(r#""default";r=1;t=42"#));
            assert_eq!(statuses!(&app, "/", 2), [200, 429]);
        }
    });
}

#[test]
fn a_policy_that_allows_lets_everyone_pass_and_promises_nothing() {
    run(async {
        for failure in failures() {
            let app = App::new()
                .wrap(under(failure, OnStoreFailure::Allow))
                .route("/", web::get().to(HttpResponse::Ok));
            let app = init_service(app).await;
            for _ in 0..5 {
                let seen = send(&app, TestRequest::get().to_request()).await;
                assert_eq!((seen.status, seen.has_fields()), (200, false));
            }
        }
    });
}

#[test]
fn a_policy_that_denies_is_unavailable_and_never_a_denial_or_a_fault() {
    run(async {
        for failure in failures() {
            let app = App::new()
                .wrap(under(failure, OnStoreFailure::Deny))
                .route("/", web::get().to(HttpResponse::Ok));
            let app = init_service(app).await;
            for _ in 0..5 {
                let seen = send(&app, TestRequest::get().to_request()).await;
                assert_eq!((seen.status, seen.has_fields()), (503, false));
                assert_eq!(seen.field("retry-after"), Some("1"));
                assert_eq!(seen.field("cache-control"), Some("no-store"));
                assert!(seen.body.contains("#temporary-reduced-capacity"), "{}", seen.body);
            }
        }
    });
}

#[test]
fn a_route_that_only_peeks_answers_whatever_the_store_does() {
    run(async {
        for rule in [OnStoreFailure::Allow, OnStoreFailure::Deny, OnStoreFailure::Local] {
            for failure in failures() {
                let policy = policy("default", "2/minute").with_on_store_failure(rule);
                let limiter = failure.policy(policy).route("/", [], ["default"]);
                let app = App::new()
                    .wrap(RateLimit::new(limiter.build().unwrap()))
                    .route("/", web::get().to(HttpResponse::Ok));
                let app = init_service(app).await;
                for _ in 0..3 {
                    let seen = send(&app, TestRequest::get().to_request()).await;
                    assert_eq!(seen.status, 200);
                    // What this process counts it may tell.
                    let told = (rule == OnStoreFailure::Local).then_some(r#""default";r=2"#);
                    assert_eq!(seen.field("ratelimit"), told);
                }
            }
        }
    });
}
