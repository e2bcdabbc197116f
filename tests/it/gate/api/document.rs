//! `GET /openapi.json`: the document says what there is.

use std::collections::BTreeSet;

use super::*;

#[test]
fn the_document_lists_exactly_the_routes_that_there_are() {
    let stand = Stand::new();
    let response = stand.gate.get("/openapi.json", &[]);
    assert_eq!(response.header("content-type"), Some("application/json"));
    let document = parsed(&response);
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let paths = document["paths"].as_object().expect("an object");
    let listed: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
    let source = include_str!("../../../../src/app/gate/api/routes.rs");
    let routed = source.split('"').filter(|text| text.starts_with('/') && !text.contains(' '));
    assert_eq!(listed, routed.collect());
    for (path, operations) in paths {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let status = stand.gate.request(method, path, &[]).status;
            let is_listed = operations.get(method.to_lowercase()).is_some();
            assert_eq!(status != 405, is_listed, "{method} {path}: {status}");
            assert_ne!(status, 404, "{path}");
        }
    }
}

#[test]
fn everything_that_the_document_refers_to_is_in_it() {
    let stand = Stand::new();
    let text = stand.gate.get("/openapi.json", &[]).body;
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let referred = text.split("\"#/components/schemas/").skip(1);
    let names: BTreeSet<&str> = referred.filter_map(|rest| rest.split('"').next()).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
    assert_eq!(document.get("security"), None, "this gate needs no token");
}
