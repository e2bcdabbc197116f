//! CORS preflights, which pass uncounted if the limiter is built so.

use super::{Incoming, Limiter, LimiterBuilder};

impl LimiterBuilder {
    /// Lets CORS preflights pass uncounted if `pass`, unless their client is blocked or banned. Otherwise they are
    /// counted like any request.
    ///
    /// A preflight is a request by `OPTIONS` with the fields `Origin` and `Access-Control-Request-Method`. Any client can
    /// send one as often as it likes, so the application should answer it without much work.
    #[must_use]
    pub fn pass_preflights(mut self, pass: bool) -> Self {
        self.passes_preflights = pass;
        self
    }
}

impl Limiter {
    /// Whether `request` passes uncounted, unless its client is blocked or banned.
    pub(super) fn skips(&self, request: &impl Incoming) -> bool {
        request.is_skipped() || self.passes_as_preflight(request)
    }

    /// Whether `request` is a preflight, and preflights pass.
    pub(crate) fn passes_as_preflight(&self, request: &impl Incoming) -> bool {
        self.0.passes_preflights && request.is_preflight()
    }
}
