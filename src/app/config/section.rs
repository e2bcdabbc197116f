//! A table of the raw configuration. Its options are read one by one, so that one bad option does not
//! hide another.

use std::fmt;
use std::str::FromStr;

use ::config::{Map, Value, ValueKind};

use super::error::ConfigError;
use super::leaf::Leaf;
use super::origin::Origin;
use super::words::{key_of, one_of, show};

/// A table that is being read. Reading an option takes it out; options that are left over are unknown.
#[derive(Debug)]
pub(super) struct Section {
    path: Vec<String>,
    origin: Origin,
    values: Map<String, Value>,
    known: Vec<&'static str>,
    errors: Vec<ConfigError>,
}

impl Section {
    pub(super) fn root(values: Map<String, Value>, errors: Vec<ConfigError>) -> Self {
        Self { path: Vec::new(), origin: Origin::Default, values, known: Vec::new(), errors }
    }

    /// The table at `path`, from an origin of its own.
    pub(super) fn part(path: &[&str], origin: Origin, values: Map<String, Value>) -> Self {
        let path = path.iter().map(|&name| name.to_owned()).collect();
        Self { path, origin, ..Self::root(values, Vec::new()) }
    }

    /// The option `name`, if it is given.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Leaf> {
        self.known.push(name);
        let value = self.values.remove(name)?;
        Some(Leaf::new(self.key_of(name), value))
    }

    /// The option `name` that there is no more, if it is given. Messages do not list it.
    pub(super) fn take_gone(&mut self, name: &str) -> Option<Leaf> {
        let value = self.values.remove(name)?;
        Some(Leaf::new(self.key_of(name), value))
    }

    /// The option `name` as `read` reads it; `default` if it is not given, or bad.
    pub(super) fn get<T>(
        &mut self,
        name: &'static str,
        default: T,
        read: impl FnOnce(&Leaf) -> Result<T, ConfigError>,
    ) -> T {
        let read = self.take(name).map(|leaf| read(&leaf));
        read.and_then(|read| self.note(read)).unwrap_or(default)
    }

    /// The list `name` of texts, each parsed. Messages call them `expected`. A text that does not parse is
    /// left out, and is an error of its own.
    pub(super) fn list<T: FromStr<Err: fmt::Display>>(
        &mut self,
        name: &'static str,
        expected: &str,
    ) -> Vec<T> {
        let Some(leaf) = self.take(name) else { return Vec::new() };
        let listed = self.note(leaf.list(expected)).unwrap_or_default();
        let read = |text: &String| self.note(leaf.parse_item(text, expected, str::parse));
        listed.iter().filter_map(read).collect()
    }

    /// All options in this table, by name, as `read` reads them. Bad ones are left out.
    pub(super) fn options<T>(
        &mut self,
        mut read: impl FnMut(&str, &Leaf) -> Result<T, ConfigError>,
    ) -> Vec<T> {
        let mut options = Vec::new();
        for (name, value) in std::mem::take(&mut self.values) {
            let leaf = Leaf::new(self.key_of(&name), value);
            options.extend(self.note(read(&name, &leaf)));
        }
        options
    }

    /// The table `name` as `read` reads it; an empty one if it is not given.
    pub(super) fn table<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.known.push(name);
        let value = self.values.remove(name).unwrap_or_else(|| Map::<String, Value>::new().into());
        self.enter(name, value, read)
    }

    /// All tables in this one, in the order of their names, as `read` reads them.
    pub(super) fn tables<T>(&mut self, mut read: impl FnMut(&str, &mut Self) -> T) -> Vec<T> {
        let mut tables: Vec<_> = std::mem::take(&mut self.values).into_iter().collect();
        tables.sort_by(|(one, _), (other, _)| one.cmp(other));
        tables
            .into_iter()
            .map(|(name, value)| self.enter(&name, value, |section| read(&name, section)))
            .collect()
    }

    /// The names of all values that were not taken yet.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Takes out the values whose names `is_wrong`. Returns whether there were any.
    pub(super) fn reject(&mut self, is_wrong: impl Fn(&str) -> bool) -> bool {
        let before = self.values.len();
        self.values.retain(|name, _| !is_wrong(name));
        self.values.len() < before
    }

    /// Adds errors that were found elsewhere.
    pub(super) fn add(&mut self, errors: Vec<ConfigError>) {
        self.errors.extend(errors);
    }

    /// The value of `result`; its error is added to the others.
    pub(super) fn note<T>(&mut self, result: Result<T, ConfigError>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }

    /// Adds an error of the section as a whole.
    pub(super) fn refuse(&mut self, message: impl fmt::Display) {
        self.errors.push(ConfigError::at(&self.key(), &self.origin, message));
    }

    /// Every error that was found, unknown keys included.
    pub(super) fn finish(mut self) -> Vec<ConfigError> {
        for (name, value) in std::mem::take(&mut self.values) {
            let mut message = format!("unknown key, expected {}", one_of(&self.known));
            let origin = Origin::of(&value);
            if matches!(origin, Origin::Variable(_)) {
                let meant = self.variable_like(&name);
                message += &format!("; \"__\" joins levels, as in {meant}");
            }
            self.errors.push(ConfigError::at(&self.key_of(&name), origin, message));
        }
        self.errors
    }

    /// The variable that was probably meant by one whose last part is `name`.
    fn variable_like(&self, name: &str) -> &'static str {
        let words = [&self.path[..], &[name.to_owned()]].concat().join("_");
        let address = ["port", "host", "addr", "address", "bind", "listen"];
        match words.rsplit_once('_').unwrap_or(("", &words)) {
            ("" | "server", word) if address.contains(&word) => "TOLLGATE_SERVER__LISTEN",
            ("admin", word) if address.contains(&word) => "TOLLGATE_ADMIN__LISTEN",
            _ => "TOLLGATE_STORE__URL",
        }
    }

    fn enter<T>(&mut self, name: &str, value: Value, read: impl FnOnce(&mut Self) -> T) -> T {
        let mut section = Self::root(Map::new(), Vec::new());
        section.path = [&self.path[..], &[name.to_owned()]].concat();
        section.origin = Origin::of(&value);
        if let ValueKind::Table(values) = value.kind {
            section.values = values;
            let result = read(&mut section);
            self.errors.extend(section.finish());
            result
        } else {
            let shown = show(&section.key(), &value.kind);
            section.refuse(format_args!("expected a table, got {shown}"));
            self.errors.append(&mut section.errors);
            // It is read as if it were empty, but options that are missing are no further errors.
            read(&mut section)
        }
    }

    fn key(&self) -> String {
        key_of(&self.path)
    }

    fn key_of(&self, name: &str) -> String {
        key_of(&[&self.path[..], &[name.to_owned()]].concat())
    }
}
