//! Files that a configuration names: read whole, unless they are none, or far too large.

use std::fs::{self, File, FileType};
use std::io::{self, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

/// The largest file that is read, in bytes: ten times what 100,000 routes take.
const LARGEST: u64 = 64 * 1_024 * 1_024;

/// The contents of the file at `path`.
///
/// # Errors
/// When it cannot be read, is larger than any configuration, or is no regular file: a FIFO would be waited
/// for, and a device may never end.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Before it is opened: to open a FIFO is to wait for who writes to it.
    expect_regular(fs::metadata(path)?.file_type())?;
    let file = File::open(path)?;
    expect_regular(file.metadata()?.file_type())?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other(format!("it is larger than {} MiB", LARGEST >> 20)));
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
