//! Requests that Redis refuses together because of the key of one are asked apart: the others have
//! done nothing wrong.

use std::time::{Duration, Instant};

use super::batch::Batch;
use crate::store::redis::error::is_of_a_key;
use crate::store::{Acquire, Acquired, StoreError, StoreErrorKind};

/// How many calls one batch becomes at most: as many as find one key among 128.
const MOST_CALLS: usize = 15;

/// What `call` says of each of `asked`. Where it refuses all because of a key, they are asked again by
/// halves, for as long as one call may take.
pub(crate) fn ask(
    asked: Vec<Acquire>,
    timeout: Duration,
    mut call: impl FnMut(&Batch) -> Result<Vec<u8>, StoreError>,
) -> Vec<Result<Acquired, StoreErrorKind>> {
    let mut answers = Vec::with_capacity(asked.len());
    // The first of them last.
    let mut left = vec![asked];
    let mut calls = 0;
    let mut refused: Option<Instant> = None;
    while let Some(asked) = left.pop() {
        let batch = Batch::of(asked);
        calls += 1;
        let reply = call(&batch);
        let is_mixed = batch.len() > 1 && reply.as_ref().is_err_and(is_of_a_key);
        if is_mixed && calls < MOST_CALLS && refused.is_none_or(|it| it.elapsed() < timeout) {
            refused.get_or_insert_with(Instant::now);
            let mut first = batch.into_asked();
            let second = first.split_off(first.len() / 2);
            left.extend([second, first]);
        } else {
            answers.extend(batch.answered(reply));
        }
    }
    answers
}

#[cfg(test)]
mod tests;
