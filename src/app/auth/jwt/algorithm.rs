//! The algorithms that tokens are signed with.

use std::fmt;
use std::str::FromStr;

use jsonwebtoken::Algorithm;

/// An algorithm that tokens are signed with: HS256, HS384, HS512, RS256, RS384, RS512, ES256, ES384 or EdDSA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JwtAlgorithm(Algorithm);

/// All algorithms. `none` must never be among them.
const ALL: [(&str, Algorithm); 9] = [
    ("HS256", Algorithm::HS256),
    ("HS384", Algorithm::HS384),
    ("HS512", Algorithm::HS512),
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

impl JwtAlgorithm {
    pub(super) fn get(self) -> Algorithm {
        self.0
    }
}

impl FromStr for JwtAlgorithm {
    type Err = JwtAlgorithmError;

    fn from_str(text: &str) -> Result<Self, JwtAlgorithmError> {
        let found = ALL.iter().find(|(name, _)| *name == text);
        found.map(|(_, algorithm)| Self(*algorithm)).ok_or(JwtAlgorithmError)
    }
}

impl fmt::Display for JwtAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = ALL.iter().find(|(_, algorithm)| *algorithm == self.0);
        f.write_str(found.map_or("", |(name, _)| name))
    }
}

/// A text is not the name of an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JwtAlgorithmError;

impl fmt::Display for JwtAlgorithmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not an algorithm of tokens: expected HS256, HS384, HS512, RS256, RS384, RS512, ES256, \
             ES384 or EdDSA",
        )
    }
}

impl std::error::Error for JwtAlgorithmError {}
