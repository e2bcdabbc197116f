//! Reads a whole configuration.

use super::error::ConfigErrors;
use super::layers;
use super::layers::Sources;
use super::options::Config;
use super::resolve;

/// Reads a configuration. It reads the files that it names, and touches nothing else.
///
/// # Errors
/// With every error in any layer, if there is one.
pub(crate) fn load(sources: &Sources) -> Result<Config, ConfigErrors> {
    let (tables, errors) = layers::read(sources);
    resolve::config(tables, errors)
}
