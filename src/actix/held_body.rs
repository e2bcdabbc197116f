use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use pin_project_lite::pin_project;

use crate::domain::slot::Slots;
use crate::limiter::Ending;

pin_project! {
    /// The body of a response whose request holds slots of policies that limit the requests under way.
    ///
    /// They are given back before the last part of the body goes out, so that the client's next request finds them free.
    /// If the client hangs up, they are given back when the body is dropped.
    #[doc(hidden)]
    pub struct HeldBody<B> {
        #[pin]
        body: B,
        // In a box, since few requests hold any.
        held: Option<Box<HeldUntilEnd>>,
    }
}

struct HeldUntilEnd {
    slots: Slots,
    /// How many bytes went out.
    sent: u64,
    ending: Option<Ending<Bytes>>,
}

impl<B: MessageBody> HeldBody<B> {
    /// The body of a response. Its request holds `slots` until it ends.
    pub(super) fn new(body: B, slots: Option<Slots>) -> Self {
        let held = |slots| Box::new(HeldUntilEnd { slots, sent: 0, ending: None });
        Self { body, held: slots.map(held) }
    }
}

impl<B: MessageBody> MessageBody for HeldBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, B::Error>>> {
        let this = self.project();
        let Some(held) = this.held.as_deref_mut() else { return this.body.poll_next(context) };
        let ending = match &mut held.ending {
            Some(ending) => ending,
            None => {
                let size = this.body.as_ref().get_ref().size();
                let last = match ready!(this.body.poll_next(context)) {
                    Some(Ok(part)) => {
                        held.sent = held.sent.saturating_add(part.len() as u64);
                        if !matches!(size, BodySize::Sized(size) if held.sent >= size) {
                            return Poll::Ready(Some(Ok(part)));
                        }
                        Some(part)
                    }
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

    /// The whole body, if it is there at once and its request holds no slots. Slots are given back before the last part.
    fn try_into_bytes(self) -> Result<Bytes, Self> {
        if self.held.is_some() {
            return Err(self);
        }
        self.body.try_into_bytes().map_err(|body| Self { body, held: None })
    }
}

impl<B: fmt::Debug> fmt::Debug for HeldBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldBody").field("body", &self.body).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::any::Any;

    use super::*;
    use crate::domain::slot::Held;

    #[derive(Debug)]
    struct NoSlot;

    impl Held for NoSlot {
        fn as_any(&self) -> &dyn Any {
            self
        }
    }

    #[test]
    fn a_body_is_whole_at_once_only_if_its_request_holds_no_slots() {
        let whole = |slots| HeldBody::new("body", slots).try_into_bytes().ok();
        assert_eq!(whole(None).as_deref(), Some(&b"body"[..]));
        assert_eq!(whole(Some(Slots::new(NoSlot))), None);
    }
}
