//! The floors of the house: who may import whom. Nothing points up.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// The modules of the crate root, from the ground up: each imports from its own floor and from
/// those below.
const FLOORS: [&[&str]; 5] = [
    &["quota", "policy", "key", "decision", "clock", "algorithm"],
    &["store"],
    &["limiter"],
    &["middleware", "identity", "headers", "problem"],
    &["config", "server", "routes", "admin", "gate", "cli", "telemetry"],
];

/// What the ground floor may take of the parts of std that do input or output or read a clock.
/// A part that is not named here is free.
const STD_OF_THE_GROUND_FLOOR: [(&str, &[&str]); 11] = [
    ("env", &[]),
    ("fs", &[]),
    ("future", &[]),
    ("io", &[]),
    ("net", &["IpAddr", "Ipv4Addr", "Ipv6Addr"]),
    ("os", &[]),
    ("pin", &[]),
    ("process", &[]),
    ("task", &[]),
    ("thread", &[]),
    ("time", &["Duration"]),
];

/// Words that the ground floor does not use: it neither waits nor prints.
const NOT_ON_THE_GROUND_FLOOR: [&str; 7] =
    ["async", "await", "print", "println", "eprint", "eprintln", "dbg"];

/// A file is read from top to bottom in one sitting.
const MOST_LINES: usize = 300;
const MOST_LINES_OF_MAIN: usize = 59;

#[test]
fn every_module_has_a_floor() {
    for source in sources().iter().filter(|source| !source.is_door()) {
        assert!(
            floor(source.module()).is_some(),
            "{}: the module `{}` has no floor: put it on one, in FLOORS",
            source.name,
            source.module(),
        );
    }
}

#[test]
fn nothing_points_up() {
    assert_none(faults(points_up));
}

#[test]
fn the_ground_floor_is_std_only_and_neither_waits_nor_reads_clocks() {
    let dependencies = dependencies();
    assert_none(faults(|source| leaves_the_ground(source, &dependencies)));
}

#[test]
fn a_module_stands_beside_its_directory() {
    let names = sources().into_iter().map(|source| source.name);
    assert_none(names.filter(|name| name.ends_with("/mod.rs")));
}

#[test]
fn files_are_short() {
    let long = sources().into_iter().filter_map(|source| {
        let lines = source.text.lines().count();
        let most = if source.name == "src/main.rs" { MOST_LINES_OF_MAIN } else { MOST_LINES };
        (lines > most && !source.is_test()).then(|| format!("{} has {lines} lines", source.name))
    });
    assert_none(long);
}

#[test]
fn every_way_to_name_a_module_above_is_seen() {
    for text in [
        "use crate::limiter::Limiter;",
        "use crate::{quota::Quota, limiter};",
        "use crate::{self, store::{self, Store}, limiter::*};",
        "use super::super::limiter;",
        "fn f() -> crate::limiter::Limiter { todo!() }",
        "fn f() { let limiter = vec![crate::limiter::new()]; }",
        "mod tests { use super::super::super::limiter::Limiter; }",
    ] {
        assert_eq!(points_up(&Source::new("src/store/memory.rs", text)).len(), 1, "{text}");
    }
    for text in [
        "//! [`crate::limiter`]\n// crate::limiter\nconst A: &str = \"crate::limiter\";",
        "use crate::{quota::Quota, store::Store};\nuse super::Store;\npub(crate) fn limiter() {}",
        "mod tests { use super::super::Store; use std::{limiter, io::{self, limiter::A}}; }",
    ] {
        assert_none(points_up(&Source::new("src/store/memory.rs", text)));
    }
}

#[test]
fn every_way_off_the_ground_is_seen() {
    let dependencies = ["log".to_owned(), "serde".to_owned()];
    for text in [
        "use log::info;",
        "#[derive(serde::Serialize)] struct A;",
        "use ::serde::Serialize;",
        "use std::time::{Duration, Instant};",
        "use std::time;",
        "use std::{fmt, time::*};",
        "use std::net::TcpStream;",
        "async fn f() {}",
        "fn f() { println!(); }",
    ] {
        let source = Source::new("src/quota.rs", text);
        assert_eq!(leaves_the_ground(&source, &dependencies).len(), 1, "{text}");
    }
    let text = "use std::{fmt, net::{IpAddr, Ipv6Addr}, time::Duration}; fn f(log: u8) { log; }";
    assert_none(leaves_the_ground(&Source::new("src/quota.rs", text), &dependencies));
}

/// What of `source` names a module on a floor above its own.
fn points_up(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for path in source.paths() {
        let Some(named) = path.module_of(source) else { continue };
        match floor(&named) {
            Some(above) if Some(above) > floor(source.module()) => {
                found.push(source.fault(&path, &format!("`{named}` is on a floor above")));
            }
            Some(_) => {}
            None => found.push(source.fault(&path, "name the module that defines this")),
        }
    }
    found
}

/// What of `source` is no matter of the ground floor.
fn leaves_the_ground(source: &Source, dependencies: &[String]) -> Vec<String> {
    if floor(source.module()) != Some(0) || source.is_test() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for path in source.paths() {
        let segments: Vec<&str> = path.segments.iter().map(String::as_str).collect();
        let fine = match segments[..] {
            [single] => !NOT_ON_THE_GROUND_FLOOR.contains(&single),
            ["std" | "core", part, ref rest @ ..] => STD_OF_THE_GROUND_FLOOR
                .iter()
                .find(|(restricted, _)| *restricted == part)
                .is_none_or(|(_, allowed)| rest.first().is_some_and(|name| allowed.contains(name))),
            [first, ..] => !dependencies.iter().any(|dependency| dependency == first),
            [] => true,
        };
        if !fine {
            found.push(source.fault(&path, "the ground floor is std only, without I/O or clocks"));
        }
    }
    found
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

fn faults(find: impl Fn(&Source) -> Vec<String>) -> Vec<String> {
    sources().iter().filter(|source| !source.is_door()).flat_map(find).collect()
}

#[track_caller]
fn assert_none(found: impl IntoIterator<Item = String>) {
    let found: Vec<String> = found.into_iter().collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

/// A file under `src`.
struct Source {
    /// `src/store/redis.rs`
    name: String,
    text: String,
    /// `["store", "redis"]`
    modules: Vec<String>,
}

impl Source {
    fn new(name: &str, text: &str) -> Self {
        let path = name.trim_start_matches("src/").trim_end_matches(".rs");
        let modules = path.split('/').map(str::to_owned).collect();
        Self { name: name.to_owned(), text: text.to_owned(), modules }
    }

    /// The module of the crate root that it belongs to.
    fn module(&self) -> &str {
        &self.modules[0]
    }

    /// Doors have no floor: they open on all of them.
    fn is_door(&self) -> bool {
        ["src/lib.rs", "src/main.rs"].contains(&self.name.as_str())
    }

    fn is_test(&self) -> bool {
        self.modules.iter().any(|module| module == "tests")
    }

    fn fault(&self, path: &NamedPath, fault: &str) -> String {
        format!("{}:{}: {}: {fault}", self.name, path.line, path.segments.join("::"))
    }

    /// Every path and single word in its code, the branches of `use` trees each written out.
    fn paths(&self) -> Vec<NamedPath> {
        let tokens: TokenStream = self.text.parse().expect("a source that compiles");
        let mut reader = Reader::default();
        reader.read(tokens);
        reader.found
    }
}

/// `crate::quota::Quota`, and the inline modules around it.
struct NamedPath {
    segments: Vec<String>,
    inline: Vec<String>,
    line: usize,
}

impl NamedPath {
    /// The module of the crate root that it leads to, if it leaves its own module at all.
    fn module_of(&self, source: &Source) -> Option<String> {
        let own = source.modules.iter().chain(&self.inline);
        let (mut at, mut rest): (Vec<&String>, _) = match self.segments.split_first()? {
            (first, rest) if first == "crate" => (Vec::new(), rest.iter().peekable()),
            (first, _) if first == "super" => (own.collect(), self.segments.iter().peekable()),
            _ => return None,
        };
        while rest.next_if(|segment| *segment == "super").is_some() {
            at.pop();
        }
        at.extend(rest);
        at.first().filter(|name| **name != "self" && **name != "*").map(ToString::to_string)
    }
}

/// Collects paths from tokens, so that comments and strings count for nothing.
#[derive(Default)]
struct Reader {
    found: Vec<NamedPath>,
    inline: Vec<String>,
}

impl Reader {
    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match (token, tokens.get(at), tokens.get(at + 1)) {
                (TokenTree::Ident(word), Some(TokenTree::Ident(name)), Some(body))
                    if word == "mod" && is_group(body, Delimiter::Brace) =>
                {
                    self.inline.push(name.to_string());
                    self.read_group(body);
                    self.inline.pop();
                    at += 2;
                }
                (TokenTree::Ident(first), ..) => at = self.path(&tokens, at, first, &[]),
                (TokenTree::Group(_), ..) => self.read_group(token),
                _ => {}
            }
        }
    }

    fn read_group(&mut self, token: &TokenTree) {
        if let TokenTree::Group(group) = token {
            self.read(group.stream());
        }
    }

    /// Reads on from `first`, whose next token is at `at`; returns where the path ends.
    fn path(
        &mut self,
        tokens: &[TokenTree],
        mut at: usize,
        first: &Ident,
        prefix: &[String],
    ) -> usize {
        let mut segments = prefix.to_vec();
        segments.push(first.to_string());
        while is_separator(&tokens[at..]) {
            match tokens.get(at + 2) {
                Some(TokenTree::Ident(name)) => segments.push(name.to_string()),
                Some(TokenTree::Punct(star)) if star.as_char() == '*' => segments.push("*".into()),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.branches(group.stream(), &segments);
                    return at + 3;
                }
                // `::<`: what stands between the angles is read on its own.
                _ => break,
            }
            at += 3;
        }
        let line = first.span().start().line;
        self.found.push(NamedPath { segments, inline: self.inline.clone(), line });
        at
    }

    fn branches(&mut self, tokens: TokenStream, prefix: &[String]) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Ident(word) if word == "as" => at += 1,
                TokenTree::Ident(first) => at = self.path(&tokens, at, first, prefix),
                TokenTree::Punct(star) if star.as_char() == '*' => {
                    let segments = [prefix, &["*".to_owned()]].concat();
                    let line = star.span().start().line;
                    self.found.push(NamedPath { segments, inline: self.inline.clone(), line });
                }
                _ => {}
            }
        }
    }
}

fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}

/// Whether a path goes on: `::`.
fn is_separator(tokens: &[TokenTree]) -> bool {
    let colon =
        |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
    tokens.len() >= 2 && tokens[..2].iter().all(colon)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    files.sort();
    assert!(files.len() > 2, "the sources were not found");
    let read = |file: &PathBuf| {
        let name = file.strip_prefix(root()).expect("a file of the package").display().to_string();
        Source::new(&name, &fs::read_to_string(file).expect("a source is text"))
    };
    files.iter().map(read).collect()
}

fn rust_files(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory of sources") {
        let path = entry.expect("an entry of it").path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The names under `[dependencies]`, as Rust writes them.
fn dependencies() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest is text");
    let section = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let names: Vec<String> = section
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name.replace('-', "_"))
        .collect();
    assert!(names.iter().any(|name| name == "log"), "the dependencies were not found");
    names
}
