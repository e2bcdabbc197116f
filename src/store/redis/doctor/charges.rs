//! Charges what requests are charged: under every algorithm, on keys of every kind and all over the
//! slots; reads it, gives it back where a cluster would, and forgets it.

use std::sync::Arc;

use redis::{RedisResult, cmd};

use super::Examiner;
use crate::domain::clock::Millis;
use crate::domain::quota::Cost;
use crate::store::redis::error::is_of_a_key;
use crate::store::redis::error::store_error;
use crate::store::redis::health::cause::{Cause, Says};
use crate::store::redis::recovery::probe;
use crate::store::redis::recovery::probe::Probe;
use crate::store::redis::script;
use crate::store::redis::script::batch::Batch;
use crate::store::redis::script::reply::Reply;
use crate::store::redis::script::{Refund, Sent};
use crate::store::{Acquire, Charge, Key, Keyspace};
use crate::store::{StoreError, StoreErrorKind};

/// The charges of one request, whose keys have one tag.
type Charges = Vec<Charge>;

impl Examiner<'_> {
    pub(super) fn counts(&mut self, probe: &Probe) {
        let requests = match self.requests() {
            Ok(requests) => requests,
            Err(error) => return self.does_not_count(&error),
        };
        let counted = probe.run(0).and_then(|_| self.charge_all(&requests));
        let keys = probe.keys().chain(requests.iter().flatten().map(|charge| &charge.key));
        let keys: Vec<Key> = keys.cloned().collect();
        let forgotten = keys.iter().try_for_each(|key| self.forget(key)).map_err(store_error);
        match counted.and_then(|refused| forgotten.map(|()| refused)) {
            Ok(None) => {
                self.findings.ok("counting", "every algorithm counts there, on keys of every kind");
            }
            Ok(Some(key)) => self.findings.fail(
                "counting",
                format!(
                    "its user may not touch {key}, and so not all keys. It needs ~{}:*",
                    self.options.key_prefix
                ),
            ),
            Err(error) => self.does_not_count(&error),
        }
    }

    fn does_not_count(&mut self, error: &StoreError) {
        let remedy = Cause::of(error).remedy();
        self.findings.fail("counting", format!("it {}. {remedy}", Says(error)));
    }

    /// A request for each of its tags, under every algorithm.
    fn requests(&self) -> Result<Vec<Charges>, StoreError> {
        let policies = probe::policies()
            .map_err(|error| StoreError::caused_by(StoreErrorKind::Refused, error))?;
        let policies: Vec<Arc<_>> = policies.into_iter().map(Arc::new).collect();
        let charges = |prefix: String| {
            let keyspace = Keyspace::new(prefix);
            let charge = |policy: &Arc<_>| Charge {
                key: keyspace.probe(policy),
                policy: Arc::clone(policy),
            };
            policies.iter().map(charge).collect()
        };
        Ok(self.subject.prefixes(&self.options.key_prefix).map(charges).collect())
    }

    /// Charges and reads each of `requests`; a key that may not be touched, if there is one.
    fn charge_all(&mut self, requests: &[Charges]) -> Result<Option<Key>, StoreError> {
        let is_member = self.subject.connector.is_member();
        let mut refused = None;
        for charges in requests {
            match self.acquire(vec![charges.clone()], 1) {
                Ok(charged_at) if is_member => self.give_back(charges, charged_at)?,
                Ok(_) => {}
                Err(error) if is_of_a_key(&error) => {
                    refused = refused.or_else(|| charges.first().map(|charge| charge.key.clone()));
                    continue;
                }
                // The slot is being moved: the node is there for others.
                Err(error) if is_member && Cause::of(&error) == Cause::Cluster => continue,
                Err(error) => return Err(error),
            }
            self.acquire(vec![charges.clone()], 0)?;
        }
        // Requests of all kinds go out together, unless it is known that a node takes one slot a call.
        if refused.is_none() && !is_member {
            self.acquire(requests.to_vec(), 1)?;
        }
        Ok(refused)
    }

    /// Asks for `count` of each of `requests` in one call; when that was, by the server's clock.
    fn acquire(&mut self, requests: Vec<Charges>, count: u32) -> Result<Millis, StoreError> {
        let asked = |charges| Acquire { charges, cost: Cost::ONE, count };
        let batch = Batch::of(requests.into_iter().map(asked).collect());
        let now = self.options.clock.as_ref().map(|clock| clock.now());
        let reply = script::run(&mut self.connection, &batch, now).map_err(store_error)?;
        let answers = batch.answers(&reply);
        let decided_at = Reply::new(&reply).and_then(|mut it| it.decided_at());
        answers.and(decided_at).ok_or_else(|| {
            StoreError::caused_by(StoreErrorKind::Refused, "the reply does not fit the batch")
        })
    }

    fn give_back(&mut self, charges: &[Charge], charged_at: Millis) -> Result<(), StoreError> {
        charges.iter().try_for_each(|charge| {
            let refund = Refund { charge: charge.clone(), amount: 1, charged_at };
            let command = script::refund(&refund, Sent::Whole);
            self.ask::<i64>(&command).map(drop).map_err(store_error)
        })
    }

    /// As a reset does. What it may not touch, or another node has, it did not charge.
    fn forget(&mut self, key: &Key) -> RedisResult<()> {
        let answer = self.ask(cmd("UNLINK").arg(key.as_str()));
        answer.or_else(|error| match Cause::of_reply(&error) {
            Cause::Permission | Cause::Cluster => Ok(()),
            _ => Err(error),
        })
    }
}
