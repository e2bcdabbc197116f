//! The order in which everything about a request is asked.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::limiter::{Admission, Incoming, Refused};

/// A request by `GET`, and how often its client was asked for.
#[derive(Default)]
pub(super) struct Request {
    path: &'static str,
    client: Client<'static>,
    pub(super) is_skipped: bool,
    policies: Option<Policies>,
    pub(super) cost: Option<Cost>,
    asked_for_client: Cell<u32>,
}

impl Incoming for Request {
    fn method(&self) -> &'static str {
        "GET"
    }

    fn path(&self) -> &str {
        self.path
    }

    fn with_client<T>(&self, ask: impl FnOnce(&Client<'_>) -> T) -> T {
        self.asked_for_client.set(self.asked_for_client.get() + 1);
        ask(&self.client)
    }

    fn is_skipped(&self) -> bool {
        self.is_skipped
    }

    fn policies(&self) -> Option<&Policies> {
        self.policies.as_ref()
    }

    fn cost(&self) -> Option<Cost> {
        self.cost
    }
}

pub(super) fn to(path: &'static str, client: &'static str) -> Request {
    Request { path, client: Client::user(client), ..Request::default() }
}

/// What becomes of `request`, as a word.
pub(super) fn becomes(limiter: &Limiter, request: &Request) -> &'static str {
    match decided(pin!(limiter.admit(request))) {
        Admission::Passes(None) => "passes untold",
        Admission::Passes(Some(_)) => "passes",
        Admission::Refused(Refused::Denied(_)) => "is denied",
        Admission::Refused(Refused::Blocked) => "is blocked",
        Admission::Refused(Refused::Banned(_)) => "is banned",
        Admission::Refused(Refused::Undecided(_)) => "is undecided",
    }
}

/// The output of a future that is ready, without any runtime.
pub(super) fn decided<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> T {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it is not decided yet"),
    }
}

/// `/one` admits a single request of a client, `/none` is no route; eve is blocked and ann allowed.
fn limiter(store: Arc<dyn Store>) -> Limiter {
    builder(store).build().unwrap()
}

pub(super) fn builder(store: Arc<dyn Store>) -> LimiterBuilder {
    let list = |user: &str| [user.parse().unwrap()];
    Limiter::builder(store)
        .policy(policy("one", "1/day", OnStoreFailure::Deny))
        .policy(policy("many", "9/day", OnStoreFailure::Deny))
        .route("/one", ["one"], ["many"])
        .route("/peek", [], ["many"])
        .allow(list("user:ann"))
        .block(list("user:eve"))
}

pub(super) fn in_memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new(100))
}

#[test]
fn a_blocked_client_is_refused_whatever_it_asks_for() {
    let limiter = limiter(in_memory());
    let skipped = Request { is_skipped: true, ..to("/one", "eve") };
    for request in [to("/one", "eve"), to("/none", "eve"), skipped] {
        assert_eq!(becomes(&limiter, &request), "is blocked");
    }
}

#[test]
fn an_allowed_client_a_skipped_request_and_one_without_a_route_pass_uncounted() {
    let limiter = limiter(in_memory());
    for _ in 0..3 {
        let skipped = Request { is_skipped: true, ..to("/one", "bob") };
        for request in [to("/one", "ann"), skipped, to("/none", "bob")] {
            assert_eq!(becomes(&limiter, &request), "passes untold");
        }
    }
    assert_eq!(becomes(&limiter, &to("/one", "bob")), "passes", "nothing was charged");
    assert_eq!(becomes(&limiter, &to("/one", "bob")), "is denied");
}

#[test]
fn policies_and_cost_of_the_request_hold_instead_of_those_of_its_route() {
    let limiter = limiter(in_memory());
    let many = limiter.policies(["many"]).unwrap();
    let of_many = || Request { policies: Some(many.clone()), ..to("/none", "bob") };
    for _ in 0..9 {
        assert_eq!(becomes(&limiter, &of_many()), "passes");
    }
    assert_eq!(becomes(&limiter, &of_many()), "is denied");
    let dear = Request { cost: Some(Cost::new(2).unwrap()), ..to("/one", "cid") };
    assert_eq!(becomes(&limiter, &dear), "is denied");
}

#[test]
fn an_admitted_request_tells_of_what_was_checked_and_then_of_what_was_read() {
    let limiter = limiter(in_memory());
    let names = |path| match decided(pin!(limiter.admit(&to(path, "bob")))) {
        Admission::Passes(Some(decision)) => {
            decision.policies().map(|(policy, _)| policy.name().to_owned()).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(names("/one"), ["one", "many"]);
    assert_eq!(names("/peek"), ["many"]);
}

#[test]
fn a_store_that_fails_refuses_what_it_should_check_and_nothing_else() {
    let limiter = limiter(Arc::new(Failing));
    assert_eq!(becomes(&limiter, &to("/one", "bob")), "is undecided");
    assert_eq!(becomes(&limiter, &to("/peek", "bob")), "passes untold");
}

#[test]
fn a_client_is_asked_for_only_where_that_matters() {
    let without_lists = Limiter::builder(in_memory())
        .policy(policy("one", "1/day", OnStoreFailure::Deny))
        .route("/one", ["one"], [])
        .build()
        .unwrap();
    for (limiter, path, times) in [
        (&without_lists, "/none", 0),
        (&without_lists, "/one", 1),
        (&limiter(in_memory()), "/none", 1),
    ] {
        let request = to(path, "bob");
        becomes(limiter, &request);
        assert_eq!(request.asked_for_client.get(), times, "{path}");
    }
}

/// A store whose answers come when the test sends them; the test sees how many requests each was for.
#[derive(Debug, Default)]
struct Slow(Mutex<Vec<(u32, Sender)>>);

type Sender = oneshot::Sender<Result<Acquired, StoreError>>;

impl Store for Slow {
    fn acquire(&self, acquire: &Acquire) -> Answer<Acquired> {
        let (sender, answer) = Answer::later();
        self.0.lock().unwrap().push((acquire.count, sender));
        answer
    }

    fn reset(&self, _: Vec<Key>) -> Answer<()> {
        Answer::ready(Ok(()))
    }
}

#[test]
fn check_and_peek_are_under_way_together_and_a_denial_does_not_wait_for_the_peek() {
    for (admitted, expected) in [(0, "is denied"), (1, "waits for the peek")] {
        let store = Arc::new(Slow::default());
        let limiter = limiter(store.clone());
        let request = to("/one", "bob");
        let mut admitting = pin!(limiter.admit(&request));
        let mut context = Context::from_waker(Waker::noop());
        assert!(admitting.as_mut().poll(&mut context).is_pending());
        let mut asked: Vec<_> = store.0.lock().unwrap().drain(..).collect();
        assert_eq!(asked.iter().map(|(count, _)| *count).collect::<Vec<_>>(), [1, 0]);
        let (_, check) = asked.remove(0);
        check.send(Ok(Acquired::new(admitted, Vec::new()))).unwrap();
        let then = match admitting.as_mut().poll(&mut context) {
            Poll::Ready(Admission::Refused(Refused::Denied(_))) => "is denied",
            Poll::Ready(_) => "passes",
            Poll::Pending => "waits for the peek",
        };
        assert_eq!(then, expected);
    }
}
