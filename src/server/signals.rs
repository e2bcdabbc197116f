//! The signals that a serving process is sent: some stop it, the others do nothing but a line in the
//! log.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use actix_web::dev::Server;
use actix_web::rt::signal::unix::{Signal, SignalKind, signal};

/// How long requests under way may take to be answered after the process was told to stop.
pub(super) const GRACE_SECONDS: u64 = 30;

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
                    log::info!("{name}: stopping at once.");
                    return None;
                }
                Event::Signal(name, wish) => ignore(name, wish),
            }
        }
    }

    /// Runs `server` until it is told to stop and has stopped.
    ///
    /// # Errors
    /// When the server fails.
    pub(super) async fn obey(&mut self, server: Server) -> io::Result<()> {
        let handle = server.handle();
        let mut server = pin!(server);
        let mut stops = false;
        loop {
            match self.next(server.as_mut()).await {
                Event::Done(result) => return result,
                Event::Signal(name, Wish::Stop) if !stops => {
                    log::info!(
                        "{name}: stopping. Requests under way are answered, for {GRACE_SECONDS} \
                         seconds at most; a second signal stops at once."
                    );
                    // The server is told by the call, and its own end says that it has stopped.
                    drop(handle.stop(true));
                    stops = true;
                }
                Event::Signal(name, Wish::Stop | Wish::StopAtOnce) => {
                    log::info!("{name}: stopping at once.");
                    // To drop a server closes its connections.
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

fn ignore(name: &str, wish: Wish) {
    match wish {
        Wish::Reload => log::info!(
            "{name} is ignored: a changed configuration is read when the process is restarted."
        ),
        _ => log::info!("{name} is ignored: it has no meaning here."),
    }
}
