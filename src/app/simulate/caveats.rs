//! What a log cannot show, and how the figures of a report err for it.

use super::show::count;
use crate::app::access_log::LogSummary;
use crate::app::config::Config;
use crate::domain::policy::{KeySource, Policy, Rollout};

/// Times in whole seconds are this coarse, in ms.
const SECOND: u64 = 1_000;

/// To a window of this length, a second matters little.
const MINUTE: u64 = 60 * SECOND;

/// What the lines of a log may lack of a part of a key, as the end of a sentence, and what comes of it.
pub(in crate::app) fn lacking(part: &KeySource) -> Option<String> {
    let of_field = |of: String, field: &str| {
        format!(
            "{of}. Requests whose line does not hold the field {field} are counted together, and denied too much."
        )
    };
    match part {
        KeySource::Header(name) => Some(format!(
            "the header field {name}. Requests whose line does not hold that field are counted together, and denied \
             too much."
        )),
        KeySource::Cookie(name) => Some(of_field(format!("the cookie {name}"), "cookie")),
        KeySource::Host => Some(of_field("the host".to_owned(), "host")),
        KeySource::Claim(name) => Some(format!(
            "the claim {name}, which no log holds. All requests are counted together, and denied too much."
        )),
        KeySource::Query(name) => Some(format!(
            "the parameter {name} of the query. If the log leaves queries out, all requests are counted together, and \
             denied too much."
        )),
        _ => None,
    }
}

/// What a report about `log` under `config` has to say of itself, each in a sentence or two.
pub(super) fn of(log: &LogSummary, config: &Config) -> Vec<String> {
    let mut caveats = Vec::new();
    let mut say = |applies: bool, text: String| {
        if applies {
            caveats.push(text);
        }
    };
    let requests = log.requests;
    let knows_users = config.auth.proves_users();
    let in_use = || config.policies.iter().filter(|policy| policy.rollout() != Rollout::Off);
    let with_quotas = in_use().filter(|policy| policy.has_quotas());
    let quotas = with_quotas.flat_map(|policy| policy.quotas().iter().collect::<Vec<_>>());
    let shortest = quotas.map(|quota| quota.window().longest()).min();
    say(
        log.unparsed > 0,
        format!(
            "Lines that could not be parsed: {} of {}. They are not replayed, so the true figures are higher.",
            count(log.unparsed),
            count(log.lines)
        ),
    );
    say(
        log.time_step >= SECOND,
        format!(
            "Times are in whole seconds. Requests of the same second are replayed at once, in the order of the \
             log. A burst within a second looks sharper than it was{}.",
            if shortest.is_some_and(|window| window < MINUTE) {
                ", so quotas of a few seconds deny too much"
            } else {
                ", which matters little to windows of a minute and more"
            }
        ),
    );
    say(
        log.with_duration < requests,
        format!(
            "Requests without a duration: {} of {}. If their server logs when a response ends, they are \
             replayed that much too late.",
            count(requests - log.with_duration),
            count(requests)
        ),
    );
    say(
        log.already_429 > 0,
        format!(
            "Requests that were answered with 429 already: {}. They are replayed like all others. Their clients \
             might have sent fewer or more if they had been admitted.",
            count(log.already_429)
        ),
    );
    say(
        log.out_of_order > 0,
        format!(
            "Requests that were logged too late to be sorted in: {}. They are replayed later than they came.",
            count(log.out_of_order)
        ),
    );
    say(
        log.without_address > 0,
        format!(
            "Requests without an address: {}. Policies that count by address count them together, and deny \
             too much.",
            count(log.without_address)
        ),
    );
    say(
        log.with_user > 0 && !knows_users,
        format!(
            "Requests that name a user: {}. Nothing in the configuration proves users, so they are counted by \
             address, as when Tollgate serves.",
            count(log.with_user)
        ),
    );
    say(
        knows_users && log.with_user < requests && in_use().any(|policy| policy.key().is_by_user()),
        format!(
            "Requests without a user: {} of {}. If some of them were authenticated, they are counted by \
             address here, and share a quota that they do not share when Tollgate serves.",
            count(requests.saturating_sub(log.with_user)),
            count(requests)
        ),
    );
    let by_outcome = || in_use().any(Policy::counts_by_outcome);
    say(
        by_outcome() && log.already_429 > 0,
        "Policies that count by the status of the response take the one of the log. A request that was answered with \
         429 did not reach the application, so nobody knows how it would have been answered."
            .to_owned(),
    );
    let without_end = requests.saturating_sub(log.with_end);
    say(
        by_outcome() && without_end > 0,
        "What such a policy does not count is given back when its request ends. If the log does not tell when, the \
         request is replayed as if it ended at once. While such requests are under way, the policy denies more than \
         this shows."
            .to_owned(),
    );
    say(
        in_use().any(|policy| policy.in_flight().is_some()) && without_end > 0,
        format!(
            "Requests without an end: {} of {}. They are replayed as if they ended at once, so limits of requests \
             under way deny more than this shows.",
            count(without_end),
            count(requests)
        ),
    );
    for policy in in_use() {
        for part in policy.key().parts() {
            let name = policy.name();
            caveats.extend(
                lacking(part).map(|lacking| format!("The policy {name} counts by {lacking}")),
            );
        }
    }
    if config.cors.passes_preflights {
        caveats.push(
            "CORS preflights pass uncounted. Lines of OPTIONS that do not hold the fields origin and \
             access-control-request-method are replayed as other requests, so they may be counted."
                .to_owned(),
        );
    }
    if config.auth.jwt.is_some() && !config.plans.is_empty() {
        caveats.push(
            "Plans that tokens name are not in the log. Users whose plan no API key names have no plan here."
                .to_owned(),
        );
    }
    caveats.push(
        "Clients that are denied behave differently: they wait, retry or give up. The replay sends what the log \
         has, whatever was denied before."
            .to_owned(),
    );
    caveats
}
