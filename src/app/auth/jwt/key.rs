//! A key that verifies tokens, and the algorithms that it may verify.

use std::collections::HashSet;
use std::fmt;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Validation};

use super::algorithm::JwtAlgorithm;
use super::rules::JwtRules;

/// A key, with the rules for tokens that it verifies. Its algorithms are those that the operator allows and
/// that fit the kind of key, so that a public key is never used as a shared secret.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) decoding: DecodingKey,
    pub(super) validation: Validation,
}

/// The kinds of keys, as far as algorithms need to tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Secret,
    Rsa,
    P256,
    P384,
    Ed25519,
}

/// RFC 7518, section 3.3, asks for 2048 bits. These are the bytes of such a key in DER, exponent included,
/// and of its modulus.
const SHORTEST_RSA_DER: usize = 264;
const SHORTEST_RSA_MODULUS: usize = 256;

impl Key {
    /// The one key for all tokens: a public key in PEM, or a secret.
    pub(super) fn only(text: &[u8], rules: &JwtRules) -> Result<Self, KeyError> {
        let (kind, decoding) = if is_pem(text) { public_key(text)? } else { secret(text, rules)? };
        for algorithm in &rules.algorithms {
            if !kind.serves(algorithm.get()) {
                return Err(KeyError::Unfit { kind, algorithm: *algorithm });
            }
        }
        Self::new(kind, decoding, None, rules).ok_or(KeyError::NoAlgorithm)
    }

    /// The key in `jwk`. `None` if it verifies no tokens here: it is for encryption, of an unknown kind, or
    /// for algorithms that are not allowed.
    pub(super) fn of_set(jwk: &Jwk, may_be_secret: bool, rules: &JwtRules) -> Option<Self> {
        let is_for = |it: &KeyOperations| *it == KeyOperations::Verify;
        let common = &jwk.common;
        if common.public_key_use.as_ref().is_some_and(|it| *it != PublicKeyUse::Signature)
            || common.key_operations.as_ref().is_some_and(|all| !all.iter().any(is_for))
        {
            return None;
        }
        let kind = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => KeyKind::Rsa,
            AlgorithmParameters::EllipticCurve(it) => match it.curve {
                EllipticCurve::P256 => KeyKind::P256,
                EllipticCurve::P384 => KeyKind::P384,
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(it) if it.curve == EllipticCurve::Ed25519 => {
                KeyKind::Ed25519
            }
            AlgorithmParameters::OctetKey(_) if may_be_secret => KeyKind::Secret,
            _ => return None,
        };
        let decoding = DecodingKey::from_jwk(jwk).ok()?;
        let only = match common.key_algorithm {
            Some(algorithm) => Some(Algorithm::try_from(algorithm).ok()?),
            None => None,
        };
        Self::new(kind, decoding, only, rules)
    }

    /// `None` if no algorithm is left, or the key is too short.
    fn new(
        kind: KeyKind,
        decoding: DecodingKey,
        only: Option<Algorithm>,
        rules: &JwtRules,
    ) -> Option<Self> {
        let length = decoding.try_get_as_bytes().map_or(0, <[u8]>::len);
        let algorithms: Vec<Algorithm> = rules
            .algorithms
            .iter()
            .map(|it| it.get())
            .filter(|it| kind.serves(*it) && only.is_none_or(|only| only == *it))
            .filter(|it| kind != KeyKind::Secret || length >= shortest_secret(*it))
            .collect();
        let is_short = kind == KeyKind::Rsa && is_short_rsa(&decoding);
        let mut validation = Validation::new(*algorithms.first().filter(|_| !is_short)?);
        validation.algorithms = algorithms;
        validation.leeway = rules.leeway_seconds;
        validation.validate_nbf = true;
        // Otherwise a token without the claim would be valid.
        validation.required_spec_claims = HashSet::from(["exp".to_owned()]);
        if let Some(issuer) = &rules.issuer {
            validation.set_issuer(&[issuer]);
            validation.required_spec_claims.insert("iss".to_owned());
        }
        if !rules.audience.is_empty() {
            validation.set_audience(&rules.audience);
            validation.required_spec_claims.insert("aud".to_owned());
        }
        Some(Self { decoding, validation })
    }

    pub(super) fn may_verify(&self, algorithm: Algorithm) -> bool {
        self.validation.algorithms.contains(&algorithm)
    }
}

impl KeyKind {
    fn serves(self, algorithm: Algorithm) -> bool {
        match self {
            Self::Secret => algorithm.family() == AlgorithmFamily::Hmac,
            Self::Rsa => algorithm.family() == AlgorithmFamily::Rsa,
            Self::P256 => algorithm == Algorithm::ES256,
            Self::P384 => algorithm == Algorithm::ES384,
            Self::Ed25519 => algorithm == Algorithm::EdDSA,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret => "a secret",
            Self::Rsa => "a public RSA key",
            Self::P256 => "a public key on the curve P-256",
            Self::P384 => "a public key on the curve P-384",
            Self::Ed25519 => "a public Ed25519 key",
        })
    }
}

fn is_pem(text: &[u8]) -> bool {
    text.windows(11).any(|window| window == b"-----BEGIN ")
}

fn public_key(pem: &[u8]) -> Result<(KeyKind, DecodingKey), KeyError> {
    let text = std::str::from_utf8(pem).map_err(|_| KeyError::NotAPublicKey)?;
    if text.contains("PRIVATE KEY-----") {
        return Err(KeyError::Private);
    }
    // The parser would take the first bits of a certificate for a key.
    if !text.contains("-----BEGIN PUBLIC KEY-----")
        && !text.contains("-----BEGIN RSA PUBLIC KEY-----")
    {
        return Err(KeyError::NotAPublicKey);
    }
    if let Ok(key) = DecodingKey::from_rsa_pem(pem) {
        return if is_short_rsa(&key) { Err(KeyError::ShortRsa) } else { Ok((KeyKind::Rsa, key)) };
    }
    if let Ok(key) = DecodingKey::from_ec_pem(pem) {
        // An uncompressed point is twice as long as the curve, and one byte more.
        return match key.try_get_as_bytes().map_or(0, <[u8]>::len) {
            65 => Ok((KeyKind::P256, key)),
            97 => Ok((KeyKind::P384, key)),
            _ => Err(KeyError::NotAPublicKey),
        };
    }
    let key = DecodingKey::from_ed_pem(pem).map_err(|_| KeyError::NotAPublicKey)?;
    Ok((KeyKind::Ed25519, key))
}

fn is_short_rsa(key: &DecodingKey) -> bool {
    match key.kind() {
        jsonwebtoken::DecodingKeyKind::SecretOrDer(der) => der.len() < SHORTEST_RSA_DER,
        jsonwebtoken::DecodingKeyKind::RsaModulusExponent { n, .. } => {
            n.len() < SHORTEST_RSA_MODULUS
        }
    }
}

/// The secret is the whole text without the line break that editors add. A JWK Set in the wrong option must
/// not be taken for a secret, since everyone may know its public keys.
fn secret(text: &[u8], rules: &JwtRules) -> Result<(KeyKind, DecodingKey), KeyError> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if text.trim_ascii_start().starts_with(b"{") {
        return Err(KeyError::Json);
    }
    for algorithm in &rules.algorithms {
        let shortest = shortest_secret(algorithm.get());
        if text.len() < shortest && KeyKind::Secret.serves(algorithm.get()) {
            return Err(KeyError::ShortSecret { algorithm: *algorithm, shortest });
        }
    }
    Ok((KeyKind::Secret, DecodingKey::from_secret(text)))
}

/// The fewest bytes of a secret: as many as the hash has (RFC 7518, section 3.2).
fn shortest_secret(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::HS384 => 48,
        Algorithm::HS512 => 64,
        _ => 32,
    }
}

/// Why a key cannot verify tokens. The error holds nothing of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyError {
    Private,
    NotAPublicKey,
    ShortRsa,
    Json,
    ShortSecret { algorithm: JwtAlgorithm, shortest: usize },
    Unfit { kind: KeyKind, algorithm: JwtAlgorithm },
    NoAlgorithm,
    NotASet,
    NoKeyOfSet,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Private => f.write_str("holds a private key: expected the public one"),
            Self::NotAPublicKey => f.write_str(
                "is no public key that can be read: expected PEM that begins -----BEGIN PUBLIC \
                 KEY-----, of RSA, P-256, P-384 or Ed25519",
            ),
            Self::ShortRsa => f.write_str("is too short: an RSA key must have 2048 bits or more"),
            Self::Json => f.write_str("is JSON: expected a JWK Set as auth.jwt.jwks_file"),
            Self::ShortSecret { algorithm, shortest } => {
                write!(
                    f,
                    "is too short: a secret for {algorithm} must have {shortest} bytes or more"
                )
            }
            Self::Unfit { kind, algorithm } => {
                write!(f, "is {kind}, which does not serve {algorithm}: see auth.jwt.algorithms")
            }
            Self::NoAlgorithm => f.write_str("serves none of auth.jwt.algorithms"),
            Self::NotASet => f.write_str("is no JWK Set: expected JSON with a list of keys"),
            Self::NoKeyOfSet => f.write_str(
                "has no key to use: expected one with a kid, for signatures, that serves one of \
                 auth.jwt.algorithms",
            ),
        }
    }
}

impl std::error::Error for KeyError {}
