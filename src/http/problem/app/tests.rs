use super::*;
use crate::http::request::tests::PlainRequest;

/// The lines that a refusal has besides the one of its media type.
fn others(refusal: Refusal) -> Vec<String> {
    let lines = refusal.fields.into_iter();
    let others = lines.filter(|(field, _)| *field != ResponseField::ContentType);
    others.map(|(field, value)| format!("{}: {}", field.name(), value.escape_ascii())).collect()
}

#[test]
fn the_refusals_of_the_app_are_the_contract_byte_for_byte() {
    type Refuse = fn(&PlainRequest) -> Refusal;
    let challenged: Refuse = |request| unauthorized(request, Bytes::from_static(b"Bearer"));
    // (how it is made, status, lines besides no-store, what follows "type" in the body)
    let cases: [(Refuse, u16, &[&str], &str); 6] = [
        (
            challenged,
            401,
            &["www-authenticate: Bearer"],
            concat!(
                r#""title":"Unauthorized","status":401,"#,
                r#""detail":"The credentials of this request are wrong, or no longer right.","#,
                r#""message":"Authentication failed. Please check your credentials."}"#,
            ),
        ),
        (
            unverifiable,
            503,
            &["retry-after: 1"],
            concat!(
                r#""title":"Service Unavailable","status":503,"#,
                r#""detail":"Tokens cannot be verified at the moment.","#,
                r#""message":"Service temporarily unavailable. Please try again later."}"#,
            ),
        ),
        (
            not_found,
            404,
            &[],
            r#""title":"Not Found","status":404,"message":"There is nothing at this path."}"#,
        ),
        (
            method_not_allowed,
            405,
            &["allow: GET, HEAD"],
            concat!(
                r#""title":"Method Not Allowed","status":405,"#,
                r#""message":"This path is only read, by GET or HEAD."}"#,
            ),
        ),
        (
            too_large,
            413,
            &[],
            concat!(
                r#""title":"Payload Too Large","status":413,"#,
                r#""message":"The body of this request is too large."}"#,
            ),
        ),
        (
            misdirected,
            421,
            &[],
            concat!(
                r#""title":"Misdirected Request","status":421,"#,
                r#""message":"This is not the host that the request names."}"#,
            ),
        ),
    ];
    for (refuse, status, lines, body) in cases {
        let refusal = refuse(&PlainRequest::default());
        assert_eq!(refusal.status, status);
        let body = format!(r#"{{"type":"about:blank",{body}"#);
        assert_eq!(std::str::from_utf8(&refusal.body).unwrap(), body);
        assert_eq!(others(refusal), [&["cache-control: no-store"], lines].concat());
    }
}

#[test]
fn the_refusals_of_the_app_have_the_media_type_that_is_named() {
    let request = PlainRequest::default().with_line("accept", "application/problem+json");
    for refuse in [unverifiable, not_found, method_not_allowed, too_large, misdirected] {
        let fields = refuse(&request).fields;
        let media_type: Vec<&[u8]> = fields.lines(ResponseField::ContentType).collect();
        assert_eq!(media_type, [b"application/problem+json"]);
    }
}
