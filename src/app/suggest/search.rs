//! The search for the smallest quota.

use super::goal::Of;
use super::needs::Needs;

/// The smallest quota that refuses at most as many clients or requests as `most`; `None` if the largest quota refuses
/// more. A larger quota refuses no more than a smaller one, whatever the algorithm.
pub(super) fn smallest(needs: &Needs<'_>, of: Of, most: u64) -> Option<u64> {
    let largest = needs.counting().largest();
    let units = match of {
        // What spares all clients but those that need most.
        Of::Clients => usize::try_from(most).ok().and_then(|place| needs.at(place)).unwrap_or(1),
        Of::Requests => by_requests(needs, most),
    };
    (units <= largest).then_some(units)
}

/// The same by requests; one more than the largest quota if that refuses more.
fn by_requests(needs: &Needs<'_>, most: u64) -> u64 {
    if most >= needs.requests() {
        return 1;
    }
    // No quota at all refuses everything, and what the busiest client needs refuses nothing.
    let mut refuses_more = 0;
    let mut suffices = needs.at(0).unwrap_or(1);
    while suffices - refuses_more > 1 {
        let middle = refuses_more + (suffices - refuses_more) / 2;
        if needs.refused_by(middle).requests > most {
            refuses_more = middle;
        } else {
            suffices = middle;
        }
    }
    suffices
}

#[cfg(test)]
mod tests;
