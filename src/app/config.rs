//! What operators set: [`load`] reads a [`Config`] from files, the environment and the command
//! line, and reports everything that is wrong with them at once.
//!
//! `config.toml` at the root of the repository lists every option with its default, its unit and its
//! reason.

pub(crate) use self::error::ConfigErrors;
pub(crate) use self::host::HostName;
pub(crate) use self::layers::{Sources, TOKEN_VARIABLE};
pub(crate) use self::listen::Listen;
pub(crate) use self::load::{RawConfig, load};
pub(crate) use self::option_value::OptionValue;
pub(crate) use self::options::{
    AdminOptions, AuthOptions, ClientEntries, ClientIpOptions, Config, DescriptorOptions,
    GateOptions, JwtOptions, LogFormat, RouteOptions, StoreOptions,
};
pub(crate) use self::places::Places;
pub(crate) use self::resolve::DEFAULT_SLOT;
pub(crate) use self::server::ConnectionLimits;
pub(crate) use self::store_url::StoreUrl;
pub(crate) use self::words::key_of;

mod access;
mod error;
mod file;
mod host;
mod layers;
mod leaf;
mod listen;
mod load;
mod option_value;
mod options;
mod origin;
mod places;
mod resolve;
mod section;
mod server;
mod service_link;
mod store_url;
mod toml;
mod words;

#[cfg(test)]
mod tests;
