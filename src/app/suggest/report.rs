//! What was found: [`Suggestions`].

use serde::Serialize;

use super::abuse::Abuse;
use super::peaks::Peaks;
use crate::app::access_log::LogSummary;

/// The smallest quotas that refuse as little as was asked for.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Suggestions {
    /// What was read.
    #[serde(flatten)]
    pub(crate) log: LogSummary,
    /// What the log cannot show; whole sentences.
    pub(crate) caveats: Vec<String>,
    pub(crate) asked: Asked,
    pub(crate) counted: Counted,
    /// In the order in which windows were asked for.
    pub(crate) windows: Vec<OfWindow>,
}

/// What was asked for.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Asked {
    /// The share that may be refused, such as `0.1%`.
    pub(crate) deny_at_most: String,
    /// What that is a share of, `clients` or `requests`.
    pub(crate) of: &'static str,
    /// The most that so may be refused, in whole clients or requests.
    pub(crate) most_refused: u64,
    /// What tells clients apart, such as `user-or-ip`.
    pub(crate) key: String,
    /// The routes whose requests are counted; all requests if there are none.
    pub(crate) routes: Vec<String>,
    /// The only statuses whose requests are counted.
    pub(crate) charge_on: Option<String>,
}

/// The requests of the log that are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counted {
    pub(crate) clients: u64,
    pub(crate) requests: u64,
    /// Requests of them that no user is known of.
    pub(crate) without_user: u64,
    /// Requests that are not counted, since they are for another route.
    pub(crate) other_routes: u64,
    /// Requests that are not counted, since they were answered with another status.
    pub(crate) other_statuses: u64,
    /// Requests that are not counted, since their clients are on an access list of the configuration.
    pub(crate) on_access_lists: u64,
    /// Whether the reading ended before the logs did, because somebody pressed Ctrl-C.
    pub(crate) interrupted: bool,
}

/// What was found for one window.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OfWindow {
    /// Such as `minute`.
    pub(crate) window: String,
    pub(crate) window_ms: u64,
    /// The most requests of each client within one window.
    pub(crate) peaks: Peaks,
    /// In the order in which algorithms were asked for.
    pub(crate) suggestions: Vec<Suggestion>,
}

/// What was found for one window and one algorithm.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Suggestion {
    /// Such as `token-bucket`.
    pub(crate) algorithm: &'static str,
    /// The quota; `None` if there is none.
    pub(crate) found: Option<Found>,
    /// Why there is none.
    pub(crate) not_found: Option<String>,
}

/// The smallest quota that refuses as little as was asked for.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Found {
    /// In units.
    pub(crate) units: u64,
    /// As it is written in a configuration, such as `60/minute`.
    pub(crate) quota: String,
    /// What it refuses.
    pub(crate) refused: Refusals,
    /// What a quota of one unit less refuses; `None` if that would be 0.
    pub(crate) refused_with_one_less: Option<Refusals>,
    /// The quota that the busiest client needs that is not refused; `None` if all are.
    pub(crate) busiest_not_refused: Option<u64>,
    /// How much of the quota that is, in percent.
    pub(crate) busiest_uses_percent: Option<u64>,
    /// The quota with a quarter on top, in units.
    pub(crate) units_with_margin: u64,
    /// The most that one client can send.
    pub(crate) abuse: Abuse,
    /// The policy, to be pasted into a configuration.
    pub(crate) toml: String,
}

/// What a quota refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Refusals {
    /// Clients of which any request is refused.
    pub(crate) clients: u64,
    pub(crate) requests: u64,
}
