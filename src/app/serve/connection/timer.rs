//! One timer for all time limits of a connection.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::rt::time::{Instant, Sleep, sleep_until};

/// A timer that is rarely set. The deadline moves into the future with each request; the timer is then left
/// alone, and set again only when it runs out too early.
#[derive(Debug, Default)]
pub(in crate::app::serve) struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Ready when `deadline` has passed. Wakes the task of `context` then.
    pub(in crate::app::serve) fn poll(
        &mut self,
        context: &mut Context<'_>,
        deadline: Instant,
    ) -> Poll<()> {
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(context).is_ready() {
            if timer.deadline() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}
