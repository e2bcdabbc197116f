use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, fs};

use actix_web::http::header::HeaderName;

use super::access::AccessOptions;
use super::options::{JwtOptions, RouteOptions};
use super::server::ServerOptions;
use super::*;
use crate::app::auth::{JwtKeys, Secret};
use crate::domain::policy::Policy;
use crate::domain::quota::Cost;
use crate::limiter::AccessEntry;

mod access;
mod auth;
mod cors;
mod descriptors;
mod environment;
mod gate;
mod headers;
mod in_flight;
mod layers;
mod lease;
mod outcomes;
mod penalty;
mod plans;
mod properties;
mod proxy_protocol;
mod refusals;
mod routes;
mod secrets;
mod strictness;
mod timezones;
mod tls;

/// What no message may repeat.
const SECRET: &str = "hunter2";

/// A file that is gone with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(bytes: impl AsRef<[u8]>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tollgate-config-{}-{number}.toml", std::process::id());
        let path = env::temp_dir().join(name);
        fs::write(&path, bytes).unwrap();
        Self(path)
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn variables(pairs: &[(&str, &str)]) -> Sources {
    let variables = pairs.iter().map(|(name, value)| (name.into(), value.into())).collect();
    Sources { variables, ..Sources::default() }
}

fn settings(settings: &[&str]) -> Sources {
    let settings = settings.iter().map(|&text| text.to_owned()).collect();
    Sources { settings, ..Sources::default() }
}

fn load_text(text: &str) -> Result<Config, ConfigErrors> {
    let file = Scratch::new(text);
    load(&Sources { files: vec![file.0.clone()], ..Sources::default() })
}

/// The errors of a file, one line each, without its name.
fn errors_of_text(text: &str) -> Vec<String> {
    let file = Scratch::new(text);
    lines(&Sources { files: vec![file.0.clone()], ..Sources::default() })
        .into_iter()
        .map(|line| {
            // Its lines are tested where they are read.
            let line = match line.rsplit_once(&format!(" (from {}", file.name())) {
                Some((message, _)) => message.to_owned(),
                None => line,
            };
            line.replace(file.name(), "FILE")
        })
        .collect()
}

fn lines(sources: &Sources) -> Vec<String> {
    let errors = load(sources).expect_err("it loaded").to_string();
    errors.lines().map(str::to_owned).collect()
}

/// The only error of a file, without its name.
fn error_of_text(text: &str) -> String {
    let errors = errors_of_text(text);
    let [error] = &errors[..] else { panic!("{errors:#?} for {text}") };
    error.clone()
}
