//! What is wanted of a measurement, and what can be said of that.

use std::fmt;

use crate::contender::Contender;

/// The fewest rounds that say anything.
pub(crate) const FEWEST_ROUNDS: usize = 5;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) measure: Measure,
    pub(crate) bound: Bound,
}

/// What is measured of Tollgate, within one round.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Measure {
    /// Requests/s over another's.
    SpeedOf(Contender),
    /// Microseconds per request.
    RedisCpu,
    /// The same, less another's: beyond the ceiling's it is the share of the script and its keys.
    RedisCpuBeyond(Contender),
    /// Microseconds of CPU per request in the server, less another's.
    ServerCpuBeyond(Contender),
    /// The same over another's.
    ServerCpuOver(Contender),
    /// Bytes of Redis, of 100,000 keys, once for all rounds.
    BytesAKey,
    /// Times a second that Redis reads a key.
    ReadsPerKey,
    /// Script calls a second for each key.
    CallsPerKey,
    /// Script calls a request over another's.
    CallsOver(Contender),
    /// p50 over one and a half round trips and the bare app's p50.
    P50OverRoundTrip,
    /// p50 over another's.
    P50Over(Contender),
    /// p99 over another's p50.
    P99OverP50Of(Contender),
    /// Requests that were refused or never answered.
    Lost,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Met,
    NotMet,
    CannotConclude,
}

impl Target {
    pub(crate) fn new(measure: Measure, bound: Bound) -> Self {
        Self { measure, bound }
    }
}

impl Bound {
    pub(crate) fn verdict(self, value: f64) -> Verdict {
        let met = match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        };
        if met { Verdict::Met } else { Verdict::NotMet }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.measure {
            Measure::SpeedOf(other) => write!(f, "requests/s over {}'s", other.name()),
            Measure::RedisCpu => f.write_str("Redis CPU µs a request"),
            Measure::RedisCpuBeyond(other) => {
                write!(f, "Redis CPU µs a request less {}'s", other.name())
            }
            Measure::ServerCpuBeyond(other) => {
                write!(f, "server CPU µs a request less {}'s", other.name())
            }
            Measure::ServerCpuOver(other) => {
                write!(f, "server CPU µs a request over {}'s", other.name())
            }
            Measure::BytesAKey => f.write_str("bytes a key in Redis"),
            Measure::ReadsPerKey => f.write_str("reads in Redis a second and key"),
            Measure::CallsPerKey => f.write_str("script calls a second and key"),
            Measure::CallsOver(other) => {
                write!(f, "script calls a request over {}'s", other.name())
            }
            Measure::P50OverRoundTrip => {
                f.write_str("p50 over 1.5 EVALSHA round trips and the bare p50")
            }
            Measure::P50Over(other) => write!(f, "p50 over {}'s", other.name()),
            Measure::P99OverP50Of(other) => write!(f, "p99 over {}'s p50", other.name()),
            Measure::Lost => f.write_str("requests refused or lost"),
        }?;
        write!(f, " {}", self.bound)
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "at least {least}"),
            Self::AtMost(most) => write!(f, "at most {most}"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::CannotConclude => "cannot conclude",
        })
    }
}
