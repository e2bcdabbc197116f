//! What clients are called in a report.

use std::fmt::Write as _;

use getrandom::fill;
use sha2::{Digest as _, Sha256};

/// How many bytes of a hash stand for a client. Two of a million clients share a name by a chance of one to
/// five hundred.
const BYTES: usize = 6;

/// Names clients: as they are, or so that nobody can tell who they are.
#[derive(Clone, Debug)]
pub(crate) enum Names {
    /// By their identities.
    Plain,
    /// By a hash under a secret of this run, since the hash of an address alone can be found by trying all.
    Anonymous(Box<[u8; 32]>),
}

impl Names {
    /// Names that nobody can trace.
    ///
    /// # Errors
    /// When the system gives no random bits.
    pub(crate) fn anonymous() -> Result<Self, getrandom::Error> {
        let mut secret = [0; 32];
        fill(&mut secret)?;
        Ok(Self::Anonymous(Box::new(secret)))
    }

    /// Whether they hide who a client is.
    pub(crate) fn are_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous(_))
    }

    /// The name of the client whose identity is `identity`, such as `ip:203.0.113.7`.
    pub(super) fn of(&self, identity: &str) -> Box<str> {
        let Self::Anonymous(secret) = self else { return identity.into() };
        let Some((kind, _)) = identity.split_once(':') else { return identity.into() };
        let hash = Sha256::new().chain_update(&secret[..]).chain_update(identity).finalize();
        let mut name = format!("{kind}:#");
        for byte in &hash[..BYTES] {
            // Writing to a string does not fail.
            let _ = write!(name, "{byte:02x}");
        }
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anonymous_name_tells_one_client_from_another_and_nothing_else() {
        let names = Names::anonymous().expect("random bits");
        let name = names.of("ip:203.0.113.7");
        assert_eq!(name, names.of("ip:203.0.113.7"));
        assert_ne!(name, names.of("ip:203.0.113.8"));
        assert_ne!(name, Names::anonymous().expect("random bits").of("ip:203.0.113.7"));
        assert!(name.starts_with("ip:#") && name.len() == "ip:#".len() + 2 * BYTES, "{name}");
        assert_eq!(&*Names::Plain.of("user:ann"), "user:ann");
        assert_eq!(&*names.of("global"), "global");
    }
}
