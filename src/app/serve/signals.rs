//! The signals that a serving process handles: some stop it, one reloads the configuration, and the others are only
//! logged.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use actix_web::dev::Server;
use actix_web::rt::signal::unix::{Signal, SignalKind, signal};
use actix_web::rt::spawn;

use super::stop::Stop;
use crate::app::reload::Reloader;
use crate::app::service_manager;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// To stop after the requests in progress are answered.
    Stop,
    /// To stop now.
    StopAtOnce,
    /// To read the configuration again.
    Reload,
    /// Nothing that has a meaning here.
    Unknown,
}

/// The signals that would otherwise end the process at once.
#[derive(Debug)]
pub(super) struct Signals([(&'static str, Meaning, Signal); 6]);

/// What happened first.
enum Event<T> {
    Done(T),
    Signal(&'static str, Meaning),
}

impl Signals {
    /// Starts to receive signals: from now on none of them ends the process by itself.
    ///
    /// # Errors
    /// When the system refuses to deliver one of them.
    pub(super) fn receive() -> io::Result<Self> {
        Ok(Self([
            ("SIGHUP", Meaning::Reload, signal(SignalKind::hangup())?),
            ("SIGUSR1", Meaning::Unknown, signal(SignalKind::user_defined1())?),
            ("SIGUSR2", Meaning::Unknown, signal(SignalKind::user_defined2())?),
            ("SIGQUIT", Meaning::StopAtOnce, signal(SignalKind::quit())?),
            ("SIGINT", Meaning::Stop, signal(SignalKind::interrupt())?),
            ("SIGTERM", Meaning::Stop, signal(SignalKind::terminate())?),
        ]))
    }

    /// Waits for `start`. Returns `None` if the process is told to stop before that.
    pub(super) async fn while_starting<T>(&mut self, start: impl Future<Output = T>) -> Option<T> {
        let mut start = pin!(start);
        loop {
            match self.next(start.as_mut()).await {
                Event::Done(it) => return Some(it),
                Event::Signal(name, Meaning::Stop | Meaning::StopAtOnce) => {
                    log_stop_at_once(name);
                    return None;
                }
                Event::Signal(name, Meaning::Reload) => {
                    log::info!("{name} is ignored: the configuration was read just now.");
                }
                Event::Signal(name, Meaning::Unknown) => log_unknown(name),
            }
        }
    }

    /// Runs `server` until it ends, or until it is told to stop and `stop` is carried out. A reload is asked of
    /// `reloader`.
    ///
    /// # Errors
    /// When the server fails.
    pub(super) async fn while_serving(
        &mut self,
        server: Server,
        stop: Stop,
        reloader: &Reloader,
    ) -> io::Result<()> {
        let handle = server.handle();
        let mut ended = pin!(spawn(server));
        let name = loop {
            match self.next(ended.as_mut()).await {
                Event::Done(ended) => return ended?,
                Event::Signal(name, Meaning::Stop) => break name,
                Event::Signal(name, Meaning::StopAtOnce) => {
                    log_stop_at_once(name);
                    return Ok(());
                }
                Event::Signal(name, Meaning::Reload) => reloader.reload(name),
                Event::Signal(name, Meaning::Unknown) => log_unknown(name),
            }
        };
        service_manager::stopping();
        log::info!("{name}: stopping. {}", stop.begin());
        let mut stopped = pin!(stop.carry_out(handle));
        loop {
            match self.next(stopped.as_mut()).await {
                Event::Done(()) => return Ok(()),
                Event::Signal(name, Meaning::Stop | Meaning::StopAtOnce) => {
                    log_stop_at_once(name);
                    return Ok(());
                }
                Event::Signal(name, Meaning::Reload) => {
                    log::info!("{name} is ignored: the process is stopping.");
                }
                Event::Signal(name, Meaning::Unknown) => log_unknown(name),
            }
        }
    }

    /// Waits for the end of `future` or for a signal, whichever comes first.
    async fn next<F: Future>(&mut self, mut future: Pin<&mut F>) -> Event<F::Output> {
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Event::Done(output)),
            Poll::Pending => self.poll(context).map(|(name, meaning)| Event::Signal(name, meaning)),
        })
        .await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<(&'static str, Meaning)> {
        for (name, meaning, signal) in &mut self.0 {
            if signal.poll_recv(context).is_ready() {
                return Poll::Ready((name, *meaning));
            }
        }
        Poll::Pending
    }
}

/// The process ends, and its connections with it.
fn log_stop_at_once(name: &str) {
    log::info!("{name}: stopping at once.");
}

fn log_unknown(name: &str) {
    log::info!("{name} is ignored: it has no meaning here.");
}
