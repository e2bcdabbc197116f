use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::defer;
use super::{StoreError, StoreErrorKind};

/// What a store answers, now or later: await it in a task, or [`wait`](Answer::wait) in a thread.
#[derive(Debug)]
pub struct Answer<T>(Inner<T>);

#[derive(Debug)]
enum Inner<T> {
    Ready(Option<Result<T, StoreError>>),
    Later(oneshot::Receiver<Result<T, StoreError>>),
}

impl<T> Answer<T> {
    /// An answer that is there already.
    #[must_use]
    pub fn ready(answer: Result<T, StoreError>) -> Self {
        Self(Inner::Ready(Some(answer)))
    }

    /// An answer that comes later, and what sends it. A sender that is dropped unsent answers
    /// [`StoreErrorKind::Closed`].
    #[must_use]
    pub fn later() -> (oneshot::Sender<Result<T, StoreError>>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(Inner::Later(receiver)))
    }

    /// The answer, where it is there already; otherwise what it comes by.
    pub(crate) fn at_once(self) -> Result<Result<T, StoreError>, Self> {
        match self.0 {
            Inner::Ready(answer) => Ok(answer.unwrap_or_else(closed)),
            later => Err(Self(later)),
        }
    }

    /// Blocks this thread until the answer is there.
    ///
    /// # Errors
    /// What kept the store from answering.
    pub fn wait(self) -> Result<T, StoreError> {
        match self.0 {
            Inner::Ready(answer) => answer.unwrap_or_else(closed),
            Inner::Later(receiver) => {
                defer::blocked(|| receiver.recv()).unwrap_or_else(|_| closed())
            }
        }
    }
}

impl<T: Unpin> Future for Answer<T> {
    type Output = Result<T, StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.get_mut().0 {
            Inner::Ready(answer) => Poll::Ready(answer.take().unwrap_or_else(closed)),
            Inner::Later(receiver) => {
                Pin::new(receiver).poll(context).map(|answer| answer.unwrap_or_else(|_| closed()))
            }
        }
    }
}

fn closed<T>() -> Result<T, StoreError> {
    Err(StoreError::new(StoreErrorKind::Closed))
}
