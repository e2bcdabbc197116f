//! The thread that attends to a link: probes while the server is down, and has it charged with what
//! was admitted without it when it is back.

use std::sync::Weak;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::probe::Probe;
use crate::domain::clock::millis;
use crate::store::redis::dispatch::MAX_BATCH;
use crate::store::redis::health::backoff::Backoff;
use crate::store::redis::health::link::Link;
use crate::store::redis::node::pool::Connection;
use crate::store::redis::script::batch::Batch;
use crate::store::redis::script::split;
use crate::store::{Acquire, Acquired, Debtor, StoreError, StoreErrorKind};

/// How long settling may keep the server from being asked again; what is left follows.
const MOST_BEFORE_RETURN: Duration = Duration::from_secs(1);

/// How long after a failure to look for what was decided without the server meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Nobody listens any more.
struct Closed;

/// Attends to the link until it is dropped; it wakes at every failure.
pub(crate) fn run(probe: &Probe, link: &Weak<Link>, wakes: &Receiver<()>) {
    let mut attendant = Attendant {
        probe,
        link,
        wakes,
        connection: None,
        unpaid: Backoff::new(millis(probe.interval())),
        settles_at: Instant::now(),
        untold: Sum::default(),
    };
    while wakes.recv().is_ok() {
        if let Err(Closed) = attendant.until_settled() {
            return;
        }
        attendant.connection = None;
    }
}

/// What came of charging, in units.
#[derive(Debug, Default)]
struct Sum {
    keys: usize,
    charged: u64,
    lost: u64,
}

impl Sum {
    fn add(&mut self, debt: &Acquire, answer: &Result<Acquired, StoreError>) {
        let units = u64::from(debt.count);
        let charged = match answer {
            Ok(acquired) => u64::from(acquired.admitted),
            Err(error) if error.kind().may_have_charged() => 0,
            // It is owed on.
            Err(_) => return,
        };
        self.keys += 1;
        self.charged += charged;
        self.lost += units.saturating_sub(charged);
    }

    fn is_empty(&self) -> bool {
        self.charged + self.lost == 0
    }

    fn join(&mut self, other: &Self) {
        self.keys += other.keys;
        self.charged += other.charged;
        self.lost += other.lost;
    }

    /// Tells of it in the log, and is empty then, if that may be told again.
    fn tell(&mut self, link: &Link, is_new: bool) {
        if self.is_empty() || !link.report().may_tell_of_charges(link.now(), is_new) {
            return;
        }
        let Self { keys, charged, lost } = std::mem::take(self);
        log::info!(
            "Redis at {} was charged with {charged} units of {keys} keys that were admitted without \
             it; {lost} units were beyond a quota, or their answer was lost.",
            link.address(),
        );
    }
}

struct Attendant<'a> {
    probe: &'a Probe,
    link: &'a Weak<Link>,
    wakes: &'a Receiver<()>,
    /// The last one over which the server counted.
    connection: Option<Connection>,
    /// How long what could not be charged waits before it is tried again.
    unpaid: Backoff,
    settles_at: Instant,
    /// What the log was not told yet.
    untold: Sum,
}

impl Attendant<'_> {
    /// Until the server is up and is owed nothing.
    fn until_settled(&mut self) -> Result<(), Closed> {
        loop {
            if !self.with(Link::is_up)? {
                self.until_answered()?;
                // What is decided here during the last of it is settled right after the return.
                let deadline = Instant::now() + MOST_BEFORE_RETURN;
                self.settle(Some(deadline))?;
                self.settles_at = Instant::now();
                self.with(Link::take_up)?;
            }
            let doubt = self.with(Link::doubt)?;
            if doubt.is_some_and(|wait| wait.is_zero()) {
                self.verify()?;
                continue;
            }
            self.settle_now_and_then()?;
            // Requests that failed a moment ago are deciding elsewhere.
            match self.wakes.recv_timeout(doubt.unwrap_or(LOOK_AGAIN).min(LOOK_AGAIN)) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Closed),
                Err(RecvTimeoutError::Timeout) => {
                    let is_settled = self.settle_now_and_then()?;
                    if is_settled && self.with(Link::is_up)? {
                        self.connection = None;
                        if self.untold.is_empty() {
                            return Ok(());
                        }
                    }
                }
            }
        }
    }

    /// Asks the server, which refuses calls, whether it counts at all.
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

    /// Charges what is owed now, unless some of it could not be a moment ago; whether that was all.
    fn settle_now_and_then(&mut self) -> Result<bool, Closed> {
        if Instant::now() < self.settles_at {
            return Ok(false);
        }
        let all = self.settle(None)?;
        if all {
            self.unpaid.reset();
        } else {
            self.unpaid.again(0);
            self.settles_at = Instant::now() + Duration::from_millis(self.unpaid.wait());
        }
        Ok(all)
    }

    /// Probes until one succeeds: without a break at first, as a stall may be over at any moment.
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

    /// Charges what is owed now, or what can be until `deadline`; whether that was all.
    fn settle(&mut self, deadline: Option<Instant>) -> Result<bool, Closed> {
        let mut sum = Sum::default();
        let mut all = true;
        for debtor in self.with(|link| link.accounts().debtors())? {
            let in_time = || deadline.is_none_or(|deadline| Instant::now() < deadline);
            all &= self.settle_with(&*debtor, in_time, &mut sum);
        }
        let link = self.link.upgrade().ok_or(Closed)?;
        link.tally().charged_back.add(sum.charged);
        link.tally().not_charged_back.add(sum.lost);
        let is_new = !sum.is_empty();
        self.untold.join(&sum);
        self.untold.tell(&link, is_new);
        Ok(all)
    }

    /// The same with one debtor. A batch that is not full is the last: who asks on meanwhile would
    /// keep it going.
    fn settle_with(
        &mut self,
        debtor: &dyn Debtor,
        in_time: impl Fn() -> bool,
        sum: &mut Sum,
    ) -> bool {
        while in_time() {
            let debts = debtor.debts(MAX_BATCH);
            if debts.is_empty() {
                return true;
            }
            let answers = self.charge(&debts);
            for (debt, answer) in debts.iter().zip(&answers) {
                sum.add(debt, answer);
                debtor.settled(debt, answer);
            }
            // One node of a cluster may fail and the others not: theirs may come next.
            if answers.iter().all(Result::is_err) {
                return false;
            }
            if debts.len() < MAX_BATCH {
                return answers.iter().all(Result::is_ok);
            }
        }
        false
    }

    /// What is answered to `debts`; by one server to all the same, where it fails.
    fn charge(&mut self, debts: &[Acquire]) -> Vec<Result<Acquired, StoreError>> {
        if let Ok(Some(collector)) = self.with(|link| link.accounts().collector().cloned()) {
            let collected = collector.upgrade().map(|it| it.collect(debts.to_vec()));
            let gone = || vec![Err(StoreErrorKind::Unreachable); debts.len()];
            let answers = collected.unwrap_or_else(gone).into_iter();
            return answers.map(|answer| answer.map_err(StoreError::new)).collect();
        }
        let timeout = self.probe.timeout();
        let answers = split::ask(debts.to_vec(), timeout, |batch| self.try_charge(batch));
        answers.into_iter().map(|answer| answer.map_err(StoreError::new)).collect()
    }

    /// What the server replies to `batch`. A connection over which it refused is kept if it may be.
    fn try_charge(&mut self, batch: &Batch) -> Result<Vec<u8>, StoreError> {
        let kept = self.connection.take().filter(|connection| !connection.is_worn(Duration::ZERO));
        let mut connection = match kept {
            Some(connection) => connection,
            None => {
                let closed = |Closed| StoreError::new(StoreErrorKind::Unreachable);
                let generation = self.with(Link::generation).map_err(closed)?;
                // Nothing of the debts was sent, whatever went wrong.
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

    /// Waits, however often it is woken meanwhile.
    fn pause(&self, length: Duration) -> Result<(), Closed> {
        let until = Instant::now() + length;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.wakes.recv_timeout(left) {
                Ok(()) if !left.is_zero() => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Closed),
                _ => return Ok(()),
            }
        }
    }

    /// Never holds the link for longer: who drops it ends this thread.
    fn with<T>(&self, ask: impl FnOnce(&Link) -> T) -> Result<T, Closed> {
        self.link.upgrade().map(|link| ask(&link)).ok_or(Closed)
    }
}
