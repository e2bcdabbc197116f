//! What a token must be to prove a user.

use std::collections::BTreeSet;

use super::algorithm::JwtAlgorithm;

/// What a token must be to prove a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JwtRules {
    /// The algorithms that it may be signed with.
    pub(crate) algorithms: Vec<JwtAlgorithm>,
    /// Who must have issued it; `None` for anyone.
    pub(crate) issuer: Option<String>,
    /// Whom it must be meant for: one of these; empty for anyone.
    pub(crate) audience: Vec<String>,
    /// Seconds by which the issuer's clock and ours may differ.
    pub(crate) leeway_seconds: u64,
    /// The claim that holds the user's ID.
    pub(crate) user_claim: String,
    /// The claim that holds the user's plan.
    pub(crate) plan_claim: Option<String>,
    /// The claims that policies count by. No others are kept.
    pub(crate) claims: BTreeSet<String>,
}

impl Default for JwtRules {
    fn default() -> Self {
        Self {
            algorithms: Vec::new(),
            issuer: None,
            audience: Vec::new(),
            leeway_seconds: 30,
            user_claim: "sub".to_owned(),
            plan_claim: None,
            claims: BTreeSet::new(),
        }
    }
}
