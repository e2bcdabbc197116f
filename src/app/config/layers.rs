//! The layers of a configuration: each is read on its own, and later ones override earlier ones.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use ::config::{Environment, Map, Source as _, Value, ValueKind};

use super::error::ConfigError;
use super::file;
use super::origin::Origin;
use super::service_link::is_service_link;
use super::toml;
use super::words::{key_of, show};

/// The tables that exist by default. Single options have their defaults in their types.
const DEFAULTS: &str = r#"
server = {}
store = {}
client_ip = {}
headers = {}
log = {}
access = {}
auth = {}

[policies.default]
quota = "10/minute"

[routes."/api/data"]
policies = ["default"]

[routes."/api/status"]
peek = ["default"]
"#;

/// The name of every variable begins with this.
const PREFIX: &str = "TOLLGATE";

/// The variable with the token that commands send to a process. It is no option.
pub(crate) const TOKEN_VARIABLE: &str = "TOLLGATE_ADMIN_TOKEN";

/// One level more than any option has: a deeper key is certainly unknown.
const DEEPEST: usize = 5;

/// Where a configuration is read from. Built-in defaults come first; files, variables and settings
/// override them in this order.
#[derive(Clone, Default)]
pub(crate) struct Sources {
    /// Files to read, in order. Each must exist.
    pub(crate) files: Vec<PathBuf>,
    /// The file to read if `files` is empty and this one exists.
    pub(crate) default_file: Option<PathBuf>,
    /// The environment. Variables that do not begin with `TOLLGATE_` are ignored. So are those that
    /// Kubernetes and Docker set for a service of that name (`TOLLGATE_PORT=tcp://10.0.0.1:80`).
    pub(crate) variables: BTreeMap<OsString, OsString>,
    /// `KEY=VALUE` each, as in `store.timeout_ms=20`, from the command line.
    pub(crate) settings: Vec<String>,
}

impl Sources {
    /// The files that are read, or would be if they existed.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        let default = self.default_file.iter().filter(|_| self.files.is_empty());
        self.files.iter().chain(default).cloned().collect()
    }
}

impl fmt::Debug for Sources {
    /// Prints no values, since any of them may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("files", &self.files)
            .field("default_file", &self.default_file)
            .field("variables", &self.variables.len())
            .field("settings", &self.settings.len())
            .finish()
    }
}

/// All layers as one table, and the errors of those that could not be read.
pub(super) fn read(sources: &Sources) -> (Map<String, Value>, Vec<ConfigError>) {
    let mut layers = vec![parsed(&Origin::Default, DEFAULTS.into())];
    layers.extend(sources.files.iter().map(|path| of_file(path)));
    if let (Some(path), []) = (&sources.default_file, &sources.files[..])
        && !is_absent(path)
    {
        layers.push(of_file(path));
    }
    let variables = &sources.variables;
    layers.extend(variables.iter().map(|(name, value)| variable(name, value, variables)));
    layers.extend(sources.settings.iter().map(|text| setting(text)));

    let mut all = Map::new();
    let mut errors = Vec::new();
    for layer in layers {
        match layer {
            Ok(layer) => lay_over(&mut all, layer, &[], &mut errors),
            Err(error) => errors.push(error),
        }
    }
    (all, errors)
}

type Layer = Result<Map<String, Value>, ConfigError>;

fn is_absent(path: &Path) -> bool {
    fs::metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn of_file(path: &Path) -> Layer {
    let origin = Origin::file(path.display().to_string());
    match file::read(path) {
        Ok(bytes) => parsed(&origin, bytes),
        Err(error) => Err(ConfigError::of(origin, format_args!("cannot be read: {error}"))),
    }
}

fn parsed(origin: &Origin, bytes: Vec<u8>) -> Layer {
    let text =
        String::from_utf8(bytes).map_err(|_| ConfigError::of(origin, "is not UTF-8 text"))?;
    toml::parse(&text, origin).map_err(|error| ConfigError::of(error.origin(origin), error))
}

/// Reads one variable. The config crate would call the origin of all of them "the environment".
fn variable(name: &OsStr, value: &OsStr, all: &BTreeMap<OsString, OsString>) -> Layer {
    let shown = name.to_string_lossy();
    let start = shown.get(..PREFIX.len() + 1);
    let is_ours = start.is_some_and(|start| start.eq_ignore_ascii_case("TOLLGATE_"));
    let is_of_operators = shown == TOKEN_VARIABLE;
    if !is_ours || is_of_operators || is_service_link(&shown, value, all) {
        return Ok(Map::new());
    }
    let origin = Origin::Variable(shown.clone().into_owned());
    let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
        return Err(ConfigError::of(origin, "is not Unicode text"));
    };
    if name.contains('.') {
        return Err(ConfigError::of(origin, "has a '.' in its name: levels are joined by \"__\""));
    }
    let one = Environment::with_prefix(PREFIX)
        .prefix_separator("_")
        .separator("__")
        .ignore_empty(true)
        .source(Some(Map::from([(name.to_owned(), value.to_owned())])))
        .collect()
        .map_err(|_| ConfigError::of(&origin, "cannot be read"))?;
    Ok(one.into_iter().next().map_or_else(Map::new, |(key, value)| {
        nested(key.split('.').map(str::to_owned).collect(), value.kind, &origin)
    }))
}

/// Reads one setting. The TOML parser reads its key, so that quotes mean the same as in files.
fn setting(text: &str) -> Layer {
    let origin = Origin::CommandLine;
    for (end, _) in text.match_indices('=') {
        let key = text[..end].trim();
        if key.contains(char::is_control) {
            break;
        }
        if let Ok(table) = toml::parse(&format!("{key} = 0"), &origin) {
            let value = ValueKind::String(text[end + 1..].to_owned());
            return Ok(nested(path_of(table), value, &origin));
        }
    }
    Err(ConfigError::of(
        origin,
        "a setting must be KEY=VALUE, as in store.timeout_ms=20 or 'routes.\"/api/data\".policies=default'",
    ))
}

/// The names on the path to the only value in `table`.
fn path_of(mut table: Map<String, Value>) -> Vec<String> {
    let mut path = Vec::new();
    while let Some((name, value)) = table.into_iter().next() {
        path.push(name);
        table = match value.kind {
            ValueKind::Table(inner) => inner,
            _ => break,
        };
    }
    path
}

fn nested(mut path: Vec<String>, leaf: ValueKind, origin: &Origin) -> Map<String, Value> {
    path.truncate(DEEPEST);
    let last = path.pop().unwrap_or_default();
    let innermost = Map::from([(last, Value::new(None, leaf))]);
    let table = path.into_iter().rev().fold(innermost, |inner, name| {
        Map::from([(name, Value::new(None, ValueKind::Table(inner)))])
    });
    origin.mark_all(table)
}

/// Overrides `below` with `above`. The config crate's builder cannot be used: it takes a quoted name with
/// dots for a path, and forgets the origin of tables.
fn lay_over(
    below: &mut Map<String, Value>,
    above: Map<String, Value>,
    path: &[&str],
    errors: &mut Vec<ConfigError>,
) {
    for (name, value) in above {
        let path = [path, &[&name]].concat();
        match below.get_mut(&name).map(|value| &mut value.kind) {
            Some(ValueKind::Table(below)) => match value.kind {
                ValueKind::Table(above) => lay_over(below, above, &path, errors),
                _ => {
                    let (key, origin) = (key_of(&path), Origin::of(&value));
                    let shown = show(&key, &value.kind);
                    let message = format_args!("expected a table, got {shown}");
                    errors.push(ConfigError::at(&key, origin, message));
                }
            },
            _ => {
                below.insert(name, value);
            }
        }
    }
}
