//! Certificates of an authority of our own, good and bad, as files in PEM.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use tempfile::TempDir;

/// An authority, and the files of all that it certified.
#[derive(Debug)]
pub struct Authority {
    home: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// The files of a certificate and its key.
#[derive(Clone, Debug)]
pub struct Files {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Authority {
    /// A new authority.
    pub fn new() -> Self {
        let home = TempDir::with_prefix("tollgate-tls-").expect("a temporary directory");
        let mut params = named("authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        fs::write(home.path().join("ca.pem"), issuer.pem()).expect("a file");
        Self { home, issuer }
    }

    /// The file of its own certificate.
    pub fn file(&self) -> PathBuf {
        self.home.path().join("ca.pem")
    }

    /// A certificate for `host`.
    pub fn certify(&self, host: &str) -> Files {
        self.sign(host, "good", named(host))
    }

    /// One that was good for 1999.
    pub fn certify_once(&self, host: &str) -> Files {
        let mut params = named(host);
        params.not_before = date_time_ymd(1999, 1, 1);
        params.not_after = date_time_ymd(2000, 1, 1);
        self.sign(host, "expired", params)
    }

    /// One that will be good in the far future.
    pub fn certify_early(&self, host: &str) -> Files {
        let mut params = named(host);
        params.not_before = date_time_ymd(3000, 1, 1);
        params.not_after = date_time_ymd(3001, 1, 1);
        self.sign(host, "early", params)
    }

    /// One that is for clients alone.
    pub fn certify_client(&self, host: &str) -> Files {
        let mut params = named(host);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(host, "client", params)
    }

    fn sign(&self, host: &str, what: &str, params: CertificateParams) -> Files {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        self.write(host, what, &certificate, &key)
    }

    /// A certificate that is signed by itself and its own authority, as `openssl req -x509` makes it.
    pub fn of_itself(&self, host: &str) -> Files {
        self.sign_itself(host, "itself", named(host))
    }

    /// The same, good for 1999.
    pub fn of_itself_once(&self, host: &str) -> Files {
        let mut params = named(host);
        params.not_before = date_time_ymd(1999, 1, 1);
        params.not_after = date_time_ymd(2000, 1, 1);
        self.sign_itself(host, "itself-expired", params)
    }

    fn sign_itself(&self, host: &str, what: &str, mut params: CertificateParams) -> Files {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        self.write(host, what, &certificate, &key)
    }

    fn write(&self, host: &str, what: &str, certificate: &Certificate, key: &KeyPair) -> Files {
        let file = |end: &str, text: &str| {
            let path = self.home.path().join(format!("{host}-{what}-{end}.pem"));
            fs::write(&path, text).expect("a file");
            path
        };
        let (certificate, key) =
            (file("certificate", &certificate.pem()), file("key", &key.serialize_pem()));
        Files { certificate, key }
    }
}

/// Of a name of its own: one that is called as its authority would count as that.
fn named(host: &str) -> CertificateParams {
    let mut params = CertificateParams::new([host.to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, host);
    params
}

/// How a redis-server is certified.
#[derive(Clone, Copy, Debug)]
pub struct Certified<'a> {
    /// What it shows.
    pub files: &'a Files,
    /// Whose certificates it trusts.
    pub authority: &'a Authority,
    /// Whether clients need a certificate of it, too.
    pub of_clients: bool,
}

impl Certified<'_> {
    /// What redis-server takes to serve so on `port`, and to speak so to others of its kind.
    pub fn arguments(&self, port: u16) -> impl Iterator<Item = String> {
        let text = |path: &Path| path.to_str().expect("a path of text").to_owned();
        let word = |is: bool| if is { "yes" } else { "no" }.to_owned();
        [
            ("tls-port", port.to_string()),
            ("tls-cert-file", text(&self.files.certificate)),
            ("tls-key-file", text(&self.files.key)),
            ("tls-ca-cert-file", text(&self.authority.file())),
            ("tls-auth-clients", word(self.of_clients)),
            ("tls-replication", word(true)),
            ("tls-cluster", word(true)),
        ]
        .into_iter()
        .flat_map(|(name, value)| [format!("--{name}"), value])
    }
}
