//! The formats that can tell of one policy alone. They tell of the one that is closest to denying.
//!
//! * Draft 7, [draft-ietf-httpapi-ratelimit-headers-07], has one dictionary:
//!   `RateLimit: limit=10, remaining=7, reset=42`.
//! * Draft 6, [draft-ietf-httpapi-ratelimit-headers-06], has a field for each: `RateLimit-Limit: 10`,
//!   `RateLimit-Remaining: 7` and `RateLimit-Reset: 42`. Its `RateLimit-Policy` is optional. It is left out, as draft 11
//!   uses that name in another way.
//! * `X-RateLimit-*` look like draft 6, and no standard has them.
//!
//! [draft-ietf-httpapi-ratelimit-headers-07]: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-07
//! [draft-ietf-httpapi-ratelimit-headers-06]: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-06

use bytes::Bytes;

use super::format::{HeaderFormat, XRateLimitReset};
use super::options::FieldOptions;
use super::stretch::Stretch;
use super::text::{number, parameter, seconds_up};
use crate::domain::clock::{Clock as _, Millis};
use crate::domain::decision::Decision;
use crate::domain::policy::Policy;
use crate::domain::scratch::scratch;
use crate::domain::standing::{Retry, Standing};
use crate::http::response::{ResponseField, ResponseFields};
use crate::store::SystemClock;

/// Where the closest policy stands.
struct Closest {
    limit: u64,
    remaining: u64,
    /// Until the quota is whole again, or until the request that was denied is admitted.
    wait: Millis,
}

/// Adds the fields of those formats that `options` name.
pub(super) fn write(
    response: &mut impl ResponseFields,
    decision: &Decision,
    options: FieldOptions,
    stretch: Stretch,
) {
    let Some(closest) = Closest::of(decision, stretch) else { return };
    if options.send.has(HeaderFormat::Draft7) {
        closest.write_dictionary(response);
    }
    if options.send.has(HeaderFormat::Draft6) {
        let names = [
            ResponseField::RateLimitLimit,
            ResponseField::RateLimitRemaining,
            ResponseField::RateLimitReset,
        ];
        closest.write_each(response, names, seconds_up(closest.wait));
    }
    if options.send.has(HeaderFormat::XRateLimit) {
        let names = [
            ResponseField::XRateLimitLimit,
            ResponseField::XRateLimitRemaining,
            ResponseField::XRateLimitReset,
        ];
        let reset = match options.x_ratelimit_reset {
            XRateLimitReset::Seconds => seconds_up(closest.wait),
            XRateLimitReset::Epoch => epoch(SystemClock.now(), closest.wait),
        };
        closest.write_each(response, names, reset);
    }
}

/// The second since the epoch by which `wait` is over, if it is `now`.
fn epoch(now: Millis, wait: Millis) -> u64 {
    seconds_up(now.saturating_add(wait))
}

impl Closest {
    fn of(decision: &Decision, stretch: Stretch) -> Option<Self> {
        let order = |(policy, standing): &(&Policy, &Standing)| {
            (standing.retry == Retry::Now, standing.remaining, policy.quota().units())
        };
        // None of the formats can tell of requests under way, which have no reset.
        let is_told = |(policy, _): &(&Policy, &Standing)| policy.has_quotas();
        let (policy, standing) = decision.policies().filter(is_told).min_by_key(order)?;
        let wait = match standing.retry {
            Retry::After(wait) if !decision.is_allowed() => stretch.of(wait),
            _ => standing.reset_after,
        };
        Some(Self { limit: policy.quota().units(), remaining: standing.remaining, wait })
    }

    /// Whether `line`, which another limit around or within this one wrote, tells of a policy that is no farther from
    /// denying.
    fn is_told(&self, line: Option<&[u8]>) -> bool {
        let told: Option<u64> = line.and_then(|line| std::str::from_utf8(line).ok()?.parse().ok());
        told.is_some_and(|told| told <= self.remaining)
    }

    fn write_dictionary(&self, response: &mut impl ResponseFields) {
        let told = response.lines(ResponseField::RateLimit).next().and_then(|line| {
            let mut members = line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            members.find_map(|member| member.strip_prefix(b"remaining="))
        });
        if !self.is_told(told) {
            let value = scratch(|text| {
                parameter(text, "limit=", self.limit);
                parameter(text, ", remaining=", self.remaining);
                parameter(text, ", reset=", seconds_up(self.wait));
                Bytes::copy_from_slice(text.as_bytes())
            });
            response.set(ResponseField::RateLimit, value);
        }
    }

    fn write_each(
        &self,
        response: &mut impl ResponseFields,
        [limit, remaining, reset]: [ResponseField; 3],
        reset_at: u64,
    ) {
        if !self.is_told(response.lines(remaining).next()) {
            response.set(limit, number(self.limit));
            response.set(remaining, number(self.remaining));
            response.set(reset, number(reset_at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_never_earlier_than_the_reset() {
        for (now, wait, expected) in [
            (1_700_000_000_000, 60_000, 1_700_000_060),
            (1_700_000_000_001, 60_000, 1_700_000_061),
            (1_700_000_000_999, 1, 1_700_000_001),
            (1_700_000_000_999, 2, 1_700_000_002),
            (1_700_000_000_001, 0, 1_700_000_001),
            (Millis::MAX, Millis::MAX, Millis::MAX.div_ceil(1_000)),
        ] {
            assert_eq!(epoch(now, wait), expected, "{now} and {wait}");
        }
    }
}
