//! The layer within a router that axum nests in another.

use std::net::Ipv4Addr;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tollgate::{LimiterBuilder, RateLimitLayer};

use super::{Counts, policy};
use crate::support::http::Client;

fn layer(limiter: LimiterBuilder) -> RateLimitLayer {
    RateLimitLayer::new(limiter.build().expect("routes that fit"))
}

/// Serves an API nested at `/api`, with `inner` on it and `outer` on the whole, and returns the statuses of
/// two requests for each path.
fn statuses(inner: &RateLimitLayer, outer: &RateLimitLayer, paths: &[&str]) -> Vec<[u16; 2]> {
    let ok = || get(|| async { "Hello" });
    let api = Router::new().route("/one", ok()).route("/two", ok()).layer(inner.clone());
    let app = Router::new().nest("/api", api).route("/free", ok()).layer(outer.clone());
    let runtime = Runtime::new().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    runtime.spawn(async { axum::serve(listener, app).await });
    let client = Client::of(format!("http://{address}"));
    paths.iter().map(|path| [client.get(path, &[]).status, client.get(path, &[]).status]).collect()
}

#[test]
fn around_all_routes_are_whole_paths_and_within_a_nest_what_is_left_of_them() {
    let counts = Counts::in_memory();
    let once = |route: &str| {
        layer(counts.limiter([policy("default", "1/minute")]).route(route, ["default"], []))
    };
    let nothing = layer(counts.limiter([]));
    let paths = ["/api/one", "/api/two", "/free"];
    let only_one = [[200, 429], [200, 200], [200, 200]];
    assert_eq!(statuses(&nothing, &once("/api/one"), &paths), only_one);
    assert_eq!(statuses(&once("/one"), &nothing, &paths), only_one);
    let only_api = statuses(&once("/*"), &nothing, &paths);
    assert_eq!(only_api, [[200, 429], [429, 429], [200, 200]]);
}
