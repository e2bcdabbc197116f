use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::task::Wake;
use std::thread;

use super::*;

/// Counts how often it was woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A clerk of this thread, its bell, and what was done, in order.
struct Office {
    clerk: Pin<Box<Clerk>>,
    bell: Arc<Bell>,
    done: Arc<Mutex<Vec<u32>>>,
}

impl Office {
    fn open() -> Self {
        let mut office = Self::without_a_clerk();
        assert!(office.end_turn().is_pending());
        office
    }

    fn without_a_clerk() -> Self {
        Self { clerk: Box::pin(Clerk::default()), bell: Arc::default(), done: Arc::default() }
    }

    fn end_turn(&mut self) -> Poll<()> {
        let waker = self.bell.clone().into();
        self.clerk.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn piece(&self, number: u32) -> impl FnOnce() + Send + 'static {
        let done = self.done.clone();
        move || done.lock().unwrap().push(number)
    }

    fn done(&self) -> Vec<u32> {
        self.done.lock().unwrap().clone()
    }

    fn rung(&self) -> usize {
        self.bell.0.load(Ordering::SeqCst)
    }
}

#[test]
fn what_is_left_is_done_at_the_end_of_the_turn_and_rings_once() {
    let mut office = Office::open();
    let desk = Desk::here().unwrap();
    desk.leave(office.piece(1));
    desk.leave(office.piece(2));
    assert_eq!((office.done(), office.rung()), (vec![], 1));
    assert!(office.end_turn().is_pending());
    assert_eq!(office.done(), [1, 2]);

    desk.leave(office.piece(3));
    assert_eq!(office.rung(), 2, "a new turn rings anew");
}

#[test]
fn a_piece_that_leaves_another_has_it_done_in_the_next_turn() {
    let mut office = Office::open();
    let desk = Desk::here().unwrap();
    let (first, second) = (office.piece(1), office.piece(2));
    let same = desk.clone();
    desk.leave(move || {
        first();
        same.leave(second);
    });
    assert!(office.end_turn().is_pending());
    assert_eq!((office.done(), office.rung()), (vec![1], 2));
    assert!(office.end_turn().is_pending());
    assert_eq!(office.done(), [1, 2]);
}

#[test]
fn what_another_thread_leaves_is_done_in_this_one() {
    let mut office = Office::open();
    let desk = Desk::here().unwrap();
    let (tell, told) = channel();
    let leave = move || desk.leave(move || tell.send(thread::current().id()).unwrap());
    thread::spawn(leave).join().unwrap();
    assert_eq!(office.rung(), 1);
    assert!(office.end_turn().is_pending());
    assert_eq!(told.try_recv().unwrap(), thread::current().id());
}

#[test]
fn a_thread_without_a_clerk_has_no_desk() {
    assert!(Desk::here().is_none());
    let office = Office::open();
    assert!(Desk::here().is_some());
    drop(office);
    assert!(Desk::here().is_none());
}

#[test]
fn a_clerk_that_goes_does_what_is_left_and_what_comes_after() {
    let office = Office::open();
    let desk = Desk::here().unwrap();
    desk.leave(office.piece(1));
    let (done, late) = (office.done.clone(), office.piece(2));
    drop(office.clerk);
    assert_eq!(*done.lock().unwrap(), [1]);
    desk.leave(late);
    assert_eq!(*done.lock().unwrap(), [1, 2]);
}

#[test]
fn one_clerk_is_enough_for_a_thread() {
    let _office = Office::open();
    let mut second = Office::without_a_clerk();
    assert!(second.end_turn().is_ready());
    drop(second);
    assert!(Desk::here().is_some(), "the first is still there");
}

#[test]
fn a_blocked_thread_leaves_nothing_undone() {
    let mut office = Office::open();
    let desk = Desk::here().unwrap();
    desk.leave(office.piece(1));
    blocked(|| {
        assert_eq!(office.done(), [1], "what was left before");
        desk.leave(office.piece(2));
        assert_eq!(office.done(), [1, 2], "what is left meanwhile");
    });
    desk.leave(office.piece(3));
    assert_eq!(office.done(), [1, 2], "afterwards the clerk comes again");
    assert!(office.end_turn().is_pending());
    assert_eq!(office.done(), [1, 2, 3]);
}

#[test]
fn an_answer_can_be_waited_for_where_the_clerk_cannot_come() {
    let _office = Office::open();
    let desk = Desk::here().unwrap();
    let (answer, later) = crate::store::Answer::later();
    desk.leave(move || answer.send(Ok(7)).unwrap());
    assert_eq!(later.wait().unwrap(), 7);
}
