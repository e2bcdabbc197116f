//! Watches the directories of files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, path};

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

/// How many symbolic links are followed from a file to its contents.
const MOST_LINKS: usize = 8;

/// Watches the directories of files, rather than the files. A file that is replaced is another file, and a watch of
/// the old one would stay silent.
#[derive(Debug)]
pub(super) struct FileWatch {
    /// `None` where the system cannot watch anything.
    watcher: Option<RecommendedWatcher>,
    directories: BTreeSet<PathBuf>,
}

impl FileWatch {
    /// Calls `changed` whenever something changes in a directory that is watched.
    pub(super) fn new(changed: impl Fn() + Send + 'static) -> Self {
        let notice = move |event: notify::Result<Event>| {
            // An error, as that events were lost, is a reason to look as well.
            if event.is_ok_and(|event| is_only_read(&event)) {
                return;
            }
            changed();
        };
        let watcher = notify::recommended_watcher(notice)
            .inspect_err(|error| {
                log::warn!(
                    "Files cannot be watched ({error}): they are looked at every 30 seconds."
                );
            })
            .ok();
        Self { watcher, directories: BTreeSet::new() }
    }

    /// Watches the directories of `paths`, and no others.
    pub(super) fn set(&mut self, paths: &[PathBuf]) {
        let wanted: BTreeSet<PathBuf> = paths.iter().flat_map(|path| directories(path)).collect();
        let Some(watcher) = &mut self.watcher else { return };
        for gone in self.directories.difference(&wanted) {
            // The directory may have been deleted.
            let _ = watcher.unwatch(gone);
        }
        // A directory that was replaced by another of the same name is watched anew.
        for directory in &wanted {
            if let Err(error) = watcher.watch(directory, RecursiveMode::NonRecursive) {
                log::warn!(
                    "{} cannot be watched ({error}): it is looked at every 30 seconds.",
                    directory.display()
                );
            }
        }
        self.directories = wanted;
    }
}

/// Whether `event` says only that a file was opened or read, as this process does itself.
fn is_only_read(event: &Event) -> bool {
    let wrote = EventKind::Access(AccessKind::Close(AccessMode::Write));
    event.kind.is_access() && event.kind != wrote
}

/// The directories in which the contents of the file at `path` may change: its own, and those of the links on the way.
fn directories(path: &Path) -> Vec<PathBuf> {
    let Ok(mut path) = path::absolute(path) else { return Vec::new() };
    let mut directories = Vec::new();
    for _ in 0..MOST_LINKS {
        let Some(directory) = path.parent().map(Path::to_owned) else { break };
        let target = fs::read_link(&path);
        if directory.is_dir() {
            directories.push(directory.clone());
        }
        match target {
            Ok(target) => path = directory.join(target),
            Err(_) => break,
        }
    }
    directories
}
