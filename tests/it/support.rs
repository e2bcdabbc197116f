//! Fixtures: what a test starts and looks into. Everything here ends with the test that holds it.

pub(crate) mod certificates;
pub(crate) mod child;
pub(crate) mod cluster;
pub(crate) mod conversation;
pub(crate) mod http;
pub(crate) mod jwks;
pub(crate) mod output;
pub(crate) mod port;
// A fixture may be ahead of the tests that use it.
#[allow(dead_code)]
pub(crate) mod process;
pub(crate) mod procfs;
pub(crate) mod proxy;
pub(crate) mod random;
pub(crate) mod raw;
pub(crate) mod redis;
pub(crate) mod sentinels;
pub(crate) mod stores;
pub(crate) mod threads;
pub(crate) mod traffic;
