//! One timer for all time limits of a connection.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::rt::time::{Instant, Sleep, sleep_until};

/// A timer that is seldom set: while its deadline only moves away, as it does with each request, it is
/// left as it is, and set anew when it runs out.
#[derive(Debug, Default)]
pub(super) struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Ready when `deadline` has come; the task of `context` is woken then.
    pub(super) fn poll(&mut self, context: &mut Context<'_>, deadline: Instant) -> Poll<()> {
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
