//! What is said of each cause.

use super::kind::Cause;

impl Cause {
    /// Its name in the status: a few words that never change.
    pub(crate) fn name(self) -> &'static str {
        self.row().1
    }

    /// What it says of the server, to follow "it".
    pub(crate) fn description(self) -> &'static str {
        self.row().2
    }

    /// What to do about it, in full sentences.
    pub(crate) fn remedy(self) -> &'static str {
        self.row().3
    }

    /// The cause whose [`code`](Cause::code) this is.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        TABLE.get(usize::from(code.checked_sub(1)?)).map(|row| row.0)
    }

    fn row(self) -> &'static (Self, &'static str, &'static str, &'static str) {
        &TABLE[self as usize]
    }
}

/// Each [`Cause`], in their order, with its name, its description and its remedy.
pub(super) const TABLE: [(Cause, &str, &str, &str); 38] = {
    use Cause::*;
    [
        (
            Unreachable,
            "unreachable",
            "does not answer",
            "Start it, or correct store.url, and see whether a firewall lies between.",
        ),
        (
            Lost,
            "connection lost",
            "does not answer (connections are lost)",
            "See its log for why it closes connections, and whether it takes only those with TLS, or without.",
        ),
        (
            Silent,
            "timed out",
            "does not answer (timed out)",
            "See whether it hangs, or raise store.timeout_ms if it is that far away.",
        ),
        (
            Slow,
            "too slow",
            "does not answer in time",
            "See what keeps it busy (SLOWLOG GET), or raise store.timeout_ms.",
        ),
        (
            Password,
            "wrong password",
            "refuses to count (user or password are wrong)",
            "Correct them in store.url.",
        ),
        (
            NoPassword,
            "no password",
            "refuses to count (it wants a password)",
            "Put user and password into store.url.",
        ),
        (
            Loading,
            "loading",
            "refuses to count (it is loading its data)",
            "Wait: it is taken up when it has loaded them.",
        ),
        (
            Full,
            "out of memory",
            "refuses to count (its memory is full)",
            "Raise its maxmemory or remove keys, and keep maxmemory-policy noeviction.",
        ),
        (
            ReadOnly,
            "read-only replica",
            "refuses to count (it is a read-only replica)",
            "Point store.url at the primary.",
        ),
        (
            NoPrimary,
            "replica without primary",
            "refuses to count (it is a replica that has lost its primary)",
            "Point store.url at the primary.",
        ),
        (
            NotSaved,
            "cannot save",
            "refuses to count (it cannot save, and takes no writes until it can)",
            "See its disk and its log, or set stop-writes-on-bgsave-error to no.",
        ),
        (
            NoReplicas,
            "too few replicas",
            "refuses to count (too few replicas follow it)",
            "See INFO replication, or lower its min-replicas-to-write.",
        ),
        (
            Busy,
            "busy with a script",
            "refuses to count (a script of somebody else keeps it busy)",
            "End that script with SCRIPT KILL.",
        ),
        (
            Clients,
            "too many clients",
            "refuses to count (it has too many clients)",
            "Raise its maxclients, or see who holds connections (CLIENT LIST).",
        ),
        (
            Cluster,
            "cluster",
            "refuses to count (it is a node of a cluster)",
            "Write store.url as redis+cluster://, with some of its nodes.",
        ),
        (
            ClusterDown,
            "cluster down",
            "refuses to count (its cluster is down)",
            "See CLUSTER INFO: every slot needs a node, and most primaries must reach each other.",
        ),
        (
            NoCluster,
            "no cluster",
            "refuses to count (it is no node of a cluster)",
            "Write store.url as redis://, with that one server.",
        ),
        (
            Database,
            "no such database",
            "refuses to count (it has no database of that number)",
            "Correct the number at the end of store.url: CONFIG GET databases says how many there are.",
        ),
        (
            Command,
            "missing command",
            "refuses to count (it does not know a command)",
            "See rename-command in its configuration, and that it is a Redis: `tollgate doctor` says what is missing.",
        ),
        (
            Unnamed,
            "no primary named",
            "does not answer (no sentinel names a server that is the primary)",
            "Wait for the failover to end, or correct the name in store.url: see SENTINEL MASTERS.",
        ),
        (
            WithTls,
            "no TLS there",
            "does not answer (it speaks no TLS there)",
            "Write redis:// for rediss:// in store.url, or name a port that takes TLS.",
        ),
        (
            WithoutTls,
            "TLS wanted",
            "does not answer (it takes TLS there, and was asked without)",
            "Write rediss:// for redis:// in store.url, or name a port that takes it plain.",
        ),
        (
            TlsSilent,
            "TLS unanswered",
            "does not answer (it says nothing to a greeting by TLS)",
            "See whether that port takes TLS: to one that does not, write redis://. If it does, see \
             whether it hangs, or raise store.timeout_ms.",
        ),
        (
            TlsUntrusted,
            "certificate not trusted",
            "does not answer (its certificate is of no authority that is trusted)",
            "Put the certificate of its authority, or the server's own, into store.tls.ca_file.",
        ),
        (
            TlsExpired,
            "certificate expired",
            "does not answer (its certificate has expired)",
            "Give it a new one, or set this host's clock if that is wrong.",
        ),
        (
            TlsEarly,
            "certificate not yet valid",
            "does not answer (its certificate is not valid yet)",
            "Correct the clock of this host, or of the host that made the certificate.",
        ),
        (
            TlsName,
            "certificate of another host",
            "does not answer (its certificate is not for the host that was asked)",
            "Name the host in store.url as a subjectAltName of the certificate does, or have one made \
             with that name: -addext subjectAltName=DNS:host, or IP:address.",
        ),
        (
            TlsAuthority,
            "certificate of an authority",
            "does not answer (it shows the certificate of an authority as its own)",
            "Put that very certificate into store.tls.ca_file, or have one made that is not \
             an authority's: -addext basicConstraints=critical,CA:FALSE.",
        ),
        (
            TlsVersion,
            "certificate of version 1",
            "does not answer (its certificate is of X.509 version 1, which has no names of hosts)",
            "Have one made of version 3: openssl x509 -req does with -extfile, and \
             subjectAltName=DNS:host or IP:address in that file.",
        ),
        (
            TlsPurpose,
            "certificate not for servers",
            "does not answer (its certificate is not for servers)",
            "Have one made with serverAuth in its extendedKeyUsage, or without that.",
        ),
        (
            TlsForm,
            "certificate not taken",
            "does not answer (its certificate is of a kind that is not taken)",
            "Have one made with RSA of 2048 bits or more, ECDSA or Ed25519, and signed with SHA-256 or \
             better.",
        ),
        (
            TlsUnshown,
            "client certificate wanted",
            "does not answer (it wants a certificate of its clients)",
            "Set store.tls.cert_file and store.tls.key_file, or tls-auth-clients no at the server.",
        ),
        (
            TlsRefused,
            "client certificate refused",
            "does not answer (it does not take the certificate that it is shown)",
            "See that store.tls.cert_file is of today and of an authority in the server's \
             tls-ca-cert-file, with those in between.",
        ),
        (
            TlsTerms,
            "no TLS in common",
            "does not answer (it agrees to no version or cipher of TLS)",
            "Have it take TLS 1.2 or 1.3 with AES-GCM or ChaCha20. If it wants a certificate of its \
             clients, set store.tls.cert_file and store.tls.key_file.",
        ),
        (
            Tls,
            "TLS failed",
            "does not answer (TLS cannot be agreed on)",
            "See the server's log for its side of it, and what store.tls trusts and shows.",
        ),
        (
            Permission,
            "missing permission",
            "refuses to count (its user may not run a command, or not on these keys)",
            "Give the user the permissions that the documentation lists; `tollgate doctor` says which are missing.",
        ),
        (
            Time,
            "no TIME in scripts",
            "refuses to count (scripts may not call TIME)",
            "Give its user +time, or take a server whose scripts may.",
        ),
        (Other, "error", "refuses to count", "Run `tollgate doctor`, which looks for the reason."),
    ]
};
