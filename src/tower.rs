//! The door for services on tower: axum, tonic, hyper.

pub use self::body::ResponseBody;
pub use self::layer::RateLimitLayer;
pub use self::service::RateLimitService;

mod adapter;
mod answering;
mod body;
mod grpc;
mod held_body;
mod layer;
mod service;
mod settings;

#[cfg(test)]
mod tests;
