//! What the log says of a reload.

use super::differences::{Difference, Effect};

/// The most options that a line names.
const MOST_NAMED: usize = 8;

/// The configuration was taken because of `who`, and `generation` is in force.
pub(super) fn taken(who: Option<&str>, generation: u64, differences: &[Difference]) {
    let keys: Vec<&str> = differences.iter().map(|it| it.key.as_str()).collect();
    let changed = match &keys[..] {
        [] => "no option changed".to_owned(),
        keys if keys.len() <= MOST_NAMED => format!("changed are {}", keys.join(", ")),
        keys => format!("{} options changed", keys.len()),
    };
    log::info!(
        "{}The configuration was reloaded: generation {generation} is in force, {changed}.",
        by(who)
    );
    for difference in differences.iter().filter(|it| it.effect() == Effect::AtRestart) {
        log::warn!("{} takes effect when the process is started again.", difference.key);
    }
}

/// The configuration was refused, and `generation` stays in force.
pub(super) fn refused(who: Option<&str>, generation: u64, errors: &[String]) {
    log::error!(
        "{}The configuration cannot be used, and generation {generation} stays in force:",
        by(who)
    );
    for error in errors {
        log::error!("{error}");
    }
}

fn by(who: Option<&str>) -> String {
    who.map_or(String::new(), |who| format!("{who}: "))
}
