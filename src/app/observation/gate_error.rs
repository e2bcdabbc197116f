//! Why the gate cannot answer a question: a [`GateError`].

/// The door through which proxies ask.
pub(crate) const FORWARD_AUTH: &str = "forward-auth";

/// The door through which servers ask.
pub(crate) const CHECK: &str = "check";

/// The door through which Envoy's rate limit service is asked.
pub(crate) const ENVOY: &str = "envoy";

/// Why the gate cannot answer a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GateError {
    /// It does not name the proxy that asks.
    Proxy,
    /// The peer may not ask.
    Peer,
    /// It does not give the method of the client's request.
    Method,
    /// It does not give the path of the client's request.
    Uri,
    /// It does not give the address of the client.
    Address,
    /// The body of a check is not what was expected.
    Check,
    /// The body of a refund is not what was expected.
    Refund,
    /// The body of a report is not what was expected.
    Report,
    /// A request of Envoy cannot be decided.
    RateLimit,
}

impl GateError {
    pub(crate) const ALL: [Self; 9] = [
        Self::Proxy,
        Self::Peer,
        Self::Method,
        Self::Uri,
        Self::Address,
        Self::Check,
        Self::Refund,
        Self::Report,
        Self::RateLimit,
    ];

    /// The door through which the question came, as a label.
    pub(crate) fn door(self) -> &'static str {
        match self {
            Self::Proxy | Self::Peer | Self::Method | Self::Uri | Self::Address => FORWARD_AUTH,
            Self::Check => CHECK,
            Self::Refund => "refund",
            Self::Report => "report",
            Self::RateLimit => ENVOY,
        }
    }

    /// Its name as a label.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Peer => "peer",
            Self::Method => "method",
            Self::Uri => "uri",
            Self::Address => "address",
            Self::Check | Self::Refund | Self::Report => "body",
            Self::RateLimit => "request",
        }
    }
}
