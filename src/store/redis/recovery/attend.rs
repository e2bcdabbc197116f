//! The thread that attends to one server: it probes the server while it is down, and settles what is
//! owed to it when it is back.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::debts::Debts;
use super::probe::Probe;
use super::settlement::Settlement;
use crate::domain::clock::millis;
use crate::store::redis::connect::connection::Connection;
use crate::store::redis::health::backoff::Backoff;
use crate::store::redis::health::link::Link;
use crate::store::redis::health::status::Tally;
use crate::store::redis::script::batch::{Batch, MAX_BATCH};
use crate::store::redis::script::split;
use crate::store::{Acquire, Acquired, Debtor, StoreError, StoreErrorKind};

/// For how long settling may delay the return of a server. The rest is settled after the return.
const MAX_BEFORE_RETURN: Duration = Duration::from_secs(1);

/// How long after a failure to look again for what was decided without the server meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The link was dropped.
struct Closed;

/// Starts the attendant of `link`, which ends when the link is dropped. It waits at `woken`, where the
/// link wakes it at every failure.
///
/// # Errors
/// When no thread can be started.
pub(crate) fn start(
    probe: Probe,
    link: &Arc<Link>,
    woken: Receiver<()>,
    debts: Arc<Debts>,
) -> Result<(), StoreError> {
    let attendant = Attendant {
        unsettled: Backoff::new(millis(probe.interval())),
        probe,
        tally: link.tally().clone(),
        link: Arc::downgrade(link),
        woken,
        debts,
        connection: None,
        settles_at: Instant::now(),
        unlogged: Settlement::default(),
    };
    thread::Builder::new()
        .name("tollgate-probe".to_owned())
        .spawn(move || attendant.run())
        .map(drop)
        .map_err(|error| StoreError::caused_by(StoreErrorKind::Closed, error))
}

struct Attendant {
    probe: Probe,
    link: Weak<Link>,
    woken: Receiver<()>,
    tally: Arc<Tally>,
    debts: Arc<Debts>,
    /// The last connection over which the server counted.
    connection: Option<Connection>,
    /// The wait before debts that could not be settled are tried again.
    unsettled: Backoff,
    settles_at: Instant,
    /// What the log does not know yet.
    unlogged: Settlement,
}

impl Attendant {
    fn run(mut self) {
        while self.woken.recv().is_ok() {
            if let Err(Closed) = self.until_settled() {
                return;
            }
            self.connection = None;
        }
    }

    /// Works until the server is up and is owed nothing.
    fn until_settled(&mut self) -> Result<(), Closed> {
        loop {
            if !self.with(Link::is_up)? {
                self.until_answered()?;
                // What this process decides during the last part of it is settled after the return.
                let deadline = Instant::now() + MAX_BEFORE_RETURN;
                self.settle(Some(deadline))?;
                self.settles_at = Instant::now();
                self.with(Link::take_up)?;
            }
            let doubt = self.with(Link::doubt)?;
            if doubt.is_some_and(|wait| wait.is_zero()) {
                self.verify()?;
                continue;
            }
            self.settle_if_due()?;
            // Requests whose calls failed a moment ago may still be being decided without the server.
            match self.woken.recv_timeout(doubt.unwrap_or(LOOK_AGAIN).min(LOOK_AGAIN)) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Closed),
                Err(RecvTimeoutError::Timeout) => {
                    let is_settled = self.settle_if_due()?;
                    if is_settled && self.with(Link::is_up)? {
                        self.connection = None;
                        if self.unlogged.is_empty() {
                            return Ok(());
                        }
                    }
                }
            }
        }
    }

    /// Probes a doubted server, to find out whether it counts at all.
    fn verify(&mut self) -> Result<(), Closed> {
        let generation = self.with(Link::generation)?;
        match self.probe.run(generation) {
            Ok(connection) => {
                self.connection = Some(connection);
                self.with(Link::confirm)
            }
            Err(error) => self.with(|link| link.give_up(&error)),
        }
    }

    /// Probes until a probe succeeds. At first it makes short pauses, because a stall may end at any
    /// moment.
    fn until_answered(&mut self) -> Result<(), Closed> {
        self.connection = None;
        self.pause(self.with(Link::wait)?)?;
        let begun = Instant::now();
        loop {
            let generation = self.with(Link::generation)?;
            match self.probe.run(generation) {
                Ok(connection) => {
                    self.connection = Some(connection);
                    return Ok(());
                }
                Err(error) => self.with(|link| link.still_down(&error))?,
            }
            self.pause(self.probe.pause_after(begun.elapsed()))?;
        }
    }

    /// Settles all debts, unless some could not be settled a moment ago. Returns whether nothing is left.
    fn settle_if_due(&mut self) -> Result<bool, Closed> {
        if Instant::now() < self.settles_at {
            return Ok(false);
        }
        let all = self.settle(None)?;
        if all {
            self.unsettled.reset();
        } else {
            self.unsettled.again(0);
            self.settles_at = Instant::now() + Duration::from_millis(self.unsettled.wait());
        }
        Ok(all)
    }

    /// Settles all debts, or as many as it can until `deadline`. Returns whether nothing is left.
    fn settle(&mut self, deadline: Option<Instant>) -> Result<bool, Closed> {
        let mut settlement = Settlement::default();
        let mut all = true;
        for debtor in self.debts.debtors() {
            let in_time = || deadline.is_none_or(|deadline| Instant::now() < deadline);
            all &= self.settle_with(&*debtor, in_time, &mut settlement);
        }
        self.tally.charged_back.add(settlement.charged);
        self.tally.not_charged_back.add(settlement.lost);
        let is_new = !settlement.is_empty();
        self.unlogged.join(&settlement);
        let link = self.link.upgrade().ok_or(Closed)?;
        self.unlogged.log(&link, is_new);
        Ok(all)
    }

    /// Settles the debts of one debtor while it is `in_time`. Returns whether nothing is left.
    fn settle_with(
        &mut self,
        debtor: &dyn Debtor,
        in_time: impl Fn() -> bool,
        settlement: &mut Settlement,
    ) -> bool {
        while in_time() {
            let debts = debtor.debts(MAX_BATCH);
            if debts.is_empty() {
                return true;
            }
            let answers = self.charge(&debts);
            for (debt, answer) in debts.iter().zip(&answers) {
                settlement.add(debt, answer);
                debtor.settled(debt, answer);
            }
            // In a cluster one node may fail and others may not. The next debts may be owed to those.
            if answers.iter().all(Result::is_err) {
                return false;
            }
            // A batch that is not full is the last one. Requests that are admitted meanwhile could
            // otherwise keep this going for ever.
            if debts.len() < MAX_BATCH {
                return answers.iter().all(Result::is_ok);
            }
        }
        false
    }

    /// Charges `debts`, and returns the answer to each of them.
    fn charge(&mut self, debts: &[Acquire]) -> Vec<Result<Acquired, StoreError>> {
        let answers = match self.debts.settler() {
            Some(settler) => match settler.upgrade() {
                Some(settler) => settler.settle(debts.to_vec()),
                None => vec![Err(StoreErrorKind::Unreachable); debts.len()],
            },
            None => {
                let timeout = self.probe.timeout();
                split::ask(debts.to_vec(), timeout, |batch| self.try_charge(batch))
            }
        };
        answers.into_iter().map(|answer| answer.map_err(StoreError::new)).collect()
    }

    /// Sends `batch` to the server, and returns its reply. It keeps the connection if that is still fit.
    fn try_charge(&mut self, batch: &Batch) -> Result<Vec<u8>, StoreError> {
        let kept = self.connection.take().filter(|connection| !connection.is_worn(Duration::ZERO));
        let mut connection = match kept {
            Some(connection) => connection,
            None => {
                let closed = |Closed| StoreError::new(StoreErrorKind::Unreachable);
                let generation = self.with(Link::generation).map_err(closed)?;
                // Whatever went wrong, none of the debts was sent.
                let unsent = |error: StoreError| error.into_kind(StoreErrorKind::Unreachable);
                self.probe.run(generation).map_err(unsent)?
            }
        };
        let reply = self.probe.reply(&mut connection, batch);
        if let Err(error) = &reply {
            log::debug!("Charging back failed: {error}.");
        }
        if connection.is_fit() {
            self.connection = Some(connection);
        }
        reply
    }

    /// Waits for `length`, however often it is woken meanwhile.
    fn pause(&self, length: Duration) -> Result<(), Closed> {
        let until = Instant::now() + length;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.woken.recv_timeout(left) {
                Ok(()) if !left.is_zero() => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Closed),
                _ => return Ok(()),
            }
        }
    }

    /// Asks the link, and holds it no longer than that, so that dropping it ends this thread.
    fn with<T>(&self, ask: impl FnOnce(&Link) -> T) -> Result<T, Closed> {
        self.link.upgrade().map(|link| ask(&link)).ok_or(Closed)
    }
}
