//! Verifies tokens.

use std::borrow::Cow;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, decode, decode_header};
use serde_json::{Map, Value};

use super::key::{Key, KeyError};
use super::key_set::{JwksSource, KeySet};
use super::keys::JwtKeys;
use super::refresh::Refresh;
use super::rules::JwtRules;
use crate::http::identity::User;

/// The largest number up to which a float holds every whole number: 2^53.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Verifies tokens.
#[derive(Debug)]
pub(crate) struct JwtVerifier {
    rules: JwtRules,
    /// `None` until a set was fetched for the first time.
    keys: Arc<ArcSwapOption<KeySet>>,
    refresh: Option<Refresh>,
}

/// Why a credential proves no user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unproved {
    /// It is wrong, and why.
    Wrong(&'static str),
    /// There are no keys to verify it with.
    NoKeys,
}

impl JwtVerifier {
    /// Creates a verifier with `keys`. A remote set is fetched before this returns; if that fails, it is
    /// fetched again later.
    ///
    /// # Errors
    /// When the keys are given and cannot be used.
    pub(crate) fn start(keys: &JwtKeys, rules: &JwtRules) -> Result<Self, KeyError> {
        let current = Arc::new(ArcSwapOption::from_pointee(given(keys, rules)?));
        let refresh = match keys {
            JwtKeys::Remote(jwks) => {
                Some(Refresh::start(jwks.clone(), rules.clone(), current.clone()))
            }
            JwtKeys::Only(_) | JwtKeys::Set(_) => None,
        };
        Ok(Self { rules: rules.clone(), keys: current, refresh })
    }

    /// Stops to fetch a remote set. The keys of the last fetch stay in force for as long as this is used.
    pub(crate) fn stop_fetching(&self) {
        self.refresh.iter().for_each(Refresh::stop);
    }

    /// The user that `token` belongs to.
    ///
    /// # Errors
    /// When it is wrong, or there are no keys to verify it with.
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
        self.user(&claims).ok_or(Unproved::Wrong("it names no user"))
    }

    fn user(&self, claims: &Map<String, Value>) -> Option<User> {
        let user = match claims.get(&self.rules.user_claim)? {
            Value::String(id) if !id.is_empty() => User::new(id),
            Value::Number(id) if !id.is_f64() => User::new(id.to_string()),
            _ => return None,
        };
        let plan = self.rules.plan_claim.as_ref().and_then(|name| claims.get(name)?.as_str());
        let user = match plan {
            Some(plan) => user.with_plan(plan),
            None => user,
        };
        let counted = self.rules.claims.iter();
        let told = counted.filter_map(|name| Some((name, text_of(claims.get(name)?)?)));
        Some(told.fold(user, |user, (name, value)| user.with_claim(name, &*value)))
    }
}

/// The text by which policies count a claim; `None` if it is no text, number, true or false.
pub(super) fn text_of(claim: &Value) -> Option<Cow<'_, str>> {
    match claim {
        Value::String(text) => Some(text.into()),
        Value::Bool(flag) => Some(if *flag { "true" } else { "false" }.into()),
        // Greater ones were rounded as they were read, so two of them might look alike.
        Value::Number(number) if number.as_f64().is_some_and(|it| it.abs() > LARGEST_EXACT) => {
            (!number.is_f64()).then(|| number.to_string().into())
        }
        Value::Number(number) => Some(number.to_string().into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Checks that `keys` can be used under `rules`. About a remote set, that is not known yet.
///
/// # Errors
/// When they cannot.
pub(crate) fn check_keys(keys: &JwtKeys, rules: &JwtRules) -> Result<(), KeyError> {
    given(keys, rules).map(|_| ())
}

/// The keys that are given; `None` where they are fetched.
fn given(keys: &JwtKeys, rules: &JwtRules) -> Result<Option<KeySet>, KeyError> {
    Ok(match keys {
        JwtKeys::Only(key) => Some(KeySet::Only(Box::new(Key::only(key.expose(), rules)?))),
        JwtKeys::Set(text) => Some(KeySet::parse(text.expose(), JwksSource::File, rules)?),
        JwtKeys::Remote(_) => None,
    })
}

/// RFC 7515, section 4.1.11: a token with a critical extension that is not understood must be refused.
fn check_header(header: &Header) -> Result<(), Unproved> {
    if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(Unproved::Wrong("it asks for more than a signature"));
    }
    Ok(())
}

fn claims(token: &[u8], key: &Key) -> Result<Map<String, Value>, Unproved> {
    let read = decode::<Map<String, Value>>(token, &key.decoding, &key.validation);
    read.map(|token| token.claims).map_err(|error| {
        // The error's own text may hold a part of the token.
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
