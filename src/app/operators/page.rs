//! The operators' page: a few files that are part of the program.
//!
//! They hold nothing secret, so they need no token. All that the page shows it asks of the API, which does.

use std::fmt::Write as _;

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, web};
use sha2::{Digest as _, Sha256};

use crate::app::endpoints::readable;

/// What the page may do: load its own files and ask its own API. What it inserts is text, never markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
                      trusted-types 'none'";

/// A file of the page.
struct File {
    path: &'static str,
    media_type: &'static str,
    text: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! file {
    ($path:literal, $media_type:expr, $file:literal) => {
        File { path: $path, media_type: $media_type, text: include_str!(concat!("page/", $file)) }
    };
}

const FILES: [File; 11] = [
    file!("/", HTML, "index.html"),
    file!("/page.css", CSS, "page.css"),
    file!("/page.js", SCRIPT, "page.js"),
    file!("/api.js", SCRIPT, "api.js"),
    file!("/change.js", SCRIPT, "change.js"),
    file!("/client.js", SCRIPT, "client.js"),
    file!("/dom.js", SCRIPT, "dom.js"),
    file!("/explain.js", SCRIPT, "explain.js"),
    file!("/policies.js", SCRIPT, "policies.js"),
    file!("/sender.js", SCRIPT, "sender.js"),
    file!("/tables.js", SCRIPT, "tables.js"),
];

/// Whether a file of the page is at `path`.
pub(super) fn is_at(path: &str) -> bool {
    FILES.iter().any(|file| file.path == path)
}

/// Adds the page to an app.
pub(super) fn configure(app: &mut web::ServiceConfig) {
    for file in &FILES {
        let tag = tag(file.text);
        let read = move |request: HttpRequest| {
            let tag = tag.clone();
            async move { respond(&request, file, &tag) }
        };
        app.service(readable(file.path, read));
    }
}

fn respond(request: &HttpRequest, file: &File, tag: &str) -> HttpResponse {
    let known = request.headers().get(IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    let is_known = known.is_some_and(|known| known.contains(tag));
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        // Another version of the program has another page.
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((ETAG, tag))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header(("cross-origin-opener-policy", "same-origin"))
        .insert_header(("cross-origin-resource-policy", "same-origin"));
    if is_known {
        return response.finish();
    }
    response.insert_header((CONTENT_TYPE, file.media_type)).body(file.text)
}

/// What names this text and no other, in quotes.
fn tag(text: &str) -> String {
    let mut tag = "\"".to_owned();
    for byte in &Sha256::digest(text)[..16] {
        // A string takes all that is written.
        let _ = write!(tag, "{byte:02x}");
    }
    tag + "\""
}
