//! Warnings about proxies that are configured wrongly, each logged once.

use std::net::IpAddr;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use super::ForwardingHeader;
use super::header::{FORWARDED, X_FORWARDED_FOR};
use crate::domain::network::Network;
use crate::http::request::RequestHead;

/// The fields that proxies send by default.
const FORWARDING: [&str; 3] = [X_FORWARDED_FOR, FORWARDED, "x-real-ip"];

/// Watches for forwarding fields from peers that are not trusted.
#[derive(Debug)]
pub(super) struct Unread {
    /// The configured field, if it is not one of [`FORWARDING`].
    other: Option<ForwardingHeader>,
    was_said: Once,
}

impl Unread {
    /// Watches for `header` and for the fields that proxies send by default.
    pub(super) fn of(header: &ForwardingHeader) -> Self {
        let is_other = !FORWARDING.contains(&header.name());
        Self { other: is_other.then(|| header.clone()), was_said: Once::new() }
    }

    /// Warns if `peer`, which is not trusted, sent one of the fields.
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

/// Warns that `network`, which holds every address, is trusted.
pub(super) fn everyone(network: Network) {
    log::warn!(
        "client_ip.trusted_proxies has {network}: everyone is trusted to say which address they are \
         counted by, and so has a fresh quota for each. List your proxies alone."
    );
}

/// Warns that trusted proxies never send `header`. `peer` is the last of them, or `None` on a Unix socket.
#[cold]
pub(super) fn silent(peer: Option<IpAddr>, header: &ForwardingHeader) {
    let peer = peer.map_or_else(|| "the Unix socket".to_owned(), |address| address.to_string());
    log::warn!(
        "{TOO_LONG} requests came from trusted proxies without {header}, the last from {peer}, and \
         none with it: their clients share one quota. Let the proxy set that field, or name in \
         client_ip.header the one that it sets."
    );
}

/// This many requests without the field are neither chance nor health checks before the first client.
const TOO_LONG: u32 = 100;

/// The count once the field was seen.
const ENDED: u32 = u32::MAX;

/// How many requests a trusted proxy sent without ever sending the field.
#[derive(Debug, Default)]
pub(super) struct Silence(AtomicU32);

impl Silence {
    /// Notes that the field was sent.
    pub(super) fn end(&self) {
        // Reading first avoids contention between requests.
        if self.0.load(Ordering::Relaxed) != ENDED {
            self.0.store(ENDED, Ordering::Relaxed);
        }
    }

    /// Counts a request without the field. Returns true once, when there are too many.
    pub(super) fn goes_on_too_long(&self) -> bool {
        let next = |requests| (requests < TOO_LONG).then(|| requests + 1);
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        before == Ok(TOO_LONG - 1)
    }
}
