//! Requests from several threads while something happens to their Redis, and a count of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::threads::{start, until};

/// Has three threads call `traffic` with their number and the number of the call, again and again,
/// while `operate` does what happens; it is given the count of calls that were answered.
pub(crate) fn under_traffic(
    traffic: impl Fn(usize, usize) + Send + Sync + 'static,
    operate: impl FnOnce(&AtomicUsize),
) {
    let over = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let (ends, counts) = (over.clone(), answered.clone());
    let threads = start(3, move |thread| {
        let mut calls = 0;
        while !ends.load(Ordering::SeqCst) {
            traffic(thread, calls);
            counts.fetch_add(1, Ordering::SeqCst);
            calls += 1;
        }
    });
    operate(&answered);
    over.store(true, Ordering::SeqCst);
    threads.join();
}

/// Waits until `more` calls were answered.
pub(crate) fn answer(more: usize, answered: &AtomicUsize) {
    let goal = answered.load(Ordering::SeqCst) + more;
    until("requests are answered", || answered.load(Ordering::SeqCst) >= goal);
}
