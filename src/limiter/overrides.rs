//! What operators change for single clients while the process runs: bans, boosts and policies that are off.
//!
//! They are a table in the store, which every process reads in the background and keeps in memory. So a
//! request costs nothing more in the store, and the table holds while the store is away.

pub use self::change::{AuditLine, Note};
pub use self::changed::{Changed, ListedOverrides, OverrideWarning};
pub use self::entry::{Effect, Override};
pub use self::error::OverrideError;
pub(super) use self::overridden::{Overridden, OverrideTable, may_count};
pub(super) use self::shared::Follow;
pub use self::shared::Overrides;
pub(super) use self::time::StoreTime;

mod change;
mod changed;
mod entry;
mod error;
mod operate;
mod overridden;
mod shared;
mod time;
