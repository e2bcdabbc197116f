//! Which policies refuse a request, and by which keys.

use crate::domain::standing::{Retry, Standing};
use crate::limiter::{AUTHENTICATION_DOOR, DecisionEvent, Outcome};
use crate::store::Charge;

/// Whether the request of `event` is refused if it is not admitted. A route's peek never refuses. Authentication
/// peeks before it verifies, and then refuses.
pub(super) fn is_refusal(event: &DecisionEvent<'_>) -> bool {
    !event.is_peek || event.door == AUTHENTICATION_DOOR
}

/// The policies that deny the request of `event`, with its keys and where they stand. There are none if it is not
/// denied, or is only told where it stands.
pub(super) fn refusals<'a>(
    event: &DecisionEvent<'a>,
) -> impl Iterator<Item = (&'a Charge, &'a Standing)> + use<'a> {
    let is_denied = event.outcome == Outcome::Denied && is_refusal(event);
    let all = event.charges.iter().zip(event.standings);
    all.filter(move |(_, standing)| is_denied && standing.retry != Retry::Now)
}

#[cfg(test)]
pub(super) mod tests;
