//! Time limits of sockets.

use std::io;
use std::time::{Duration, Instant};

/// The time until `deadline`; an error once it has passed.
pub(super) fn left_until(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    // A socket takes zero for no limit at all.
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}
