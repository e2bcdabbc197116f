//! Keeps the overrides of operators in Redis.

use super::RedisStore;
use super::script::overrides::{OverrideCall, OverrideReply, OverrideVerb};
use crate::store::{OverrideStore, OverrideText, ReplaceOverrides, StoreError};

impl RedisStore {
    fn ask_overrides(&self, verb: OverrideVerb) -> Result<OverrideReply, StoreError> {
        let keys = self.overrides.clone();
        self.dispatch.ask_overrides(OverrideCall { keys, verb }).wait()
    }
}

impl OverrideStore for RedisStore {
    fn read_overrides(&self, known: Option<u64>) -> Result<OverrideText, StoreError> {
        let reply = self.ask_overrides(OverrideVerb::Read(known))?;
        // There is no text of generation 0, which an unknown one is sent as.
        let is_empty = reply.generation == 0 && known != Some(0);
        let text = reply.text.or_else(|| is_empty.then(String::new));
        Ok(OverrideText::new(reply.now, reply.generation, text))
    }

    fn replace_overrides(&self, replace: &ReplaceOverrides<'_>) -> Result<Option<u64>, StoreError> {
        let reply = self.ask_overrides(OverrideVerb::replace(replace))?;
        // If the text was of another generation, an empty text says so.
        Ok(reply.text.is_none().then_some(reply.generation))
    }

    fn override_changes(&self, most: usize) -> Result<Vec<String>, StoreError> {
        let reply = self.ask_overrides(OverrideVerb::Changes(most))?;
        Ok(reply.text.unwrap_or_default().lines().map(str::to_owned).collect())
    }
}
