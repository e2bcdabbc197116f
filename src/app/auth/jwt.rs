//! JSON Web Tokens (RFC 7519): which are right, and whose they are.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, decode, decode_header};
use serde_json::{Map, Value};

pub use self::algorithm::{JwtAlgorithm, JwtAlgorithmError};
use self::key::Key;
pub(crate) use self::key::KeyError;
use self::key_set::{KeySet, Place};
use self::refresh::Refresh;
pub use self::url::{JwksUrl, JwksUrlError};
use super::Secret;
use crate::http::identity::User;

mod algorithm;
mod fetch;
mod key;
mod key_set;
mod refresh;
mod url;

/// Where the keys are that tokens are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwtKeys {
    /// One public key in PEM, or one secret.
    Only(Secret),
    /// A JWK Set.
    Set(Secret),
    /// A JWK Set that is fetched, and fetched again.
    Fetched(Jwks),
}

/// A JWK Set that is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwks {
    /// Where it is.
    pub url: JwksUrl,
    /// Milliseconds until it is fetched again.
    pub refresh_ms: u64,
    /// Milliseconds at least between two fetches, whatever asks for them.
    pub cooldown_ms: u64,
    /// Milliseconds that a fetch may take.
    pub timeout_ms: u64,
}

/// What tokens must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtRules {
    /// How they may be signed.
    pub algorithms: Vec<JwtAlgorithm>,
    /// Who must have issued them; anyone where there is none.
    pub issuer: Option<String>,
    /// Whom they must be meant for, one of these; nobody in particular where there is none.
    pub audience: Vec<String>,
    /// Seconds by which clocks may differ.
    pub leeway_seconds: u64,
    /// The claim that says who the user is.
    pub user_claim: String,
    /// The claim that says what plan the user has booked.
    pub plan_claim: Option<String>,
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
        }
    }
}

/// Verifies tokens.
#[derive(Debug)]
pub(crate) struct Jwt {
    rules: JwtRules,
    /// None until a set was fetched for the first time.
    keys: Arc<ArcSwapOption<KeySet>>,
    refresh: Option<Refresh>,
}

/// Why a token proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unproved {
    /// It is wrong, for this reason.
    Wrong(&'static str),
    /// There are no keys to tell by.
    NoKeys,
}

impl Jwt {
    /// Verifies by `keys`. Those that are fetched are fetched now, for the first time; where that
    /// fails, later.
    ///
    /// # Errors
    /// When the keys are given and cannot be used.
    pub(crate) fn start(keys: &JwtKeys, rules: &JwtRules) -> Result<Self, KeyError> {
        let current = Arc::new(ArcSwapOption::from_pointee(given(keys, rules)?));
        let refresh = match keys {
            JwtKeys::Fetched(jwks) => {
                Some(Refresh::start(jwks.clone(), rules.clone(), current.clone()))
            }
            JwtKeys::Only(_) | JwtKeys::Set(_) => None,
        };
        Ok(Self { rules: rules.clone(), keys: current, refresh })
    }

    /// Whose `token` is.
    ///
    /// # Errors
    /// When it is wrong, or there are no keys to tell.
    pub(crate) fn user_of(&self, token: &[u8]) -> Result<User, Unproved> {
        let header = decode_header(token).map_err(|_| Unproved::Wrong("it is no token"))?;
        check_header(&header)?;
        let keys = self.keys.load();
        let keys = keys.as_deref().ok_or(Unproved::NoKeys)?;
        let Some(key) = keys.find(&header) else {
            if header.kid.is_some() {
                self.refresh.iter().for_each(Refresh::ask);
            }
            return Err(Unproved::Wrong("it names no key for its algorithm"));
        };
        let claims = claims(token, key)?;
        self.user(&claims).ok_or(Unproved::Wrong("it says not who the user is"))
    }

    fn user(&self, claims: &Map<String, Value>) -> Option<User> {
        let user = match claims.get(&self.rules.user_claim)? {
            Value::String(id) if !id.is_empty() => User::new(id),
            Value::Number(id) if !id.is_f64() => User::new(id.to_string()),
            _ => return None,
        };
        let plan = self.rules.plan_claim.as_ref().and_then(|name| claims.get(name)?.as_str());
        Some(match plan {
            Some(plan) => user.with_plan(plan),
            None => user,
        })
    }
}

/// Whether `keys` can be used; of those that are fetched nobody knows yet.
///
/// # Errors
/// When they cannot.
pub(crate) fn check_keys(keys: &JwtKeys, rules: &JwtRules) -> Result<(), KeyError> {
    given(keys, rules).map(|_| ())
}

/// The keys that are given; none where they are fetched.
fn given(keys: &JwtKeys, rules: &JwtRules) -> Result<Option<KeySet>, KeyError> {
    Ok(match keys {
        JwtKeys::Only(key) => Some(KeySet::Only(Box::new(Key::only(key.expose(), rules)?))),
        JwtKeys::Set(text) => Some(KeySet::parse(text.expose(), Place::File, rules)?),
        JwtKeys::Fetched(_) => None,
    })
}

/// RFC 7515, section 4.1.11: who does not understand what is critical must refuse it.
fn check_header(header: &Header) -> Result<(), Unproved> {
    if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(Unproved::Wrong("it asks for more than a signature"));
    }
    Ok(())
}

fn claims(token: &[u8], key: &Key) -> Result<Map<String, Value>, Unproved> {
    let read = decode::<Map<String, Value>>(token, &key.decoding, &key.validation);
    read.map(|token| token.claims).map_err(|error| {
        // Its own words may hold a part of the token.
        Unproved::Wrong(match error.kind() {
            ErrorKind::InvalidSignature => "its signature is wrong",
            ErrorKind::ExpiredSignature => "it has expired",
            ErrorKind::ImmatureSignature => "it is not valid yet",
            ErrorKind::InvalidIssuer => "its issuer is another",
            ErrorKind::InvalidAudience => "its audience is another",
            ErrorKind::MissingRequiredClaim(_) => "a claim is missing that it must have",
            _ => "it cannot be read",
        })
    })
}

#[cfg(test)]
mod tests;
