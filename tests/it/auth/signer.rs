use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, crypto, encode};
use serde_json::{Value, json};
use tollgate::{Clock as _, SystemClock};

/// Where the keys are that everybody knows.
const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/auth/keys");

pub(super) const SECRET: &[u8] =
    b"a secret that is long enough for each algorithm, and that no one uses but these tests";
const RSA: &[u8] = include_bytes!("keys/rsa-private.test.pem");
const P256: &[u8] = include_bytes!("keys/p256-private.test.pem");
const P384: &[u8] = include_bytes!("keys/p384-private.test.pem");
const ED25519: &[u8] = include_bytes!("keys/ed25519-private.test.pem");

/// One of each family and curve, with the file of what verifies it.
pub(super) const KEYS: [(&str, &[Algorithm]); 4] = [
    ("rsa-public.test.pem", &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512]),
    ("p256-public.test.pem", &[Algorithm::ES256]),
    ("p384-public.test.pem", &[Algorithm::ES384]),
    ("ed25519-public.test.pem", &[Algorithm::EdDSA]),
];

pub(super) fn path(file: &str) -> String {
    format!("{DIRECTORY}/{file}")
}

pub(super) fn key(algorithm: Algorithm) -> EncodingKey {
    match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => EncodingKey::from_secret(SECRET),
        Algorithm::ES256 => EncodingKey::from_ec_pem(P256).expect("a key of P-256"),
        Algorithm::ES384 => EncodingKey::from_ec_pem(P384).expect("a key of P-384"),
        Algorithm::EdDSA => EncodingKey::from_ed_pem(ED25519).expect("a key of Ed25519"),
        _ => EncodingKey::from_rsa_pem(RSA).expect("a key of RSA"),
    }
}

/// Now, in seconds since the Unix epoch.
pub(super) fn now() -> u64 {
    SystemClock.now() / 1_000
}

/// The claims of user `1042`, right for ten minutes, with `changes`; a change to null takes it away.
pub(super) fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "sub": "1042",
        "iss": "https://id.example",
        "aud": "api",
        "nbf": now() - 600,
        "exp": now() + 600,
    });
    for (name, value) in changes.as_object().expect("a table of changes") {
        match value {
            Value::Null => claims.as_object_mut().and_then(|claims| claims.remove(name)),
            value => claims.as_object_mut().and_then(|it| it.insert(name.clone(), value.clone())),
        };
    }
    claims
}

/// A token that is right but for `changes`.
pub(super) fn token(algorithm: Algorithm, changes: &Value) -> String {
    let header = Header::new(algorithm);
    encode(&header, &claims(changes), &key(algorithm)).expect("a token")
}

/// The same, which names its key.
pub(super) fn token_of(kid: &str, algorithm: Algorithm, changes: &Value) -> String {
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(algorithm) };
    encode(&header, &claims(changes), &key(algorithm)).expect("a token")
}

/// A token of any header and claims, signed by `key` as `algorithm` signs.
pub(super) fn signed(
    header: &Value,
    claims: &Value,
    key: &EncodingKey,
    algorithm: Algorithm,
) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let signature = crypto::sign(message.as_bytes(), key, algorithm).expect("a signature");
    format!("{message}.{signature}")
}

/// A part of a token, as it is written there.
pub(super) fn encoded(part: &Value) -> String {
    base64url(part.to_string().as_bytes())
}

/// Base64 for URLs (RFC 4648, section 5), without padding.
pub(super) fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digit = |chunk: &[u8], index: usize| {
        let bits = chunk.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        char::from(DIGITS[bits >> (18 - 6 * index) & 63])
    };
    let chunks = bytes.chunks(3);
    chunks.flat_map(|chunk| (0..=chunk.len()).map(move |index| digit(chunk, index))).collect()
}

/// A JWK Set of the keys of `algorithms`, each under this name.
pub(super) fn jwks(keys: &[(&str, Algorithm)]) -> String {
    let keys: Vec<Jwk> = keys
        .iter()
        .map(|&(kid, algorithm)| {
            let jwk = Jwk::from_encoding_key(&key(algorithm), algorithm);
            let mut jwk = jwk.expect("the public part of a key");
            jwk.common.key_id = Some(kid.to_owned());
            jwk
        })
        .collect();
    json!({ "keys": keys }).to_string()
}
