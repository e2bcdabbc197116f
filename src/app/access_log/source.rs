//! The bytes of a file, which may be compressed: a [`Source`].

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use zstd::stream::read::Decoder;

/// The bytes that tell what a file is compressed by.
const MAGIC: u64 = 6;

/// How much is read of a compressed file at once.
const BUFFER: usize = 128 * 1024;

/// How often is looked whether the standard input shall end.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// The name of the standard input.
const STANDARD_INPUT: &str = "-";

/// What is read: a file, or the standard input.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// It ends early once this is set.
    StandardInput(Arc<AtomicBool>),
    File(PathBuf),
}

impl Source {
    /// The file at `path`. The standard input ends early once `stop` is set.
    pub(super) fn new(path: &Path, stop: &Arc<AtomicBool>) -> Self {
        if path == Path::new(STANDARD_INPUT) {
            Self::standard_input(stop)
        } else {
            Self::File(path.to_owned())
        }
    }

    pub(super) fn standard_input(stop: &Arc<AtomicBool>) -> Self {
        Self::StandardInput(Arc::clone(stop))
    }

    /// Its name as on the command line.
    pub(super) fn name(&self) -> String {
        match self {
            Self::StandardInput(_) => STANDARD_INPUT.to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Its size in bytes; `None` if that is not known, as for the standard input. Then it can be read only once.
    pub(super) fn size(&self) -> Option<u64> {
        match self {
            Self::StandardInput(_) => None,
            Self::File(path) => {
                path.metadata().ok().filter(std::fs::Metadata::is_file).map(|it| it.len())
            }
        }
    }

    /// Its bytes, without the compression. `count` grows by the bytes that are read of the file itself.
    pub(super) fn open(&self, count: Arc<AtomicU64>) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::StandardInput(stop) => {
                let inner = StandardInput { stop: Arc::clone(stop) };
                decompressed(Counted { inner, count })
            }
            Self::File(path) => {
                if path.is_dir() {
                    return Err(io::ErrorKind::IsADirectory.into());
                }
                decompressed(Counted { inner: File::open(path)?, count })
            }
        }
    }
}

/// The standard input, which may never end by itself.
struct StandardInput {
    stop: Arc<AtomicBool>,
}

impl Read for StandardInput {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut input = io::stdin().lock();
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(0);
            }
            let mut ready = [PollFd::new(&input, PollFlags::IN)];
            match poll(&mut ready, Some(&LOOK)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return input.read(bytes),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Counts the bytes that are read.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.count.fetch_add(u64::try_from(read).unwrap_or(0), Ordering::Relaxed);
        Ok(read)
    }
}

/// The bytes of `inner`, decompressed if their beginning says that they are compressed.
fn decompressed(mut inner: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let mut magic = Vec::new();
    inner.by_ref().take(MAGIC).read_to_end(&mut magic)?;
    let compression = match magic.as_slice() {
        [0x1f, 0x8b, ..] => Ok(Some(Compression::Gzip)),
        // A frame of data, or one that is skipped.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            Ok(Some(Compression::Zstd))
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Err("xz"),
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A'] => Err("bzip2"),
        [b'P', b'K', 3, 4, ..] => Err("zip"),
        _ => Ok(None),
    };
    let compression = compression.map_err(|name| {
        io::Error::other(format!(
            "it is compressed by {name}, and only gzip and zstd are read: decompress it into the standard input"
        ))
    })?;
    let all = Cursor::new(magic).chain(inner);
    Ok(match compression {
        None => Box::new(all),
        Some(Compression::Gzip) => {
            Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, all)))
        }
        Some(Compression::Zstd) => {
            Box::new(Decoder::with_buffer(BufReader::with_capacity(BUFFER, all))?)
        }
    })
}

#[derive(Clone, Copy, Debug)]
enum Compression {
    Gzip,
    Zstd,
}
