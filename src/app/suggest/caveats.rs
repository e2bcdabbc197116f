//! What a log cannot show about the quotas that it suggests.

use super::report::Counted;
use super::window::Window;
use crate::app::access_log::LogSummary;
use crate::app::config::Config;
use crate::domain::policy::KeySource;

/// Times in whole seconds are this coarse, in ms.
const SECOND: u64 = 1_000;

/// What was asked for, as far as a log may be too poor for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needed<'a> {
    pub(super) windows: &'a [Window],
    pub(super) key: &'a KeySource,
}

/// What suggestions from `log` under `config` have to say of themselves, each in a sentence or two.
pub(super) fn of(
    log: &LogSummary,
    counted: &Counted,
    config: &Config,
    needed: Needed<'_>,
) -> Vec<String> {
    let mut caveats = Vec::new();
    let mut say = |applies: bool, text: String| {
        if applies {
            caveats.push(text);
        }
    };
    let auth = &config.auth;
    let knows_users = auth.api_keys.is_some() || auth.jwt.is_some() || auth.user_header.is_some();
    let lasts = log.last_at.unwrap_or(0).saturating_sub(log.first_at.unwrap_or(0));
    let longest = needed.windows.iter().max_by_key(|window| window.millis());
    let without_user = counted.without_user;
    say(
        log.unparsed > 0,
        format!(
            "{} of {} lines could not be parsed, and are not counted. The quotas may be too small.",
            log.unparsed, log.lines
        ),
    );
    say(
        log.time_step >= SECOND,
        format!(
            "Times are in whole seconds. Requests of the same second count as sent at once.{}",
            if needed.windows.iter().any(|window| window.millis() <= SECOND) {
                " The quotas of a second cannot be relied on."
            } else {
                ""
            }
        ),
    );
    if let Some(window) = longest.filter(|window| window.millis() > lasts && log.requests > 0) {
        say(
            true,
            format!(
                "The log is shorter than the longest window ({window}). Clients may send more in a whole one."
            ),
        );
    }
    say(
        counted.on_access_lists > 0,
        format!(
            "{} requests are not counted, since their clients are on an access list.",
            counted.on_access_lists
        ),
    );
    say(
        log.without_address > 0 && *needed.key != KeySource::User,
        format!(
            "{} requests have no address. Those that are counted by address are counted as one client.",
            log.without_address
        ),
    );
    say(
        log.with_user > 0 && !knows_users && reads_user(needed.key),
        format!(
            "{} requests name a user, but nothing in the configuration proves users. As when it serves, they \
             have none.",
            log.with_user
        ),
    );
    say(
        without_user > 0 && *needed.key == KeySource::User,
        format!("{without_user} requests have no user, and are counted as one client."),
    );
    say(
        knows_users && without_user > 0 && *needed.key == KeySource::UserOrIp,
        format!(
            "{without_user} of {} requests have no user. If the log left some users out, those are counted by \
             address, and look like one busy client.",
            counted.requests
        ),
    );
    say(
        log.already_429 > 0,
        format!(
            "{} requests were answered with 429. They are counted, but their clients may have sent fewer or \
             more without that limit.",
            log.already_429
        ),
    );
    say(
        log.out_of_order > 0,
        format!(
            "{} requests were logged too late to be sorted in. They are counted later than they came.",
            log.out_of_order
        ),
    );
    caveats.push(
        "The log does not say which clients are honest. A quota that refuses few clients of a log may still \
         admit an abuser in it."
            .to_owned(),
    );
    caveats
}

fn reads_user(key: &KeySource) -> bool {
    matches!(key, KeySource::User | KeySource::UserOrIp)
}
