//! What came out of a case, and whether its targets are met.

use serde::Serialize;

use crate::case::Case;
use crate::contender::Contender;
use crate::sample::Sample;
use crate::stats::Spread;
use crate::target::{FEWEST_ROUNDS, Measure, Target, Verdict};

/// The bare app's own spread beyond which ratios to it say little.
const NOISY_SPREAD: f64 = 0.25;

/// The share of the machine that others may use meanwhile.
const NOISY_NEIGHBOURS: f64 = 0.10;

/// What came out of one case.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) case: Case,
    pub(crate) rounds: Vec<Round>,
    pub(crate) seconds: u64,
    pub(crate) in_redis: InRedis,
    /// Of Tollgate alone, where a target asks for it.
    pub(crate) bytes_a_key: Option<f64>,
}

/// What Redis held in the end.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct InRedis {
    pub(crate) keys: u64,
    /// Beyond what it takes with none.
    pub(crate) bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Round {
    /// In the order of the case's contenders.
    pub(crate) samples: Vec<Sample>,
    /// Of one bare EVALSHA.
    pub(crate) round_trip_us: f64,
}

impl Outcome {
    /// The turn of `who` in `round`; who is compared takes part.
    pub(crate) fn sample<'a>(&self, round: &'a Round, who: Contender) -> &'a Sample {
        let place = self.case.contenders.iter().position(|it| *it == who);
        &round.samples[place.expect("a case names whom it compares")]
    }

    /// The app that the others are compared with.
    fn bare(&self) -> Contender {
        self.case.contenders[0]
    }

    /// One figure of `who` over the rounds.
    pub(crate) fn spread(&self, who: Contender, figure: impl Fn(&Sample) -> f64) -> Spread {
        Spread::of(self.rounds.iter().map(|round| figure(self.sample(round, who))))
    }

    /// The requests/s of `who` over those of the bare app in the same round.
    pub(crate) fn ratio(&self, who: Contender) -> Spread {
        Spread::of(self.rounds.iter().map(|round| {
            let speed = |who| self.sample(round, who).requests_per_s;
            speed(who) / speed(self.bare())
        }))
    }

    /// Why this machine was too noisy to conclude, if it was.
    pub(crate) fn noise(&self) -> Option<String> {
        let bare = self.spread(self.bare(), |it| it.requests_per_s).width();
        let samples = self.rounds.iter().flat_map(|round| &round.samples);
        let elsewhere = Spread::of(samples.map(|sample| sample.elsewhere)).median;
        if elsewhere > NOISY_NEIGHBOURS {
            let percent = elsewhere * 100.0;
            Some(format!("others used {percent:.0} % of the machine meanwhile"))
        } else if bare > NOISY_SPREAD {
            let percent = bare * 100.0;
            Some(format!("the bare app itself moved by {percent:.0} % between the rounds"))
        } else {
            None
        }
    }

    /// What came out for `target` over the rounds.
    pub(crate) fn value(&self, target: &Target) -> Spread {
        let keys = self.case.load.keys as f64;
        Spread::of(self.rounds.iter().map(|round| {
            let of = |who| self.sample(round, who);
            let tollgate = of(Contender::Tollgate);
            match target.measure {
                Measure::SpeedOf(other) => tollgate.requests_per_s / of(other).requests_per_s,
                Measure::RedisCpu => tollgate.redis_us,
                Measure::RedisCpuBeyond(other) => tollgate.redis_us - of(other).redis_us,
                Measure::ServerCpuBeyond(other) => tollgate.server_us - of(other).server_us,
                Measure::ServerCpuOver(other) => tollgate.server_us / of(other).server_us,
                Measure::BytesAKey => self.bytes_a_key.unwrap_or(f64::NAN),
                Measure::ReadsPerKey => tollgate.reads_per_s / keys,
                Measure::CallsPerKey => tollgate.calls_per_s / keys,
                Measure::CallsOver(other) => of(other).batch / tollgate.batch,
                Measure::P50OverRoundTrip => {
                    tollgate.p50_us / (1.5 * round.round_trip_us + of(Contender::Bare).p50_us)
                }
                Measure::P50Over(other) => tollgate.p50_us / of(other).p50_us,
                Measure::P99OverP50Of(other) => tollgate.p99_us / of(other).p50_us,
                Measure::Lost => tollgate.refused + tollgate.lost,
            }
        }))
    }

    /// Whether `target` is met.
    pub(crate) fn verdict(&self, target: &Target) -> Verdict {
        // One lost request is one too many; of the rest, the median counts.
        let value = match target.measure {
            Measure::Lost => self.value(target).max,
            _ => self.value(target).median,
        };
        // What is weighed is the same on a noisy machine.
        let is_timed = !matches!(target.measure, Measure::BytesAKey);
        if is_timed && (self.rounds.len() < FEWEST_ROUNDS || self.noise().is_some()) {
            Verdict::CannotConclude
        } else {
            target.bound.verdict(value)
        }
    }
}
