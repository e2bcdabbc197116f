//! The certificates that connections by TLS trust and show.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;
use std::{error, fmt};

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use self::verifier::Verifier;
pub(crate) use self::verifier::of_webpki;

mod handshake;
mod verifier;

/// The certificates of connections to a Redis by `rediss://`.
///
/// The default trusts the authorities that browsers trust, and shows no certificate.
#[must_use = "certificates do nothing until they are given to RedisOptions"]
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RedisTls {
    authorities: Option<Arc<[u8]>>,
    identity: Option<Arc<Identity>>,
}

/// The certificates and the key that are shown to servers, in PEM.
#[derive(PartialEq, Eq)]
struct Identity {
    certificates: Vec<u8>,
    key: Vec<u8>,
}

impl RedisTls {
    /// Trusts only the authorities in `pem`. A server may also show one of these certificates as its
    /// own, which makes self-signed certificates work.
    ///
    /// # Errors
    /// When `pem` holds no certificate, or one that is not the certificate of an authority.
    pub fn with_authorities(self, pem: &[u8]) -> Result<Self, RedisTlsError> {
        let mut store = RootCertStore::empty();
        for authority in certificates(pem)? {
            store.add(authority).map_err(|_| RedisTlsError::NotACertificate)?;
        }
        Ok(Self { authorities: Some(pem.into()), ..self })
    }

    /// Shows the first of `certificates` to servers, and proves to own it by `key`. The other
    /// certificates lead from the first one to an authority. All are in PEM.
    ///
    /// # Errors
    /// When there is no certificate or no key, or the key is not that of the certificate.
    pub fn with_identity(self, certificates: &[u8], key: &[u8]) -> Result<Self, RedisTlsError> {
        let chain = self::certificates(certificates)?;
        let private = PrivateKeyDer::from_pem_slice(key).map_err(|_| RedisTlsError::NoKey)?;
        CertifiedKey::from_der(chain, private, &aws_lc_rs::default_provider())
            .map_err(|_| RedisTlsError::KeyOfAnother)?;
        let identity = Identity { certificates: certificates.into(), key: key.into() };
        Ok(Self { identity: Some(Arc::new(identity)), ..self })
    }

    /// The client side of connections with these certificates.
    pub(crate) fn client(&self) -> Result<TlsClient, Box<dyn error::Error + Send + Sync>> {
        // An app may have chosen a provider for its whole process.
        let own = || Arc::new(aws_lc_rs::default_provider());
        let provider = CryptoProvider::get_default().cloned().unwrap_or_else(own);
        let mut roots = RootCertStore::empty();
        let mut listed = Vec::new();
        match &self.authorities {
            Some(pem) => {
                listed = certificates(pem)?;
                for authority in &listed {
                    roots.add(authority.clone())?;
                }
            }
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        }
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let verifier = Arc::new(Verifier::new(verifier.build()?, listed));
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous() // rustls calls every custom verifier so; see what this one accepts
            .with_custom_certificate_verifier(verifier);
        let config = match &self.identity {
            Some(identity) => config.with_client_auth_cert(
                certificates(&identity.certificates)?,
                PrivateKeyDer::from_pem_slice(&identity.key)?,
            )?,
            None => config.with_no_client_auth(),
        };
        Ok(TlsClient(Arc::new(config)))
    }
}

/// Makes connections with TLS, which share their sessions so that later handshakes are shorter.
#[derive(Clone, Debug)]
pub(crate) struct TlsClient(Arc<ClientConfig>);

impl TlsClient {
    /// Makes the TLS handshake over `tcp` by `deadline`. The server must prove to be `host`.
    pub(crate) fn greet(
        &self,
        host: &str,
        tcp: TcpStream,
        deadline: Instant,
    ) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        handshake::shake_hands(self.0.clone(), host, tcp, deadline)
    }

    /// Whether the server at the other end of `tcp` answers a greeting by TLS, with whatever answer.
    pub(crate) fn is_understood(&self, host: &str, tcp: TcpStream, deadline: Instant) -> bool {
        handshake::is_understood(self.0.clone(), host, tcp, deadline)
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
    /// Leaves out the certificates and the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTls")
            .field("has_authorities", &self.authorities.is_some())
            .field("has_identity", &self.identity.is_some())
            .finish()
    }
}

/// What is wrong with certificates or a key. It does not carry them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisTlsError {
    /// The PEM holds no certificate.
    NoCertificate,
    /// The PEM holds something that is not a valid certificate.
    NotACertificate,
    /// The PEM holds no private key.
    NoKey,
    /// The key does not belong to the certificate, or is of an unknown kind.
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
