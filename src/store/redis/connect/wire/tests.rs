use std::io::Read as _;
use std::os::unix::net::UnixStream;

use super::*;
use crate::store::redis::connect::timed::Timed;

/// A connection, and the other end of it.
fn pair() -> (Wire, UnixStream) {
    let (socket, peer) = UnixStream::pair().expect("a pair of sockets");
    let socket = Timed::new(socket, Duration::from_millis(1)).expect("a socket");
    let socket = Socket::Unix(socket);
    (Wire { socket, parser: Parser::new(), db: 0, is_open: true }, peer)
}

#[test]
fn it_is_quiet_until_anything_arrives() {
    let (wire, mut peer) = pair();
    assert!(wire.is_quiet());
    peer.write_all(b"+").expect("a byte");
    assert!(!wire.is_quiet());
    let (wire, peer) = pair();
    drop(peer);
    assert!(!wire.is_quiet());
}

#[test]
fn a_reply_that_comes_too_late_is_nobodys() {
    let (mut wire, mut peer) = pair();
    wire.send(b"x").expect("it is sent");
    assert!(wire.receive().expect_err("no reply").is_timeout());
    peer.write_all(b"+late\r\n").expect("a reply");
    assert!(wire.receive().is_err());
    assert!(wire.send(b"y").is_err());
    peer.set_nonblocking(true).expect("a socket");
    let mut sent = Vec::new();
    assert!(peer.read_to_end(&mut sent).is_err());
    assert_eq!(sent, b"x");
    assert!(!wire.is_open() && !wire.is_quiet());
}

#[test]
fn a_word_that_is_no_reply_is_passed_over_and_an_error_is_one() {
    let (mut wire, mut peer) = pair();
    peer.write_all(b">2\r\n+invalidate\r\n*0\r\n-ERR no\r\n:7\r\n").expect("replies");
    let error = cmd("X").query::<u8>(&mut wire).expect_err("an error");
    assert_eq!(error.detail(), Some("no"));
    assert_eq!(cmd("Y").query::<u8>(&mut wire), Ok(7));
}

#[cfg(any(feature = "actix", feature = "tower"))]
#[test]
fn a_reply_that_has_not_come_whole_is_received_once_it_has() {
    let (mut wire, mut peer) = pair();
    assert_eq!(wire.receive_arrived(), Ok(None));
    peer.write_all(b"$11\r\nhalf a").expect("a part");
    assert_eq!(wire.receive_arrived(), Ok(None));
    peer.write_all(b" word\r\n>2\r\n+news\r\n:1\r\n:2\r\n:").expect("the rest, and more");
    assert_eq!(wire.receive_arrived(), Ok(Some(Value::BulkString(b"half a word".into()))));
    assert_eq!(wire.receive_arrived(), Ok(Some(Value::Int(2))));
    assert_eq!(wire.receive_arrived(), Ok(None));
    drop(peer);
    assert!(wire.receive_arrived().expect_err("it has ended").is_io_error());
    assert!(!wire.is_open());
}

#[test]
fn a_password_that_is_not_taken_is_known_by_its_words_where_it_has_no_code() {
    let of_reply = |text: &str| {
        let reply = redis::parse_redis_value(format!("-{text}\r\n").as_bytes());
        let error = reply.and_then(Value::extract_error).expect_err("an error");
        sign_in_error(&sign_in(&own()).expect("a command"), error).kind()
    };
    fn own() -> RedisConnectionInfo {
        RedisConnectionInfo::default().set_password("secret")
    }
    let without =
        "ERR AUTH <password> called without any password configured for the default user.";
    assert_eq!(of_reply(without), ErrorKind::AuthenticationFailed);
    assert_eq!(of_reply("ERR invalid password"), ErrorKind::AuthenticationFailed);
    assert_ne!(of_reply("ERR max number of clients reached"), ErrorKind::AuthenticationFailed);
}
