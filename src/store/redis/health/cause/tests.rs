use std::io;

use super::table::TABLE;
use super::*;
use crate::store::redis::error::store_error;

#[test]
fn the_table_is_in_the_order_of_the_causes() {
    for (index, (cause, name, description, remedy)) in TABLE.into_iter().enumerate() {
        assert_eq!(cause as usize, index, "{cause:?}");
        assert_eq!(Cause::from_code(cause.code()), Some(cause));
        assert_eq!(
            (cause.name(), cause.description(), cause.remedy()),
            (name, description, remedy)
        );
        assert!(
            description.starts_with("does not answer")
                || description.starts_with("refuses to count")
        );
        assert!(remedy.ends_with('.'), "{remedy}");
    }
    assert_eq!((Cause::from_code(0), Cause::from_code(200)), (None, None));
}

/// The error that redis-rs makes of a server's reply.
fn reply(text: &str) -> StoreError {
    let reply = redis::parse_redis_value(format!("-{text}\r\n").as_bytes()).expect("a reply");
    let error = reply.extract_error().expect_err("an error");
    store_error(error)
}

#[test]
fn each_reply_has_its_cause() {
    // (as Redis 7.0 writes it, the cause)
    let cases = [
        ("CLUSTERDOWN The cluster is down", Cause::ClusterDown),
        ("WRONGPASS invalid username-password pair or user is disabled.", Cause::Password),
        ("NOAUTH Authentication required.", Cause::NoPassword),
        ("ERR Protocol error: unauthenticated bulk length", Cause::NoPassword),
        ("LOADING Redis is loading the dataset in memory", Cause::Loading),
        ("OOM command not allowed when used memory > 'maxmemory'.", Cause::Full),
        ("READONLY You can't write against a read only replica.", Cause::ReadOnly),
        (
            "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
            Cause::NoPrimary,
        ),
        (
            "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to",
            Cause::NotSaved,
        ),
        (
            "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
            Cause::Busy,
        ),
        ("NOREPLICAS Not enough good replicas to write.", Cause::NoReplicas),
        ("ERR max number of clients reached", Cause::Clients),
        ("ERR This instance has cluster support disabled", Cause::NoCluster),
        ("ERR SELECT is not allowed in cluster mode", Cause::Cluster),
        ("ERR DB index is out of range", Cause::Database),
        ("ERR unknown command 'EVALSHA', with args beginning with: ", Cause::Command),
        (
            "ERR Unknown Redis command called from script script: 104a, on @user_script:1.",
            Cause::Command,
        ),
        ("MOVED 866 127.0.0.1:7001", Cause::Cluster),
        ("NOPERM this user has no permissions to run the 'evalsha' command", Cause::Permission),
        (
            "ERR The user executing the script can't run this command or subcommand script: 104a, on @user_script:1.",
            Cause::Permission,
        ),
        ("ERR something else", Cause::Other),
    ];
    for (text, cause) in cases {
        assert_eq!(Cause::of(&reply(text)), cause, "{text}");
    }
}

#[test]
fn a_connection_that_fails_has_its_cause() {
    let cause = |kind| Cause::of(&store_error(io::Error::from(kind).into()));
    assert_eq!(cause(io::ErrorKind::WouldBlock), Cause::Silent);
    assert_eq!(cause(io::ErrorKind::UnexpectedEof), Cause::Lost);
    assert_eq!(cause(io::ErrorKind::ConnectionReset), Cause::Lost);
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    let error = StoreError::caused_by(StoreErrorKind::Unreachable, RedisError::from(refused));
    assert_eq!(Cause::of(&error), Cause::Unreachable);
    assert!(
        Described(&error).to_string().starts_with("does not answer ("),
        "{}",
        Described(&error)
    );
}

#[cfg(feature = "tls")]
#[test]
fn each_failure_of_tls_has_its_cause_and_its_sentence() {
    use rustls::AlertDescription as Alert;
    use rustls::CertificateError::{
        BadEncoding, BadSignature, Expired, InvalidPurpose, NotValidForName, NotValidYet, Revoked,
        UnknownIssuer,
    };
    use rustls::Error::{AlertReceived, InvalidCertificate};
    use rustls::{CertificateError, InvalidMessage, OtherError, PeerIncompatible};

    let webpki = |error: webpki::Error| {
        InvalidCertificate(CertificateError::Other(OtherError(std::sync::Arc::new(error))))
    };
    let cases = [
        (InvalidCertificate(UnknownIssuer), Cause::TlsUntrusted),
        (InvalidCertificate(BadSignature), Cause::TlsUntrusted),
        (InvalidCertificate(Expired), Cause::TlsExpired),
        (InvalidCertificate(NotValidYet), Cause::TlsEarly),
        (InvalidCertificate(NotValidForName), Cause::TlsName),
        (InvalidCertificate(InvalidPurpose), Cause::TlsPurpose),
        (InvalidCertificate(BadEncoding), Cause::TlsForm),
        (InvalidCertificate(Revoked), Cause::Tls),
        (webpki(webpki::Error::CaUsedAsEndEntity), Cause::TlsAuthority),
        (webpki(webpki::Error::UnsupportedCertVersion), Cause::TlsVersion),
        (webpki(webpki::Error::EmptyEkuExtension), Cause::TlsForm),
        (AlertReceived(Alert::CertificateRequired), Cause::TlsUnshown),
        (AlertReceived(Alert::UnknownCA), Cause::TlsRefused),
        (AlertReceived(Alert::DecryptError), Cause::TlsRefused),
        (AlertReceived(Alert::HandshakeFailure), Cause::TlsTerms),
        (AlertReceived(Alert::ProtocolVersion), Cause::TlsTerms),
        (AlertReceived(Alert::UnrecognisedName), Cause::TlsName),
        (AlertReceived(Alert::InternalError), Cause::Tls),
        (PeerIncompatible::NoCipherSuitesInCommon.into(), Cause::TlsTerms),
        (InvalidMessage::InvalidContentType.into(), Cause::WithTls),
        (rustls::Error::DecryptError, Cause::Tls),
    ];
    for (error, cause) in cases {
        let told = format!("{error:?}");
        let error = store_error(io::Error::new(io::ErrorKind::InvalidData, error).into());
        assert_eq!(Cause::of(&error), cause, "{told}");
        let says = cause.description().trim_end_matches(')');
        assert!(Described(&error).to_string().starts_with(says), "{}", Described(&error));
    }
}

#[cfg(feature = "tls")]
#[test]
fn a_side_that_speaks_no_tls_or_tls_alone_has_its_cause() {
    for (mismatch, cause) in [
        (TlsMismatch::ClientWithout, Cause::WithoutTls),
        (TlsMismatch::ServerSilent, Cause::TlsSilent),
        (TlsMismatch::ServerWithout, Cause::WithTls),
    ] {
        for kind in [io::ErrorKind::TimedOut, io::ErrorKind::InvalidData] {
            let error = store_error(mismatch.as_error(kind).into());
            assert_eq!(Cause::of(&error), cause);
            assert_eq!(Described(&error).to_string(), cause.description());
        }
    }
}

#[test]
fn the_words_of_others_stand_within_the_sentence() {
    let refused = RedisError::from(io::Error::from(io::ErrorKind::ConnectionRefused));
    let error = StoreError::caused_by(StoreErrorKind::Unreachable, refused);
    assert_eq!(Described(&error).to_string(), "does not answer (connection refused)");
    assert_eq!(Described(&reply("ERR what")).to_string(), "refuses to count (ResponseError: what)");
}
