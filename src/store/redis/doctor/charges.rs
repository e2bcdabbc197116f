//! Charges as requests do: under every algorithm, and on keys of every kind, all over the slots. Then it
//! reads the keys, gives back what a cluster would give back, and forgets them.

use std::sync::Arc;

use redis::RedisResult;

use super::examiner::Examiner;
use crate::domain::clock::Millis;
use crate::store::redis::error::{is_about_a_key, store_error};
use crate::store::redis::health::cause::{Cause, Described};
use crate::store::redis::recovery::probe::{self, Probe};
use crate::store::redis::script::batch::Batch;
use crate::store::redis::script::{self, Sent};
use crate::store::{Acquire, Charge, Key, Keyspace, Refund, StoreError, StoreErrorKind};

/// The charges of one request. Its keys have the same hash tag.
type Charges = Vec<Charge>;

impl Examiner<'_> {
    /// Finds out whether the server counts.
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
        self.findings.fail("counting", format!("it {}. {remedy}", Described(error)));
    }

    /// A request for each hash tag, under every algorithm.
    fn requests(&self) -> Result<Vec<Charges>, StoreError> {
        let policies = probe::policies()
            .map_err(|error| StoreError::caused_by(StoreErrorKind::Refused, error))?;
        let policies: Vec<Arc<_>> = policies.into_iter().map(Arc::new).collect();
        let charges = |prefix: String| {
            let keyspace = Keyspace::new(prefix);
            let charge = |policy: &Arc<_>| Charge::new(Arc::clone(policy), keyspace.probe(policy));
            policies.iter().map(charge).collect()
        };
        Ok(self.subject.prefixes(&self.options.key_prefix).map(charges).collect())
    }

    /// Charges and reads each of `requests`. Returns a key that the user may not touch, if there is one.
    fn charge_all(&mut self, requests: &[Charges]) -> Result<Option<Key>, StoreError> {
        let is_member = self.subject.connector.is_member();
        let mut refused = None;
        for charges in requests {
            match self.acquire(vec![charges.clone()], 1) {
                Ok(charged_at) if is_member => self.give_back(charges, charged_at)?,
                Ok(_) => {}
                Err(error) if is_about_a_key(&error) => {
                    refused = refused.or_else(|| charges.first().map(|charge| charge.key.clone()));
                    continue;
                }
                // The slot is moving. The node still counts other keys.
                Err(error) if is_member && Cause::of(&error) == Cause::Cluster => continue,
                Err(error) => return Err(error),
            }
            self.acquire(vec![charges.clone()], 0)?;
        }
        // A call may hold requests of all kinds, except to a node of a cluster, where it has one slot.
        if refused.is_none() && !is_member {
            self.acquire(requests.to_vec(), 1)?;
        }
        Ok(refused)
    }

    /// Asks for `count` of each of `requests` in one call. Returns when they were decided, by the server's
    /// clock.
    fn acquire(&mut self, requests: Vec<Charges>, count: u32) -> Result<Millis, StoreError> {
        let asked = |charges| Acquire::new(charges, count);
        let batch = Batch::of(requests.into_iter().map(asked).collect());
        let now = self.options.clock.as_ref().map(|clock| clock.now());
        let reply =
            self.connection.run(|wire| script::run(wire, &batch, now, Sent::ByHash, |_| {}));
        Ok(batch.decode(&reply.map_err(store_error)?)?.at)
    }

    fn give_back(&mut self, charges: &[Charge], charged_at: Millis) -> Result<(), StoreError> {
        charges.iter().try_for_each(|charge| {
            let refund = Refund::new(charge.clone()).charged_at(charged_at);
            let now = self.options.clock.as_ref().map(|clock| clock.now());
            let command = script::refund(&refund, now, Sent::Whole);
            self.ask::<i64>(&command).map(drop).map_err(store_error)
        })
    }

    /// Forgets `key`. A key that the user may not touch, or that another node has, was not charged.
    fn forget(&mut self, key: &Key) -> RedisResult<()> {
        let answer = self.ask(&script::reset([key]));
        answer.or_else(|error| match Cause::of_reply(&error) {
            Cause::Permission | Cause::Cluster => Ok(()),
            _ => Err(error),
        })
    }
}
