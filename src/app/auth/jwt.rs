//! JSON Web Tokens (RFC 7519): which are valid, and which user each belongs to.

pub(crate) use self::algorithm::{JwtAlgorithm, JwtAlgorithmError};
pub(crate) use self::keys::{JwtKeys, RemoteJwks};
pub(crate) use self::rules::JwtRules;
pub(crate) use self::url::{JwksUrl, JwksUrlError};
pub(crate) use self::verifier::{JwtVerifier, Unproved, check_keys};

mod algorithm;
mod fetch;
mod key;
mod key_set;
mod keys;
mod refresh;
mod rules;
mod url;
mod verifier;

#[cfg(test)]
mod tests;
