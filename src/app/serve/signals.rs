//! The signals that a serving process is sent: some stop it, the others do nothing but a line in the
//! log.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use actix_web::dev::Server;
use actix_web::rt::signal::unix::{Signal, SignalKind, signal};
use actix_web::rt::spawn;

use super::stop::Stop;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// To stop when the requests under way are answered.
    Stop,
    /// To stop now.
    StopAtOnce,
    /// To read the configuration anew, which takes a restart.
    Reload,
    /// Nothing that this process knows of.
    Nothing,
}

/// The signals that would end the process without a word.
#[derive(Debug)]
pub(super) struct Signals([(&'static str, Wish, Signal); 6]);

/// What happens first.
enum Event<T> {
    Done(T),
    Signal(&'static str, Wish),
}

impl Signals {
    /// Begins to receive signals: from now on none ends the process by itself.
    ///
    /// # Errors
    /// When the system refuses to deliver one.
    pub(super) fn receive() -> io::Result<Self> {
        Ok(Self([
            ("SIGHUP", Wish::Reload, signal(SignalKind::hangup())?),
            ("SIGUSR1", Wish::Nothing, signal(SignalKind::user_defined1())?),
            ("SIGUSR2", Wish::Nothing, signal(SignalKind::user_defined2())?),
            ("SIGQUIT", Wish::StopAtOnce, signal(SignalKind::quit())?),
            ("SIGINT", Wish::Stop, signal(SignalKind::interrupt())?),
            ("SIGTERM", Wish::Stop, signal(SignalKind::terminate())?),
        ]))
    }

    /// Waits for `start`. `None` where the process is told to stop before that.
    pub(super) async fn during<T>(&mut self, start: impl Future<Output = T>) -> Option<T> {
        let mut start = pin!(start);
        loop {
            match self.next(start.as_mut()).await {
                Event::Done(it) => return Some(it),
                Event::Signal(name, Wish::Stop | Wish::StopAtOnce) => {
                    at_once(name);
                    return None;
                }
                Event::Signal(name, wish) => ignore(name, wish),
            }
        }
    }

    /// Runs `server` until it ends, or was told to stop and has stopped as `stop` has it.
    ///
    /// # Errors
    /// When the server fails.
    pub(super) async fn obey(&mut self, server: Server, stop: Stop) -> io::Result<()> {
        let handle = server.handle();
        let mut ended = pin!(spawn(server));
        let name = loop {
            match self.next(ended.as_mut()).await {
                Event::Done(ended) => return ended?,
                Event::Signal(name, Wish::Stop) => break name,
                Event::Signal(name, Wish::StopAtOnce) => {
                    at_once(name);
                    return Ok(());
                }
                Event::Signal(name, wish) => ignore(name, wish),
            }
        };
        log::info!("{name}: stopping. {}", stop.begin());
        let mut stopped = pin!(stop.carry_out(handle));
        loop {
            match self.next(stopped.as_mut()).await {
                Event::Done(()) => return Ok(()),
                Event::Signal(name, Wish::Stop | Wish::StopAtOnce) => {
                    at_once(name);
                    return Ok(());
                }
                Event::Signal(name, wish) => ignore(name, wish),
            }
        }
    }

    /// What comes first: the end of `future`, or a signal.
    async fn next<F: Future>(&mut self, mut future: Pin<&mut F>) -> Event<F::Output> {
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Event::Done(output)),
            Poll::Pending => self.poll(context).map(|(name, wish)| Event::Signal(name, wish)),
        })
        .await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<(&'static str, Wish)> {
        for (name, wish, signal) in &mut self.0 {
            if signal.poll_recv(context).is_ready() {
                return Poll::Ready((name, *wish));
            }
        }
        Poll::Pending
    }
}

/// With the process its connections end.
fn at_once(name: &str) {
    log::info!("{name}: stopping at once.");
}

fn ignore(name: &str, wish: Wish) {
    match wish {
        Wish::Reload => log::info!(
            "{name} is ignored: a changed configuration is read when the process is restarted."
        ),
        _ => log::info!("{name} is ignored: it has no meaning here."),
    }
}
