//! What a log cannot show about the quotas that it suggests.

use super::report::Counted;
use super::window::Window;
use crate::app::access_log::LogSummary;
use crate::app::config::Config;
use crate::app::simulate::lacking;
use crate::app::simulate::show::count;
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
    say(
        counted.interrupted,
        "The logs were not read to their end, because somebody pressed Ctrl-C.".to_owned(),
    );
    let knows_users = config.auth.proves_users();
    let lasts = log.last_at.unwrap_or(0).saturating_sub(log.first_at.unwrap_or(0));
    let longest = needed.windows.iter().max_by_key(|window| window.millis());
    let without_user = counted.without_user;
    say(
        log.unparsed > 0,
        format!(
            "Lines that could not be parsed: {} of {}. They are not counted, so the quotas may be too small.",
            count(log.unparsed),
            count(log.lines)
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
            "Requests of clients on an access list: {}. They are not counted.",
            count(counted.on_access_lists)
        ),
    );
    say(
        log.without_address > 0 && needed.key.is_by_address(),
        format!(
            "Requests without an address: {}. Those that are counted by address are counted as one client.",
            count(log.without_address)
        ),
    );
    say(
        log.with_user > 0 && !knows_users && needed.key.is_by_user(),
        format!(
            "Requests that name a user: {}. Nothing in the configuration proves users, so they have none, as \
             when Tollgate serves.",
            count(log.with_user)
        ),
    );
    say(
        without_user > 0 && *needed.key == KeySource::User,
        format!(
            "Requests without a user: {}. They are counted as one client.",
            count(without_user)
        ),
    );
    say(
        knows_users && without_user > 0 && *needed.key == KeySource::UserOrIp,
        format!(
            "Requests without a user: {} of {}. If the log left some users out, those are counted by address, \
             and look like one busy client.",
            count(without_user),
            count(counted.requests)
        ),
    );
    say(
        log.already_429 > 0,
        format!(
            "Requests that were answered with 429: {}. They are counted, but their clients may have sent fewer \
             or more without that limit.",
            count(log.already_429)
        ),
    );
    say(
        log.out_of_order > 0,
        format!(
            "Requests that were logged too late to be sorted in: {}. They are counted later than they came.",
            count(log.out_of_order)
        ),
    );
    for lacking in needed.key.parts().iter().filter_map(lacking) {
        caveats.push(format!("Requests are counted by {lacking}"));
    }
    if needed
        .key
        .parts()
        .iter()
        .any(|part| matches!(part, KeySource::Route | KeySource::Segment(_)))
    {
        caveats.push(
            "Routes are those of --route. Requests without one are counted together.".to_owned(),
        );
    }
    caveats.push(
        "The log does not say which clients are honest. A quota that refuses few clients of a log may still \
         admit an abuser in it."
            .to_owned(),
    );
    caveats
}
