//! What a simulation found: a [`Report`].

use std::collections::BTreeMap;

use serde::Serialize;

use crate::app::access_log::LogSummary;
use crate::domain::clock::Millis;

/// Without how many of the clients that were refused most often the refusals are counted once more.
pub(super) const TOP: usize = 10;

/// What a simulation found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// What was read.
    #[serde(flatten)]
    pub(crate) log: LogSummary,
    /// Whether it ended before the logs did, because somebody pressed Ctrl-C.
    pub(crate) interrupted: bool,
    /// What the log cannot show, and how the figures err for it; whole sentences.
    pub(crate) caveats: Vec<String>,
    /// Under the candidate.
    #[serde(flatten)]
    pub(crate) candidate: Outcome,
    /// Under the current configuration, if it was named.
    pub(crate) current: Option<Outcome>,
    /// Who fares differently under the candidate, if there is a current configuration.
    pub(crate) difference: Option<Difference>,
}

/// What one configuration did with the requests.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    /// The files of the configuration, as they were named.
    pub(crate) config: Vec<String>,
    /// What became of all requests.
    pub(crate) totals: Totals,
    /// By policy, by its name.
    pub(crate) policies: BTreeMap<String, PolicyOutcome>,
    /// All requests in the course of time, and those of them that were denied or whose client was banned.
    pub(crate) timeline: Timeline,
}

/// What became of all requests.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Totals {
    /// Requests that were replayed.
    pub(crate) requests: u64,
    /// Requests that a policy counted and admitted.
    pub(crate) admitted: u64,
    /// Requests that policies denied.
    pub(crate) denied: u64,
    /// Requests that no policy is for.
    pub(crate) unlimited: u64,
    /// Requests that an access list lets pass uncounted.
    pub(crate) allowed: u64,
    /// Requests that an access list refused.
    pub(crate) blocked: u64,
    /// Requests of clients that the penalty of a policy banned.
    pub(crate) banned: u64,
    /// Clients: users, and addresses of requests without a user.
    pub(crate) clients: u64,
    /// Clients of them that were denied or banned at least once.
    pub(crate) clients_denied: u64,
    /// Denied requests and those of banned clients, without the ten clients that have the most of them.
    pub(crate) denied_without_top_ten: u64,
}

/// What one policy did.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PolicyOutcome {
    /// The quota, as it is configured, such as `10/minute`.
    pub(crate) quota: String,
    /// The algorithm, such as `fixed-window`.
    pub(crate) algorithm: String,
    /// What it counts by, such as `user-or-ip`.
    pub(crate) key: String,
    /// Whether it is only tried out, in shadow.
    pub(crate) shadow: bool,
    /// Requests that met it.
    pub(crate) requests: u64,
    /// Requests that it would not have admitted, whatever the other policies said.
    pub(crate) denied: u64,
    /// Clients, by what the policy counts by.
    pub(crate) clients: u64,
    /// Clients that it denied at least once.
    pub(crate) clients_denied: u64,
    /// Clients that it never denied, but that used up 90 % of the quota at some time.
    pub(crate) clients_near: u64,
    /// The longest time between the first and the last of consecutive denials of one client.
    pub(crate) longest_closed_ms: Millis,
    /// The client of that time.
    pub(crate) longest_closed_client: Option<String>,
    /// Denials of the client that was denied second, tenth and hundredth most often.
    pub(crate) denied_of_second: u64,
    pub(crate) denied_of_tenth: u64,
    pub(crate) denied_of_hundredth: u64,
    /// Denied requests of all but the ten clients that were denied most often.
    pub(crate) denied_without_top_ten: u64,
    /// The clients that were denied most often, the worst first; at most 20.
    pub(crate) worst: Vec<WorstClient>,
    /// Its requests and denials in the course of time.
    pub(crate) timeline: Timeline,
}

/// A client that a policy denied.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct WorstClient {
    /// The identity by which the policy counts it, such as `ip:203.0.113.7`; a hash of it with `--anonymise`.
    pub(crate) client: String,
    /// Its requests under the policy.
    pub(crate) requests: u64,
    /// Those of them that the policy denied.
    pub(crate) denied: u64,
    /// The most requests that it sent within one window of the policy. Windows are aligned to the epoch, or
    /// end when the calendar says so.
    pub(crate) peak: u64,
    /// When it was denied first, in ms since the epoch.
    pub(crate) first_denied_at: Millis,
    /// When it was denied last, in ms since the epoch.
    pub(crate) last_denied_at: Millis,
}

/// How requests and refusals lie in time. Buckets follow each other without a gap.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Timeline {
    /// The start of the first bucket, in ms since the epoch.
    pub(crate) start: Millis,
    /// The length of each bucket, in ms.
    pub(crate) step: Millis,
    /// Requests in each bucket.
    pub(crate) requests: Vec<u64>,
    /// Refused requests in each bucket; as many.
    pub(crate) denied: Vec<u64>,
}

/// Who fares differently under the candidate.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Difference {
    /// Requests that the candidate refuses, and the current configuration does not.
    pub(crate) newly_denied: u64,
    /// Requests that the current configuration refuses, and the candidate does not.
    pub(crate) newly_admitted: u64,
    /// Clients that only the candidate refuses, the most refused first; at most 50.
    pub(crate) clients_newly_denied: Vec<ChangedClient>,
    /// Clients that only the current configuration refuses, the most refused first; at most 50.
    pub(crate) clients_newly_admitted: Vec<ChangedClient>,
    /// How many such clients there are.
    pub(crate) clients_newly_denied_count: u64,
    pub(crate) clients_newly_admitted_count: u64,
}

/// A client that one configuration refuses and the other does not.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ChangedClient {
    /// Its identity, as in [`WorstClient::client`].
    pub(crate) client: String,
    /// Its requests.
    pub(crate) requests: u64,
    /// How many of them the one configuration refuses.
    pub(crate) denied: u64,
}

impl Totals {
    /// Adds what was counted of other requests. Clients are left out.
    pub(super) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.admitted += other.admitted;
        self.denied += other.denied;
        self.unlimited += other.unlimited;
        self.allowed += other.allowed;
        self.blocked += other.blocked;
        self.banned += other.banned;
    }
}
