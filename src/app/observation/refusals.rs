//! Which policies refuse a request, and by which keys.

use std::cmp::Ordering;

use crate::domain::standing::Standing;
use crate::limiter::{AUTHENTICATION_DOOR, DecisionEvent, Outcome};
use crate::store::Charge;

/// Whether the request of `event` is refused if it is not admitted. A route's peek never refuses. Authentication
/// peeks before it verifies, and then refuses.
pub(super) fn is_refusal(event: &DecisionEvent<'_>) -> bool {
    !event.is_peek || event.door == AUTHENTICATION_DOOR
}

/// The policies that deny the request of `event` or ban its client, with its keys and where they stand. There are none
/// if it is not refused by a policy, or is only told where it stands.
pub(super) fn refusals<'a>(
    event: &DecisionEvent<'a>,
) -> impl Iterator<Item = (&'a Charge, &'a Standing)> + use<'a> {
    let outcome = event.outcome;
    let is_refused = matches!(outcome, Outcome::Denied | Outcome::Banned) && is_refusal(event);
    let banned_by = event.ban.map(|ban| ban.charge);
    let met = is_refused.then(|| event.policies()).into_iter().flatten();
    let refused = met.filter(move |met| match outcome {
        Outcome::Banned => banned_by == Some(met.first),
        _ => met.is_closed(),
    });
    // Of several quotas, the one that closes the policy for the longest time.
    let longest = |one: &&Standing, other: &&Standing| match (one.retry, other.retry) {
        (one, other) if one == other => Ordering::Equal,
        (one, other) if one.later(other) == one => Ordering::Greater,
        _ => Ordering::Less,
    };
    refused.filter_map(move |met| Some((met.charge, met.standings.iter().max_by(longest)?)))
}

#[cfg(test)]
pub(super) mod tests;
