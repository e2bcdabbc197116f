//! Clients that break the protocol, or use it against the process.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::client::{Code, Envoy, codes, descriptor, remaining, request};
use crate::support::port;
use crate::support::process::{Options, Tollgate};

const CONFIG: &str = r#"
[store]
url = "memory:"

[policies.logins]
quota = "10/day"
key = "descriptor"

[descriptors.edge."generic_key"]
policies = ["logins"]
"#;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

fn serve() -> (Tollgate, SocketAddr) {
    let gate = port::free_address();
    let options = Options::default().config(CONFIG).set("gate.listen", &gate.to_string());
    (options.serve(), gate)
}

/// That the process still decides, and has charged this one request alone.
fn assert_intact(gate: SocketAddr) {
    let response = Envoy::at(gate).decide(vec![descriptor("generic_key=intact")]);
    assert_eq!((codes(&response).0, remaining(&response)), (Code::Ok, vec![9]));
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A connection over HTTP/2 that has begun.
fn begin(gate: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(gate).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
    stream.write_all(PREFACE).expect("it is read");
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).expect("it is read");
    stream
}

/// The kinds of the frames that are sent until the server closes the connection.
fn kinds_until_closed(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A client that is cut off may see a reset in place of the end.
    let _ = stream.read_to_end(&mut bytes);
    let mut kinds = Vec::new();
    let mut rest = &bytes[..];
    while let [a, b, c, kind, _, _, _, _, _, after @ ..] = rest {
        kinds.push(*kind);
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        rest = after.get(length..).unwrap_or_default();
    }
    kinds
}

/// The header fields of a call, as HPACK writes them without a table.
fn head_of_a_call() -> Vec<u8> {
    let mut head = vec![0x83, 0x86]; // POST, http
    let mut literal = |name: &[u8], value: &[u8]| {
        head.push(0);
        for text in [name, value] {
            head.push(u8::try_from(text.len()).expect("a short text"));
            head.extend(text);
        }
    };
    literal(b":path", b"/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit");
    literal(b":authority", b"gate");
    literal(b"content-type", b"application/grpc");
    literal(b"te", b"trailers");
    head
}

#[test]
fn malformed_messages_are_errors_of_their_call_alone() {
    let (_tollgate, gate) = serve();
    let envoy = Envoy::at(gate);
    let runtime = &envoy.runtime;
    for message in [
        &b"\xff\xff\xff"[..],        // no field
        b"\x0a\xff\xff\xff\xff\x0f", // a domain of 4 GiB
        b"\x0a\x02\xc3\x28",         // a domain that is no UTF-8
        b"\x12\x02\x0a\xff",         // a descriptor that is cut off
    ] {
        let status = runtime.block_on(ask_bytes(&envoy, message)).expect_err("no message");
        assert_eq!(status.code(), tonic::Code::Internal, "{status}");
    }
    let long = vec![0x20; 65_537];
    let status = runtime.block_on(ask_bytes(&envoy, &long)).expect_err("too long");
    assert_eq!(status.code(), tonic::Code::OutOfRange, "{status}");
    assert_intact(gate);
}

/// What a message of these bytes is answered.
async fn ask_bytes(envoy: &Envoy, message: &[u8]) -> Result<(), tonic::Status> {
    let mut client = tonic::client::Grpc::new(envoy.channel.clone());
    client.ready().await.expect("a connection");
    let path = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";
    let request = tonic::Request::new(message.to_vec());
    let path = http::uri::PathAndQuery::from_static(path);
    client.unary(request, path, RawCodec).await.map(|_| ())
}

/// Sends bytes as they are.
#[derive(Clone, Copy)]
struct RawCodec;

impl tonic::codec::Codec for RawCodec {
    type Encode = Vec<u8>;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl tonic::codec::Encoder for RawCodec {
    type Item = Vec<u8>;
    type Error = tonic::Status;

    fn encode(
        &mut self,
        item: Vec<u8>,
        buffer: &mut tonic::codec::EncodeBuf<'_>,
    ) -> Result<(), tonic::Status> {
        bytes::BufMut::put_slice(buffer, &item);
        Ok(())
    }
}

impl tonic::codec::Decoder for RawCodec {
    type Item = ();
    type Error = tonic::Status;

    fn decode(
        &mut self,
        buffer: &mut tonic::codec::DecodeBuf<'_>,
    ) -> Result<Option<()>, tonic::Status> {
        let length = bytes::Buf::remaining(buffer);
        bytes::Buf::advance(buffer, length);
        Ok(Some(()))
    }
}

#[test]
fn what_is_no_http2_after_its_preface_closes_the_connection() {
    let (_tollgate, gate) = serve();
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 64], &frame(HEADERS, 5, 2, b"even")] {
        let mut stream = begin(gate);
        // A server that has closed already resets the connection.
        let _ = stream.write_all(garbage);
        assert!(kinds_until_closed(stream).contains(&GOAWAY), "{garbage:?}");
    }
    assert_intact(gate);
}

#[test]
fn a_preface_that_is_cut_off_is_closed_in_time() {
    let gate = port::free_address();
    let options = Options::default().config(CONFIG).set("gate.listen", &gate.to_string());
    let _tollgate = options.set("gate.header_timeout_ms", "100").serve();
    let mut stream = TcpStream::connect(gate).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
    stream.write_all(&PREFACE[..10]).expect("it is read");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the end");
    assert!(answer.starts_with(b"HTTP/1.1 408"), "{:?}", String::from_utf8_lossy(&answer));
}

#[test]
fn floods_of_header_fields_close_the_connection() {
    let (_tollgate, gate) = serve();
    let mut stream = begin(gate);
    // HEADERS without END_HEADERS, and then CONTINUATION for ever.
    stream.write_all(&frame(HEADERS, 0, 1, &head_of_a_call())).expect("it is read");
    let field: Vec<u8> = [&[0, 1, b'a', 0x7f, 0x80 + 1, 0x7e][..], &[b'b'; 16_000]].concat();
    for _ in 0..10_000 {
        if stream.write_all(&frame(CONTINUATION, 0, 1, &field)).is_err() {
            break;
        }
    }
    let kinds = kinds_until_closed(stream);
    assert!(!kinds.is_empty());
    assert_intact(gate);
}

#[test]
fn rapid_resets_close_the_connection() {
    let (_tollgate, gate) = serve();
    let mut stream = begin(gate);
    let head = head_of_a_call();
    for number in 0..10_000_u32 {
        let id = 2 * number + 1;
        let mut both = frame(HEADERS, 4, id, &head);
        both.extend(frame(RST_STREAM, 0, id, &8_u32.to_be_bytes()));
        if stream.write_all(&both).is_err() {
            break;
        }
    }
    assert!(kinds_until_closed(stream).contains(&GOAWAY));
    assert_intact(gate);
}

#[test]
fn a_call_that_is_cancelled_leaves_the_connection_to_others() {
    let (_tollgate, gate) = serve();
    let envoy = Envoy::at(gate);
    envoy.runtime.block_on(async {
        for _ in 0..100 {
            let asking = tokio::spawn(envoy.asking(request(vec![descriptor("generic_key=a")])));
            tokio::task::yield_now().await;
            asking.abort();
            // It was cancelled, or it had been answered before.
            let _ = asking.await;
        }
    });
    assert_intact(gate);
}

#[test]
fn idle_connections_close_in_order() {
    let gate = port::free_address();
    let options = Options::default().config(CONFIG).set("gate.listen", &gate.to_string());
    let _tollgate =
        options.set("gate.keep_alive_ms", "100").set("gate.header_timeout_ms", "100").serve();
    let kinds = kinds_until_closed(begin(gate));
    assert!(kinds.contains(&GOAWAY), "{kinds:?}");
    assert_intact(gate);
}
