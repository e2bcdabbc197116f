//! The settings of header fields.

use super::format::{HeaderFormats, XRateLimitReset};
use super::stretch::Stretch;
use crate::domain::policy::Share;

/// Which header fields responses carry, and how waits are told in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FieldOptions {
    /// The formats that are sent. `Retry-After` is sent whatever they are.
    pub(crate) send: HeaderFormats,
    /// What `X-RateLimit-Reset` counts from.
    pub(crate) x_ratelimit_reset: XRateLimitReset,
    /// The fields' names in `Access-Control-Expose-Headers`, for scripts in browsers.
    pub(crate) cors_expose: bool,
    /// The most that is added to the wait of a denied request, as a share of it.
    pub(crate) retry_jitter: Share,
}

impl FieldOptions {
    /// By how much the waits of the next denial are longer. Each denial has its own.
    pub(crate) fn stretch(&self) -> Stretch {
        Stretch::drawn(self.retry_jitter)
    }
}

impl Default for FieldOptions {
    fn default() -> Self {
        Self {
            send: HeaderFormats::default(),
            x_ratelimit_reset: XRateLimitReset::default(),
            cors_expose: false,
            retry_jitter: Share::NONE,
        }
    }
}
