//! Fixtures: what a test starts and looks into. Everything here ends with the test that holds it.

// What knows nothing of the library, which the load harness uses as well.
pub(crate) use tollgate_testkit::{
    certificates, child, cluster, conversation, http, jwks, port, procfs, proxy, raw, redis,
    sentinels, threads,
};

// A fixture may be ahead of the tests that use it.
#[allow(dead_code)]
pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod stores;
pub(crate) mod terminal;
pub(crate) mod traffic;
