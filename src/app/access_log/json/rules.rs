//! Which fields of lines of JSON are read, and what they stand for.

use std::collections::HashMap;

use crate::app::access_log::draft::Moment::{End, Start};
use crate::app::access_log::field_path::{FieldPath, LogField};
use crate::app::access_log::number::Unit;
use crate::app::access_log::role::Role;

/// Whose lines they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::app::access_log) enum Schema {
    Caddy,
    Traefik,
    /// Of any other server or app: common names are tried.
    Any,
}

/// Caddy writes a line when the response was sent.
const CADDY: &[(&str, Role)] = &[
    ("ts", Role::Time(End)),
    ("request.remote_ip", Role::Client),
    ("request.remote_addr", Role::Client),
    ("request.client_ip", Role::Client),
    ("user_id", Role::User),
    ("request.method", Role::Method),
    ("request.uri", Role::Target),
    ("status", Role::Status),
    ("duration", Role::Duration(Unit::Seconds)),
];

const TRAEFIK: &[(&str, Role)] = &[
    ("StartUTC", Role::Time(Start)),
    ("StartLocal", Role::Time(Start)),
    ("time", Role::Time(End)),
    ("ClientHost", Role::Client),
    ("ClientAddr", Role::Client),
    ("ClientUsername", Role::User),
    ("RequestMethod", Role::Method),
    ("RequestPath", Role::Target),
    ("DownstreamStatus", Role::Status),
    ("Duration", Role::Duration(Unit::Nanos)),
];

/// Names that are common, those first that say most.
const ANY: &[(&str, &[&str])] = &[
    (
        "time",
        &[
            "time",
            "timestamp",
            "@timestamp",
            "ts",
            "start_time",
            "time_iso8601",
            "time_local",
            "msec",
            "date",
            "datetime",
            "t",
        ],
    ),
    (
        "ip",
        &[
            "ip",
            "remote_addr",
            "remote_ip",
            "client_ip",
            "clientip",
            "client_addr",
            "client.ip",
            "client.address",
            "source.ip",
            "source.address",
            "remoteAddr",
            "remoteIp",
            "clientIp",
            "httpRequest.remoteIp",
            "remote_host",
            "client",
            "host.ip",
            "request.remote_ip",
        ],
    ),
    ("user", &["user", "remote_user", "user_id", "user.name", "user.id", "username", "userId"]),
    (
        "method",
        &[
            "method",
            "request_method",
            "http_method",
            "verb",
            "http.request.method",
            "http.method",
            "request.method",
            "req.method",
            "httpRequest.requestMethod",
        ],
    ),
    (
        "path",
        &[
            "request_uri",
            "uri",
            "path",
            "url",
            "target",
            "url.original",
            "url.path",
            "http.url",
            "http.target",
            "request.uri",
            "request.url",
            "request.path",
            "req.url",
            "httpRequest.requestUrl",
        ],
    ),
    ("request", &["request", "request_line"]),
    (
        "status",
        &[
            "status",
            "status_code",
            "response_code",
            "http.response.status_code",
            "statusCode",
            "http.status_code",
            "response.status",
            "res.statusCode",
            "httpRequest.status",
            "code",
        ],
    ),
    (
        "duration",
        &[
            "request_time",
            "duration_ms",
            "duration_us",
            "duration_ns",
            "duration_s",
            "latency_ms",
            "elapsed_ms",
            "response_time_ms",
            "responseTimeMs",
            "httpRequest.latency",
        ],
    ),
    ("forwarded", &["x_forwarded_for", "x-forwarded-for", "forwarded_for", "xff"]),
    ("agent", &["user_agent", "user_agent.original", "userAgent", "httpRequest.userAgent"]),
    ("referer", &["referer", "referrer", "http.request.referrer", "httpRequest.referer"]),
];

/// Which fields are read, by their paths, with the rank of each: the lowest is taken.
#[derive(Debug)]
pub(super) struct Rules {
    by_path: HashMap<Box<str>, (usize, Role)>,
    /// What the paths of header fields begin with.
    fields_under: &'static [&'static str],
}

impl Rules {
    /// The rules of `schema`, with `fields` before them.
    pub(super) fn new(schema: Schema, fields: &[FieldPath]) -> Self {
        let named = fields.iter().map(|it| (it.path.as_str(), role_of(it)));
        let known: Vec<(&str, Role)> = match schema {
            Schema::Caddy => CADDY.to_vec(),
            Schema::Traefik => TRAEFIK.to_vec(),
            Schema::Any => any(),
        };
        let mut by_path = HashMap::new();
        for (rank, (path, role)) in named.chain(known).enumerate() {
            by_path.entry(path.into()).or_insert((rank, role));
        }
        let fields_under: &[&str] = match schema {
            Schema::Caddy => &["request.headers."],
            Schema::Traefik => &["request_"],
            Schema::Any => &[
                "http_",
                "headers.",
                "request.headers.",
                "request_headers.",
                "req.headers.",
                "http.request.headers.",
            ],
        };
        Self { by_path, fields_under }
    }

    /// The rank of the field at `path`, and what it stands for.
    pub(super) fn find(&self, path: &str) -> Option<(usize, &Role)> {
        self.by_path.get(path).map(|(rank, role)| (*rank, role))
    }

    /// The name of the header field that is at `path`, in lower case.
    pub(super) fn field_name(&self, path: &str) -> Option<String> {
        let under = self.fields_under.iter().find(|under| path.starts_with(**under))?;
        let name = path[under.len()..].to_ascii_lowercase();
        // nginx writes names of variables: $http_user_agent.
        Some(if *under == "http_" { name.replace('_', "-") } else { name })
    }
}

/// The rules of common names.
fn any() -> Vec<(&'static str, Role)> {
    let rules = ANY.iter().flat_map(|(field, paths)| paths.iter().map(move |path| (*field, *path)));
    rules.map(|(field, path)| (path, role(field, path))).collect()
}

fn role(field: &str, path: &str) -> Role {
    match field {
        "time" => Role::Time(if is_start(path) { Start } else { End }),
        "ip" => Role::Client,
        "user" => Role::User,
        "method" => Role::Method,
        "path" => Role::Target,
        "request" => Role::RequestLine,
        "status" => Role::Status,
        "duration" => Role::Duration(unit_of(path)),
        "forwarded" => Role::Field("x-forwarded-for".into()),
        "agent" => Role::Field("user-agent".into()),
        "referer" => Role::Field("referer".into()),
        _ => Role::Other,
    }
}

fn role_of(it: &FieldPath) -> Role {
    match &it.field {
        LogField::Time => role("time", &it.path),
        LogField::Ip => Role::Client,
        LogField::User => Role::User,
        LogField::Method => Role::Method,
        LogField::Path => Role::Target,
        LogField::Status => Role::Status,
        LogField::Duration => role("duration", &it.path),
        LogField::Forwarded => role("forwarded", &it.path),
        LogField::Header(name) => Role::Field(name.as_str().into()),
    }
}

/// Whether the name of a time says that it is when a request began.
fn is_start(path: &str) -> bool {
    path.to_ascii_lowercase().contains("start")
}

/// The unit that the name of a duration ends with; seconds if it names none.
fn unit_of(path: &str) -> Unit {
    let units = [("ms", Unit::Millis), ("us", Unit::Micros), ("ns", Unit::Nanos)];
    let name = path.to_ascii_lowercase();
    units.into_iter().find(|(end, _)| name.ends_with(end)).map_or(Unit::Seconds, |(_, unit)| unit)
}
