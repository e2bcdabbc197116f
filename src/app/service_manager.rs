//! Tells systemd, or whoever started this process and set `NOTIFY_SOCKET`, when it serves, reloads and stops. Where
//! nobody wants to know, nothing happens.

use sd_notify::NotifyState;

/// Tells that requests are answered, by the configuration of this generation.
pub(crate) fn ready(generation: u64) {
    let status = in_force(generation);
    notify(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// Tells that the configuration is read again. [`reloaded`] must follow.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => log_failure(&error),
    }
}

/// Tells that the reload is over, and whether the configuration of this generation is older than its files.
pub(crate) fn reloaded(generation: u64, is_refused: bool) {
    let status = after_reload(generation, is_refused);
    notify(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// Tells the same of a reload that nobody asked for.
pub(crate) fn changed(generation: u64, is_refused: bool) {
    notify(&[NotifyState::Status(&after_reload(generation, is_refused))]);
}

/// Tells that the process ends soon.
pub(crate) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

fn in_force(generation: u64) -> String {
    format!("Generation {generation} of the configuration is in force.")
}

fn after_reload(generation: u64, is_refused: bool) -> String {
    match is_refused {
        false => in_force(generation),
        true => format!("The configuration is refused: generation {generation} stays in force."),
    }
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        log_failure(&error);
    }
}

fn log_failure(error: &std::io::Error) {
    log::warn!("The service manager cannot be told how this process stands: {error}.");
}
