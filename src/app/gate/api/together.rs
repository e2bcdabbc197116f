//! Several questions at once.

use std::fmt;
use std::future::poll_fn;
use std::task::Poll;

use super::mistake::pointer;
use crate::app::gate::problem::PartError;

/// The results of `futures`, in their order. All are begun before the first one ends.
pub(super) async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        let mut is_over = true;
        for (future, result) in pending.iter_mut().filter(|(_, result)| result.is_none()) {
            match future.as_mut().poll(context) {
                Poll::Ready(output) => *result = Some(output),
                Poll::Pending => is_over = false,
            }
        }
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    pending.into_iter().filter_map(|(_, result)| result).collect()
}

/// Those of `results` that succeeded, and why the others failed, each with its index if there may be several.
pub(super) fn settled<T, E: fmt::Display>(
    results: impl IntoIterator<Item = (Option<usize>, Result<T, E>)>,
) -> (Vec<T>, Vec<PartError>) {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (index, result) in results {
        match result {
            Ok(it) => done.push(it),
            Err(error) => {
                failed.push(PartError { pointer: pointer(index), detail: error.to_string() });
            }
        }
    }
    (done, failed)
}
