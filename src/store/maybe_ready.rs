//! One shape for what is decided at once or later: the stores' answers, checks, and admissions.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The output of a future, which may be there at once.
///
/// [`now`](Self::now) hands out either the output or the future that still has to be awaited. So a
/// caller cannot block by mistake: there is nothing to wait with but the future itself.
#[derive(Debug)]
pub(crate) enum MaybeReady<F: Future> {
    /// It is there.
    Ready(Ready<F::Output>),
    /// It comes with this future.
    Pending(F),
}

impl<F: Future> MaybeReady<F> {
    /// An output that is there at once.
    pub(crate) fn ready(output: F::Output) -> Self {
        Self::Ready(ready(output))
    }

    /// The output.
    ///
    /// # Errors
    /// With the future to await, if the output is not there yet.
    pub(crate) fn now(self) -> Result<F::Output, F> {
        match self {
            Self::Ready(output) => Ok(output.into_inner()),
            Self::Pending(future) => Err(future),
        }
    }
}

impl<F: Future + Unpin> Future for MaybeReady<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        match self.get_mut() {
            Self::Ready(output) => Pin::new(output).poll(context),
            Self::Pending(future) => Pin::new(future).poll(context),
        }
    }
}
