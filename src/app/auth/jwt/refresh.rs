//! Keeps a fetched key set fresh, on a thread of its own.

use std::sync::mpsc::{
    Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, channel, sync_channel,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::fetch::Fetcher;
use super::key_set::{JwksSource, KeySet};
use super::keys::RemoteJwks;
use super::rules::JwtRules;

/// A handle to the thread, which ends when this is stopped or dropped.
#[derive(Debug)]
pub(super) struct Refresh {
    /// It has room for one: while a fetch is due, another request for one would add nothing.
    asks: SyncSender<()>,
    open: Mutex<Option<Sender<()>>>,
}

/// The state of the thread.
struct Refresher {
    fetcher: Fetcher,
    jwks: RemoteJwks,
    rules: JwtRules,
    keys: Arc<ArcSwapOption<KeySet>>,
    asked: Receiver<()>,
    closed: Receiver<()>,
    is_failing: bool,
}

impl Refresh {
    /// Starts to keep `keys` fresh. The first fetch has ended, successfully or not, when this returns.
    pub(super) fn start(
        jwks: RemoteJwks,
        rules: JwtRules,
        keys: Arc<ArcSwapOption<KeySet>>,
    ) -> Self {
        let (asks, asked) = sync_channel(1);
        let (open, closed) = channel();
        let fetcher = Fetcher::new(&jwks);
        let mut refresher =
            Refresher { fetcher, jwks, rules, keys, asked, closed, is_failing: false };
        refresher.fetch();
        let run = move || {
            while refresher.wait() {
                refresher.fetch();
            }
        };
        if let Err(error) = thread::Builder::new().name("jwks".to_owned()).spawn(run) {
            log::error!(
                "The JWK Set will not be fetched again: no thread can be started ({error})."
            );
        }
        Self { asks, open: Mutex::new(Some(open)) }
    }

    /// Ends the thread. A fetch that is under way still ends.
    pub(super) fn stop(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        // It wakes the thread.
        self.ask();
    }

    /// Asks for a fetch soon, because a token names an unknown key. However often this is called, the
    /// cooldown lies between two fetches.
    pub(super) fn ask(&self) {
        // If it is full, a fetch is due already; if it is closed, the thread has ended.
        let _ = self.asks.try_send(());
    }
}

impl Refresher {
    /// Waits until a fetch is due; `false` once the handle was dropped.
    fn wait(&self) -> bool {
        let cooldown = Duration::from_millis(self.jwks.cooldown_ms);
        // Requests stay queued meanwhile.
        if self.closed.recv_timeout(cooldown) != Err(RecvTimeoutError::Timeout) {
            return false;
        }
        if self.is_failing {
            return true;
        }
        let refresh = Duration::from_millis(self.jwks.refresh_ms).saturating_sub(cooldown);
        match self.asked.recv_timeout(refresh) {
            Err(RecvTimeoutError::Disconnected) => false,
            _ => self.closed.try_recv() != Err(TryRecvError::Disconnected),
        }
    }

    /// Replaces the keys, or keeps them if the fetch fails. This serves requests that came meanwhile, too.
    fn fetch(&mut self) {
        let set = self.fetcher.fetch().map_err(|error| error.to_string()).and_then(|text| {
            KeySet::parse(&text, JwksSource::Url, &self.rules)
                .map_err(|error| format!("it {error}"))
        });
        match set {
            Ok(set) => {
                self.keys.store(Some(Arc::new(set)));
                if self.is_failing {
                    log::info!("The JWK Set is fetched again.");
                }
                self.is_failing = false;
            }
            Err(error) if !self.is_failing => {
                let meanwhile = match *self.keys.load() {
                    Some(_) => "the keys of the last fetch stay in force",
                    None => "tokens are answered 503",
                };
                log::warn!("The JWK Set could not be fetched ({error}): {meanwhile}.");
                self.is_failing = true;
            }
            Err(error) => log::debug!("The JWK Set could not be fetched ({error})."),
        }
        let _ = self.asked.try_recv();
    }
}
