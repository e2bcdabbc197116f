//! The door for apps on actix-web.

pub use self::rate_limit::RateLimit;

pub(crate) mod adapter;
mod answering;
pub(crate) mod held_body;
pub(crate) mod rate_limit;
