//! The settings of what clients are told.

use super::RateLimitLayer;
use crate::domain::policy::Share;
use crate::http::fields::HeaderFormats;
use crate::http::{HeaderFormat, HeaderFormatError, Refusals, XRateLimitReset};

/// What clients are told.
impl RateLimitLayer {
    /// Sends header fields in these `formats`, and in no others. Without this it is draft 11 alone. `Retry-After` is sent
    /// whatever they are.
    ///
    /// # Errors
    /// When both draft 7 and draft 11 are among them.
    pub fn send_headers(
        mut self,
        formats: impl IntoIterator<Item = HeaderFormat>,
    ) -> Result<Self, HeaderFormatError> {
        self.settings().answers.fields.send = HeaderFormats::new(formats)?;
        Ok(self)
    }

    /// Lets `X-RateLimit-Reset`, if it is sent, count from `reset`. Without this it is the seconds until then.
    #[must_use]
    pub fn x_ratelimit_reset(mut self, reset: XRateLimitReset) -> Self {
        self.settings().answers.fields.x_ratelimit_reset = reset;
        self
    }

    /// Adds up to the share `jitter` of its wait to what a denied request is told, at random, so that clients which were
    /// denied together do not come back together. Nothing is ever taken off.
    ///
    /// All fields of an answer, and its body, are longer by the same part.
    #[must_use]
    pub fn retry_jitter(mut self, jitter: Share) -> Self {
        self.settings().answers.fields.retry_jitter = jitter;
        self
    }

    /// Answers denials by own bodies, where the client likes one better than problem details.
    #[must_use]
    pub fn refusals(mut self, refusals: Refusals) -> Self {
        let answers = &mut self.settings().answers;
        *answers = std::mem::take(answers).with_refusals(refusals);
        self
    }

    /// Names the fields in `Access-Control-Expose-Headers`, so that scripts in browsers may read them.
    #[must_use]
    pub fn expose_headers(mut self, expose: bool) -> Self {
        self.settings().answers.fields.cors_expose = expose;
        self
    }
}
