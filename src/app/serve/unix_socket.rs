//! A Unix socket to listen on, with its file, which others find it by.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use actix_web::rt::net::UnixStream;

/// Listens on a new socket at `path`, where the file of a process that ended may still be.
///
/// # Errors
/// When another process listens there, or there is a file that is no socket.
pub(super) async fn bind(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    // Of two that start at once, one would take the other's new socket for an old one. Without the
    // lock they start all the same: the directory may be one that cannot be opened.
    let directory = path.parent().and_then(|parent| File::open(parent).ok());
    if let Some(directory) = &directory {
        let _ = directory.lock();
    }
    remove_stale(path).await?;
    let listener = UnixListener::bind(path)?;
    let id = FileId::of(&fs::symlink_metadata(path)?);
    Ok((listener, SocketFile { path: path.to_owned(), id }))
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
        // Who is too busy to take one more is there, too.
        Ok(_) | Err(ErrorKind::WouldBlock) => {
            Err(io::Error::new(ErrorKind::AddrInUse, "another process listens there"))
        }
        Err(kind) => Err(kind.into()),
    }
}

/// The file of a socket, which goes with it.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    id: FileId,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // While this process answered its last requests, another may have taken the place.
        let now = fs::symlink_metadata(&self.path).map(|file| FileId::of(&file));
        if now.is_ok_and(|now| now == self.id) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// What tells a file from a later one at the same path.
#[derive(Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    number: u64,
    /// The number of a file that is gone is given again.
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
