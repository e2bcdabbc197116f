//! Circles: files that import each other, directly or through others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::source::Source;

/// A module as a path from the crate root: `["store", "redis"]`.
type Module = Vec<String>;

/// Which file takes what from which other one.
pub(super) struct Imports {
    /// By the file that imports: the files that it imports from, each with the name of one thing taken.
    edges: BTreeMap<Module, BTreeMap<Module, String>>,
    names: BTreeMap<Module, String>,
}

/// What is imported into a module, by its name there.
type Imported = BTreeMap<String, Module>;

impl Imports {
    /// The imports of `sources`, without their tests.
    pub(super) fn of(sources: &[Source]) -> Self {
        let sources = || sources.iter().filter(|source| !source.is_door() && !source.is_test());
        let names: BTreeMap<Module, String> =
            sources().map(|source| (source.path().to_vec(), source.name.clone())).collect();
        let imported: BTreeMap<Module, Imported> =
            sources().map(|source| (source.path().to_vec(), imported(source))).collect();
        let mut edges: BTreeMap<Module, BTreeMap<Module, String>> = BTreeMap::new();
        for source in sources() {
            let own = source.path().to_vec();
            for path in taken(source) {
                let Some(file) = defining_file(&path, &names, &imported) else { continue };
                if file != own {
                    let what = path.join("::");
                    edges.entry(own.clone()).or_default().entry(file).or_insert(what);
                }
            }
        }
        Self { edges, names }
    }

    /// The shortest circle through each file that is in one, every circle once.
    pub(super) fn circles(&self) -> Vec<String> {
        let mut found = BTreeMap::new();
        for start in self.names.keys() {
            if let Some(circle) = self.circle_through(start) {
                let members: BTreeSet<Module> = circle.iter().cloned().collect();
                found.entry(members).or_insert(circle);
            }
        }
        found.into_values().map(|circle| self.describe(&circle)).collect()
    }

    /// The shortest way from `start` back to it, breadth first.
    fn circle_through(&self, start: &Module) -> Option<Vec<Module>> {
        let mut ways = VecDeque::from([vec![start.clone()]]);
        let mut seen = BTreeSet::new();
        while let Some(way) = ways.pop_front() {
            for next in self.edges.get(&way[way.len() - 1]).into_iter().flat_map(BTreeMap::keys) {
                if next == start {
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    ways.push_back([way.as_slice(), std::slice::from_ref(next)].concat());
                }
            }
        }
        None
    }

    fn describe(&self, circle: &[Module]) -> String {
        let lines = circle.iter().enumerate().map(|(at, from)| {
            let to = &circle[(at + 1) % circle.len()];
            format!("  {} takes {} from {}", self.names[from], self.edges[from][to], self.names[to])
        });
        format!("a circle of {}:\n{}", circle.len(), lines.collect::<Vec<_>>().join("\n"))
    }
}

/// What `use` brings into a module, so that others may take it from there.
fn imported(source: &Source) -> Imported {
    let paths = source.paths().into_iter().filter(|path| path.is_import && !path.is_in_tests());
    let absolute = paths.filter_map(|path| path.absolute(source));
    absolute.filter_map(|path| Some((path.last()?.clone(), path))).collect()
}

/// The paths that the code of `source` depends on. What it only hands on by `pub use` is not among them.
fn taken(source: &Source) -> Vec<Module> {
    let paths: Vec<_> = source.paths().into_iter().filter(|path| !path.is_in_tests()).collect();
    let used: BTreeSet<&str> =
        paths.iter().filter(|path| !path.is_import).map(|path| path.segments[0].as_str()).collect();
    let is_taken = |name: &String| name == "*" || used.contains(name.as_str());
    let mut taken: Vec<Module> = Vec::new();
    for path in &paths {
        let needed = !path.is_import || path.segments.last().is_some_and(is_taken);
        match path.absolute(source) {
            Some(absolute) if needed => taken.push(absolute),
            Some(_) => {}
            // `child::function()`, where the file declares `mod child;`.
            None if !path.is_import && path.segments.len() > 1 => {
                taken.push([source.path(), &path.segments].concat());
            }
            None => {}
        }
    }
    taken
}

/// The file that defines what `path` leads to, by way of those that hand it on.
fn defining_file(
    path: &[String],
    names: &BTreeMap<Module, String>,
    imported: &BTreeMap<Module, Imported>,
) -> Option<Module> {
    let mut path = path.to_vec();
    // No chain of re-exports is as long.
    for _ in 0..8 {
        let depth = (1..=path.len()).rev().find(|depth| names.contains_key(&path[..*depth]))?;
        let (module, rest) = path.split_at(depth);
        let next = rest.first().and_then(|name| imported.get(module)?.get(name));
        match next {
            Some(target) if *target != path[..=depth] => {
                path = [target.as_slice(), &rest[1..]].concat();
            }
            _ => return Some(module.to_vec()),
        }
    }
    None
}
