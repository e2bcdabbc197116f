//! Asks the operators' listener of a process.

use std::time::Duration;
use std::{error, fmt, io};

use serde_json::{Map, Value};
use ureq::Agent;
use ureq::http::{Request, StatusCode};
use ureq::unversioned::resolver::DefaultResolver;

use super::unix::UnixConnector;
use crate::app::config::{AdminOptions, Listen};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks one process.
pub(super) struct AdminClient {
    listen: Listen,
    /// The host and port in URLs.
    host: String,
    agent: Agent,
    token: Option<String>,
}

/// What the process answered.
pub(super) enum Answer {
    Done(Value),
    /// Nothing was done, since the operator may not have meant it.
    Unconfirmed(Vec<String>),
}

/// Why a command did nothing.
#[derive(Debug)]
pub(crate) enum ClientError {
    /// The configuration has no operators' listener.
    NoListener,
    TokenFile(io::Error),
    /// Nobody answers at that address.
    Unreachable(String, Box<ureq::Error>),
    /// The process refused, with this reason.
    Refused(u16, String),
    /// What may not be meant was not confirmed.
    Unconfirmed(Vec<String>),
    /// The new configuration is refused.
    ReloadRefused(Vec<String>),
    /// The answer is none of this API.
    Unreadable,
    Output(io::Error),
    /// The terminal does not do what the live view needs.
    Terminal(io::Error),
    /// What asks for the live view has ended.
    Ended,
}

impl AdminClient {
    /// A client of the process that listens by `options`.
    ///
    /// # Errors
    /// When it has no such listener.
    pub(super) fn of(options: &AdminOptions, token: Option<String>) -> Result<Self, ClientError> {
        let listen = options.listen.as_ref().ok_or(ClientError::NoListener)?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .allow_non_standard_methods(true)
            .timeout_global(Some(PATIENCE))
            .build();
        let (host, agent) = match listen {
            Listen::Tcp(address) => (reachable(address), Agent::new_with_config(config)),
            Listen::Unix(path) => {
                let connector = UnixConnector::new(path.clone());
                let agent = Agent::with_parts(config, connector, DefaultResolver::default());
                // A name that any listener is called by.
                ("localhost".to_owned(), agent)
            }
        };
        Ok(Self { listen: listen.clone(), host, agent, token })
    }

    /// Where the process listens.
    pub(super) fn listen(&self) -> &Listen {
        &self.listen
    }

    pub(super) fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<Map<String, Value>>,
    ) -> Result<Answer, ClientError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.host))
            .header("content-type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = body.map(|body| Value::from(body).to_string()).unwrap_or_default();
        let request = request.body(body).map_err(|_| ClientError::Unreadable)?;
        let unreachable =
            |error| ClientError::Unreachable(self.listen.to_string(), Box::new(error));
        let mut response = self.agent.run(request).map_err(unreachable)?;
        let text = response.body_mut().read_to_string().map_err(unreachable)?;
        let value: Result<Value, _> = serde_json::from_str(&text);
        match (response.status(), value) {
            (StatusCode::OK, Ok(value)) => Ok(Answer::Done(value)),
            (StatusCode::CONFLICT, Ok(problem)) if problem["reasons"].is_array() => {
                let reasons = serde_json::from_value(problem["reasons"].clone());
                Ok(Answer::Unconfirmed(reasons.unwrap_or_default()))
            }
            (status, Ok(problem)) if problem["detail"].is_string() => {
                let detail = problem["detail"].as_str().unwrap_or_default().to_owned();
                Err(ClientError::Refused(status.as_u16(), detail))
            }
            _ => Err(ClientError::Unreadable),
        }
    }
}

/// The address of a listener to connect to. One that stands for all addresses is none.
fn reachable(address: &str) -> String {
    match address.strip_prefix("0.0.0.0:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => address.replace("[::]:", "[::1]:"),
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoListener => f.write_str(
                "the configuration has no operators' listener: set admin.listen, as to 127.0.0.1:8081, \
                 for the process and for this command",
            ),
            Self::TokenFile(error) => write!(f, "the file of the token cannot be read: {error}"),
            Self::Unreachable(address, error) => write!(
                f,
                "no process answers at {address}, where admin.listen of this configuration is: {error}"
            ),
            Self::Refused(401, _) => f.write_str(
                "the process wants a token: set TOLLGATE_ADMIN_TOKEN, or give --token-file FILE",
            ),
            Self::Refused(_, detail) => f.write_str(detail),
            Self::Unconfirmed(reasons) => {
                write!(f, "{} Nothing was done: --yes does it", reasons.join(" "))
            }
            Self::ReloadRefused(errors) => {
                write!(f, "the configuration is refused: {}", errors.join("; "))
            }
            Self::Unreadable => f.write_str("the answer is none of a process of this version"),
            Self::Terminal(error) => {
                write!(f, "the terminal cannot be used: {error}; --once prints the list instead")
            }
            Self::Ended => f.write_str("the live view cannot go on"),
            Self::Output(error) => write!(f, "the answer cannot be written: {error}"),
        }
    }
}

impl error::Error for ClientError {}

/// `text` as a value in a query.
pub(super) fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:/".contains(byte);
    text.bytes()
        .map(
            |byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") },
        )
        .collect()
}
