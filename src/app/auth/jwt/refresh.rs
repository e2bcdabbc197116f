//! Keeps a fetched key set fresh, on a thread of its own.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::fetch::Fetcher;
use super::key_set::{KeySet, Place};
use super::{Jwks, JwtRules};

/// The hold on the thread, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Refresh {
    /// Room for one: who asks again while it is full is already heard.
    asks: SyncSender<()>,
    _open: Sender<()>,
}

/// What the thread works with.
struct Refresher {
    fetcher: Fetcher,
    jwks: Jwks,
    rules: JwtRules,
    keys: Arc<ArcSwapOption<KeySet>>,
    asked: Receiver<()>,
    closed: Receiver<()>,
    is_failing: bool,
}

impl Refresh {
    /// Begins to keep `keys` fresh; the first fetch is over when this returns, well or not.
    pub(super) fn start(jwks: Jwks, rules: JwtRules, keys: Arc<ArcSwapOption<KeySet>>) -> Self {
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
            log::error!("The JWK Set is not fetched again, for want of a thread: {error}.");
        }
        Self { asks, _open: open }
    }

    /// Asks for fresh keys, soon: as a token does that names one nobody knows. However often it is
    /// called, a cooldown lies between two fetches.
    pub(super) fn ask(&self) {
        // Full, or ended: either way there is nothing to add.
        let _ = self.asks.try_send(());
    }
}

impl Refresher {
    /// Waits until there is a reason to fetch; `false` when nobody holds on to this any more.
    fn wait(&self) -> bool {
        let cooldown = Duration::from_millis(self.jwks.cooldown_ms);
        // Asks stay where they are meanwhile: they wake nobody.
        if self.closed.recv_timeout(cooldown) != Err(RecvTimeoutError::Timeout) {
            return false;
        }
        if self.is_failing {
            return true;
        }
        let refresh = Duration::from_millis(self.jwks.refresh_ms).saturating_sub(cooldown);
        self.asked.recv_timeout(refresh) != Err(RecvTimeoutError::Disconnected)
    }

    /// Replaces the keys, or leaves them as they are. Who asked meanwhile is answered by this, too.
    fn fetch(&mut self) {
        let set = self.fetcher.fetch().map_err(|error| error.to_string()).and_then(|text| {
            KeySet::parse(&text, Place::Url, &self.rules).map_err(|error| format!("it {error}"))
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
