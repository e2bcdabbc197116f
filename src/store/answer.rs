use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::defer;
use super::maybe_ready::MaybeReady;
use super::{StoreError, StoreErrorKind};

/// A store's answer, which may be there at once: await it in a task, or [`wait`](Answer::wait) for it
/// in a thread.
#[derive(Debug)]
pub struct Answer<T>(MaybeReady<Awaited<T>>);

/// An answer that another thread sends.
#[derive(Debug)]
pub(crate) struct Awaited<T>(oneshot::Receiver<Result<T, StoreError>>);

impl<T> Answer<T> {
    /// An answer that is there at once.
    #[must_use]
    pub fn ready(answer: Result<T, StoreError>) -> Self {
        Self(MaybeReady::ready(answer))
    }

    /// An answer that comes later, and the sender for it. When the sender is dropped unsent, the
    /// answer is [`StoreErrorKind::Closed`].
    #[must_use]
    pub fn later() -> (oneshot::Sender<Result<T, StoreError>>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(MaybeReady::Pending(Awaited(receiver))))
    }

    /// The answer.
    ///
    /// # Errors
    /// With the future to await, if the answer is not there yet.
    pub(crate) fn now(self) -> Result<Result<T, StoreError>, Awaited<T>> {
        self.0.now()
    }

    /// Blocks this thread until the answer is there.
    ///
    /// # Errors
    /// When the store failed.
    pub fn wait(self) -> Result<T, StoreError> {
        self.now().unwrap_or_else(Awaited::wait)
    }
}

impl<T: Unpin> Future for Answer<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Awaited<T> {
    /// Blocks this thread until the answer is there.
    pub(crate) fn wait(self) -> Result<T, StoreError> {
        defer::blocked(|| self.0.recv()).unwrap_or_else(|_| closed())
    }
}

impl<T> Future for Awaited<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|sent| sent.unwrap_or_else(|_| closed()))
    }
}

fn closed<T>() -> Result<T, StoreError> {
    Err(StoreError::new(StoreErrorKind::Closed))
}
