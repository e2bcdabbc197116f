//! Why a question has no answer: a [`Mistake`].

use std::fmt;

use super::proxy::PROXIES;
use crate::app::observation::GateError;

/// What is wrong with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    /// The query does not name the proxy.
    Proxy,
    /// The path of the endpoint ends with a slash.
    Slash,
    /// Envoy passes no path on.
    NoPath,
    /// The peer is no trusted proxy.
    Peer,
    /// A field that describes the client's request cannot be used.
    Field(Field, Fault),
}

/// A field that describes the client's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Method,
    Uri,
    Address,
}

/// Why a field cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Missing,
    Repeated,
    Malformed,
}

impl Mistake {
    /// What is counted of it.
    pub(super) fn counted_as(self) -> GateError {
        match self {
            Self::Proxy | Self::Slash => GateError::Proxy,
            Self::Peer => GateError::Peer,
            Self::Field(Field::Method, _) => GateError::Method,
            Self::NoPath | Self::Field(Field::Uri, _) => GateError::Uri,
            Self::Field(Field::Address, _) => GateError::Address,
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proxy => {
                f.write_str("the query does not name one proxy: expected proxy=")?;
                for (index, (name, _)) in PROXIES.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { ", " })?;
                    f.write_str(name)?;
                }
                Ok(())
            }
            Self::Slash => f.write_str("the path ends with a slash: expected /v1/auth"),
            Self::NoPath => f.write_str(
                "there is no path after /v1/auth: expected path_prefix: /v1/auth in Envoy",
            ),
            Self::Peer => f.write_str(
                "only a trusted proxy may ask: expected its address in client_ip.trusted_proxies",
            ),
            Self::Field(field, fault) => {
                write!(f, "{field} {fault}: expected {}", field.expected())
            }
        }
    }
}

impl std::error::Error for Mistake {}

impl Field {
    fn expected(self) -> &'static str {
        match self {
            Self::Method => "the method of the client's request, once, such as GET",
            Self::Uri => "the path of the client's request, once, such as /api/data",
            Self::Address => "the address of the client as the last entry",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "X-Forwarded-Method",
            Self::Uri => "X-Forwarded-Uri",
            Self::Address => "the field of client_ip.header (X-Forwarded-For by default)",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "is missing",
            Self::Repeated => "is there several times",
            Self::Malformed => "is malformed",
        })
    }
}
