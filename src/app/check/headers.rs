//! Settings of header fields that have no effect.

use super::finding::Finding;
use super::policies::list;
use crate::app::config::Config;
use crate::http::{HeaderFormat, XRateLimitReset};

pub(super) fn examine(config: &Config, findings: &mut Vec<Finding>) {
    let fields = &config.headers;
    let is_sent = fields.send.has(HeaderFormat::XRateLimit);
    if is_sent || fields.x_ratelimit_reset == XRateLimitReset::default() {
        return;
    }
    let formats = fields.send.iter().chain([HeaderFormat::XRateLimit]);
    let formats: Vec<_> = formats.map(|format| format.to_string()).collect();
    findings.push(Finding {
        code: "reset-unsent",
        option: "headers.x_ratelimit_reset".to_owned(),
        reason: "X-RateLimit-Reset is not sent, so it does not matter what it counts from."
            .to_owned(),
        better: format!("headers.send = {}", list(formats.iter().map(String::as_str))),
    });
}
