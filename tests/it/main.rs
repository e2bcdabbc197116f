//! The integration tests, in one binary so that they link once.

mod histories; // random histories of requests under random policies
mod model; // what every store has to decide, slow and obvious
