use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ptr;
use std::str::FromStr;
use std::sync::{LazyLock, Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

/// A time zone, by the rules that this version of the library holds. Those of the system are not read, so that all
/// processes of one version agree. It is cheap to copy.
///
/// ```
/// use tollgate::Zone;
///
/// let zone: Zone = "europe/berlin".parse()?;
/// assert_eq!(zone.name(), "Europe/Berlin");
/// assert!("Europe/Atlantis".parse::<Zone>().is_err());
/// # Ok::<(), tollgate::UnknownZone>(())
/// ```
#[derive(Clone, Copy)]
pub struct Zone(&'static Kept);

/// There is one for each zone that was ever named, and there are a few hundred zones. So it is never given up.
struct Kept {
    name: Box<str>,
    rules: TimeZone,
}

static ALL: LazyLock<Mutex<HashMap<Box<str>, Zone>>> = LazyLock::new(Mutex::default);
static RULES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

const UTC: &str = "UTC";

impl Zone {
    /// Coordinated Universal Time.
    #[must_use]
    pub fn utc() -> Self {
        Self::kept(UTC, || TimeZone::UTC)
    }

    /// Its name in the IANA database, as in `Europe/Berlin`.
    #[must_use]
    pub fn name(self) -> &'static str {
        &self.0.name
    }

    fn kept(name: &str, rules: impl FnOnce() -> TimeZone) -> Self {
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = all.get(name) {
            return *zone;
        }
        let zone = Self(Box::leak(Box::new(Kept { name: name.into(), rules: rules() })));
        all.insert(name.into(), zone);
        zone
    }

    /// The local time at `at`.
    pub(super) fn local(self, at: Timestamp) -> DateTime {
        self.0.rules.to_datetime(at)
    }

    /// When the clocks there are next changed after `at`.
    #[cfg(test)]
    pub(super) fn next_change(self, at: Timestamp) -> Option<Timestamp> {
        Some(self.0.rules.following(at).next()?.timestamp())
    }

    /// The first instant at which the local date is `date` or later; `None` if that is out of the range of dates.
    pub(super) fn start_of(self, date: Date) -> Option<Timestamp> {
        let rules = &self.0.rules;
        let midnight = date.at(0, 0, 0, 0);
        match rules.to_ambiguous_timestamp(midnight).offset() {
            AmbiguousOffset::Unambiguous { offset }
            | AmbiguousOffset::Fold { before: offset, .. } => offset.to_timestamp(midnight).ok(),
            AmbiguousOffset::Gap { after, .. } => {
                // By the later offset, midnight was before the clocks went forward.
                let earlier = after.to_timestamp(midnight).ok()?;
                Some(rules.following(earlier).next()?.timestamp())
            }
        }
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    /// Reads a name of the IANA database, in upper or lower case.
    fn from_str(text: &str) -> Result<Self, UnknownZone> {
        let rules = RULES.get(text).map_err(|_| UnknownZone(text.to_owned()))?;
        let name = rules.iana_name().ok_or_else(|| UnknownZone(text.to_owned()))?.to_owned();
        Ok(Self::kept(&name, || rules))
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.0, other.0)
    }
}

impl Eq for Zone {}

impl Hash for Zone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ptr::hash(self.0, state);
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Zone").field(&self.name()).finish()
    }
}

/// A text that names no [`Zone`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownZone(String);

impl UnknownZone {
    /// A zone whose last part is that text, as `Berlin` is of `Europe/Berlin`.
    fn meant(&self) -> Option<String> {
        let wanted = self.0.trim().replace(' ', "_");
        let mut names = RULES.available();
        let is_its = |name: &str| {
            name.rsplit_once('/').is_some_and(|(_, last)| last.eq_ignore_ascii_case(&wanted))
        };
        names.find(|name| is_its(name.as_str())).map(|name| name.to_string())
    }
}

impl fmt::Display for UnknownZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meant = self.meant();
        let meant = meant.as_deref().unwrap_or("Europe/Berlin");
        write!(
            f,
            "{:?} is not a time zone: expected a name of the IANA database, as in \"{meant}\" or \"{UTC}\"",
            self.0
        )
    }
}

impl std::error::Error for UnknownZone {}
