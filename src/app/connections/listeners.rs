use std::sync::Arc;

use super::registry::Connections;

/// The connections of each listener.
#[derive(Clone, Debug)]
pub(crate) struct Listeners {
    /// Of the listener for clients.
    pub(crate) app: Arc<Connections>,
    /// Of the listener for operators.
    pub(crate) admin: Arc<Connections>,
    /// Of the listener for proxies and other servers.
    pub(crate) gate: Arc<Connections>,
}
