//! What a connection with TLS trusts, and shows.

use std::fmt;
use std::sync::Arc;

use redis::{Client, ClientTlsConfig, ConnectionInfo, RedisResult, TlsCertificates};
use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// The certificates of connections to a Redis by `rediss://`.
///
/// Unless told otherwise, it trusts the authorities that browsers trust, and shows none of its own.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RedisTls {
    authorities: Option<Arc<[u8]>>,
    identity: Option<Arc<Identity>>,
}

/// In PEM.
#[derive(PartialEq, Eq)]
struct Identity {
    certificates: Vec<u8>,
    key: Vec<u8>,
}

impl RedisTls {
    /// Trusts the authorities in `pem`, and no others.
    ///
    /// # Errors
    /// When there is none in it, or one that is not the certificate of an authority.
    pub fn with_authorities(self, pem: &[u8]) -> Result<Self, RedisTlsError> {
        let mut store = RootCertStore::empty();
        for authority in certificates(pem)? {
            store.add(authority).map_err(|_| RedisTlsError::NotACertificate)?;
        }
        Ok(Self { authorities: Some(pem.into()), ..self })
    }

    /// Shows the server the first of `certificates`, which are in PEM, the others being between it
    /// and an authority.
    ///
    /// # Errors
    /// When there is no certificate, or no key, or the two do not fit.
    pub fn with_identity(self, certificates: &[u8], key: &[u8]) -> Result<Self, RedisTlsError> {
        let chain = self::certificates(certificates)?;
        let private = PrivateKeyDer::from_pem_slice(key).map_err(|_| RedisTlsError::NoKey)?;
        CertifiedKey::from_der(chain, private, &aws_lc_rs::default_provider())
            .map_err(|_| RedisTlsError::KeyOfAnother)?;
        let identity = Identity { certificates: certificates.into(), key: key.into() };
        Ok(Self { identity: Some(Arc::new(identity)), ..self })
    }

    /// Whoever connects to `info` in this way.
    pub(super) fn client(&self, info: ConnectionInfo) -> RedisResult<Client> {
        // Without one of the process, rustls would panic where it is built with several. Another
        // thread may be as fast.
        if CryptoProvider::get_default().is_none() {
            let _ = aws_lc_rs::default_provider().install_default();
        }
        let client_tls = self.identity.as_ref().map(|identity| ClientTlsConfig {
            client_cert: identity.certificates.clone(),
            client_key: identity.key.clone(),
        });
        let root_cert = self.authorities.as_ref().map(|pem| pem.to_vec());
        Client::build_with_tls(info, TlsCertificates { client_tls, root_cert })
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, RedisTlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(certificates) if certificates.is_empty() => Err(RedisTlsError::NoCertificate),
        read => read.map_err(|_| RedisTlsError::NotACertificate),
    }
}

impl fmt::Debug for RedisTls {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTls")
            .field("has_authorities", &self.authorities.is_some())
            .field("has_identity", &self.identity.is_some())
            .finish()
    }
}

/// What is wrong with certificates or a key. It carries nothing of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisTlsError {
    /// The PEM holds no certificate.
    NoCertificate,
    /// What should be one is none.
    NotACertificate,
    /// The PEM holds no private key.
    NoKey,
    /// The key is not the certificate's, or of a kind that is not known.
    KeyOfAnother,
}

impl fmt::Display for RedisTlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCertificate => "there is no certificate in it: expected PEM",
            Self::NotACertificate => "what should be a certificate in it is none",
            Self::NoKey => "there is no private key in it: expected PEM, not encrypted",
            Self::KeyOfAnother => "its private key is not that of the certificate",
        })
    }
}

impl std::error::Error for RedisTlsError {}
