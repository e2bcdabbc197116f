use super::*;

#[test]
fn a_line_begins_with_a_type_and_a_time() {
    assert!(is_alb(b"h2 2024-05-01T12:00:00.250000Z app/lb/1 203.0.113.7:51000 -"));
    assert!(!is_alb(b"h3 2024-05-01T12:00:00.250000Z app/lb/1 203.0.113.7:51000 -"));
    assert!(!is_alb(b"http - app/lb/1"));
    assert!(!is_alb(b"http"));
}

#[test]
fn a_target_that_did_not_answer_leaves_the_duration_open() {
    let mut draft = Draft::default();
    let line = b"http 2024-05-01T12:00:02Z lb 203.0.113.8:51000 - -1 -1 -1 503 - 0 155 \"GET http://a:80/ HTTP/1.1\"";
    Alb::default().read(line, &mut draft).unwrap();
    let request = draft.finish().unwrap();
    assert_eq!((request.head.began_at, request.has_duration), (1_714_564_802_000, false));
}
