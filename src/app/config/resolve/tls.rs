//! The section `[store.tls]`: it names files in PEM, which are read and checked here.

use std::path::Path;

use crate::app::config::error::ConfigError;
use crate::app::config::file;
use crate::app::config::leaf::Leaf;
use crate::app::config::section::Section;
use crate::app::config::store_url::StoreUrl;
use crate::store::{RedisTls, RedisTlsError};

/// The certificates of the files, for a store at `url`.
pub(super) fn tls(section: &mut Section, url: &StoreUrl) -> RedisTls {
    let (ca, certificate, key) =
        (section.take("ca_file"), section.take("cert_file"), section.take("key_file"));
    let is_tls = matches!(url, StoreUrl::Redis(url) if url.is_tls());
    let given = [&ca, &certificate, &key].into_iter().flatten().next();
    if let Some(leaf) = given.filter(|_| !is_tls) {
        let message = "the store's URL is one without TLS: expected rediss://, \
                       rediss+sentinel:// or rediss+cluster://";
        section.note::<()>(Err(leaf.refuse(message)));
    }
    let tls = RedisTls::default();
    let tls = match ca.map(|ca| with_authorities(&ca, tls.clone())) {
        Some(read) => section.note(read).unwrap_or(tls),
        None => tls,
    };
    let read = match (certificate, key) {
        (Some(certificate), Some(key)) => with_identity(&certificate, &key, tls.clone()),
        (Some(alone), None) => Err(alone.refuse("it is of no use without a key_file")),
        (None, Some(alone)) => Err(alone.refuse("it is of no use without a cert_file")),
        (None, None) => return tls,
    };
    section.note(read).unwrap_or(tls)
}

fn with_authorities(ca: &Leaf, tls: RedisTls) -> Result<RedisTls, ConfigError> {
    tls.with_authorities(&read(ca)?).map_err(|error| ca.refuse(error))
}

fn with_identity(certificate: &Leaf, key: &Leaf, tls: RedisTls) -> Result<RedisTls, ConfigError> {
    let (certificates, private) = (read(certificate)?, read(key)?);
    tls.with_identity(&certificates, &private).map_err(|error| {
        let is_of_key = matches!(error, RedisTlsError::NoKey | RedisTlsError::KeyOfAnother);
        if is_of_key { key } else { certificate }.refuse(error)
    })
}

/// The contents of the file that `leaf` names.
pub(super) fn read(leaf: &Leaf) -> Result<Vec<u8>, ConfigError> {
    leaf.parse("the path of a file", |path| {
        file::read(Path::new(path)).map_err(|error| format!("{path} cannot be read: {error}"))
    })
}
