use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::task::Wake;
use std::thread;

use super::*;

/// Counts how often it was woken.
#[derive(Default)]
struct WakeCount(AtomicUsize);

impl Wake for WakeCount {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A task of this thread, how often it was woken, and the work that was done, in order.
struct Setup {
    task: Pin<Box<DeferTask>>,
    wakes: Arc<WakeCount>,
    done: Arc<Mutex<Vec<u32>>>,
}

impl Setup {
    fn with_a_task() -> Self {
        let mut setup = Self::without_a_task();
        assert!(setup.end_turn().is_pending());
        setup
    }

    fn without_a_task() -> Self {
        Self { task: Box::pin(DeferTask::default()), wakes: Arc::default(), done: Arc::default() }
    }

    fn end_turn(&mut self) -> Poll<()> {
        let waker = self.wakes.clone().into();
        self.task.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn work(&self, number: u32) -> impl FnOnce() + Send + 'static {
        let done = self.done.clone();
        move || done.lock().unwrap().push(number)
    }

    fn done(&self) -> Vec<u32> {
        self.done.lock().unwrap().clone()
    }

    fn woken(&self) -> usize {
        self.wakes.0.load(Ordering::SeqCst)
    }
}

#[test]
fn deferred_work_is_done_at_the_end_of_the_turn_and_wakes_its_task_once() {
    let mut setup = Setup::with_a_task();
    let deferred = Deferred::here().unwrap();
    deferred.defer(setup.work(1));
    deferred.defer(setup.work(2));
    assert_eq!((setup.done(), setup.woken()), (vec![], 1));
    assert!(setup.end_turn().is_pending());
    assert_eq!(setup.done(), [1, 2]);

    deferred.defer(setup.work(3));
    assert_eq!(setup.woken(), 2, "the first work of a new turn wakes it again");
}

#[test]
fn work_deferred_by_deferred_work_is_done_in_the_next_turn() {
    let mut setup = Setup::with_a_task();
    let deferred = Deferred::here().unwrap();
    let (first, second) = (setup.work(1), setup.work(2));
    let same = deferred.clone();
    deferred.defer(move || {
        first();
        same.defer(second);
    });
    assert!(setup.end_turn().is_pending());
    assert_eq!((setup.done(), setup.woken()), (vec![1], 2));
    assert!(setup.end_turn().is_pending());
    assert_eq!(setup.done(), [1, 2]);
}

#[test]
fn work_deferred_by_another_thread_is_done_in_this_one() {
    let mut setup = Setup::with_a_task();
    let deferred = Deferred::here().unwrap();
    let (tell, told) = channel();
    let defer = move || deferred.defer(move || tell.send(thread::current().id()).unwrap());
    thread::spawn(defer).join().unwrap();
    assert_eq!(setup.woken(), 1);
    assert!(setup.end_turn().is_pending());
    assert_eq!(told.try_recv().unwrap(), thread::current().id());
}

#[test]
fn a_thread_without_a_task_defers_nothing() {
    assert!(Deferred::here().is_none());
    let setup = Setup::with_a_task();
    assert!(Deferred::here().is_some());
    drop(setup);
    assert!(Deferred::here().is_none());
}

#[test]
fn a_task_that_is_dropped_does_its_work_and_later_work_is_done_at_once() {
    let setup = Setup::with_a_task();
    let deferred = Deferred::here().unwrap();
    deferred.defer(setup.work(1));
    let (done, late) = (setup.done.clone(), setup.work(2));
    drop(setup.task);
    assert_eq!(*done.lock().unwrap(), [1]);
    deferred.defer(late);
    assert_eq!(*done.lock().unwrap(), [1, 2]);
}

#[test]
fn a_thread_needs_only_one_task() {
    let _office = Setup::with_a_task();
    let mut second = Setup::without_a_task();
    assert!(second.end_turn().is_ready());
    drop(second);
    assert!(Deferred::here().is_some(), "the first is still there");
}

#[test]
fn a_blocked_thread_does_its_deferred_work_first() {
    let mut setup = Setup::with_a_task();
    let deferred = Deferred::here().unwrap();
    deferred.defer(setup.work(1));
    blocked(|| {
        assert_eq!(setup.done(), [1], "work from before");
        deferred.defer(setup.work(2));
        assert_eq!(setup.done(), [1, 2], "work that comes meanwhile");
    });
    deferred.defer(setup.work(3));
    assert_eq!(setup.done(), [1, 2], "afterwards it waits for the task again");
    assert!(setup.end_turn().is_pending());
    assert_eq!(setup.done(), [1, 2, 3]);
}

#[test]
fn an_answer_can_be_waited_for_in_a_thread_that_defers() {
    let _office = Setup::with_a_task();
    let deferred = Deferred::here().unwrap();
    let (answer, later) = crate::store::Answer::later();
    deferred.defer(move || answer.send(Ok(7)).unwrap());
    assert_eq!(later.wait().unwrap(), 7);
}

/// A runtime that is shut down drops its tasks in any thread.
#[test]
#[cfg(feature = "tower")]
fn a_thread_whose_task_was_dropped_elsewhere_gets_another() {
    let task = DeferTask::of_this_thread();
    assert!(DeferTask::is_here());
    thread::spawn(move || drop(task)).join().unwrap();
    assert!(!DeferTask::is_here());
    let mut another = Box::pin(DeferTask::of_this_thread());
    assert!(DeferTask::is_here());
    let wakes = Arc::<WakeCount>::default();
    let waker = wakes.clone().into();
    let mut context = Context::from_waker(&waker);
    // It yields, works, and then does what is deferred when it is woken.
    for woken in [1, 1] {
        assert!(another.as_mut().poll(&mut context).is_pending());
        assert_eq!(wakes.0.load(Ordering::SeqCst), woken);
    }
    let done = Arc::<AtomicUsize>::default();
    let count = done.clone();
    Deferred::here().unwrap().defer(move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    assert_eq!((wakes.0.load(Ordering::SeqCst), done.load(Ordering::SeqCst)), (2, 0));
    for (woken, done_by_then) in [(3, 0), (3, 1)] {
        assert!(another.as_mut().poll(&mut context).is_pending());
        let seen = (wakes.0.load(Ordering::SeqCst), done.load(Ordering::SeqCst));
        assert_eq!(seen, (woken, done_by_then));
    }
}
