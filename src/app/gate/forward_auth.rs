//! Forward-auth: a proxy asks, before it passes a request on, whether the request may pass.
//!
//! The proxy describes the request of its client in header fields, or in the path of its own request. The answer is
//! 200 with the fields for the client, or the refusal that the client is to get.

pub(super) use self::endpoint::decide;

mod answer;
mod endpoint;
mod mistake;
mod proxy;
mod question;
