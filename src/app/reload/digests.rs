//! The contents of files, as digests: whether anything changed since the last look.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// A digest for each of some files; `None` for a file that cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Digests(Vec<(PathBuf, Option<[u8; 32]>)>);

impl Digests {
    /// The digests of the files at `paths`.
    ///
    /// Times of files are not compared. They may stay the same when the contents change.
    pub(super) fn of(paths: &[PathBuf]) -> Self {
        Self(paths.iter().map(|path| (path.clone(), digest(path))).collect())
    }

    /// The digest of the file at `path`, if that is one of these.
    pub(super) fn get(&self, path: &Path) -> Option<[u8; 32]> {
        self.0.iter().find(|(known, _)| known == path)?.1
    }
}

fn digest(path: &Path) -> Option<[u8; 32]> {
    // Opening a pipe would wait for its other end.
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    is_file.then(|| fs::read(path).ok()).flatten().map(|bytes| Sha256::digest(&bytes).into())
}
