//! An HTTP client that adds nothing, follows nothing and takes every status for an answer.

use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use ureq::http::Request;
use ureq::{Agent, AsSendBody};

use crate::raw::read_to_close;
pub use crate::response::Response;

const PATIENCE: Duration = Duration::from_secs(10);

/// Asks one server, over connections that it keeps.
#[derive(Debug)]
pub struct Client {
    url: String,
    agent: Agent,
}

impl Client {
    /// Asks the server at `url`: `http://127.0.0.1:port`.
    pub fn of(url: String) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            .proxy(None)
            .user_agent("")
            .accept("")
            .accept_encoding("")
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        Self { url, agent }
    }

    /// Where it asks.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The answer to a GET of `path`, sent as it is written.
    pub fn get(&self, path: &str, headers: &[(&str, &[u8])]) -> Response {
        self.request("GET", path, headers)
    }

    /// The answer to a request without a body; `path` and `headers` are sent as they are written.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &[u8])]) -> Response {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // ureq would send an empty chunked body, its end in a write of its own. A server that answers
        // before it has read that end closes the connection, and the next request on it may fail.
        let has_length =
            headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if matches!(method, "POST" | "PUT" | "PATCH") && !has_length {
            request = request.header("content-length", "0");
        }
        self.answer(request.body(()).expect("a request that can be written"))
    }

    /// The answer to a POST of `body` to `path`; `path` and `headers` are sent as they are written.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let mut request = Request::builder().method("POST").uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(request.body(body.to_owned()).expect("a request that can be written"))
    }

    fn answer(&self, request: Request<impl AsSendBody>) -> Response {
        let (head, mut body) = self.agent.run(request).expect("the server answers").into_parts();
        let body = body.read_to_string().expect("a body of text");
        Response { status: head.status.as_u16(), headers: head.headers, body }
    }
}

/// What comes back from the server at `url` for these bytes until it closes; nothing where it only
/// closes.
pub fn raw(url: &str, request: &[u8]) -> String {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
    // The server may close on what it does not like before all of it is written.
    let _ = stream.write_all(request);
    let _ = stream.shutdown(Shutdown::Write);
    String::from_utf8_lossy(&read_to_close(stream)).into_owned()
}
