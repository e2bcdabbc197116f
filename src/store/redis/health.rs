//! Whether a server is asked, and what is said of that.

pub(super) mod backoff;
pub(super) mod breaker;
pub(super) mod calls;
pub(super) mod cause;
pub(super) mod count;
pub(super) mod link;
pub(super) mod log_throttle;
pub(super) mod outage_log;
pub(super) mod status;
