//! `tollgate import`: turns the configuration of another rate limiter into one of Tollgate, and says what of it has no
//! counterpart.

pub(crate) use self::converted::converted;
pub(crate) use self::error::ImportError;
pub(crate) use self::ratelimit_yaml::RatelimitConfig;
pub(crate) use self::toml_text::text;

mod converted;
mod error;
mod names;
mod ratelimit_yaml;
mod toml_text;

#[cfg(test)]
mod tests;
