//! Requests that no server should take.

/// One of them.
pub(super) fn request(number: u32) -> Vec<u8> {
    const LINE: &str = "GET /api/data HTTP/1.1\r\nhost: localhost\r\n";
    const POST: &str = "POST /api/data HTTP/1.1\r\nhost: localhost\r\n";
    match number % 13 {
        // A field of 40 KiB.
        0 => format!("{LINE}x: {}\r\n\r\n", "a".repeat(40 * 1_024)).into(),
        // A line that does not end.
        1 => "a".repeat(200 * 1_024).into(),
        // A head that does not end.
        2 => format!("{LINE}{}", "x: y\r\n".repeat(30_000)).into(),
        // Too many fields.
        3 => format!("{LINE}{}\r\n", "x: y\r\n".repeat(200)).into(),
        // A path of 60 KiB.
        4 => format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(60 * 1_024)).into(),
        // A method of 10 KiB.
        5 => format!("{} / HTTP/1.1\r\nhost: a\r\n\r\n", "A".repeat(10 * 1_024)).into(),
        6 => "GET / HTTP/9.9\r\nhost: a\r\n\r\n".into(),
        7 => format!("{LINE}no colon\r\n\r\n").into(),
        // Two lengths of one body.
        8 => {
            format!("{POST}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n").into()
        }
        9 => format!("{POST}content-length: 3\r\ncontent-length: 5\r\n\r\nabcde").into(),
        10 => format!("{POST}transfer-encoding: chunked\r\n\r\nzz\r\n").into(),
        // The beginnings of TLS and of HTTP/2.
        11 => b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\0\0\0\0\r\n\r\n".to_vec(),
        _ => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(),
    }
}
