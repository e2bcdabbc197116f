use std::borrow::Cow;

use super::observer::AskedBy;
use super::policies::Policies;
#[cfg(doc)]
use super::{Limiter, LimiterBuilder};
use crate::domain::client::Client;
#[cfg(doc)]
use crate::domain::decision::Decision;
use crate::domain::quota::Cost;

/// A request, as a door shows it to [`Limiter::admit`].
///
/// The limiter asks only for what it needs. It does not ask for the client of a request that nothing limits.
pub trait Incoming {
    /// The method, in upper case, such as `GET`.
    fn method(&self) -> &str;

    /// The path, decoded as the application's router decodes it. Otherwise an encoded letter bypasses the limit.
    fn path(&self) -> &str;

    /// Calls `ask` with the client of the request, and returns its result.
    fn with_client<T>(&self, ask: impl FnOnce(&Client<'_>) -> T) -> T;

    /// Whether it passes uncounted, unless its client is blocked.
    fn is_skipped(&self) -> bool {
        false
    }

    /// Whether it is a CORS preflight: see [`pass_preflights`](super::LimiterBuilder::pass_preflights).
    fn is_preflight(&self) -> bool {
        false
    }

    /// Whether only the decision is asked for: then nothing is charged, and the
    /// [`Observer`](crate::Observer) learns nothing.
    fn is_dry_run(&self) -> bool {
        false
    }

    /// Whether the decision is to have a [`receipt`](Decision::receipt), by which its charges can be given back.
    fn wants_receipt(&self) -> bool {
        false
    }

    /// Whether the door learns when the request ends, and holds the [`Slots`](crate::Slots) of the decision until then.
    fn holds_slots(&self) -> bool {
        true
    }

    /// Whether whoever asks will [settle](Limiter::settle) what is charged. A decision by outcome then has a receipt.
    fn settles(&self) -> bool {
        false
    }

    /// The policies of the request, instead of those of its route.
    fn policies(&self) -> Option<&Policies> {
        None
    }

    /// Its cost, instead of that of its route.
    fn cost(&self) -> Option<Cost> {
        None
    }

    /// The door through which it came, for the [`Observer`](crate::Observer). There are few doors, since
    /// metrics are labelled with them.
    fn door(&self) -> &'static str {
        AskedBy::LIBRARY
    }

    /// The ID by which logs name the request, if somebody who is trusted gave it one. It is shown as it is, so it
    /// must be short and of visible ASCII characters. It is only asked for if the
    /// [`Observer`](crate::Observer) wants it.
    fn request_id(&self) -> Option<Cow<'_, str>> {
        None
    }
}
