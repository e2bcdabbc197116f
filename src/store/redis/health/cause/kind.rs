//! The causes.

/// Why calls fail, as far as their errors tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Unreachable,
    Lost,
    Silent,
    Slow,
    Password,
    NoPassword,
    Loading,
    Full,
    ReadOnly,
    NoPrimary,
    NotSaved,
    NoReplicas,
    Busy,
    Clients,
    Cluster,
    ClusterDown,
    NoCluster,
    Database,
    Command,
    Unnamed,
    WithTls,
    WithoutTls,
    TlsSilent,
    TlsUntrusted,
    TlsExpired,
    TlsEarly,
    TlsName,
    TlsAuthority,
    TlsVersion,
    TlsPurpose,
    TlsForm,
    TlsUnshown,
    TlsRefused,
    TlsTerms,
    Tls,
    Permission,
    Time,
    Other,
}

impl Cause {
    /// Whether its description should be followed by the words of the error.
    pub(super) fn needs_details(self) -> bool {
        use Cause::{Other, Tls, TlsForm, TlsName, TlsRefused, TlsTerms, Unreachable};
        matches!(self, Unreachable | Other | Tls | TlsForm | TlsName | TlsRefused | TlsTerms)
    }

    /// Its number, for an atomic. It is never 0.
    pub(crate) fn code(self) -> u8 {
        self as u8 + 1
    }
}
