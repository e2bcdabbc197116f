//! The mistakes in a URL of a Redis, each with a sentence of its own. No sentence repeats a part of the
//! URL, because that may be a part of a password.

use std::fmt;

/// A text that is not the URL of a Redis. It does not carry the text, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisUrlError {
    pub(super) mistake: Mistake,
    /// The correct form of a URL of that scheme.
    pub(super) form: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    /// White space or a control character. URL parsers silently drop them.
    Blank,
    /// No `//` after the scheme.
    NoSlashes,
    /// A URL with TLS, in a build without TLS.
    NoTls,
    /// An `@` after the host: a `/`, `?` or `#` before it ended the password early.
    BareCharacter,
    TwoAts,
    NoPassword,
    /// A `%XX` that does not decode to text.
    NotText,
    NoHost,
    NotAHost,
    /// Several hosts in a URL of one server.
    SeveralHosts,
    Colons,
    Brackets,
    /// A wildcard address, which is only for listening.
    Wildcard,
    Port,
    Database,
    DatabaseOfCluster,
    NoName,
    Name,
    RelativePath,
    Insecure,
    Fragment,
    Protocol,
    /// An unknown option. The text names the known ones.
    Option(&'static str),
}

impl Mistake {
    fn message(self) -> &'static str {
        match self {
            Self::Blank => {
                "there is white space in it: in a name or a password, a space is written %20"
            }
            Self::NoSlashes => "two slashes follow the scheme",
            Self::NoTls => {
                "this is built without TLS: take a build with the feature `tls`, or a URL without"
            }
            Self::BareCharacter => "a name or a password in it has a character that ends it",
            Self::TwoAts => {
                "there is more than one '@': user and password stand once, before the first host, \
                 and in them '@' is written %40"
            }
            Self::NoPassword => {
                "there is no password: write user:password, :password for the default user, or neither"
            }
            Self::NotText => "what a '%' in it stands for is not UTF-8: '%' itself is written %25",
            Self::NoHost => "a host is missing",
            Self::NotAHost => {
                "a host is a name of letters, digits, '-', '_' and '.', an IPv4 address, or an IPv6 \
                 address in brackets"
            }
            Self::SeveralHosts => {
                "it names several hosts: a cluster is redis+cluster://host:port,host:port, and \
                 sentinels are redis+sentinel://host:port,host:port/name"
            }
            Self::Colons => {
                "there is more than one ':' in a host and its port: an IPv6 address stands in \
                 brackets, as in [::1]:6379"
            }
            Self::Brackets => {
                "what stands in brackets is not an IPv6 address: write it as in [::1]:6379"
            }
            Self::Wildcard => {
                "0.0.0.0 and [::] are addresses to listen on, not to connect to: name the host"
            }
            Self::Port => "a port is a number from 1 to 65535",
            Self::Database => {
                "a database is a number from 0 to 2147483647, and nothing follows it in the path"
            }
            Self::DatabaseOfCluster => {
                "nothing follows the hosts of a cluster: it has but one database, 0"
            }
            Self::NoName => {
                "the name by which the sentinels know the primary is missing: it follows the hosts"
            }
            Self::Name => {
                "the name of a primary has ASCII letters, digits, '-', '_', '.' and ':' alone"
            }
            Self::RelativePath => {
                "the path of a socket begins with '/', so three slashes follow the scheme; user, \
                 password and database come after it, as options"
            }
            Self::Insecure => {
                "#insecure is not taken, as certificates are always verified: to trust an \
                 authority of your own, set store.tls.ca_file"
            }
            Self::Fragment => {
                "nothing may stand behind a '#': in a name or a password, it is written %23"
            }
            Self::Protocol => "protocol is resp2 or resp3",
            Self::Option(taken) => taken,
        }
    }

    /// Whether its sentence is enough without the correct form.
    fn needs_no_form(self) -> bool {
        use Mistake::{
            Blank, Brackets, Colons, Fragment, Insecure, NoTls, NotText, Protocol, SeveralHosts,
            Wildcard,
        };
        matches!(
            self,
            Blank
                | Brackets
                | Colons
                | Fragment
                | Insecure
                | NoTls
                | NotText
                | Protocol
                | SeveralHosts
                | Wildcard
        )
    }
}

impl fmt::Display for RedisUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mistake.message())?;
        if !self.mistake.needs_no_form() {
            write!(f, "; expected {}", self.form)?;
        }
        if self.mistake == Mistake::BareCharacter {
            f.write_str(
                ", all but the place optional; in names and passwords, characters such as \
                 @ : / ? # and % are written %40 %3A %2F %3F %23 and %25",
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for RedisUrlError {}
