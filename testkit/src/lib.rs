//! Fixtures of the tests and of the load harness: what they start and look into.
//!
//! Everything here ends with the value that stands for it. What goes wrong in a fixture is no
//! result of a test: all of it panics, and says what the process printed.

#![allow(
    clippy::must_use_candidate,
    clippy::new_without_default,
    reason = "whoever starts something for its effect would have to say so"
)]

pub mod certificates;
pub mod child;
pub mod cluster;
pub mod conversation;
pub mod http;
pub mod jwks;
mod output;
pub mod port;
pub mod process;
pub mod procfs;
pub mod proxy;
pub mod raw;
pub mod redis;
pub mod response;
pub mod sentinels;
pub mod threads;
