//! The app: the command `tollgate`, its configuration, and the server that it runs.
//!
//! This module is not part of the library's interface: the binary and the tests use it.

mod auth;
pub mod cli;
pub mod config;
mod connections;
mod doctor;
mod endpoints;
mod operators;
mod serve;
