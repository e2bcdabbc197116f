//! Reads the files that a configuration names: regular ones alone, and none that is too large.
//!
//! To open a pipe waits for its other end, and to read a device may never end. So neither is opened.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::{fmt, fs, io};

use rustix::fs::OFlags;

/// The largest file of settings or API keys, in bytes: half a million keys fit.
pub(super) const LARGEST_TABLE: u64 = 64 << 20;

/// The largest file of certificates, or of the keys of tokens, in bytes.
pub(super) const LARGEST_KEYS: u64 = 1 << 20;

/// The contents of the file at `path`, or of the one that it is a link to.
///
/// # Errors
/// When it is no regular file, has more than `most` bytes, or cannot be read.
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>, FileError> {
    check(&fs::metadata(path)?, most)?;
    // What is there may be another file by now: to open it must not wait, whatever it is.
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    check(&file.metadata()?, most)?;
    bytes(file, most)
}

fn check(metadata: &Metadata, most: u64) -> Result<(), FileError> {
    match metadata.file_type() {
        kind if !kind.is_file() => Err(FileError::Kind(kind)),
        _ if metadata.len() > most => Err(FileError::TooLarge(most)),
        _ => Ok(()),
    }
}

/// A file may grow while it is read, and some say that they are empty and are not.
fn bytes(file: File, most: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= most => Ok(bytes),
        _ => Err(FileError::TooLarge(most)),
    }
}

/// Why a file is not read.
#[derive(Debug)]
pub(super) enum FileError {
    /// It is something else.
    Kind(FileType),
    /// It has more bytes than this.
    TooLarge(u64),
    Io(io::Error),
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Io(error) => return error.fmt(f),
            Self::TooLarge(most) => {
                return write!(f, "it is larger than {} MiB, the most that is read", most >> 20);
            }
            Self::Kind(kind) if kind.is_fifo() => {
                return f.write_str(
                    "it is a pipe, and only regular files are read: write what comes out of it to a \
                     file, and name that",
                );
            }
            Self::Kind(kind) if kind.is_dir() => "directory",
            Self::Kind(kind) if kind.is_socket() => "socket",
            Self::Kind(_) => "device",
        };
        write!(f, "it is a {kind}, and only regular files are read")
    }
}
