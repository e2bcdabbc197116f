//! Bytes to a server and back, over a connection of the test's making.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::response::Response;

const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to `127.0.0.1:port` from `source`, which is any address of 127.0.0.0/8.
pub fn connect_from(source: Ipv4Addr, port: u16) -> TcpStream {
    // No process that another test starts meanwhile gets it.
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None);
    let socket = socket.expect("a socket");
    rustix::net::bind(&socket, &SocketAddrV4::new(source, 0)).expect("a loopback address");
    rustix::net::connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)).expect("a server");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
    stream
}

/// A connection to the Unix socket at `path`.
pub fn connect_unix(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).expect("a server");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
    stream
}

/// What comes until the server closes; nothing where it only closes.
pub fn read_to_close(mut stream: impl Read) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut part = [0; 4_096];
    // After a close on what the server did not like a read may fail, with the answer read or lost.
    while let Ok(length @ 1..) = stream.read(&mut part) {
        answer.extend_from_slice(&part[..length]);
    }
    answer
}

/// Ends the connection at once (RST), whatever is still under way.
pub fn reset(stream: TcpStream) {
    set_socket_linger(&stream, Some(Duration::ZERO)).expect("an open socket");
}

/// The answer to a GET of `path` with these lines of header fields, sent as they are written.
pub fn get(mut stream: impl Read + Write, path: &str, lines: &[(&str, &str)]) -> Response {
    ask(&mut stream, path, lines);
    let answer = String::from_utf8(read_to_close(stream)).expect("an answer of text");
    Response::parse(&answer).unwrap_or_else(|| panic!("no answer in HTTP: {answer:?}"))
}

/// Sends that request, and reads no answer.
pub fn ask(mut stream: impl Write, path: &str, lines: &[(&str, &str)]) {
    let mut request = format!("GET {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n");
    for (name, value) in lines {
        request += &format!("{name}: {value}\r\n");
    }
    stream.write_all((request + "\r\n").as_bytes()).expect("the server reads");
}
