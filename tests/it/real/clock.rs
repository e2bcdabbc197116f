//! A clock that processes have instead of the system's, and that tests set: by libfaketime.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The clock of some processes. Their timers go on as they would.
pub(super) struct SharedClock(TempDir);

impl SharedClock {
    /// A clock that stands at `seconds` since the epoch.
    pub(super) fn at(seconds: u64) -> Self {
        let clock = Self(TempDir::with_prefix("tollgate-clock-").expect("a directory"));
        clock.set(seconds);
        clock
    }

    /// Sets it to `seconds` since the epoch.
    pub(super) fn set(&self, seconds: u64) {
        // In one step, so that nobody reads half of it.
        let new = self.0.path().join("new");
        fs::write(&new, format!("{seconds}\n")).expect("a time");
        fs::rename(new, self.file()).expect("a time");
    }

    /// The environment of a process that has this clock.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        // The C library stands after it, so that Redis takes memory from there: jemalloc reads the clock before
        // libfaketime is ready.
        let libraries = format!("{} libc.so.6", library().display());
        let file = self.file();
        let values = [
            ("LD_PRELOAD", &*libraries),
            ("FAKETIME_TIMESTAMP_FILE", file.to_str().expect("a path of text")),
            ("FAKETIME_FMT", "%s"),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        values.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("now")
    }
}

/// Where Debian installs it, whatever the machine. This is the one for programs with several threads.
fn library() -> PathBuf {
    let directories = fs::read_dir("/usr/lib").expect("libraries").flatten();
    let places = directories.map(|it| it.path().join("faketime/libfaketimeMT.so.1"));
    let found = places.into_iter().find(|path| Path::exists(path));
    found.expect("libfaketime is installed: `make test-real` sees to it")
}
