//! The thread that reloads.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;
use std::{io, thread};

use super::differences::{Difference, differences};
use super::digests::Digests;
use super::file_watch::FileWatch;
use super::said;
use super::status::ReloadStatus;
use crate::app::assemble::{CurrentSnapshot, Lasting, Snapshot};
use crate::app::auth::KeyDigest;
use crate::app::config::{
    AdminOptions, Config, GateOptions, OptionValue, Places, RawConfig, Sources, StoreOptions,
};
use crate::app::error::AppError;
use crate::app::service_manager;

/// How long nothing must have changed before files are read: a file may be written in several steps.
const QUIET: Duration = Duration::from_millis(100);

/// How often at most changes put off the reading, so that a busy directory does not hold it up.
const MOST_DELAYS: u32 = 5;

/// How often files are looked at without a reason: some file systems do not tell of changes.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);

/// Asks the thread that reloads. The thread ends when this is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Reloader {
    requests: Arc<Sender<Request>>,
}

/// Why the configuration is read.
#[derive(Debug)]
enum Request {
    /// Something changed in a directory with a file of it.
    Changed,
    /// Somebody, who is named, wants it. The report is for them.
    Wanted(String, Option<oneshot::Sender<ReloadReport>>),
}

/// How a reload ended.
#[derive(Debug)]
pub(crate) struct ReloadReport {
    /// The number of the configuration that is now in force.
    pub(crate) generation: u64,
    /// What differs from the one before.
    pub(crate) differences: Vec<Difference>,
    /// What is wrong with the configuration that was read: then it was refused.
    pub(crate) errors: Vec<String>,
}

impl Reloader {
    /// Starts the thread. `config` was read from `sources` and is in force, in `current` over `lasting`.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn start(
        sources: Sources,
        config: Config,
        lasting: Lasting,
        current: CurrentSnapshot,
        status: Arc<ReloadStatus>,
    ) -> io::Result<Self> {
        let (sender, requests) = channel();
        let sender = Arc::new(sender);
        let options = RawConfig::read(&sources).options();
        current.load().set_places(Places::of(&options));
        let worker = Worker {
            options,
            paths: sources.paths(),
            digests: Digests::default(),
            at_start: config.clone(),
            sources,
            config,
            lasting,
            current,
            status,
        };
        let weak = Arc::downgrade(&sender);
        thread::Builder::new()
            .name("reload".to_owned())
            .spawn(move || worker.run(&requests, weak))?;
        // A file may have changed since it was read for the start.
        let _ = sender.send(Request::Changed);
        Ok(Self { requests: sender })
    }

    /// Has the configuration read again because of `who`, whether anything changed or not.
    pub(crate) fn reload(&self, who: &str) {
        // The thread ends only with this process.
        let _ = self.requests.send(Request::Wanted(who.to_owned(), None));
    }

    /// Has the configuration read again because of `who`, and waits for the report; `None` if the thread ended.
    pub(crate) async fn reload_and_report(&self, who: &str) -> Option<ReloadReport> {
        let (sender, report) = oneshot::channel();
        let _ = self.requests.send(Request::Wanted(who.to_owned(), Some(sender)));
        report.await.ok()
    }
}

/// The state of the thread.
struct Worker {
    sources: Sources,
    /// The configuration that the process was started with.
    at_start: Config,
    /// The configuration that was taken last, and its options as they were given.
    config: Config,
    options: BTreeMap<String, OptionValue>,
    /// The files that it was read from.
    paths: Vec<PathBuf>,
    digests: Digests,
    lasting: Lasting,
    current: CurrentSnapshot,
    status: Arc<ReloadStatus>,
}

impl Worker {
    fn run(mut self, requests: &Receiver<Request>, sender: Weak<Sender<Request>>) {
        let mut watch = FileWatch::new(move || {
            if let Some(sender) = sender.upgrade() {
                let _ = sender.send(Request::Changed);
            }
        });
        watch.set(&self.paths);
        loop {
            let request = match requests.recv_timeout(LOOK_INTERVAL) {
                Ok(Request::Changed) => settle(requests),
                Ok(wanted) => wanted,
                Err(RecvTimeoutError::Timeout) => Request::Changed,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            match request {
                Request::Changed => {
                    let before = self.standing();
                    let _ = self.reload(None);
                    let (generation, is_refused) = self.standing();
                    if (generation, is_refused) != before {
                        service_manager::changed(generation, is_refused);
                    }
                }
                Request::Wanted(who, report) => {
                    service_manager::reloading();
                    let done = self.reload(Some(&who));
                    let (generation, is_refused) = self.standing();
                    service_manager::reloaded(generation, is_refused);
                    if let Some((report, done)) = report.zip(done) {
                        // The receiver may be gone.
                        let _ = report.send(done);
                    }
                }
            }
            watch.set(&self.paths);
        }
    }

    /// The generation that is in force, and whether the files have another configuration that was refused.
    fn standing(&self) -> (u64, bool) {
        (self.status.generation(), self.status.refused().is_some())
    }

    /// Reads the configuration, and takes it or refuses it. Without `who`, it is read only if a file has changed.
    fn reload(&mut self, who: Option<&str>) -> Option<ReloadReport> {
        let (digests, raw) = self.read();
        if who.is_none() && digests == self.digests {
            return None;
        }
        let options = raw.options();
        let named_files = raw.named_files();
        let before = std::mem::replace(&mut self.digests, digests);
        let config = match raw.check() {
            Ok(config) => config,
            Err(errors) => return Some(self.refuse(who, errors.lines().collect())),
        };
        let places = Places::of(&options);
        if who.is_none() && config == self.config {
            self.current.load().set_places(places);
            if self.status.unchanged() {
                log::info!(
                    "The configuration files say again what is in force: generation {}.",
                    self.status.generation()
                );
            }
            return None;
        }
        let mut differences = differences(&self.options, &options);
        for (key, path) in named_files {
            let has_changed = before.get(&path) != self.digests.get(&path);
            if has_changed && !differences.iter().any(|it| it.key == key) {
                let value = options.get(&key).cloned();
                differences.push(Difference { key, before: value.clone(), after: value });
            }
        }
        let old = Arc::clone(&self.current.load());
        let next = match Snapshot::new(&self.effective(&config), &self.lasting, Some(&old)) {
            Ok(next) => Arc::new(next),
            Err(error) => return Some(self.refuse(who, vec![explain(&error)])),
        };
        next.set_places(places);
        let generation = next.generation;
        self.current.replace(next.clone());
        old.retire(&next);
        self.options = options;
        self.config = config;
        self.status.taken(generation);
        said::taken(who, generation, &differences);
        Some(ReloadReport { generation, differences, errors: Vec::new() })
    }

    /// The layers as they are now, and the digests of their files. The digests are older than what was read, so
    /// that a change in between is noticed the next time.
    fn read(&mut self) -> (Digests, RawConfig) {
        loop {
            let digests = Digests::of(&self.paths);
            let raw = RawConfig::read(&self.sources);
            let named = raw.named_files().into_iter().map(|(_, path)| path);
            let paths: Vec<PathBuf> = self.sources.paths().into_iter().chain(named).collect();
            if paths == self.paths {
                return (digests, raw);
            }
            self.paths = paths;
        }
    }

    fn refuse(&self, who: Option<&str>, errors: Vec<String>) -> ReloadReport {
        let generation = self.status.generation();
        // Whoever reads the log finds the same in the status.
        self.status.refuse(errors.clone());
        said::refused(who, generation, &errors);
        ReloadReport { generation, differences: Vec::new(), errors }
    }

    /// `config` with what cannot change while the process serves.
    fn effective(&self, config: &Config) -> Config {
        let Config { server, admin, gate, store, .. } = &self.at_start;
        Config {
            server: server.clone(),
            admin: AdminOptions { listen: admin.listen.clone(), ..config.admin.clone() },
            gate: GateOptions {
                token: gate_token(gate, &config.gate),
                max_batch: config.gate.max_batch,
                ..gate.clone()
            },
            store: StoreOptions {
                instances: config.store.instances,
                deny_cache: config.store.deny_cache,
                hash_users: config.store.hash_users,
                ..store.clone()
            },
            ..config.clone()
        }
    }
}

/// The token of the gate that was started as `at_start`. A new configuration without that listener needs no token, but
/// the listener is still there until the process is started again.
fn gate_token(at_start: &GateOptions, new: &GateOptions) -> Option<KeyDigest> {
    let is_kept = at_start.listen.is_some() && new.listen.is_none();
    new.token.or(at_start.token.filter(|_| is_kept))
}

/// Waits until nothing changes any more, or until somebody wants the configuration to be read.
fn settle(requests: &Receiver<Request>) -> Request {
    for _ in 0..MOST_DELAYS {
        match requests.recv_timeout(QUIET) {
            Ok(Request::Changed) => {}
            Ok(wanted) => return wanted,
            Err(_) => break,
        }
    }
    Request::Changed
}

/// `error` with its causes.
fn explain(error: &AppError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
