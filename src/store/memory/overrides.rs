//! The overrides of operators, in this process alone.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::clock::Millis;
use crate::store::overrides::MOST_CHANGES;
use crate::store::{OverrideText, ReplaceOverrides};

/// The text, and the lines of the changes, newest first.
#[derive(Debug, Default)]
pub(super) struct KeptOverrides(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    generation: u64,
    text: String,
    ends_at: Millis,
    changes: VecDeque<String>,
}

impl KeptOverrides {
    /// The text at `now`, unless its generation is `known`.
    pub(super) fn read(&self, now: Millis, known: Option<u64>) -> OverrideText {
        let kept = self.at(now);
        let text = (known != Some(kept.generation)).then(|| kept.text.clone());
        OverrideText::new(now, kept.generation, text)
    }

    /// Replaces the text at `now`, and returns its new generation; `None` if it is not the one expected.
    pub(super) fn replace(&self, now: Millis, replace: &ReplaceOverrides<'_>) -> Option<u64> {
        let mut kept = self.at(now);
        if kept.generation != replace.generation {
            return None;
        }
        kept.generation += 1;
        replace.text.clone_into(&mut kept.text);
        kept.ends_at = now.saturating_add(replace.keep_for);
        kept.changes.truncate(MOST_CHANGES - 1);
        kept.changes.push_front(replace.change.to_owned());
        Some(kept.generation)
    }

    /// The last `most` changes.
    pub(super) fn changes(&self, now: Millis, most: usize) -> Vec<String> {
        self.at(now).changes.iter().take(most).cloned().collect()
    }

    fn at(&self, now: Millis) -> MutexGuard<'_, Kept> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now >= kept.ends_at && !kept.text.is_empty() {
            kept.text = String::new();
            kept.generation += 1;
        }
        kept
    }
}
