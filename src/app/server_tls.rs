//! The certificates of a listener with TLS.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig};

use super::auth::Secret;

/// The protocols that a client may choose in its handshake, the better one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The certificates of a listener with TLS.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ServerTls {
    /// The certificates that clients are shown, and their key, in PEM.
    certificates: Arc<[u8]>,
    key: Arc<Secret>,
    /// The authorities of clients' certificates, in PEM; `None` if clients show none.
    client_authorities: Option<Arc<[u8]>>,
}

impl ServerTls {
    /// Shows the first of `certificates` to clients, and proves to own it by `key`. The other certificates lead from
    /// the first one to an authority. All are in PEM.
    ///
    /// # Errors
    /// When there is no certificate or no key, or the key is not that of the certificate.
    pub(crate) fn new(certificates: &[u8], key: &[u8]) -> Result<Self, ServerTlsError> {
        let tls = Self {
            certificates: certificates.into(),
            key: Arc::new(Secret::new(key)),
            client_authorities: None,
        };
        tls.identity()?;
        Ok(tls)
    }

    /// Demands of every client a certificate of one of the authorities in `pem`.
    ///
    /// # Errors
    /// When `pem` holds no certificate, or one that is not the certificate of an authority.
    pub(crate) fn with_client_authorities(self, pem: &[u8]) -> Result<Self, ServerTlsError> {
        authorities(pem)?;
        Ok(Self { client_authorities: Some(pem.into()), ..self })
    }

    /// Whether every client has to prove who it is.
    pub(crate) fn knows_clients(&self) -> bool {
        self.client_authorities.is_some()
    }

    /// What handshakes need, with sessions and tickets of its own.
    ///
    /// # Errors
    /// None in practice: what it is made of was checked before.
    pub(crate) fn config(&self) -> Result<Arc<ServerConfig>, Box<dyn Error + Send + Sync>> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?;
        let builder = match &self.client_authorities {
            None => builder.with_no_client_auth(),
            Some(pem) => {
                let roots = Arc::new(authorities(pem)?);
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(roots, provider).build()?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config =
            builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(self.identity()?)));
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
        Ok(Arc::new(config))
    }

    fn identity(&self) -> Result<CertifiedKey, ServerTlsError> {
        let chain = certificates(&self.certificates)?;
        if chain.first().is_some_and(|first| ParsedCertificate::try_from(first).is_err()) {
            return Err(ServerTlsError::NotACertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(self.key.expose());
        let key = key.map_err(|_| ServerTlsError::NoKey)?;
        CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
            .map_err(|_| ServerTlsError::KeyOfAnother)
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ServerTlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(certificates) if certificates.is_empty() => Err(ServerTlsError::NoCertificate),
        read => read.map_err(|_| ServerTlsError::NotACertificate),
    }
}

fn authorities(pem: &[u8]) -> Result<RootCertStore, ServerTlsError> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(pem)? {
        roots.add(authority).map_err(|_| ServerTlsError::NotACertificate)?;
    }
    Ok(roots)
}

impl fmt::Debug for ServerTls {
    /// Leaves out the certificates and the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").field("knows_clients", &self.knows_clients()).finish()
    }
}

/// What is wrong with certificates or a key. It does not carry them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerTlsError {
    /// The PEM holds no certificate.
    NoCertificate,
    /// The PEM holds something that is not a valid certificate.
    NotACertificate,
    /// The PEM holds no private key.
    NoKey,
    /// The key does not belong to the certificate, or is of an unknown kind.
    KeyOfAnother,
}

impl fmt::Display for ServerTlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCertificate => "there is no certificate in it: expected PEM",
            Self::NotACertificate => "what should be a certificate in it is none",
            Self::NoKey => "there is no private key in it: expected PEM, not encrypted",
            Self::KeyOfAnother => "its private key is not that of the certificate",
        })
    }
}

impl Error for ServerTlsError {}
