//! The app: the command `tollgate`, its configuration, and the server that it runs.
//!
//! This module is no part of the library's interface: only the binary and the tests use it.

mod access_log;
mod assemble;
mod auth;
mod check;
pub mod cli;
mod coarse_clock;
mod config;
mod connections;
mod doctor;
mod endpoints;
mod error;
mod gate;
mod import;
mod observation;
mod operators;
mod reload;
mod serve;
mod server_tls;
mod service_manager;
mod simulate;
mod suggest;
