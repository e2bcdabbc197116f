use std::str::FromStr;

use super::error::PolicyError;

/// What happens to the requests under a policy while the store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnStoreFailure {
    /// They are counted in this process, against its share of the quota.
    Local,
    /// The policy admits all of them.
    Allow,
    /// All of them are refused, with 503 rather than 429.
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
