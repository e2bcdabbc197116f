//! One bare `EVALSHA` round trip, which no limiter over Redis can be faster than.

use std::time::Instant;

use crate::result::Result;
use crate::script::{INCR, WINDOW_MS};
use crate::stats::median;

/// So many, that the median is steady.
pub(crate) const CALLS: u32 = 5_000;

const KEYS: u32 = 1_000;

/// The median round trip in microseconds of so many calls, over keys that are there already for the
/// most part if these are many.
pub(crate) fn round_trip(url: &str, calls: u32) -> Result<f64> {
    let mut connection = redis::Client::open(url)?.get_connection()?;
    INCR.load(&mut connection)?;
    let mut times = Vec::new();
    let key = |number: u32| format!("bare:{}", number % KEYS);
    for call in 0..calls {
        let mut step = INCR.prepare_invoke();
        step.key(key(call)).arg(1_000_000).arg(WINDOW_MS);
        let begun = Instant::now();
        let _: Option<bool> = step.invoke(&mut connection)?;
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    // They are none of the keys that are measured.
    let keys: Vec<String> = (0..KEYS).map(key).collect();
    redis::cmd("DEL").arg(keys).exec(&mut connection)?;
    Ok(median(&times))
}
