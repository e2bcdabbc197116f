//! Fetches a JWK Set, within limits of time and size.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::keys::RemoteJwks;

/// The largest set that is read, in bytes: that is hundreds of keys.
const LARGEST_SET: u64 = 256 * 1024;

/// A client for one URL.
#[derive(Debug)]
pub(super) struct Fetcher {
    url: String,
    agent: Agent,
}

impl Fetcher {
    pub(super) fn new(jwks: &RemoteJwks) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(Duration::from_millis(jwks.timeout_ms)))
            // The operator chose this URL alone, not where it may redirect.
            .max_redirects(0)
            .max_idle_connections(0)
            .user_agent(concat!("tollgate/", env!("CARGO_PKG_VERSION")));
        let config =
            if jwks.url.is_https() { config.https_only(true).tls_config(tls()) } else { config };
        let config = if jwks.url.is_on_this_machine() { config.proxy(None) } else { config };
        Self { url: jwks.url.as_str().to_owned(), agent: config.build().into() }
    }

    /// The document, unparsed.
    ///
    /// # Errors
    /// When it does not come in time, is too large, or the status is not 200.
    pub(super) fn fetch(&self) -> Result<Vec<u8>, ureq::Error> {
        let mut response = self.agent.get(&self.url).call()?;
        if response.status() != ureq::http::StatusCode::OK {
            return Err(ureq::Error::StatusCode(response.status().as_u16()));
        }
        response.body_mut().with_config().limit(LARGEST_SET).read_to_vec()
    }
}

/// TLS with the certificate authorities that the system trusts, or those of `SSL_CERT_FILE`.
fn tls() -> TlsConfig {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        log::warn!("Certificate authorities of the system cannot be read: {error}.");
    }
    let roots = found.certs.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
    TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build()
}
