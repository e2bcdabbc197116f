use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::domain::slot::Slots;
use crate::limiter::Ending;

pin_project! {
    /// The body of a response whose request holds slots of policies that limit the requests under way.
    ///
    /// They are given back before the last frame goes out, so that the client's next request finds them free. If the
    /// client hangs up, they are given back when the body is dropped.
    pub(super) struct HeldBody<B: Body> {
        #[pin]
        body: B,
        // In a box, since few requests hold any.
        held: Option<Box<HeldUntilEnd<B>>>,
    }
}

struct HeldUntilEnd<B: Body> {
    slots: Slots,
    ending: Option<Ending<Frame<B::Data>>>,
}

impl<B: Body> HeldBody<B> {
    /// The body of a response. Its request holds `slots` until it ends.
    pub(super) fn new(body: B, slots: Option<Slots>) -> Self {
        let held = |slots| Box::new(HeldUntilEnd { slots, ending: None });
        Self { body, held: slots.map(held) }
    }
}

/// Whether nothing of `body` is left to send. A server that has sent a body of known length may ask for no further frame.
pub(super) fn has_ended(body: &impl Body) -> bool {
    body.is_end_stream() || body.size_hint().exact() == Some(0)
}

impl<B: Body> Body for HeldBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(held) = this.held.as_deref_mut() else { return this.body.poll_frame(context) };
        let ending = match &mut held.ending {
            Some(ending) => ending,
            None => {
                let last = match ready!(this.body.as_mut().poll_frame(context)) {
                    Some(Ok(frame)) if has_ended(&*this.body) => Some(frame),
                    Some(Ok(frame)) => return Poll::Ready(Some(Ok(frame))),
                    Some(Err(error)) => {
                        *this.held = None;
                        return Poll::Ready(Some(Err(error)));
                    }
                    None => None,
                };
                held.ending.insert(Ending::new(&held.slots, last))
            }
        };
        let last = ready!(ending.poll_last(context));
        *this.held = None;
        Poll::Ready(last.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B: Body + fmt::Debug> fmt::Debug for HeldBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldBody").field("body", &self.body).finish_non_exhaustive()
    }
}
