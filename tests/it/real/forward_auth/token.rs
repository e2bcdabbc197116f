//! A gate that needs a token, which the proxy shows and its clients do not know.

use super::site::{Proxy, Site};
use crate::support::process::Options;

super::through_each_proxy![
    the_proxy_shows_the_token_whatever_its_clients_send,
    without_the_token_nothing_passes,
];

/// A token, and what the configuration says of it.
fn token() -> (String, String) {
    let made = Options::default().run(&["keys", "token"]).stdout;
    let (token, line) = made.trim_end().split_once('\n').expect("a token and its line");
    (token.to_owned(), format!("[gate]\n{line}\n"))
}

fn the_proxy_shows_the_token_whatever_its_clients_send(proxy: Proxy) {
    let (token, gate) = token();
    let site = Site::with_token(proxy, &gate, Some(&token));
    let guess = [("X-Tollgate-Token", "tg_guess"), ("X-Tollgate-Token", "tg_another")];
    // More than wrong tokens of one address may be, and they all come from the proxy.
    for number in 0..20 {
        let status = site.get("/api/data", &guess).status;
        assert_eq!(status, if number < 10 { 200 } else { 429 }, "{number}");
    }
    let seen = site.application.seen();
    assert!(seen.iter().all(|it| it.field("x-tollgate-token").is_none()), "{seen:?}");
}

fn without_the_token_nothing_passes(proxy: Proxy) {
    let (token, gate) = token();
    let site = Site::with_token(proxy, &gate, None);
    for lines in [&[][..], &[("X-Tollgate-Token", &*token)]] {
        let response = site.get("/api/data", lines);
        // nginx knows what is meant for its client, and what for itself.
        let expected = if proxy == Proxy::Nginx { 500 } else { 401 };
        assert_eq!(response.status, expected, "{response:?}");
    }
    assert!(site.application.seen().is_empty());
}
