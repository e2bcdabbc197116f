//! What came of the abuse.

use std::time::{Duration, Instant};

use tollgate_testkit::procfs::Held;

use super::abuser::Tally;
use super::honest::Asked;
use super::server::Which;

/// What came of one phase.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) name: &'static str,
    pub(super) begun: Instant,
    pub(super) ended: Instant,
    /// The most at any time.
    pub(super) held: Held,
    /// Seconds of CPU.
    pub(super) cpu: f64,
    pub(super) abusers_cpu: f64,
    /// The share of the machine that others used meanwhile.
    pub(super) elsewhere: f64,
    pub(super) tally: Tally,
    /// How often each limit acted.
    pub(super) acted: Vec<(String, u64)>,
}

/// What came of all of them.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) which: Which,
    pub(super) played: Vec<Played>,
    pub(super) asked: Vec<Asked>,
    pub(super) stop: Stop,
}

/// How the server ended, amid the last phase.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    pub(super) after: Duration,
    /// None where it had to be killed, or was dead already.
    pub(super) code: Option<i32>,
}
