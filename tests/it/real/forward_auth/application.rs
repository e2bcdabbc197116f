//! The application behind the proxy: it notes what reaches it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A running application. Its threads end with the connections of the proxy.
#[derive(Debug)]
pub(super) struct Application {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A request that reached the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The method and the target.
    pub(super) asked: String,
    /// The lines of its fields, with their names in lower case.
    pub(super) fields: Vec<(String, String)>,
    pub(super) body: String,
}

impl Application {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = seen.clone();
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let notes = notes.clone();
                thread::spawn(move || serve(connection, &notes));
            }
        });
        Self { address, seen }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// All that reached it so far.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no thread panics with it").clone()
    }
}

impl Seen {
    /// The value of its field `name`, if there is one.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(it, _)| it == name).map(|(_, value)| &**value)
    }
}

/// Answers one request after the other until the proxy closes.
fn serve(connection: TcpStream, notes: &Mutex<Vec<Seen>>) {
    let mut writer = connection.try_clone().expect("a second hand");
    let mut reader = BufReader::new(connection);
    while let Some(seen) = read(&mut reader) {
        let answer = answer(&seen.asked);
        notes.lock().expect("no thread panics with it").push(seen);
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let asked = first.rsplit_once(' ')?.0.to_owned();
    let mut fields = Vec::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else { break };
        fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut seen = Seen { asked, fields, body: String::new() };
    let length = seen.field("content-length").map_or(0, |it| it.parse().expect("a length"));
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    seen.body = String::from_utf8(body).expect("a body of text");
    Some(seen)
}

/// The answer: `/own/403` and its like are refusals of the application's own.
fn answer(asked: &str) -> String {
    let body = "from the application";
    let own = asked.split_once(" /own/").and_then(|(_, status)| status.get(..3));
    let status = own.unwrap_or("200");
    let head = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: text/x-own\r\nx-own: {status}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    if asked.starts_with("HEAD ") { head } else { head + body }
}
