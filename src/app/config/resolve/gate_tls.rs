//! The section `[gate.tls]`: it names files in PEM, which are read and checked here.

use super::tls::read;
use crate::app::config::error::ConfigError;
use crate::app::config::leaf::Leaf;
use crate::app::config::section::Section;
use crate::app::server_tls::{ServerTls, ServerTlsError};

/// The certificates of the files; `None` if there are none.
pub(super) fn tls(section: &mut Section) -> Option<ServerTls> {
    let (certificate, key, ca) =
        (section.take("cert_file"), section.take("key_file"), section.take("client_ca_file"));
    let tls = match (certificate, key) {
        (Some(certificate), Some(key)) => section.note(with_identity(&certificate, &key))?,
        (None, None) => {
            let ca = ca?;
            section
                .note::<()>(Err(ca.refuse("it is of no use without a cert_file and a key_file")));
            return None;
        }
        (Some(alone), None) => {
            return section.note(Err(alone.refuse("it is of no use without a key_file")));
        }
        (None, Some(alone)) => {
            return section.note(Err(alone.refuse("it is of no use without a cert_file")));
        }
    };
    let Some(ca) = ca else { return Some(tls) };
    section.note(with_client_authorities(&ca, tls))
}

fn with_identity(certificate: &Leaf, key: &Leaf) -> Result<ServerTls, ConfigError> {
    ServerTls::new(&read(certificate)?, &read(key)?).map_err(|error| {
        let is_of_key = matches!(error, ServerTlsError::NoKey | ServerTlsError::KeyOfAnother);
        if is_of_key { key } else { certificate }.refuse(error)
    })
}

fn with_client_authorities(ca: &Leaf, tls: ServerTls) -> Result<ServerTls, ConfigError> {
    tls.with_client_authorities(&read(ca)?).map_err(|error| ca.refuse(error))
}
