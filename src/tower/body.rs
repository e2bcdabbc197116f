use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::held_body::HeldBody;
use crate::domain::slot::Slots;

pin_project! {
    /// The body of a response: the service's own, or that of a refusal.
    pub struct ResponseBody<B: Body> {
        #[pin]
        inner: Inner<B>,
    }
}

pin_project! {
    #[project = Projection]
    enum Inner<B: Body> {
        Own { #[pin] body: HeldBody<B> },
        Refusal { body: Option<Bytes> },
    }
}

impl<B: Body> ResponseBody<B> {
    /// The service's own body. Its request holds `slots` until it ends.
    pub(super) fn own(body: B, slots: Option<Slots>) -> Self {
        Self { inner: Inner::Own { body: HeldBody::new(body, slots) } }
    }

    pub(super) fn refusal(body: Bytes) -> Self {
        Self { inner: Inner::Refusal { body: Some(body) } }
    }

    pub(super) fn empty() -> Self {
        Self { inner: Inner::Refusal { body: None } }
    }
}

/// An empty body, as layers ask for that answer a request themselves: one of CORS does.
impl<B: Body> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::empty()
    }
}

impl<B: Body<Data: From<Bytes>>> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.project().inner.project() {
            Projection::Own { body } => body.poll_frame(context),
            Projection::Refusal { body } => {
                Poll::Ready(body.take().map(|body| Ok(Frame::data(body.into()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Own { body } => body.is_end_stream(),
            Inner::Refusal { body } => body.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Own { body } => body.size_hint(),
            Inner::Refusal { body } => {
                SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64))
            }
        }
    }
}

impl<B: Body + fmt::Debug> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.inner {
            Inner::Own { body } => f.debug_tuple("ResponseBody").field(body).finish(),
            Inner::Refusal { body } => f.debug_tuple("ResponseBody").field(body).finish(),
        }
    }
}
