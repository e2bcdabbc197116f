//! Asks again in smaller batches where Redis refuses a whole batch because of the key of one request.

use std::time::{Duration, Instant};

use super::batch::Batch;
use crate::store::redis::error::is_about_a_key;
use crate::store::{Acquire, Acquired, StoreError, StoreErrorKind};

/// How many calls one batch may become: enough to find one key among 128.
const MAX_CALLS: usize = 15;

/// Asks for `requests` by `call`, and returns the answer to each of them.
///
/// If the server refuses a batch because of a key, both halves of it are asked again, since the other
/// requests are fine. That ends after some calls, or `timeout` after the first refusal.
pub(crate) fn ask(
    requests: Vec<Acquire>,
    timeout: Duration,
    mut call: impl FnMut(&Batch) -> Result<Vec<u8>, StoreError>,
) -> Vec<Result<Acquired, StoreErrorKind>> {
    let mut answers = Vec::with_capacity(requests.len());
    // The next requests are at the end.
    let mut left = vec![requests];
    let mut calls = 0;
    let mut refused: Option<Instant> = None;
    while let Some(requests) = left.pop() {
        let batch = Batch::of(requests);
        calls += 1;
        let reply = call(&batch);
        let may_be_mixed = batch.len() > 1 && reply.as_ref().is_err_and(is_about_a_key);
        if may_be_mixed && calls < MAX_CALLS && refused.is_none_or(|it| it.elapsed() < timeout) {
            refused.get_or_insert_with(Instant::now);
            let mut first = batch.into_requests();
            let second = first.split_off(first.len() / 2);
            left.extend([second, first]);
        } else {
            answers.extend(batch.answers(reply));
        }
    }
    answers
}

#[cfg(test)]
mod tests;
