//! The limits of connections, which metrics and the log count by setting.

/// A limit of connections, named after the setting that sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    HeaderTimeout,
    BodyTimeout,
    KeepAlive,
    WriteTimeout,
    MaxConnectionAge,
    MaxHeadBytes,
    MaxHeaders,
    MaxBodyBytes,
    MaxConnections,
    MaxConnectionsPerIp,
    ShutdownTimeout,
    ProxyProtocol,
}

impl Limit {
    pub(crate) const ALL: [Self; 12] = [
        Self::HeaderTimeout,
        Self::BodyTimeout,
        Self::KeepAlive,
        Self::WriteTimeout,
        Self::MaxConnectionAge,
        Self::MaxHeadBytes,
        Self::MaxHeaders,
        Self::MaxBodyBytes,
        Self::MaxConnections,
        Self::MaxConnectionsPerIp,
        Self::ShutdownTimeout,
        Self::ProxyProtocol,
    ];

    /// The setting under `[server]` or `[gate]`.
    pub(crate) fn setting(self) -> &'static str {
        match self {
            Self::HeaderTimeout => "header_timeout_ms",
            Self::BodyTimeout => "body_timeout_ms",
            Self::KeepAlive => "keep_alive_ms",
            Self::WriteTimeout => "write_timeout_ms",
            Self::MaxConnectionAge => "max_connection_age_ms",
            Self::MaxHeadBytes => "max_head_bytes",
            Self::MaxHeaders => "max_headers",
            Self::MaxBodyBytes => "max_body_bytes",
            Self::MaxConnections => "max_connections",
            Self::MaxConnectionsPerIp => "max_connections_per_ip",
            Self::ShutdownTimeout => "shutdown_timeout_ms",
            Self::ProxyProtocol => "proxy_protocol",
        }
    }
}
