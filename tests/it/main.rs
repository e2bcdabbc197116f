//! The integration tests: one binary, one module for each promise.

// 8: both stores decide alike, and as the model does.
mod alike;
// Which module may import which, and how long a file may be.
mod architecture;
// The command: how it ends, what it says, and what it never says.
mod cli;
// The fixtures themselves: they do what tests ask of them.
mod fixtures;
// Random histories of requests under random policies.
mod histories;
// 8: what clients of the app see over HTTP, on both stores.
mod http;
// 1: many clients at once never get more than the quota, nor less.
mod load;
// What every store has to decide, slow and obvious.
mod model;
// Private servers and the running command.
mod support;
