//! A graceful stop: the port answers for a while, each connection closes after its next response, and
//! connections that take too long are cut off.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::time::{sleep, timeout};

use crate::app::config::Config;
use crate::app::connections::{Connections, Limit, Stage};

/// How the server stops.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    delay: Duration,
    timeout: Duration,
    connections: Arc<Connections>,
}

impl Stop {
    pub(super) fn new(config: &Config, connections: Arc<Connections>) -> Self {
        let (delay, timeout) = (config.server.shutdown_delay, config.server.shutdown_timeout);
        Self { delay, timeout, connections }
    }

    /// Begins the stop: `/ready` reports it from now on, and each response is the last of its connection.
    /// Returns what the log says about it.
    pub(super) fn begin(&self) -> String {
        self.connections.enter(Stage::LastResponses);
        let delay = match self.delay.as_millis() {
            0 => String::new(),
            delay => format!("The port answers for {delay} ms more. "),
        };
        format!(
            "{delay}Requests under way are answered, for {} ms at most; a second signal stops at once.",
            self.timeout.as_millis()
        )
    }

    /// Stops `server` after the delay, and returns when no connection is left or time is up.
    pub(super) async fn carry_out(self, server: ServerHandle) {
        let Self { delay, timeout: longest, connections } = self;
        sleep(delay).await;
        // The server gives up its addresses at once. It checks its connections only once a second, so the
        // registry is awaited instead.
        drop(server.stop(true));
        connections.enter(Stage::Ending);
        let emptied = poll_fn(|context| connections.poll_emptied(context));
        if timeout(longest, emptied).await.is_err() {
            let cut = connections.open();
            (0..cut).for_each(|_| connections.count(Limit::ShutdownTimeout));
            let (are, were) = match cut {
                1 => ("connection is", "it was"),
                _ => ("connections are", "they were"),
            };
            let longest = longest.as_millis();
            log::warn!("{cut} {are} cut off: {were} still open after {longest} ms.");
        }
    }
}
