//! Threads that begin together, and that no test waits for without end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

/// Far longer than any of them needs: a guard against a hang, never a measure.
const PATIENCE: Duration = Duration::from_secs(30);

/// What `count` threads return, each given its number, all begun at once.
pub fn together<T: Send + 'static>(
    count: usize,
    run: impl Fn(usize) -> T + Send + Sync + 'static,
) -> Vec<T> {
    start(count, run).join()
}

/// Threads under way.
#[derive(Debug)]
pub struct Threads<T> {
    count: usize,
    results: Receiver<T>,
}

/// Begins `count` threads at once, each given its number.
pub fn start<T: Send + 'static>(
    count: usize,
    run: impl Fn(usize) -> T + Send + Sync + 'static,
) -> Threads<T> {
    let (run, barrier) = (Arc::new(run), Arc::new(Barrier::new(count)));
    let (sender, results) = mpsc::channel();
    for number in 0..count {
        let (run, barrier, sender) = (run.clone(), barrier.clone(), sender.clone());
        thread::spawn(move || {
            barrier.wait();
            let _ = sender.send(run(number));
        });
    }
    Threads { count, results }
}

impl<T> Threads<T> {
    /// What they return, in the order in which they end.
    pub fn join(self) -> Vec<T> {
        let next = |_| match self.results.recv_timeout(PATIENCE) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => panic!("a thread hangs"),
            Err(RecvTimeoutError::Disconnected) => panic!("a thread panicked"),
        };
        (0..self.count).map(next).collect()
    }
}

/// Asks `ready` again and again, with a short wait between, until it holds.
///
/// It waits for 90 seconds at most: sentinels that a busy machine held up do nothing for 30 seconds.
pub fn until(what: &str, mut ready: impl FnMut() -> bool) {
    for _ in 0..9_000 {
        if ready() {
            return;
        }
        pause(Duration::from_millis(10));
    }
    panic!("it never was so: {what}");
}

/// Lets `time` pass.
pub fn pause(time: Duration) {
    let (_open, silent) = mpsc::channel::<()>();
    let _ = silent.recv_timeout(time);
}

/// Sets its flag on drop: threads that go on until it is set end though the one that would tell them
/// panics, and a scope does not wait for them for ever.
#[derive(Debug)]
pub struct SetOnDrop<'a>(pub &'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
