//! Authentication: who a request is from, proved by an API key, by a token, or by a trusted proxy.

pub(crate) use self::api_keys::NewKey;
pub(crate) use self::api_keys::{ApiKeys, KeyDigest, KeyDigestError};
pub(crate) use self::authenticate::{Authenticate, AuthenticateService};
pub(crate) use self::bearer::{TokenRefused, bearer, bearer_of, role_of};
pub(crate) use self::jwt::{
    JwksUrl, JwksUrlError, JwtAlgorithm, JwtAlgorithmError, JwtKeys, JwtRules, RemoteJwks,
};
pub(crate) use self::jwt::{JwtVerifier, check_keys};
pub(crate) use self::proofs::{FAILURES, Proofs};
pub(crate) use self::secret::Secret;

mod api_keys;
mod authenticate;
mod bearer;
mod credential;
mod jwt;
mod proofs;
mod secret;
