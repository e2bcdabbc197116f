//! The causes of errors of TLS.

use std::error::Error as StdError;

use rustls::pki_types::InvalidDnsNameError;
use rustls::{AlertDescription, CertificateError, Error};

use super::kind::Cause;
use crate::store::redis::connect::tls::of_webpki;

/// The cause of `error`, which an error of the operating system carries, if it is one of TLS.
pub(super) fn cause(error: &(dyn StdError + Send + Sync + 'static)) -> Option<Cause> {
    if error.is::<InvalidDnsNameError>() {
        return Some(Cause::TlsName);
    }
    error.downcast_ref().map(|error| match error {
        Error::InvalidCertificate(problem) => match of_webpki(error) {
            Some(webpki::Error::CaUsedAsEndEntity) => Cause::TlsAuthority,
            Some(webpki::Error::UnsupportedCertVersion) => Cause::TlsVersion,
            _ => of_certificate(problem),
        },
        Error::AlertReceived(alert) => of_alert(*alert),
        Error::PeerIncompatible(_) => Cause::TlsTerms,
        // The server answered with something other than TLS.
        Error::InvalidMessage(_) => Cause::WithTls,
        _ => Cause::Tls,
    })
}

/// Why this client rejects the certificate of a server.
fn of_certificate(error: &CertificateError) -> Cause {
    use CertificateError::{
        BadSignature, Expired, ExpiredContext, InvalidPurpose, InvalidPurposeContext,
        NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext, Revoked,
        UnknownIssuer,
    };
    match error {
        // A signature is bad where an authority was made anew under its old name.
        UnknownIssuer | BadSignature => Cause::TlsUntrusted,
        Expired | ExpiredContext { .. } => Cause::TlsExpired,
        NotValidYet | NotValidYetContext { .. } => Cause::TlsEarly,
        NotValidForName | NotValidForNameContext { .. } => Cause::TlsName,
        InvalidPurpose | InvalidPurposeContext { .. } => Cause::TlsPurpose,
        Revoked => Cause::Tls,
        _ => Cause::TlsForm,
    }
}

/// What a server objects to, as it says.
fn of_alert(alert: AlertDescription) -> Cause {
    use AlertDescription::{
        AccessDenied, BadCertificate, CertificateExpired, CertificateRequired, CertificateRevoked,
        CertificateUnknown, DecryptError, HandshakeFailure, InsufficientSecurity, ProtocolVersion,
        UnknownCA, UnrecognisedName, UnsupportedCertificate,
    };
    match alert {
        CertificateRequired => Cause::TlsUnshown,
        // The last one is a bad signature: by another authority of the same name.
        BadCertificate
        | UnsupportedCertificate
        | CertificateRevoked
        | CertificateExpired
        | CertificateUnknown
        | UnknownCA
        | AccessDenied
        | DecryptError => Cause::TlsRefused,
        HandshakeFailure | ProtocolVersion | InsufficientSecurity => Cause::TlsTerms,
        UnrecognisedName => Cause::TlsName,
        _ => Cause::Tls,
    }
}
