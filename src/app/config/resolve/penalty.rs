//! The bans of clients that a policy denies again and again.

use crate::app::config::section::Section;
use crate::domain::clock::Millis;
use crate::domain::penalty::Penalty;
use crate::domain::quota::MAX_WINDOW;

/// For how long denials are counted together, and how long the first ban lasts, unless that is set.
const MINUTE: Millis = 60_000;

/// How long a ban lasts at most, unless that is set.
const HOUR: Millis = 60 * MINUTE;

/// The penalty of the policy in the section; `None` if it has none, or a bad one.
pub(super) fn penalty(section: &mut Section) -> Option<Penalty> {
    let is_set = section.names().any(|name| name == "penalty");
    section.table("penalty", |section| {
        let leaf = section.take("denials");
        if leaf.is_none() && is_set {
            section.refuse("denials is missing: expected how many denials begin a ban");
        }
        let most = Penalty::MOST_DENIALS;
        let denials = leaf.and_then(|leaf| section.note(leaf.number(1..=most.into())));
        let millis = 1..=MAX_WINDOW;
        let within = section.get("within_ms", MINUTE, |leaf| leaf.number(millis.clone()));
        let ban = section.get("ban_ms", MINUTE, |leaf| leaf.number(millis.clone()));
        let longest_ban = section.get("ban_at_most_ms", HOUR.max(ban), |leaf| {
            let longest = leaf.number(millis)?;
            let message = format_args!("the first ban is longer: expected at least {ban}");
            if longest < ban { Err(leaf.refuse(message)) } else { Ok(longest) }
        });
        let denials = u32::try_from(denials?).unwrap_or(most);
        Penalty::new(denials, within, ban, longest_ban).map_err(|error| section.refuse(error)).ok()
    })
}
