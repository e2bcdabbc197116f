//! Envoy's messages and its service, generated from the `.proto` files in `proto`. A test generates them anew and compares.

#![allow(
    unreachable_pub,
    clippy::must_use_candidate,
    clippy::uninlined_format_args,
    reason = "generated code"
)]

pub(crate) use self::envoy::config::core::v3::HeaderValue;
pub(crate) use self::envoy::extensions::common::ratelimit::v3::RateLimitDescriptor;
#[allow(unused_imports, reason = "clients write entries")]
pub(crate) use self::envoy::extensions::common::ratelimit::v3::rate_limit_descriptor::{
    Entry, RateLimitOverride,
};
pub(crate) use self::envoy::service::ratelimit::v3::rate_limit_response::rate_limit::Unit;
pub(crate) use self::envoy::service::ratelimit::v3::rate_limit_response::{
    Code, DescriptorStatus, RateLimit,
};
pub(crate) use self::envoy::service::ratelimit::v3::rate_limit_service_server::{
    RateLimitService, RateLimitServiceServer,
};
pub(crate) use self::envoy::service::ratelimit::v3::{RateLimitRequest, RateLimitResponse};
pub(crate) use self::envoy::r#type::v3::RateLimitUnit;

/// All messages and services, for whoever asks what can be called.
pub(crate) const DESCRIPTORS: &[u8] = include_bytes!("generated/descriptors.bin");

// Each module has the name of a package, by which the code of one package finds another.
mod envoy {
    pub mod config {
        pub mod core {
            pub mod v3 {
                include!("generated/envoy.config.core.v3.rs");
            }
        }
    }
    pub mod extensions {
        pub mod common {
            pub mod ratelimit {
                pub mod v3 {
                    include!("generated/envoy.extensions.common.ratelimit.v3.rs");
                }
            }
        }
    }
    pub mod service {
        pub mod ratelimit {
            pub mod v3 {
                include!("generated/envoy.service.ratelimit.v3.rs");
            }
        }
    }
    pub mod r#type {
        pub mod v3 {
            include!("generated/envoy.r#type.v3.rs");
        }
    }
}
