//! Asks the process again and again, beside the view, which so stays alive while an answer takes long.

use std::error::Error as _;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::Duration;

use super::figures::{self, Figures};
use crate::app::cli::operate::client::{AdminClient, ClientError};
use crate::domain::clock::Clock as _;
use crate::store::MonotonicClock;

/// Asks the process again and again, until it is dropped.
pub(super) struct Follower {
    policy: Sender<Option<String>>,
    news: Receiver<News>,
}

/// What became of one attempt.
pub(super) enum News {
    Figures(Figures),
    /// The process was not reached, or refused, for this reason.
    Lost(String),
}

impl Follower {
    /// Waits for so long, asks for the keys of `policy`, and begins anew.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(
        client: AdminClient,
        clock: MonotonicClock,
        every: Duration,
        policy: Option<String>,
    ) -> io::Result<Self> {
        let (wanted, policies) = channel();
        let (news, heard) = channel();
        let follow = move || {
            let mut policy = policy;
            loop {
                match policies.recv_timeout(every) {
                    Ok(wanted) => policy = policies.try_iter().last().unwrap_or(wanted),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                let asked = figures::ask(&client, policy.as_deref(), clock.now());
                let asked = asked.map_or_else(|error| News::Lost(reason(&error)), News::Figures);
                if news.send(asked).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("tollgate-top".to_owned()).spawn(follow)?;
        Ok(Self { policy: wanted, news: heard })
    }

    /// Has the keys of `policy` asked for from now on, at once.
    pub(super) fn show(&self, policy: Option<&str>) {
        // If the thread is gone, the view hears of it by the news.
        let _ = self.policy.send(policy.map(str::to_owned));
    }

    /// What has come since the last call; `None` if nothing comes any more.
    pub(super) fn news(&self) -> impl Iterator<Item = Option<News>> {
        std::iter::from_fn(|| match self.news.try_recv() {
            Ok(news) => Some(Some(news)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(None),
        })
    }
}

/// An error with its causes, on one line. The view has the address already.
fn reason(error: &ClientError) -> String {
    if let ClientError::Unreachable(_, cause) = error {
        return cause.to_string();
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
