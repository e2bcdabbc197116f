use std::future::poll_fn;
use std::pin::pin;
use std::sync::Mutex;

use actix_web::body::MessageBody;
use actix_web::http::StatusCode;
use actix_web::rt::System;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, HttpResponse, web};

use super::*;
use crate::app::assemble::Lasting;
use crate::app::config::{Config, Sources, load};

/// A configuration that counts in memory.
fn config(settings: &[&str]) -> Config {
    let settings = ["store.url=memory:"].iter().chain(settings);
    let settings = settings.map(|&setting| setting.to_owned()).collect();
    load(&Sources { settings, ..Sources::default() }).unwrap()
}

/// Where a configuration counts, and its snapshot in force.
fn start(settings: &[&str]) -> (Lasting, CurrentSnapshot) {
    let config = config(settings);
    let lasting = Lasting::start(&config.store).unwrap();
    let snapshot = Snapshot::new(&config, &lasting, None).unwrap();
    (lasting, CurrentSnapshot::new(snapshot))
}

/// Puts the snapshot of another configuration in force.
fn replace(current: &CurrentSnapshot, config: &Config, lasting: &Lasting) {
    let next = Snapshot::new(config, lasting, Some(&current.load())).unwrap();
    current.replace(Arc::new(next));
}

fn request() -> TestRequest {
    TestRequest::with_uri("/api/data").peer_addr("192.0.2.1:1".parse().unwrap())
}

/// The status of a response, its policies and its older field, if it has them.
fn seen<B: MessageBody>(response: &ServiceResponse<B>) -> (u16, String, bool) {
    let headers = response.headers();
    let policies = headers.get("ratelimit-policy").map_or("", |it| it.to_str().unwrap());
    (response.status().as_u16(), policies.to_owned(), headers.contains_key("x-ratelimit-limit"))
}

#[test]
fn a_request_ends_under_the_snapshot_that_it_began_under() {
    System::new().block_on(async {
        let (lasting, current) = start(&["policies.default.quota=3/minute"]);
        let (release, released) = oneshot::channel::<()>();
        let released = web::Data::new(Mutex::new(Some(released)));
        // The first request waits until it is released.
        let handler = |released: web::Data<Mutex<Option<oneshot::Receiver<()>>>>| async move {
            let released = released.lock().unwrap().take();
            if let Some(released) = released {
                released.await.unwrap();
            }
            HttpResponse::Ok().finish()
        };
        let app = App::new().app_data(released).default_service(web::to(handler));
        let app = init_service(app.wrap(UnderSnapshot::new(current.clone()))).await;

        let mut first = pin!(app.call(request().to_request()));
        let poll = poll_fn(|context| Poll::Ready(first.as_mut().poll(context).is_pending()));
        assert!(poll.await);
        let new = config(&["policies.default.quota=5/minute", "headers.send=draft-11,x-ratelimit"]);
        replace(&current, &new, &lasting);
        let second = app.call(request().to_request()).await.unwrap();
        release.send(()).unwrap();
        let first = first.await.unwrap();

        assert_eq!(seen(&first), (200, r#""default";q=3;w=60"#.to_owned(), false));
        assert_eq!(seen(&second), (200, r#""default";q=5;w=60"#.to_owned(), true));
    });
}

#[test]
fn a_new_snapshot_may_begin_and_end_authentication() {
    const KEYS: &str =
        "auth.keys.\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\".user=ann";
    System::new().block_on(async {
        let (lasting, current) = start(&[]);
        let app = App::new().default_service(web::to(HttpResponse::Ok));
        let app = init_service(app.wrap(UnderSnapshot::new(current.clone()))).await;
        let status = async || {
            let request = request().insert_header(("authorization", "Bearer wrong"));
            app.call(request.to_request()).await.unwrap().status()
        };
        assert_eq!(status().await, StatusCode::OK);
        replace(&current, &config(&[KEYS]), &lasting);
        assert_eq!(status().await, StatusCode::UNAUTHORIZED);
        replace(&current, &config(&[]), &lasting);
        assert_eq!(status().await, StatusCode::OK);
    });
}
