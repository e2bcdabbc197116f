//! Does the same for several things, on several threads.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;

/// What `work` makes of each of `items`, in their order, on at most so many `threads`.
pub(super) fn map<T: Send, R: Send>(
    items: impl IntoIterator<Item = T>,
    threads: NonZeroUsize,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let waiting: Vec<(usize, T)> = items.into_iter().enumerate().collect();
    let threads = threads.get().min(waiting.len());
    let waiting = Mutex::new(waiting.into_iter());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        let mut done = Vec::new();
        while let Some((place, item)) = next() {
            done.push((place, work(item)));
        }
        done
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let started: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let ended = started.into_iter().flat_map(|thread| {
            // What a thread dies of is ours as well.
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        ended.collect()
    });
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_what_they_are_of() {
        for threads in [1, 3, 100] {
            let threads = NonZeroUsize::new(threads).unwrap();
            let squares: Vec<u64> = (0..50).map(|it| it * it).collect();
            assert_eq!(map(0..50_u64, threads, |it| it * it), squares);
        }
        assert!(map([0; 0], NonZeroUsize::MIN, |it| it).is_empty());
    }
}
