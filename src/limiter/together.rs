//! Several clients under several policies in one decision.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use self::joined::{join, under_one_quota};
use super::observer::AskedBy;
use super::question::{self, Settled};
use super::unavailable::Unavailable;
use super::{Access, Limiter, Policies, Refused, check};
use crate::domain::client::Client;
use crate::domain::policy::Policy;
use crate::domain::quota::{Cost, Quota};
use crate::domain::standing::{Retry, Standing};
use crate::store::{Acquire, Key, Refund, StoreError};

mod joined;

/// One part of a question: what one client is to be charged under its policies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    /// The policies.
    pub(crate) policies: &'a Policies,
    /// The client.
    pub(crate) client: Client<'a>,
    /// The units that the part uses of each quota. With 0 it uses none, but one unit has to be left.
    pub(crate) units: u64,
    /// The quota that holds in place of those of the policies, as far as their algorithms can count it.
    pub(crate) quota: Option<Quota>,
}

/// The answer to all parts of a question.
#[derive(Clone, Debug)]
pub(crate) struct Together {
    refused: Option<Refused>,
    allowed: bool,
    parts: Vec<PartAnswer>,
}

/// The answer to one part.
#[derive(Clone, Debug)]
pub(crate) struct PartAnswer {
    admits: bool,
    policies: Vec<(Arc<Policy>, Standing)>,
}

impl Together {
    /// Whether all parts are admitted, and so charged.
    pub(crate) fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// Why none of it was decided by the quotas: a client is blocked or banned, or the store failed. `None` if the quotas
    /// decided.
    pub(crate) fn refused(&self) -> Option<&Refused> {
        self.refused.as_ref()
    }

    /// The answers to the parts, in the same order.
    pub(crate) fn parts(&self) -> &[PartAnswer] {
        &self.parts
    }

    fn refused_by(refused: Refused, parts: usize, is_part: impl Fn(usize) -> bool) -> Self {
        let part = |index| PartAnswer { admits: !is_part(index), policies: Vec::new() };
        let parts = (0..parts).map(part).collect();
        Self { refused: Some(refused), allowed: false, parts }
    }
}

impl PartAnswer {
    /// Whether this part would be admitted by itself.
    pub(crate) fn admits(&self) -> bool {
        self.admits
    }

    /// The policies of the part that count, each with where its key stands now. What it says of one more request is of one
    /// that uses as much as all parts that share the key.
    pub(crate) fn policies(&self) -> impl ExactSizeIterator<Item = (&Arc<Policy>, &Standing)> {
        self.policies.iter().map(|(policy, standing)| (policy, standing))
    }

    /// How long a part that is denied has to wait until it would be admitted, if no other request comes. `None` if it is
    /// admitted, if it waits for a request under way to end, or if it uses more than a whole quota and is never admitted.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let denying = self.policies.iter().filter(|_| !self.admits);
        match denying.fold(Retry::Now, |retry, (_, it)| retry.later(it.retry)) {
            Retry::After(wait) => Some(Duration::from_millis(wait)),
            Retry::Now | Retry::WhenFreed | Retry::Never => None,
        }
    }
}

impl Limiter {
    /// Decides all `parts` in one step of the store: every part is charged if all of them are admitted, and none
    /// otherwise. The question came through `door`.
    ///
    /// Access lists and bans hold for each client as in [`admit`](Self::admit): one that is blocked or banned refuses all
    /// parts, and the part of one that passes uncounted is left out. Parts of 0 units are read in a step before.
    pub(crate) fn admit_together(
        &self,
        door: &'static str,
        parts: &[Part<'_>],
    ) -> impl Future<Output = Together> + Send + use<> {
        let begun = self.begin_together(parts);
        // Envoy does not say when a request ends.
        let asked_by = AskedBy { holds_slots: false, ..AskedBy::request(door, None) };
        let limiter = self.clone();
        let count = parts.len();
        async move {
            match begun {
                Ok(question) => question.decide(&limiter, asked_by).await,
                Err((index, refused)) => Together::refused_by(refused, count, |it| it == index),
            }
        }
    }

    /// Gives `units` of each part back, newest charges first, as far as the keys of its policies still count them. A part
    /// whose client passes uncounted gives nothing back: it was not charged, and others may share its keys.
    ///
    /// # Errors
    /// If the store fails. If it [may have charged](crate::StoreErrorKind::may_have_charged), it may have given back as
    /// well.
    pub(crate) fn give_back(
        &self,
        parts: &[Part<'_>],
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        let charged = parts.iter().filter(|part| self.access(&part.client) != Access::Allowed);
        let refunds = charged.filter_map(|part| {
            let Acquire { charges, .. } = self.asked_of(part, Cost::new(part.units)?);
            Some(charges.into_iter().map(Refund::new))
        });
        let (limiter, refunds): (_, Vec<Refund>) = (self.clone(), refunds.flatten().collect());
        async move {
            if refunds.is_empty() {
                return Ok(());
            }
            limiter.give_back_to(refunds).await.map(drop)
        }
    }

    /// What is asked of the store about `parts`.
    ///
    /// # Errors
    /// With the index of a part whose client is refused, and why.
    fn begin_together(&self, parts: &[Part<'_>]) -> Result<Question, (usize, Refused)> {
        let mut question = Question::default();
        for (index, part) in parts.iter().enumerate() {
            let access = self.access(&part.client);
            if access == Access::Blocked {
                return Err((index, Refused::Blocked));
            }
            if let Some(banned) = self.banned(Some(part.policies), &part.client) {
                return Err((index, Refused::Banned(banned)));
            }
            let asked = match access {
                Access::Allowed => Acquire::new(Vec::new(), 1),
                _ => self.asked_of(part, Cost::new(part.units).unwrap_or(Cost::ONE)),
            };
            question.parts.push(asked.charges.iter().map(|charge| charge.key.clone()).collect());
            let whole = if part.units == 0 { &mut question.read } else { &mut question.charged };
            join(whole, asked);
        }
        Ok(question)
    }

    /// What the store is asked about one part.
    fn asked_of(&self, part: &Part<'_>, cost: Cost) -> Acquire {
        let asked = self.asked_for(part.policies, cost, 1, &part.client);
        let Some(quota) = part.quota else { return asked };
        under_one_quota(asked, quota, &self.0.keyspace)
    }
}

/// A question of several parts.
#[derive(Debug)]
struct Question {
    /// What is charged, for all parts that use units.
    charged: Acquire,
    /// What is only read, for all parts that use none.
    read: Acquire,
    /// The keys of each part.
    parts: Vec<Vec<Key>>,
}

impl Default for Question {
    fn default() -> Self {
        let nothing = |count| Acquire::new(Vec::new(), count);
        Self { charged: nothing(1), read: nothing(0), parts: Vec::new() }
    }
}

impl Question {
    async fn decide(self, limiter: &Limiter, asked_by: AskedBy) -> Together {
        let Self { mut charged, mut read, parts } = self;
        read.trials.clear();
        let read = if read.charges.is_empty() {
            None
        } else {
            match settle(limiter, read, AskedBy::UNOBSERVED).await {
                Ok(settled) => Some(settled),
                Err(unavailable) => return undecided(unavailable, parts.len()),
            }
        };
        let has_room = read.as_ref().is_none_or(|it| it.acquired.is_allowed(0));
        if !has_room {
            // Nothing is charged, but it is asked where the other parts stand.
            charged.count = 0;
            charged.trials.clear();
        }
        match settle(limiter, charged, asked_by).await {
            Ok(settled) => together(&parts, [read, Some(settled)], has_room),
            Err(unavailable) => undecided(unavailable, parts.len()),
        }
    }
}

/// Asks the store, and waits for the answer.
async fn settle(
    limiter: &Limiter,
    asked: Acquire,
    asked_by: AskedBy,
) -> Result<Settled, Unavailable> {
    match question::ask(limiter, asked, asked_by) {
        Ok(settled) => settled,
        Err(asking) => asking.await,
    }
}

fn undecided(unavailable: Unavailable, parts: usize) -> Together {
    Together::refused_by(Refused::Undecided(unavailable), parts, |_| true)
}

/// The answer to `parts`, each of which is its keys, by what was `settled`.
fn together(parts: &[Vec<Key>], settled: [Option<Settled>; 2], has_room: bool) -> Together {
    let settled = settled.each_ref().map(Option::as_ref);
    let all = || settled.into_iter().flatten();
    let banned = all().find_map(|it| check::banned(&it.asked, it.acquired.ban?));
    let is_admitted = |it: &Settled| it.acquired.is_allowed(it.asked.count);
    let allowed = has_room && banned.is_none() && all().all(is_admitted);
    let find = |key: &Key| {
        all().find_map(|Settled { asked, acquired, .. }| {
            let index = asked.charges.iter().position(|charge| charge.key == *key)?;
            Some((asked.charges[index].policy.clone(), *acquired.standings.get(index)?))
        })
    };
    let answer = |keys: &Vec<Key>| {
        let policies: Vec<_> = keys.iter().filter_map(find).collect();
        let admits = allowed || policies.iter().all(|(_, standing)| standing.retry == Retry::Now);
        PartAnswer { admits, policies }
    };
    let parts = parts.iter().map(answer).collect();
    Together { refused: banned.map(Refused::Banned), allowed, parts }
}
