//! A connection on which a test says what it likes, and reads one answer after the other.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::response::Response;
use crate::threads::pause;

/// Over this stream, whose reads have a time limit.
#[derive(Debug)]
pub struct Conversation<S: Read = TcpStream>(BufReader<S>);

impl<S: Read + Write> Conversation<S> {
    /// A conversation over `stream`.
    pub fn over(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// Says these bytes.
    pub fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_say(bytes).expect("the server reads");
    }

    /// Says what the server may no longer want to hear.
    pub fn try_say(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.0.get_mut().write_all(bytes.as_ref())
    }

    /// The next answer.
    pub fn answer(&mut self) -> Response {
        self.next(true).expect("the server closes without an answer")
    }

    /// The next answer, of which only the head comes, as to HEAD.
    pub fn head(&mut self) -> Response {
        self.next(false).expect("the server closes without an answer")
    }

    /// What it answers to these bytes.
    pub fn ask(&mut self, bytes: impl AsRef<[u8]>) -> Response {
        self.say(bytes);
        self.answer()
    }

    /// The next answer; none where the server closes.
    pub fn next(&mut self, has_body: bool) -> Option<Response> {
        let mut text = String::new();
        while !text.ends_with("\r\n\r\n") {
            let mut line = Vec::new();
            let length = self.0.read_until(b'\n', &mut line).or_else(ended).expect("a line");
            text += &String::from_utf8(line).expect("a head of text");
            if length == 0 {
                assert_eq!(text, "", "it ends within a head");
                return None;
            }
        }
        let mut answer =
            Response::parse(&text).unwrap_or_else(|| panic!("no answer in HTTP: {text:?}"));
        let length = answer.header("content-length").map_or(0, |it| it.parse().expect("a length"));
        if has_body {
            let mut body = vec![0; length];
            self.0.read_exact(&mut body).expect("the whole body");
            answer.body = String::from_utf8(body).expect("a body of text");
        }
        Some(answer)
    }

    /// Waits until the server closes, and says nothing more before.
    pub fn ends(mut self) {
        let more = self.next(true);
        assert!(more.is_none(), "it answers once more: {more:?}");
    }
}

impl Conversation {
    /// Says that nothing more will come.
    pub fn half_close(&mut self) {
        self.0.get_ref().shutdown(Shutdown::Write).expect("it is open");
    }

    /// A second hand on the same connection.
    pub fn stream(&self) -> TcpStream {
        self.0.get_ref().try_clone().expect("a copy")
    }

    /// Says `part` so many times on a thread, with 20 ms between, as long as the server is there.
    pub fn drip(&self, part: &str, times: usize) -> JoinHandle<()> {
        let (mut stream, part) = (self.stream(), part.to_owned());
        thread::spawn(move || {
            for _ in 0..times {
                if stream.write_all(part.as_bytes()).is_err() {
                    return;
                }
                pause(Duration::from_millis(20));
            }
        })
    }
}

/// A connection that is cut while something is still under way ends with an error. That nothing comes in
/// the time limit is another.
fn ended(error: io::Error) -> io::Result<usize> {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Ok(0),
        ErrorKind::WouldBlock => panic!("the server neither answers nor closes"),
        _ => Err(error),
    }
}
