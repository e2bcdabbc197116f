//! Threads that begin together, and that no test waits for without end.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

/// Far longer than any of them needs: a guard against a hang, never a measure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What `count` threads return, each given its number, all begun at once.
pub(crate) fn together<T: Send + 'static>(
    count: usize,
    run: impl Fn(usize) -> T + Send + Sync + 'static,
) -> Vec<T> {
    let (run, barrier) = (Arc::new(run), Arc::new(Barrier::new(count)));
    let (sender, results) = mpsc::channel();
    for number in 0..count {
        let (run, barrier, sender) = (run.clone(), barrier.clone(), sender.clone());
        thread::spawn(move || {
            barrier.wait();
            let _ = sender.send(run(number));
        });
    }
    drop((sender, run));
    (0..count)
        .map(|_| match results.recv_timeout(PATIENCE) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => panic!("a thread hangs"),
            Err(RecvTimeoutError::Disconnected) => panic!("a thread panicked"),
        })
        .collect()
}

/// Asks `ready` again and again, with a short wait between, until it holds.
pub(crate) fn until(what: &str, mut ready: impl FnMut() -> bool) {
    let (_open, silent) = mpsc::channel::<()>();
    for _ in 0..3_000 {
        if ready() {
            return;
        }
        let _ = silent.recv_timeout(Duration::from_millis(10));
    }
    panic!("it never was so: {what}");
}
