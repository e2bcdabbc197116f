//! The body of a response over HTTP/2.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_http::body::{BodySize, BoxBody, MessageBody as _};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::streams::Stream;

/// The body of a response, and the request that is in progress until it is written.
#[derive(Debug)]
pub(super) struct ResponseBody {
    kind: Kind,
    _stream: Stream,
}

#[derive(Debug)]
pub(super) enum Kind {
    Grpc(tonic::body::Body),
    /// Of the service that HTTP/1.1 has as well.
    Plain(BoxBody),
}

impl Kind {
    /// The body of the response to the request of `stream`.
    pub(super) fn within(self, stream: Stream) -> ResponseBody {
        ResponseBody { kind: self, _stream: stream }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut self.kind {
            Kind::Grpc(body) => {
                let frame = Pin::new(body).poll_frame(context);
                frame.map(|frame| frame.map(|it| it.map_err(Into::into)))
            }
            Kind::Plain(body) => Pin::new(body).poll_next(context).map(|chunk| {
                // The reason stays here: a client sees that its response is cut off.
                let cut_off = || io::Error::from(io::ErrorKind::UnexpectedEof);
                chunk.map(|it| it.map(Frame::data).map_err(|_| cut_off().into()))
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Grpc(body) => body.is_end_stream(),
            Kind::Plain(body) => matches!(body.size(), BodySize::None | BodySize::Sized(0)),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Grpc(body) => body.size_hint(),
            Kind::Plain(body) => match body.size() {
                BodySize::None => SizeHint::with_exact(0),
                BodySize::Sized(length) => SizeHint::with_exact(length),
                BodySize::Stream => SizeHint::default(),
            },
        }
    }
}
