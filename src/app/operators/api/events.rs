//! `GET /v1/events`: the overview again and again, as server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::rt::{spawn, time};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpResponse, HttpResponseBuilder};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::overview::text;
use super::refused::refused;
use crate::app::operators::admin_state::AdminState;
use crate::app::operators::live::Follower;

/// How often an overview is sent.
const INTERVAL: Duration = Duration::from_secs(1);

/// The events as they come.
struct Events(Receiver<Bytes>);

impl MessageBody for Events {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.get_mut().0.poll_recv(context).map(|event| event.map(Ok))
    }
}

pub(super) async fn events(admin: Data<AdminState>) -> HttpResponse {
    let Some(follower) = admin.live().follow() else {
        let why = "Too many pages follow this process already.";
        return refused(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable", why);
    };
    // One that does not read is waited for, and is then sent what is so at that time.
    let (sender, receiver) = channel(1);
    spawn(send(admin, sender, follower));
    HttpResponseBuilder::new(StatusCode::OK)
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // nginx would hold the events back.
        .insert_header(("x-accel-buffering", "no"))
        .body(Events(receiver))
}

/// Sends events until nobody reads them, or the process stops.
async fn send(admin: Data<AdminState>, sender: Sender<Bytes>, _follower: Follower) {
    let mut last: Option<Arc<str>> = None;
    loop {
        let is_last = admin.is_stopping();
        let now = text(&admin).await;
        let event = match &last {
            // It tells whether the page is still there.
            Some(last) if Arc::ptr_eq(last, &now) => Bytes::from_static(b":\n\n"),
            _ => Bytes::from(format!("event: overview\ndata: {now}\n\n")),
        };
        last = Some(now);
        if sender.send(event).await.is_err() || is_last {
            return;
        }
        time::sleep(INTERVAL).await;
    }
}
