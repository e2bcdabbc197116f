//! Reads the files that a configuration names, within a limit of size.

use std::fs::{self, File, FileType};
use std::io::{self, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

/// The largest file that is read, in bytes. 100,000 routes take a tenth of it.
const LARGEST_FILE: u64 = 64 * 1_024 * 1_024;

/// The contents of the file at `path`.
///
/// # Errors
/// When it cannot be read, is larger than any configuration, or is not a regular file: reading a FIFO
/// could wait for ever, and a device may have no end.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_within(path, LARGEST_FILE, || format!("{} MiB", LARGEST_FILE >> 20))
}

/// The contents of the file at `path`, of at most `most` bytes.
///
/// # Errors
/// When it cannot be read, is larger, or is not a regular file.
pub(super) fn read_at_most(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    read_within(path, most as u64, || format!("{most} bytes"))
}

fn read_within(path: &Path, most: u64, words: impl FnOnce() -> String) -> io::Result<Vec<u8>> {
    // This comes before opening it, because opening a FIFO waits for a writer.
    expect_regular(fs::metadata(path)?.file_type())?;
    let file = File::open(path)?;
    expect_regular(file.metadata()?.file_type())?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it is larger than {}", words())));
    }
    Ok(bytes)
}

fn expect_regular(kind: FileType) -> io::Result<()> {
    let is = match kind {
        _ if kind.is_file() => return Ok(()),
        _ if kind.is_dir() => "a directory",
        _ if kind.is_fifo() => "a pipe",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    };
    Err(io::Error::other(format!("it is {is}, expected a regular file")))
}
