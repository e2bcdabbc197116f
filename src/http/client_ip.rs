//! Which address a request comes from, also behind proxies: a [`ClientIp`].

use std::net::IpAddr;
use std::num::NonZeroU8;
use std::sync::Arc;

pub use self::header::{ForwardingHeader, ForwardingHeaderError};
use self::warnings::{Silence, Unread};
use crate::domain::key::canonical;
use crate::domain::network::{Network, Networks};
use crate::http::request::RequestHead;

mod address;
mod header;
mod warnings;

/// Finds the address of the client that a request comes from; cheap to clone.
///
/// Without proxies in front, it is the address of the connection. Behind proxies, it is one of the addresses
/// in a header field that they write. Any client can send that field too. So it is read only if the connection
/// comes from a trusted proxy. It is read from its end, where the nearest proxy wrote, and only as far as
/// trusted proxies wrote it. Parsing stops at the first invalid address: the last valid one is the client's.
///
/// ```
/// use tollgate::ClientIp;
///
/// let client_ip = ClientIp::behind(["10.0.0.0/8".parse()?], "x-forwarded-for".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientIp(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    trust: Trust,
    header: ForwardingHeader,
    unread: Unread,
    /// For proxies without a listed network: those on a Unix socket, or a number of hops.
    silence: Silence,
    /// Whether a trusted proxy that never sends the field is probably configured wrongly.
    expects_field: bool,
}

/// Which senders of the header field are believed.
#[derive(Debug)]
enum Trust {
    Nobody,
    /// These networks. On a Unix socket, also a peer without an address.
    Proxies {
        listed: Networks<Silence>,
        is_unix: bool,
    },
    /// Every sender, for this many addresses.
    Hops(NonZeroU8),
}

impl ClientIp {
    /// Takes the address of the connection, and reads no header field.
    #[must_use]
    pub fn peer() -> Self {
        Self::of(Trust::Nobody, ForwardingHeader::default())
    }

    /// Reads `header` when one of `proxies` sends it. The rightmost address that is not theirs is the client's.
    #[must_use]
    pub fn behind(proxies: impl IntoIterator<Item = Network>, header: ForwardingHeader) -> Self {
        Self::of_proxies(proxies, header, false)
    }

    /// Reads `header` as [`behind`](Self::behind) does, for a server that listens on a Unix socket. Every peer of
    /// the socket is a proxy on this machine; `proxies` are the proxies in front of it.
    ///
    /// Do not use it for a server that also listens on TCP. A TCP connection that its client has reset has no
    /// address either, and would be believed.
    #[must_use]
    pub fn over_unix_socket(
        proxies: impl IntoIterator<Item = Network>,
        header: ForwardingHeader,
    ) -> Self {
        Self::of_proxies(proxies, header, true)
    }

    /// Reads `header` from every peer, for a server that always has this many proxies in front, whatever their
    /// addresses. The address at this position from the end is the client's.
    ///
    /// A client that bypasses one of the proxies can choose the address that it is counted by.
    #[must_use]
    pub fn hops(hops: NonZeroU8, header: ForwardingHeader) -> Self {
        Self::of(Trust::Hops(hops), header)
    }

    /// The address of the client, in canonical form. `None` on a Unix socket without the header field, and if the
    /// connection was reset before its address was read.
    #[must_use]
    pub fn address(&self, request: &impl RequestHead) -> Option<IpAddr> {
        let peer = peer(request);
        let mut client = peer;
        match &self.0.trust {
            Trust::Proxies { listed, .. } if self.is_trusted(peer) => {
                self.note_silence(peer, request);
                for address in self.0.header.addresses(request) {
                    client = Some(address);
                    if !listed.contain(address) {
                        break;
                    }
                }
            }
            Trust::Hops(hops) => {
                self.note_silence(peer, request);
                let addresses = self.0.header.addresses(request);
                client = addresses.take(hops.get().into()).last().or(peer);
            }
            Trust::Nobody | Trust::Proxies { .. } => {
                if let Some(peer) = peer {
                    self.0.unread.note(peer, request);
                }
            }
        }
        client
    }

    /// Whether the connection comes from a trusted proxy, whose header fields may be believed.
    #[must_use]
    pub fn is_from_trusted_proxy(&self, request: &impl RequestHead) -> bool {
        self.is_trusted(peer(request))
    }

    /// Whether a proxy at the address `peer` is listed. Proxies that are only counted are not.
    #[cfg(feature = "server")]
    pub(crate) fn lists(&self, peer: IpAddr) -> bool {
        match &self.0.trust {
            Trust::Proxies { listed, .. } => listed.contain(canonical(peer)),
            Trust::Nobody | Trust::Hops(_) => false,
        }
    }

    /// The same, but without a warning of proxies that never send the field: they say by other means who a client is.
    #[cfg(feature = "server")]
    pub(crate) fn without_expecting_field(self) -> Self {
        match Arc::try_unwrap(self.0) {
            Ok(inner) => Self(Arc::new(Inner { expects_field: false, ..inner })),
            Err(shared) => Self(shared),
        }
    }

    /// The name of the field that it reads, in lower case.
    #[cfg(feature = "server")]
    pub(crate) fn header_name(&self) -> &str {
        self.0.header.name()
    }

    /// Whether the connection comes from a trusted proxy that names at least one address.
    #[cfg(feature = "server")]
    pub(crate) fn is_told(&self, request: &impl RequestHead) -> bool {
        self.is_from_trusted_proxy(request) && self.0.header.addresses(request).next().is_some()
    }

    fn of_proxies(
        proxies: impl IntoIterator<Item = Network>,
        header: ForwardingHeader,
        is_unix: bool,
    ) -> Self {
        let listed = Networks::from_iter(proxies);
        if let Some(all) = listed.everyone() {
            warnings::everyone(all);
        }
        Self::of(Trust::Proxies { listed, is_unix }, header)
    }

    fn of(trust: Trust, header: ForwardingHeader) -> Self {
        let unread = Unread::of(&header);
        Self(Arc::new(Inner {
            trust,
            header,
            unread,
            silence: Silence::default(),
            expects_field: true,
        }))
    }

    /// Whether it reads any header field. Otherwise its result is not worth caching.
    #[cfg(feature = "actix")]
    pub(crate) fn reads_fields(&self) -> bool {
        !matches!(self.0.trust, Trust::Nobody)
    }

    /// Whether both are clones of one.
    #[cfg(feature = "actix")]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn is_trusted(&self, peer: Option<IpAddr>) -> bool {
        match &self.0.trust {
            Trust::Nobody => false,
            Trust::Proxies { listed, is_unix } => {
                peer.map_or(*is_unix, |address| listed.contain(address))
            }
            Trust::Hops(_) => true,
        }
    }

    /// Counts requests of the trusted `peer` without the header field, to warn of a proxy that never sends it.
    fn note_silence(&self, peer: Option<IpAddr>, request: &impl RequestHead) {
        let silence = match (&self.0.trust, peer) {
            (Trust::Proxies { listed, .. }, Some(address)) => listed.get(address),
            _ => None,
        };
        let silence = silence.unwrap_or(&self.0.silence);
        if request.lines(self.0.header.name()).next().is_some() {
            silence.end();
        } else if self.0.expects_field && silence.goes_on_too_long() {
            warnings::silent(peer, &self.0.header);
        }
    }
}

/// The address of the peer, if it has one and the connection was not reset.
fn peer(request: &impl RequestHead) -> Option<IpAddr> {
    request.peer().map(canonical)
}

#[cfg(test)]
mod tests;
