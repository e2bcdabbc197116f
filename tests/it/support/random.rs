//! Properties over random inputs, each run from another seed, which a failure prints.

use std::cell::RefCell;
use std::fmt::Debug;
use std::hash::{BuildHasher as _, RandomState};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

/// Holds `test` against `cases` inputs of `strategy`, numbered from 1.
pub(crate) fn for_all<T: Debug>(
    cases: u32,
    strategy: impl Strategy<Value = T>,
    test: impl FnMut(u64, T) -> Result<(), TestCaseError>,
) {
    let seed = seed();
    let config = Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    };
    let test = RefCell::new((0, test));
    let held = TestRunner::new(config).run(&strategy, |input| {
        let (number, test) = &mut *test.borrow_mut();
        *number += 1;
        test(*number, input)
    });
    if let Err(failure) = held {
        panic!("seed {seed}: {failure}");
    }
}

/// Another number on each call.
pub(crate) fn seed() -> u64 {
    RandomState::new().hash_one("seed")
}
