//! The floors of the house: which module may import which. No module imports from a floor above.

mod circles;
mod source;

use circles::Imports;
use source::{Exports, NamedPath, Source, dependencies, exports, sources};

/// The modules of the crate root, from the ground up: each imports from its own floor and from
/// those below.
const FLOORS: [&[&str]; 5] =
    [&["domain"], &["store"], &["limiter", "http"], &["actix", "tower"], &["app"]];

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

/// The crates of the ground floor: plain values, like std's own, and the rules of time zones, as data of the program.
const CRATES_OF_THE_GROUND_FLOOR: [&str; 2] = ["ipnet", "jiff"];

/// Words that the ground floor does not use: it neither waits nor prints.
const NOT_ON_THE_GROUND_FLOOR: [&str; 7] =
    ["async", "await", "print", "println", "eprint", "eprintln", "dbg"];

/// Doors map requests in and answers out. What the limiter is asked, and in which order, is its admission's.
const DOORS: [&str; 2] = ["actix", "tower"];
const NOT_IN_A_DOOR: [&str; 7] =
    ["access", "check", "has_access_lists", "peek", "route", "Access", "Check"];

/// The families of the frameworks' crates, as `actix_web` is of `actix`. Doors alone name them. `http` is one, since
/// frameworks are on different versions of it.
const FRAMEWORKS: [&str; 6] = ["actix", "axum", "http", "hyper", "tonic", "tower"];

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
fn every_floor_has_its_modules() {
    let sources = sources();
    let missing = FLOORS.into_iter().flatten().filter(|module| {
        !sources.iter().any(|source| !source.is_door() && source.module() == **module)
    });
    assert_none(missing.map(|module| format!("there is no module `{module}`: FLOORS names it")));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    assert_none(Imports::of(&sources()).circles());
}

#[test]
fn nothing_points_up() {
    let exports = exports();
    assert_none(faults(|source| points_up(source, &exports)));
}

#[test]
fn the_ground_floor_is_std_only_and_neither_waits_nor_reads_clocks() {
    let dependencies = dependencies();
    assert_none(faults(|source| leaves_the_ground(source, &dependencies)));
}

#[test]
fn no_door_owns_a_rule() {
    assert_none(faults(|source| {
        let is_door = DOORS.contains(&source.module()) && !source.is_test();
        let paths = source.paths().into_iter().filter(|_| is_door);
        let rules = paths.filter(|path| {
            path.segments.last().is_some_and(|name| NOT_IN_A_DOOR.contains(&name.as_str()))
        });
        rules.map(|path| source.fault(&path, "the limiter's admission asks this")).collect()
    }));
}

#[test]
fn no_framework_is_named_below_the_doors() {
    assert_none(faults(names_a_framework));
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
    let exports = [("Limiter", "limiter"), ("Store", "store")];
    let exports = exports.map(|(name, module)| (name.to_owned(), module.to_owned())).into();
    for text in [
        "use crate::limiter::Limiter;",
        "use crate::{domain::quota::Quota, limiter};",
        "use crate::{Limiter, Store};",
        "use crate::Unheard;",
        "use crate::{self, store::{self, Store}, limiter::*};",
        "use super::super::limiter;",
        "fn f() -> crate::limiter::Limiter { todo!() }",
        "fn f() { let limiter = vec![crate::limiter::new()]; }",
        "mod tests { use super::super::super::limiter::Limiter; }",
    ] {
        assert_eq!(
            points_up(&Source::new("src/store/memory.rs", text), &exports).len(),
            1,
            "{text}"
        );
    }
    for text in [
        "//! [`crate::limiter`]\n// crate::limiter\nconst A: &str = \"crate::limiter\";",
        "use crate::{domain::quota::Quota, store::Store};\nuse super::Store;\npub(crate) fn limiter() {}",
        "mod tests { use super::super::Store; use std::{limiter, io::{self, limiter::A}}; }",
    ] {
        assert_none(points_up(&Source::new("src/store/memory.rs", text), &exports));
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
        let source = Source::new("src/domain/quota.rs", text);
        assert_eq!(leaves_the_ground(&source, &dependencies).len(), 1, "{text}");
    }
    let text = "use std::{fmt, net::{IpAddr, Ipv6Addr}, time::Duration}; fn f(log: u8) { log; }";
    assert_none(leaves_the_ground(&Source::new("src/domain/quota.rs", text), &dependencies));
}

#[test]
fn every_way_to_name_a_framework_is_seen() {
    for text in [
        "use actix_web::HttpRequest;",
        "use {std::fmt, hyper::body};",
        "use tower_service as service;",
        "fn f() -> http::HeaderMap { todo!() }",
        "use ::http_body::Body;",
        "use http::{self as types};",
        "impl<B> Head for ::http::Request<B> {}",
    ] {
        for name in ["src/http/fields.rs", "src/limiter/check.rs", "src/domain/key/tests.rs"] {
            assert_eq!(names_a_framework(&Source::new(name, text)).len(), 1, "{name}: {text}");
        }
        assert_none(names_a_framework(&Source::new("src/actix/adapter.rs", text)));
        assert_none(names_a_framework(&Source::new("src/app/serve.rs", text)));
    }
    let text =
        "use crate::http::fields; use ureq::http::Uri; fn f() { let actix = tower(\"http\"); }";
    assert_none(names_a_framework(&Source::new("src/http/fields.rs", text)));
}

/// What of `source` names a module on a floor above its own.
fn points_up(source: &Source, exports: &Exports) -> Vec<String> {
    let mut found = Vec::new();
    for path in source.paths() {
        let Some(named) = path.module_of(source) else { continue };
        match floor(exports.get(&named).unwrap_or(&named)) {
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
            [first, ..] => {
                CRATES_OF_THE_GROUND_FLOOR.contains(&first)
                    || !dependencies.iter().any(|dependency| dependency == first)
            }
            [] => true,
        };
        if !fine {
            found.push(source.fault(&path, "the ground floor is std only, without I/O or clocks"));
        }
    }
    found
}

/// What of `source`, where it is below the doors, names a framework.
fn names_a_framework(source: &Source) -> Vec<String> {
    if floor(source.module()) >= floor("actix") {
        return Vec::new();
    }
    let names = |path: &NamedPath| {
        // A word that stands alone may be a variable, unless it is part of a family's name.
        let (first, is_alone) = (&path.segments[0], path.segments.len() == 1);
        FRAMEWORKS.iter().any(|family| match first.strip_prefix(family) {
            Some("") => !is_alone,
            Some(rest) => rest.starts_with('_'),
            None => false,
        })
    };
    let named = source.paths().into_iter().filter(names);
    named.map(|path| source.fault(&path, "doors alone name frameworks")).collect()
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
