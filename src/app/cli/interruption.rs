//! Ctrl-C, for commands that then report on what they have read.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::SIGINT;
use signal_hook::flag;

use crate::app::error::AppError;

/// Is set by Ctrl-C. A second one ends the process at once.
///
/// # Errors
/// When the system does not let it catch the signal.
pub(super) fn interruption() -> Result<Arc<AtomicBool>, AppError> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let caught = flag::register_conditional_shutdown(SIGINT, 130, interrupted.clone())
        .and_then(|_| flag::register(SIGINT, interrupted.clone()));
    caught.map_err(|error| AppError::new("Ctrl-C cannot be caught", error))?;
    Ok(interrupted)
}
