//! The thread that attends to a link: probes while the server is down, and has it charged with what
//! was admitted without it when it is back.

use std::sync::Weak;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::dispatch::MAX_BATCH;
use super::link::Link;
use super::pool::Connection;
use super::probe::Probe;
use crate::store::{Acquire, Acquired, Debtor, StoreError, StoreErrorKind};

/// How long settling may keep the server from being asked again; what is left follows.
const MOST_BEFORE_RETURN: Duration = Duration::from_secs(1);

/// How long after a failure to look for what was decided without the server meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Nobody listens any more.
struct Closed;

/// Attends to the link until it is dropped; it wakes at every failure.
pub(super) fn run(probe: &Probe, link: &Weak<Link>, wakes: &Receiver<()>) {
    let mut attendant = Attendant { probe, link, wakes, connection: None };
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

    fn report(&self, link: &Link) {
        let Self { keys, charged, lost } = self;
        link.tally().charged_back.add(*charged);
        link.tally().not_charged_back.add(*lost);
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
}

impl Attendant<'_> {
    /// Until the server is up and is owed nothing.
    fn until_settled(&mut self) -> Result<(), Closed> {
        loop {
            let is_up = self.with(Link::is_up)?;
            if !is_up {
                self.until_answered()?;
                // What is decided here during the last of it is settled right after the return.
                let deadline = Instant::now() + MOST_BEFORE_RETURN;
                self.settle(Some(deadline))?;
                self.with(Link::take_up)?;
            }
            self.settle(None)?;
            // Requests that failed a moment ago are deciding elsewhere.
            match self.wakes.recv_timeout(LOOK_AGAIN) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Closed),
                Err(RecvTimeoutError::Timeout) => {
                    if self.settle(None)? && self.with(Link::is_up)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Probes until one succeeds.
    fn until_answered(&mut self) -> Result<(), Closed> {
        self.connection = None;
        self.pause(self.with(Link::wait)?)?;
        loop {
            let generation = self.with(Link::generation)?;
            match self.probe.run(generation) {
                Ok(connection) => {
                    self.connection = Some(connection);
                    return Ok(());
                }
                Err(error) => self.with(|link| link.still_down(&error))?,
            }
            self.pause(self.probe.interval())?;
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
        if sum.charged + sum.lost > 0 {
            self.with(|link| sum.report(link))?;
        }
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
        match self.try_charge(debts) {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            Err(error) => {
                self.connection = None;
                log::debug!("Charging back failed: {error}.");
                debts.iter().map(|_| Err(StoreError::new(error.kind()))).collect()
            }
        }
    }

    fn try_charge(&mut self, debts: &[Acquire]) -> Result<Vec<Acquired>, StoreError> {
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
        let answers = self.probe.charge(&mut connection, debts.iter().cloned())?;
        self.connection = Some(connection);
        Ok(answers)
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
