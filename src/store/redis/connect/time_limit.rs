//! Time limits of sockets.

use std::io;
use std::time::{Duration, Instant};

/// The kernel counts a socket's time in ticks, mostly of 4 ms, and may wait for two more of them.
const KERNEL_ROUNDING: Duration = Duration::from_millis(8);

/// The time until `deadline`; an error once it has passed.
pub(super) fn left_until(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    // A socket takes zero for no limit at all.
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// The limit to set on a socket so that its calls end within `timeout`, or within one tick of the
/// kernel if `timeout` is shorter than that.
pub(super) fn socket_limit(timeout: Duration) -> Duration {
    timeout.saturating_sub(KERNEL_ROUNDING).max(timeout / 2)
}
