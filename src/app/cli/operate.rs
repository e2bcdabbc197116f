//! The commands of operators, which ask a process that serves.

use std::borrow::Cow;
use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::net::IpAddr;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use self::client::{AdminClient, Answer, ClientError, encoded};
pub(super) use self::commands::{Common, Operate};
use self::commands::{KeyOptions, NoteOptions, RequestOptions};
pub(super) use self::environment::Environment;
use self::top::ViewOptions;
use crate::app::config::Config;

mod client;
mod commands;
mod environment;
mod show;
mod top;
mod unix;

/// A request to the API: its method, its path, its body, and how its answer is shown.
struct Request {
    method: &'static str,
    path: String,
    body: Option<Map<String, Value>>,
    is_confirmed: bool,
    show: fn(&Value) -> String,
}

impl Operate {
    fn request(&self, user: Option<&str>) -> Request {
        let of_key = |key: &KeyOptions, note: &NoteOptions| {
            let mut body = note.body(user);
            body.insert("key".to_owned(), json!(key.key()));
            body.insert("policy".to_owned(), json!(key.policy));
            body
        };
        let of_policy = |policy: &String, note: &NoteOptions| {
            let mut body = note.body(user);
            body.insert("policy".to_owned(), json!(policy));
            body
        };
        match self {
            Self::Peek { key, .. } => {
                let mut path = format!("/v1/keys?key={}", encoded(&key.key()));
                if let Some(policy) = &key.policy {
                    path += &format!("&policy={}", encoded(policy));
                }
                Request::read(path, show::standings)
            }
            Self::Explain { request, .. } => Request::read(request.path(), show::explanation),
            Self::Reset { key, note, .. } => {
                Request::change("/v1/keys/reset", of_key(key, note), note, show::reset)
            }
            Self::Ban { key, lasts, note, .. } => {
                let body = with(of_key(key, note), "for", &lasts.lasts);
                Request::change("/v1/bans", body, note, show::changed)
            }
            Self::Unban { key, note, .. } => {
                Request::change("/v1/bans/end", of_key(key, note), note, show::changed)
            }
            Self::Boost { key, quota, lasts, note, .. } => {
                let body = with(with(of_key(key, note), "for", &lasts.lasts), "quota", quota);
                Request::change("/v1/boosts", body, note, show::changed)
            }
            Self::Unboost { key, note, .. } => {
                Request::change("/v1/boosts/end", of_key(key, note), note, show::changed)
            }
            Self::Disable { policy, lasts, note, .. } => {
                let body = of_policy(policy, note);
                let body = match lasts {
                    Some(lasts) => with(body, "for", lasts),
                    None => body,
                };
                Request::change("/v1/policies/disable", body, note, show::changed)
            }
            Self::Enable { policy, note, .. } => {
                let body = of_policy(policy, note);
                Request::change("/v1/policies/enable", body, note, show::changed)
            }
            Self::Top { by, policy, number, .. } => {
                let mut path = format!("/v1/top?by={}&n={number}", by.name());
                if let Some(policy) = policy {
                    path += &format!("&policy={}", encoded(policy));
                }
                Request::read(path, show::top)
            }
            Self::Health { .. } => Request::read("/healthz".to_owned(), show::health),
            Self::List { .. } => Request::read("/v1/overrides".to_owned(), show::list),
            Self::Audit { most, .. } => {
                Request::read(format!("/v1/audit?most={most}"), show::audit)
            }
        }
    }
}

impl Operate {
    /// How a live view begins, if the command is to show one.
    fn view(&self, environment: &Environment) -> Option<ViewOptions> {
        let Self::Top { by, policy, every, once, common, .. } = self else { return None };
        let is_interactive = io::stdin().is_terminal() && io::stdout().is_terminal();
        let is_live = is_interactive && !environment.is_dumb && !once && !common.json;
        is_live.then(|| ViewOptions { policy: policy.clone(), by: *by, every: *every })
    }
}

impl Request {
    fn read(path: String, show: fn(&Value) -> String) -> Self {
        Self { method: "GET", path, body: None, is_confirmed: true, show }
    }

    fn change(
        path: &str,
        body: Map<String, Value>,
        note: &NoteOptions,
        show: fn(&Value) -> String,
    ) -> Self {
        let path = path.to_owned();
        Self { method: "POST", path, body: Some(body), is_confirmed: note.yes, show }
    }
}

impl KeyOptions {
    /// The client. An address alone is that of a client.
    fn key(&self) -> Cow<'_, str> {
        match self.key.parse::<IpAddr>() {
            Ok(address) => format!("ip:{address}").into(),
            Err(_) => (&self.key).into(),
        }
    }
}

impl RequestOptions {
    /// What explains the request.
    fn path(&self) -> String {
        let Self { method, path, ip, user, plan, headers, claims } = self;
        let mut asked = format!(
            "/v1/explain?method={}&path={}",
            encoded(&method.to_ascii_uppercase()),
            encoded(path)
        );
        let ip = ip.map(|ip| ip.to_string());
        let given = [("ip", ip.as_ref()), ("user", user.as_ref()), ("plan", plan.as_ref())];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let headers = headers.iter().map(|it| ("header", it));
        let claims = claims.iter().map(|it| ("claim", it));
        for (name, value) in given.chain(headers).chain(claims) {
            asked += &format!("&{name}={}", encoded(value));
        }
        asked
    }
}

impl NoteOptions {
    fn body(&self, user: Option<&str>) -> Map<String, Value> {
        let by = self.by.as_deref().or(user).unwrap_or("an operator");
        let mut body = Map::new();
        body.insert("by".to_owned(), json!(by));
        body.insert("why".to_owned(), json!(self.why));
        body
    }
}

fn with(mut body: Map<String, Value>, name: &str, value: &str) -> Map<String, Value> {
    body.insert(name.to_owned(), json!(value));
    body
}

/// Runs `command` against the process that serves by `config`.
///
/// # Errors
/// When the process cannot be asked, or refuses.
pub(super) fn operate(
    command: &Operate,
    config: &Config,
    environment: &Environment,
) -> Result<(), ClientError> {
    let common = command.common();
    let client = client(config, common.token_file.as_ref(), environment.token.clone())?;
    if let Some(options) = command.view(environment) {
        return top::follow(client, options);
    }
    let Request { method, path, mut body, is_confirmed, show } =
        command.request(environment.user.as_deref());
    if is_confirmed && let Some(body) = &mut body {
        confirm(body, &path);
    }
    let mut answer = client.ask(method, &path, body.clone())?;
    if let (Answer::Unconfirmed(reasons), Some(body)) = (&answer, &mut body) {
        if !is_wanted(reasons) {
            return Err(ClientError::Unconfirmed(reasons.clone()));
        }
        confirm(body, &path);
        answer = client.ask(method, &path, Some(body.clone()))?;
    }
    let Answer::Done(value) = answer else { return Err(ClientError::Unreadable) };
    let text = if common.json { format!("{value:#}\n") } else { show(&value) };
    io::stdout().lock().write_all(text.as_bytes()).map_err(ClientError::Output)
}

/// Has the process that serves by `config` read its configuration again.
///
/// # Errors
/// When the process cannot be asked, or the configuration is refused.
pub(super) fn reload(
    config: &Config,
    common: &Common,
    token: Option<String>,
) -> Result<(), ClientError> {
    let client = client(config, common.token_file.as_ref(), token)?;
    let Answer::Done(value) = client.ask("POST", "/v1/reload", Some(Map::new()))? else {
        return Err(ClientError::Unreadable);
    };
    let text = if common.json { format!("{value:#}\n") } else { show::reload(&value) };
    io::stdout().lock().write_all(text.as_bytes()).map_err(ClientError::Output)?;
    let errors: Vec<String> = serde_json::from_value(value["errors"].clone()).unwrap_or_default();
    if errors.is_empty() { Ok(()) } else { Err(ClientError::ReloadRefused(errors)) }
}

fn client(
    config: &Config,
    token_file: Option<&PathBuf>,
    token: Option<String>,
) -> Result<AdminClient, ClientError> {
    let token = match token_file {
        Some(path) => Some(fs::read_to_string(path).map_err(ClientError::TokenFile)?),
        None => token,
    };
    AdminClient::of(&config.admin, token.map(|token| token.trim().to_owned()))
}

/// Marks a change as meant. Only some changes ask for that.
fn confirm(body: &mut Map<String, Value>, path: &str) {
    if !path.starts_with("/v1/policies") {
        body.insert("confirmed".to_owned(), json!(true));
    }
}

/// Whether whoever types the command wants it all the same. Nobody is asked if nobody can answer.
fn is_wanted(reasons: &[String]) -> bool {
    if !io::stdin().is_terminal() {
        return false;
    }
    eprint!("{} Go on? [y/N] ", reasons.join(" "));
    let mut line = String::new();
    let is_read = io::stdin().lock().read_line(&mut line).is_ok();
    is_read && matches!(line.trim(), "y" | "Y" | "yes")
}
