//! The configuration of Envoy's own rate limit service, in YAML.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::{Options, from_str_with_options};

use super::error::ImportError;

/// The configuration in one file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RatelimitConfig {
    /// The name of the file.
    #[serde(skip)]
    pub(super) file: String,
    pub(super) domain: String,
    #[serde(default)]
    pub(super) descriptors: Vec<Node>,
}

/// One entry of descriptors, and what follows it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Node {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: Option<String>,
    #[serde(default)]
    pub(super) rate_limit: Option<RateLimit>,
    #[serde(default)]
    pub(super) descriptors: Vec<Node>,
    #[serde(default)]
    pub(super) shadow_mode: bool,
    #[serde(default)]
    pub(super) quota_mode: bool,
    #[serde(default)]
    pub(super) share_threshold: bool,
    #[serde(default)]
    pub(super) detailed_metric: bool,
    #[serde(default)]
    pub(super) value_to_metric: bool,
    #[serde(default)]
    pub(super) metadata: Option<IgnoredAny>,
}

/// The limit of descriptors that end here.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RateLimit {
    pub(super) unit: Option<String>,
    pub(super) requests_per_unit: u32,
    pub(super) unlimited: bool,
    pub(super) name: Option<String>,
    pub(super) replaces: Vec<Replaced>,
}

/// The name of a limit that is replaced.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replaced {
    pub(super) name: String,
}

impl RatelimitConfig {
    /// Reads `text`, which is that of `file`.
    ///
    /// # Errors
    /// If it is no such configuration.
    pub(crate) fn read(file: &str, text: &str) -> Result<Self, ImportError> {
        let options: Options = serde_saphyr::options! { with_snippet: false };
        let config: Self =
            from_str_with_options(text, options).map_err(|error| ImportError::yaml(file, error))?;
        if config.domain.is_empty() {
            return Err(ImportError::invalid(file, "the domain is empty"));
        }
        Ok(Self { file: file.to_owned(), ..config })
    }
}
