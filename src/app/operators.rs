//! What operators and their tools ask, on an address of its own that clients do not reach.

pub(crate) use self::admin_state::AdminState;
pub(crate) use self::api::limits;
pub(crate) use self::endpoints::configure;
pub(crate) use self::store_watch::StoreWatch;

mod admin_state;
mod api;
mod endpoints;
mod live;
mod metrics;
mod page;
mod readiness;
mod store_watch;
