use std::str::FromStr;

use super::error::PolicyError;

/// What holds for a policy while the store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnStoreFailure {
    /// Count in this process, with this process's share of the quota.
    Local,
    /// Let every request pass this policy.
    Allow,
    /// Refuse every request under this policy: 503, not 429.
    Deny,
}

impl FromStr for OnStoreFailure {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        match text {
            "local" => Ok(Self::Local),
            "allow" => Ok(Self::Allow),
            "deny" => Ok(Self::Deny),
            _ => Err(PolicyError::OnStoreFailure(text.to_owned())),
        }
    }
}
