//! A terminal as a user has it: a command runs in it, keys are typed, and its screen is read.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};
use tempfile::TempDir;
use vt100::{Parser, Screen};

use super::threads::pause;

/// How often, and how many times, a test looks whether something has become so. Together that is far longer than anything
/// takes.
const STEP: Duration = Duration::from_millis(10);
const LOOKS: usize = 3_000;

/// A terminal with a command in it, which is ended on drop.
pub(crate) struct Terminal {
    child: Child,
    /// The end that has the keyboard and the screen.
    outer: File,
    /// The end that the command has. It keeps the terminal alive after the command.
    inner: OwnedFd,
    screen: Arc<Mutex<Parser>>,
    before: Termios,
    _home: TempDir,
}

impl Terminal {
    /// Runs `command`, whose directory is `home`, in a terminal of so many columns and rows.
    pub(crate) fn run(command: &Command, home: TempDir, [columns, rows]: [u16; 2]) -> Self {
        let outer = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&outer).and_then(|()| unlockpt(&outer)).expect("a terminal of our own");
        let name = ptsname(&outer, Vec::new()).expect("its name");
        let inner =
            open(&*name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("its inner end");
        tcsetwinsize(&outer, size_of(columns, rows)).expect("a size");
        let before = tcgetattr(&inner).expect("its modes");
        let end = || inner.try_clone().expect("an end");
        // The terminal is then the one that the command is told of when its size changes.
        let mut inside = Command::new("setsid");
        inside.arg("--ctty").arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside.current_dir(home.path());
        let child = inside.stdin(end()).stdout(end()).stderr(end()).spawn();
        let screen = Parser::new(not_zero(rows), not_zero(columns), 0);
        let terminal = Self {
            child: child.expect("setsid runs the command"),
            outer: File::from(outer),
            inner,
            screen: Arc::new(Mutex::new(screen)),
            before,
            _home: home,
        };
        terminal.read_along();
        terminal
    }

    /// Types these characters.
    pub(crate) fn press(&mut self, keys: &str) {
        self.outer.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// Gives it another size.
    pub(crate) fn resize(&mut self, [columns, rows]: [u16; 2]) {
        self.screen().screen_mut().set_size(not_zero(rows), not_zero(columns));
        tcsetwinsize(&self.outer, size_of(columns, rows)).expect("another size");
    }

    /// Waits until `is_so` holds of what is on the screen, which it is given as text.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let mut text = String::new();
        for _ in 0..LOOKS {
            text = self.screen().screen().contents();
            if is_so(&text) {
                return text;
            }
            pause(STEP);
        }
        panic!("{what}: never so:\n{text}");
    }

    /// What `look` sees on the screen.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Screen) -> T) -> T {
        look(self.screen().screen())
    }

    /// Whether its modes are those that it had before the command.
    pub(crate) fn is_as_before(&self) -> bool {
        let modes =
            |it: &Termios| (it.input_modes, it.output_modes, it.control_modes, it.local_modes);
        modes(&tcgetattr(&self.inner).expect("its modes")) == modes(&self.before)
    }

    /// Sends the command a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a child takes signals");
    }

    /// Waits for the end of the command.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        for _ in 0..LOOKS {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                return status;
            }
            pause(STEP);
        }
        panic!("it does not end:\n{}", self.look(Screen::contents));
    }

    fn screen(&self) -> MutexGuard<'_, Parser> {
        self.screen.lock().expect("no reader panics")
    }

    fn read_along(&self) {
        let mut outer = self.outer.try_clone().expect("an end");
        let screen = self.screen.clone();
        thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(length @ 1..) = outer.read(&mut bytes) {
                screen.lock().expect("nobody panics").process(&bytes[..length]);
            }
        });
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Neither fails in a way that matters on a command that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size_of(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

fn not_zero(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).expect("a terminal has rows and columns")
}
