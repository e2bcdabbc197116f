//! Numbers and times in the few columns that they have.

use super::figures::Estimate;

/// What is not known, or not yet.
pub(super) const UNKNOWN: &str = "-";

/// A count in at most eight columns.
pub(super) fn count(count: u64) -> String {
    match count {
        0..100_000_000 => count.to_string(),
        _ => format!("{}M", count / 1_000_000),
    }
}

/// A count that may be too high: `~` marks that.
pub(super) fn estimate(estimate: Option<Estimate>) -> String {
    match estimate {
        None => UNKNOWN.to_owned(),
        Some(Estimate { count: number, error: 0 }) => count(number),
        Some(Estimate { count: number, .. }) => format!("~{}", count(number)),
    }
}

/// A number of times in a second.
pub(super) fn rate(rate: Option<f64>) -> String {
    match rate {
        None => UNKNOWN.to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(rate) if rate < 0.05 => "<0.1".to_owned(),
        Some(rate) if rate < 99.95 => format!("{rate:.1}"),
        Some(rate) => format!("{rate:.0}"),
    }
}

/// A length of time in its two largest units.
pub(super) fn time(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{minutes}m {}s", seconds % 60),
        3_600..86_400 => format!("{hours}h {}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}
