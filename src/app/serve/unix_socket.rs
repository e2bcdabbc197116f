//! A Unix socket to listen on, and the file by which clients find it.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use actix_web::rt::net::UnixStream;
use rustix::fs::Mode;
use rustix::process::umask;

/// Who may connect to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SocketAccess {
    /// Whoever the umask of the process leaves.
    ByUmask,
    /// The user of this process alone, and root.
    Owner,
}

/// Listens on a new socket at `path`. A file that an ended process left there is replaced.
///
/// # Errors
/// When another process listens there, or the file is no socket.
pub(super) async fn bind(
    path: &Path,
    access: SocketAccess,
) -> io::Result<(UnixListener, SocketFile)> {
    // Of two processes that start at once, one might take the other's new socket for a stale one. They
    // start without the lock as well, since the directory may not be readable.
    let directory = path.parent().and_then(|parent| File::open(parent).ok());
    if let Some(directory) = &directory {
        let _ = directory.lock();
    }
    remove_stale(path).await?;
    let listener = access.bind(path)?;
    let id = FileId::of(&fs::symlink_metadata(path)?);
    Ok((listener, SocketFile { path: path.to_owned(), id }))
}

impl SocketAccess {
    fn bind(self, path: &Path) -> io::Result<UnixListener> {
        match self {
            Self::ByUmask => UnixListener::bind(path),
            Self::Owner => {
                // So that nobody connects before the file has its permissions. No other thread makes files now.
                let before = umask(Mode::RWXG | Mode::RWXO | Mode::XUSR);
                let listener = UnixListener::bind(path);
                umask(before);
                listener
            }
        }
    }
}

async fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(file) if file.file_type().is_socket() => {}
        Ok(_) => {
            return Err(io::Error::new(
                ErrorKind::AlreadyExists,
                "there is a file that is no socket",
            ));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    match UnixStream::connect(path).await.map_err(|error| error.kind()) {
        Err(ErrorKind::ConnectionRefused) => fs::remove_file(path),
        // A process that is too busy to accept more listens there as well.
        Ok(_) | Err(ErrorKind::WouldBlock) => {
            Err(io::Error::new(ErrorKind::AddrInUse, "another process listens there"))
        }
        Err(kind) => Err(kind.into()),
    }
}

/// The file of a socket, removed when this is dropped.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    id: FileId,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another process may have replaced it while this one answered its last requests.
        let now = fs::symlink_metadata(&self.path).map(|file| FileId::of(&file));
        if now.is_ok_and(|now| now == self.id) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Tells a file from a later one at the same path.
#[derive(Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    number: u64,
    /// The time is needed because the number of a removed file is reused.
    made_at: (i64, i64),
}

impl FileId {
    fn of(file: &Metadata) -> Self {
        let made_at = (file.mtime(), file.mtime_nsec());
        Self { device: file.dev(), number: file.ino(), made_at }
    }
}

#[cfg(test)]
mod tests;
