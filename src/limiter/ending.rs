//! The end of a response whose request holds slots.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::in_flight::give_back;
use crate::domain::slot::Slots;
use crate::store::Answer;

/// The last part of a response's body, which waits until the slots of its request are given back.
pub(crate) struct Ending<P> {
    /// `None` if they were given back before.
    release: Option<Answer<Vec<bool>>>,
    /// `None` if the body ended with the part before.
    last: Option<P>,
}

impl<P> Ending<P> {
    /// Begins to give `slots` back, before `last` goes out.
    pub(crate) fn new(slots: &Slots, last: Option<P>) -> Self {
        Self { release: give_back(slots), last }
    }

    /// The last part, once the slots are given back.
    pub(crate) fn poll_last(&mut self, context: &mut Context<'_>) -> Poll<Option<P>> {
        if let Some(release) = &mut self.release {
            // Slots that cannot be given back end by themselves.
            let _ = ready!(Pin::new(release).poll(context));
            self.release = None;
        }
        Poll::Ready(self.last.take())
    }
}
