//! HTTP without a framework: header fields, refusals, and whose request it is.

pub use self::client_ip::{ClientIp, ForwardingHeader, ForwardingHeaderError};
pub use self::fields::{HeaderFormat, HeaderFormatError, XRateLimitReset};
pub use self::identity::User;
pub use self::refusals::{RefusalBodies, RefusalError, Refusals};
pub use self::request::RequestHead;

pub(crate) mod accept;
pub(crate) mod answers;
pub(crate) mod client_ip;
pub(crate) mod fields;
pub(crate) mod identity;
#[cfg(any(feature = "actix", feature = "tower"))]
pub(crate) mod preflight;
pub(crate) mod problem;
pub(crate) mod refusals;
pub(crate) mod request;
#[cfg(any(feature = "actix", feature = "tower"))]
pub(crate) mod request_id;
pub(crate) mod response;
