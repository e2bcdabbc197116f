//! The fields by which a CORS preflight is known reach the gate.

use super::site::{CLIENT, Proxy, Site, WhenSilent};

super::through_each_proxy![preflights_pass_uncounted];

const PREFLIGHT: [(&str, &str); 2] =
    [("Origin", "https://shop.example"), ("Access-Control-Request-Method", "GET")];

fn preflights_pass_uncounted(proxy: Proxy) {
    let site = Site::with(proxy, WhenSilent::Closed, "[cors]\npreflight = \"pass\"\n");
    let ask = |fields: &[(&str, &str)]| site.ask(CLIENT, "OPTIONS", "/api/data", fields, "").status;
    for _ in 0..3 {
        assert_eq!(ask(&PREFLIGHT), 200);
    }
    assert_eq!(site.used("ip:127.0.0.7", "default"), 0);
    assert_eq!([ask(&PREFLIGHT[..1]), ask(&[])], [200, 200]);
    assert_eq!(site.used("ip:127.0.0.7", "default"), 2, "an OPTIONS like any other");
}
