//! The status with which a request was answered, as a report tells it.

use serde::Deserialize;
use utoipa::ToSchema;

use super::members;
use super::refund::{RefundAnswer, receipt};
use crate::domain::receipt::Receipt;
use crate::limiter::Limiter;

/// How a request was answered. Policies that do not count this status give back what they charged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Outcome)]
pub(super) struct Outcome {
    /// The `id` of the decision.
    #[serde(deserialize_with = "receipt")]
    #[schema(value_type = String, format = "receipt")]
    id: Receipt,
    /// The status of the response.
    #[serde(deserialize_with = "members::status")]
    #[schema(minimum = 100, maximum = 599, example = 401)]
    status: u16,
}

impl Outcome {
    /// Settles the decision.
    ///
    /// # Errors
    /// With what to say, if the store fails.
    pub(super) async fn settle(&self, limiter: &Limiter) -> Result<RefundAnswer, String> {
        let given = limiter.settle(&self.id, self.status).await;
        given.map(|given| RefundAnswer::of(&given)).map_err(|error| error.to_string())
    }
}
