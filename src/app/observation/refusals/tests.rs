//! Requests as an observer learns of them, for the tests of observers.

use std::sync::Arc;

use super::refusals;
use crate::domain::clock::Millis;
use crate::domain::key::Identity;
use crate::domain::policy::Policy;
use crate::domain::standing::{Retry, Standing};
use crate::limiter::{DecidedBy, DecisionEvent, Outcome, PenaltyBan};
use crate::store::{Charge, Keyspace, StoreErrorKind};

/// A policy that clients are counted under.
#[derive(Debug)]
pub(in crate::app::observation) struct Counting {
    policy: Arc<Policy>,
    keyspace: Keyspace,
}

/// A request of one client, with the answer to it.
#[derive(Debug)]
pub(in crate::app::observation) struct Counted {
    charges: Vec<Charge>,
    standings: Vec<Standing>,
    outcome: Outcome,
}

impl Counting {
    pub(in crate::app::observation) fn under(policy: &str) -> Self {
        let policy = Policy::new(policy, "10/minute".parse().unwrap()).unwrap();
        Self { policy: Arc::new(policy), keyspace: Keyspace::new("test") }
    }

    /// The same with users' IDs hashed.
    pub(in crate::app::observation) fn hashing_users(self) -> Self {
        Self { keyspace: self.keyspace.with_hashed_users(true), ..self }
    }

    fn request(&self, user: &str, retry: Retry, outcome: Outcome) -> Counted {
        let key = self.keyspace.key(&Identity::user(user), &self.policy);
        let charges = vec![Charge::new(self.policy.clone(), key)];
        Counted { charges, standings: vec![Standing::new(0, 60_000, retry)], outcome }
    }

    pub(in crate::app::observation) fn admits(&self, user: &str) -> Counted {
        self.request(user, Retry::Now, Outcome::Admitted)
    }

    pub(in crate::app::observation) fn denies(&self, user: &str) -> Counted {
        self.request(user, Retry::After(12_345), Outcome::Denied)
    }

    pub(in crate::app::observation) fn bans(&self, user: &str) -> Counted {
        self.request(user, Retry::Now, Outcome::Banned)
    }

    pub(in crate::app::observation) fn cannot_decide(&self, user: &str) -> Counted {
        let outcome = Outcome::Undecided(StoreErrorKind::TimedOut);
        Counted { standings: Vec::new(), ..self.request(user, Retry::Now, outcome) }
    }
}

impl Counted {
    /// Its event, with the ban by its policy.
    pub(in crate::app::observation) fn ban(
        &self,
        lasts: Millis,
        begins: bool,
    ) -> DecisionEvent<'_> {
        let ban = Some(PenaltyBan { charge: 0, lasts, begins });
        DecisionEvent { ban, ..self.event() }
    }

    pub(in crate::app::observation) fn event(&self) -> DecisionEvent<'_> {
        event(&self.charges, &self.standings, self.outcome)
    }
}

/// A request that an access list refuses.
pub(in crate::app::observation) fn blocked() -> DecisionEvent<'static> {
    event(&[], &[], Outcome::Blocked)
}

fn event<'a>(
    charges: &'a [Charge],
    standings: &'a [Standing],
    outcome: Outcome,
) -> DecisionEvent<'a> {
    DecisionEvent {
        door: "actix",
        request_id: None,
        route: None,
        route_index: None,
        outcome,
        decided_by: DecidedBy::Store,
        charges,
        standings,
        trials: &[],
        ban: None,
        is_peek: false,
        waited: None,
    }
}

#[test]
fn only_the_policies_that_deny_refuse() {
    let (one, other) = (Counting::under("one"), Counting::under("other"));
    let (denied, admitted) = (one.denies("ann"), other.admits("ann"));
    let charges = [denied.charges, admitted.charges].concat();
    let standings = [denied.standings, admitted.standings].concat();
    let both = event(&charges, &standings, Outcome::Denied);
    let names = |event: &DecisionEvent<'_>| -> Vec<String> {
        refusals(event).map(|(charge, _)| charge.policy.name().to_owned()).collect()
    };
    assert_eq!(names(&both), ["one"]);
    assert_eq!(names(&DecisionEvent { is_peek: true, ..both }), [""; 0]);
    let banned = DecisionEvent {
        outcome: Outcome::Banned,
        ban: Some(PenaltyBan { charge: 1, lasts: 1, begins: false }),
        ..both
    };
    assert_eq!(names(&banned), ["other"]);
    let failed = DecisionEvent { is_peek: true, door: "authentication", ..both };
    assert_eq!(names(&failed), ["one"]);
}
