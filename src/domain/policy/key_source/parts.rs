//! Keys of several parts.

use super::{KeyParts, KeySource};
use crate::domain::key::{MAX_PARTS, part_order};
use crate::domain::policy::key_error::KeyPartsError;

impl KeyParts {
    pub(super) fn as_slice(&self) -> &[KeySource] {
        &self.0
    }

    /// The key of all `parts`.
    pub(super) fn key_of(
        parts: impl IntoIterator<Item = KeySource>,
    ) -> Result<KeySource, KeyPartsError> {
        let mut all = Vec::new();
        for part in parts {
            match part {
                KeySource::Parts(parts) => all.extend(parts.0),
                one => all.push(one.normal()),
            }
        }
        if all.len() < 2 {
            return all.pop().ok_or(KeyPartsError::Empty);
        }
        if all.len() > MAX_PARTS {
            return Err(KeyPartsError::TooMany(all.len()));
        }
        all.sort_by(|one, other| order(one).cmp(&order(other)));
        for part in &all {
            if matches!(part, KeySource::Global | KeySource::Descriptor) {
                return Err(KeyPartsError::Alone(part.to_string()));
            }
        }
        if let Some([twice, _]) = all.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(KeyPartsError::Twice(twice.to_string()));
        }
        let has = |part| all.contains(&part);
        if has(KeySource::UserOrIp) && (has(KeySource::User) || has(KeySource::Ip)) {
            return Err(KeyPartsError::UserOrIp);
        }
        Ok(KeySource::Parts(KeyParts(all.into())))
    }
}

/// The identities that it stands for have the same order.
fn order(source: &KeySource) -> (usize, Option<&str>) {
    match source.kind_and_name() {
        ("user-or-ip", name) => part_order("ip", name),
        (kind, name) => part_order(kind, name),
    }
}
