//! The responses to questions that are not answered, for the document.

use utoipa::IntoResponses;

use crate::app::gate::problem::Problem;

/// The question is wrong, or may not be asked.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it is there for the document alone")]
pub(super) enum Refusals {
    /// The body is not what was expected.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// A token is needed, and this is not it.
    #[response(status = 401, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "How to send the token.")))]
    Unauthorized(Problem),
    /// A web page may not ask.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// A policy is named that there is not.
    #[response(status = 404, content_type = "application/problem+json")]
    UnknownPolicy(Problem),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The body is not sent as `application/json`.
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(Problem),
    /// The peer has sent too many wrong tokens.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyFailures(Problem),
}

/// The store failed. The problem names the items for which it did; the others are done.
#[derive(IntoResponses)]
#[response(status = 503, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds until it may be worth another try.")))]
#[expect(dead_code, reason = "it is there for the document alone")]
pub(super) struct StoreFailed(Problem);
