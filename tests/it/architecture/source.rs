//! Our sources, as the paths that they name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// Words after which `::` begins a path, and does not go on with one.
const BEFORE_PATHS: [&str; 9] = ["as", "dyn", "for", "impl", "in", "mut", "return", "use", "where"];

/// A file under `src`.
pub(super) struct Source {
    /// `src/store/redis.rs`
    pub(super) name: String,
    pub(super) text: String,
    /// `["store", "redis"]`
    modules: Vec<String>,
}

impl Source {
    pub(super) fn new(name: &str, text: &str) -> Self {
        let path = name.trim_start_matches("src/").trim_end_matches(".rs");
        let modules = path.split('/').map(str::to_owned).collect();
        Self { name: name.to_owned(), text: text.to_owned(), modules }
    }

    /// The module of the crate root that it belongs to.
    pub(super) fn module(&self) -> &str {
        &self.modules[0]
    }

    /// `["store", "redis"]`
    pub(super) fn path(&self) -> &[String] {
        &self.modules
    }

    /// Doors have no floor: they open on all of them.
    pub(super) fn is_door(&self) -> bool {
        ["src/lib.rs", "src/main.rs"].contains(&self.name.as_str())
    }

    pub(super) fn is_test(&self) -> bool {
        self.modules.iter().any(|module| module == "tests")
    }

    pub(super) fn fault(&self, path: &NamedPath, fault: &str) -> String {
        format!("{}:{}: {}: {fault}", self.name, path.line, path.segments.join("::"))
    }

    /// Every path and single word in its code, the branches of `use` trees each written out.
    pub(super) fn paths(&self) -> Vec<NamedPath> {
        let tokens: TokenStream = self.text.parse().expect("a source that compiles");
        let mut reader = Reader::default();
        reader.read(tokens);
        reader.found
    }
}

/// `crate::quota::Quota`, and the inline modules around it.
pub(super) struct NamedPath {
    pub(super) segments: Vec<String>,
    /// Whether it stands in a `use`.
    pub(super) is_import: bool,
    inline: Vec<String>,
    line: usize,
}

impl NamedPath {
    /// The module of the crate root that it leads to, if it leaves its own module at all.
    pub(super) fn module_of(&self, source: &Source) -> Option<String> {
        self.absolute(source)?.first().filter(|name| *name != "*").cloned()
    }

    /// The path from the crate root, where it begins with `crate`, `super` or `self`.
    pub(super) fn absolute(&self, source: &Source) -> Option<Vec<String>> {
        let own = || source.modules.iter().chain(&self.inline).cloned().collect();
        let (mut at, rest): (Vec<String>, _) = match self.segments.split_first()? {
            (first, rest) if first == "crate" => (Vec::new(), rest),
            (first, rest) if first == "self" => (own(), rest),
            (first, _) if first == "super" => (own(), &self.segments[..]),
            _ => return None,
        };
        let ups = rest.iter().take_while(|segment| *segment == "super").count();
        at.truncate(at.len().saturating_sub(ups));
        at.extend(rest[ups..].iter().filter(|segment| *segment != "self").cloned());
        Some(at)
    }

    /// Whether it stands in tests beside the code.
    pub(super) fn is_in_tests(&self) -> bool {
        self.inline.iter().any(|module| module == "tests")
    }
}

/// Collects paths from tokens, so that comments and strings count for nothing.
#[derive(Default)]
struct Reader {
    found: Vec<NamedPath>,
    inline: Vec<String>,
    is_import: bool,
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
                // `pub(super)` says who may see, and takes nothing.
                (TokenTree::Ident(word), Some(group), ..)
                    if word == "pub" && is_group(group, Delimiter::Parenthesis) =>
                {
                    at += 1;
                }
                (TokenTree::Ident(word), ..)
                    if BEFORE_PATHS.iter().any(|before| word == before) =>
                {
                    self.is_import |= word == "use";
                }
                (TokenTree::Ident(first), ..) => at = self.path(&tokens, at, first, &[]),
                (TokenTree::Group(_), ..) => self.read_group(token),
                (TokenTree::Punct(end), ..) if end.as_char() == ';' => self.is_import = false,
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
        self.found(segments, line);
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
                    self.found(segments, line);
                }
                _ => {}
            }
        }
    }
}

impl Reader {
    fn found(&mut self, segments: Vec<String>, line: usize) {
        let (inline, is_import) = (self.inline.clone(), self.is_import);
        self.found.push(NamedPath { segments, is_import, inline, line });
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

pub(super) fn sources() -> Vec<Source> {
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
        // What a compiler wrote is for no reader.
        if path.ends_with("generated") {
            continue;
        }
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The names that the crate root exports, each with the module that it comes from.
pub(super) type Exports = BTreeMap<String, String>;

pub(super) fn exports() -> Exports {
    let text = fs::read_to_string(root().join("src/lib.rs")).expect("the crate root is text");
    let paths = Source::new("src/lib.rs", &text).paths().into_iter().map(|path| path.segments);
    paths
        .filter(|path| path.len() > 1)
        .map(|path| (path[path.len() - 1].clone(), path[usize::from(path[0] == "self")].clone()))
        .collect()
}

/// The names under `[dependencies]`, as Rust writes them.
pub(super) fn dependencies() -> Vec<String> {
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
