//! What operators get wrong about proxies, said once each.

use std::net::IpAddr;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use super::ForwardingHeader;
use super::header::{FORWARDED, X_FORWARDED_FOR};
use crate::domain::network::Network;
use crate::http::request::RequestHead;

/// The fields that proxies send unasked.
const FORWARDING: [&str; 3] = [X_FORWARDED_FOR, FORWARDED, "x-real-ip"];

/// The fields that say where a request comes from, where nobody is trusted to say it.
#[derive(Debug)]
pub(super) struct Unread {
    /// The one that is configured, where it is none of [`FORWARDING`].
    other: Option<ForwardingHeader>,
    was_said: Once,
}

impl Unread {
    /// `header`, and what proxies send unasked.
    pub(super) fn of(header: &ForwardingHeader) -> Self {
        let is_other = !FORWARDING.contains(&header.name());
        Self { other: is_other.then(|| header.clone()), was_said: Once::new() }
    }

    /// Says so if `peer`, who is not trusted, sent one of them.
    pub(super) fn note(&self, peer: IpAddr, request: &impl RequestHead) {
        if self.was_said.is_completed() {
            return;
        }
        let mut names =
            FORWARDING.into_iter().chain(self.other.as_ref().map(ForwardingHeader::name));
        if let Some(name) = names.find(|name| request.lines(name).next().is_some()) {
            self.was_said.call_once(|| untrusted(peer, name));
        }
    }
}

#[cold]
fn untrusted(peer: IpAddr, name: &str) {
    log::warn!(
        "A request from {peer} has {name}, which is not read: that is no trusted proxy. If it is your \
         proxy, all of its clients share one quota until client_ip.trusted_proxies lists it; if it is \
         a client, nothing is wrong."
    );
}

/// Says that `network`, which everyone is in, is trusted.
pub(super) fn everyone(network: Network) {
    log::warn!(
        "client_ip.trusted_proxies has {network}: everyone is trusted to say which address they are \
         counted by, and so has a fresh quota for each. List your proxies alone."
    );
}

/// Says that trusted proxies never send `header`, `peer` being the last of them; none over a Unix
/// socket.
#[cold]
pub(super) fn silent(peer: Option<IpAddr>, header: &ForwardingHeader) {
    let peer = peer.map_or_else(|| "the Unix socket".to_owned(), |address| address.to_string());
    log::warn!(
        "{TOO_LONG} requests came from trusted proxies without {header}, the last from {peer}, and \
         none with it: their clients share one quota. Let the proxy set that field, or name in \
         client_ip.header the one that it sets."
    );
}

/// So many requests without the field are no chance any more, nor health checks before the first client.
const TOO_LONG: u32 = 100;

/// The value of a silence that was broken.
const ENDED: u32 = u32::MAX;

/// How many requests a trusted proxy sent without ever sending the field.
#[derive(Debug, Default)]
pub(super) struct Silence(AtomicU32);

impl Silence {
    /// The field came: it is sent at least sometimes.
    pub(super) fn end(&self) {
        // Read first, so that requests do not fight over it.
        if self.0.load(Ordering::Relaxed) != ENDED {
            self.0.store(ENDED, Ordering::Relaxed);
        }
    }

    /// One more request without it; true once, for the one that is too many.
    pub(super) fn goes_on_too_long(&self) -> bool {
        let next = |requests| (requests < TOO_LONG).then(|| requests + 1);
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        before == Ok(TOO_LONG - 1)
    }
}
