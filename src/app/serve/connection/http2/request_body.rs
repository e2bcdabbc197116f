//! The body of a request over HTTP/2, within the limits of its listener.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::time::{Sleep, sleep};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tonic::Status;

use crate::app::config::ConnectionLimits;
use crate::app::connections::{Connections, Limit};

/// The body of a request, as its service reads it.
#[derive(Debug)]
pub(super) struct RequestBody {
    body: Incoming,
    /// The most bytes, and how many were received.
    most: u64,
    received: u64,
    time_limit: Duration,
    /// It runs while the client is waited for.
    timer: Option<Pin<Box<Sleep>>>,
    connections: Arc<Connections>,
}

/// The body of a request, as a service of gRPC reads it.
#[derive(Debug)]
pub(super) struct GrpcBody(RequestBody);

/// Why a body ends too early.
#[derive(Debug)]
pub(super) enum BodyError {
    /// The client is gone, or breaks the protocol.
    Broken(hyper::Error),
    /// It is too large.
    TooLarge,
    /// It did not arrive in time.
    TooSlow,
}

impl RequestBody {
    /// `body` within `limits`. Where they act is counted among `connections`.
    pub(super) fn new(
        body: Incoming,
        limits: &ConnectionLimits,
        connections: Arc<Connections>,
    ) -> Self {
        let (most, time_limit) = (limits.max_body_bytes, limits.body_timeout);
        Self { body, most, received: 0, time_limit, timer: None, connections }
    }

    /// The same body as gRPC reads it, of any size: each of its messages has a limit.
    pub(super) fn of_grpc(self) -> GrpcBody {
        GrpcBody(Self { most: u64::MAX, ..self })
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                self.timer = None;
                let length = frame.data_ref().map_or(0, Bytes::len) as u64;
                self.received = self.received.saturating_add(length);
                Poll::Ready(Some(if self.received > self.most {
                    self.connections.count(Limit::MaxBodyBytes);
                    Err(BodyError::TooLarge)
                } else {
                    Ok(frame)
                }))
            }
            Poll::Ready(end) => Poll::Ready(end.map(|it| it.map_err(BodyError::Broken))),
            Poll::Pending => {
                let time_limit = self.time_limit;
                let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(time_limit)));
                timer.as_mut().poll(context).map(|()| {
                    self.connections.count(Limit::BodyTimeout);
                    Some(Err(BodyError::TooSlow))
                })
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Body for GrpcBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.0).poll_frame(context);
        frame.map(|frame| frame.map(|it| it.map_err(Status::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Broken(_) => "the body ended too early",
            Self::TooLarge => "the body is too large",
            Self::TooSlow => "the body did not arrive in time",
        })
    }
}

impl Error for BodyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Broken(error) => Some(error),
            Self::TooLarge | Self::TooSlow => None,
        }
    }
}

impl From<BodyError> for Status {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Broken(_) => Self::cancelled(error.to_string()),
            BodyError::TooLarge => Self::out_of_range(error.to_string()),
            BodyError::TooSlow => Self::deadline_exceeded(error.to_string()),
        }
    }
}
