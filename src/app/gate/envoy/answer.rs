//! What Envoy is answered.

use std::sync::Arc;
use std::time::Duration;

use super::messages::{Code, DescriptorStatus, HeaderValue, RateLimit, RateLimitResponse};
use super::question::Fate;
use super::units::unit_of;
use crate::domain::clock::{Millis, millis};
use crate::domain::decision::Decision;
use crate::domain::policy::Policy;
use crate::domain::standing::{Retry, Standing};
use crate::http::fields::{self, FieldOptions, Stretch};
use crate::http::response::PlainFields;
use crate::limiter::{PartAnswer, Refused, Together};

/// The answer to a request whose descriptors have these `fates`. `together` is what the limiter decided about those that
/// are counted, if there are any.
pub(super) fn response(
    fates: impl Iterator<Item = Fate>,
    together: Option<&Together>,
    options: FieldOptions,
) -> RateLimitResponse {
    let stretch = options.stretch();
    let wait = together.and_then(|together| wait(together, stretch));
    let mut parts = together.into_iter().flat_map(Together::parts);
    let statuses: Vec<_> = fates
        .map(|fate| match fate {
            Fate::Unknown | Fate::GivesBack => ok(),
            Fate::Unlimited => DescriptorStatus { limit_remaining: u32::MAX, ..ok() },
            Fate::Refused => over_limit(),
            Fate::Counted => parts.next().map_or_else(over_limit, |part| status(part, wait)),
        })
        .collect();
    // A penalty may ban a client while every quota still has room.
    let is_denied = together.is_some_and(|together| !together.is_allowed());
    let is_over = |status: &DescriptorStatus| status.code() == Code::OverLimit;
    let is_over = is_denied || statuses.iter().any(is_over);
    let code = if is_over { Code::OverLimit } else { Code::Ok };
    RateLimitResponse {
        overall_code: code.into(),
        statuses,
        response_headers_to_add: headers(together, wait, options, stretch),
    }
}

/// How long the request has to wait until it is admitted, and what `stretch` adds; `None` if it is, or never will be.
fn wait(together: &Together, stretch: Stretch) -> Option<Duration> {
    match together.refused() {
        Some(Refused::Banned(banned)) => Some(banned.ends_after()),
        Some(_) => None,
        None => {
            let denying = together.parts().iter().filter(|part| !part.admits());
            let waits: Option<Vec<_>> = denying.map(PartAnswer::retry_after).collect();
            waits?.into_iter().max().map(|wait| stretch.of_duration(wait))
        }
    }
}

fn ok() -> DescriptorStatus {
    DescriptorStatus { code: Code::Ok.into(), ..DescriptorStatus::default() }
}

fn over_limit() -> DescriptorStatus {
    DescriptorStatus { code: Code::OverLimit.into(), ..DescriptorStatus::default() }
}

/// Where one descriptor stands. If it has no room, the request has to `wait`.
fn status(part: &PartAnswer, wait: Option<Duration>) -> DescriptorStatus {
    let admits = part.admits();
    let status = if admits { ok() } else { over_limit() };
    let Some((policy, standing)) = part.policies().min_by_key(closest) else {
        // Its client passes uncounted, or is blocked or banned.
        let duration_until_reset = wait.filter(|_| !admits).map(whole_seconds);
        return DescriptorStatus { duration_until_reset, ..status };
    };
    let quota = policy.quota();
    let window = policy.as_ref().has_quotas().then(|| quota.window());
    let current_limit = window.and_then(unit_of).map(|unit| RateLimit {
        requests_per_unit: clamped(quota.units()),
        unit: unit.into(),
        name: policy.name().to_owned(),
    });
    let until_whole = || Duration::from_millis(standing.reset_after);
    let until_reset = if admits { Some(until_whole()) } else { wait };
    DescriptorStatus {
        current_limit,
        limit_remaining: clamped(standing.remaining),
        duration_until_reset: until_reset.map(|wait| match admits {
            true => seconds(millis(wait).div_ceil(1_000)),
            false => whole_seconds(wait),
        }),
        ..status
    }
}

/// The order of policies by how close they are to denying.
fn closest<P: AsRef<Policy>>((policy, standing): &(P, &Standing)) -> (bool, u64, u64) {
    (standing.retry == Retry::Now, standing.remaining, policy.as_ref().quota().units())
}

/// Rounded up, and at least one second: Envoy tells clients whole seconds.
fn whole_seconds(wait: Duration) -> prost_types::Duration {
    seconds(millis(wait).div_ceil(1_000).max(1))
}

fn seconds(seconds: Millis) -> prost_types::Duration {
    prost_types::Duration { seconds: i64::try_from(seconds).unwrap_or(i64::MAX), nanos: 0 }
}

/// The largest number that Envoy's message holds stands for larger ones.
fn clamped(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The header fields of the response to the client.
fn headers(
    together: Option<&Together>,
    wait: Option<Duration>,
    options: FieldOptions,
    stretch: Stretch,
) -> Vec<HeaderValue> {
    let Some(together) = together else { return Vec::new() };
    let mut fields = PlainFields::default();
    fields::write_stretched(&mut fields, &decision(together), options, stretch);
    if let Some(wait) = wait {
        fields::write_retry_after(&mut fields, wait);
    }
    let header = |(field, value): (crate::http::response::ResponseField, bytes::Bytes)| {
        let value = String::from_utf8_lossy(&value).into_owned();
        HeaderValue { key: field.name().to_owned(), value }
    };
    fields.into_iter().map(header).collect()
}

/// The decision with each limit once. If descriptors meet the same one, it stands where it is closest to denying.
fn decision(together: &Together) -> Decision {
    let mut told: Vec<(Arc<Policy>, Standing)> = Vec::new();
    for (policy, standing) in together.parts().iter().flat_map(PartAnswer::policies) {
        match told.iter_mut().find(|(it, _)| it.label() == policy.label()) {
            None => told.push((policy.clone(), *standing)),
            Some(known) if closest(&(policy, standing)) < closest(&(&known.0, &known.1)) => {
                *known = (policy.clone(), *standing);
            }
            Some(_) => {}
        }
    }
    let (policies, standings) = told.into_iter().unzip();
    Decision::new(together.is_allowed(), policies, standings)
}
