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
/// That is the address of the connection, unless proxies are in front: then it is one of those that
/// they wrote into a header field. Whoever connects can send that field. So it is read only where
/// the connection is a trusted proxy's, from its end, where the nearest proxy wrote, and no further
/// than trusted proxies wrote it. What is no address ends the reading, and the last one that was good
/// is the client's.
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
    /// Of the proxies that no network lists: those on a Unix socket, or in front at all.
    silence: Silence,
}

/// Who may say where a request comes from.
#[derive(Debug)]
enum Trust {
    Nobody,
    /// These; on a Unix socket also who connects, and so has no address.
    Proxies {
        listed: Networks<Silence>,
        is_unix: bool,
    },
    /// Everyone, about so many addresses.
    Hops(NonZeroU8),
}

impl ClientIp {
    /// Takes the address of the connection, and reads no header field.
    #[must_use]
    pub fn peer() -> Self {
        Self::of(Trust::Nobody, ForwardingHeader::default())
    }

    /// Reads `header` where `proxies` send it. The rightmost address that is not theirs is the client's.
    #[must_use]
    pub fn behind(proxies: impl IntoIterator<Item = Network>, header: ForwardingHeader) -> Self {
        Self::of_proxies(proxies, header, false)
    }

    /// Reads `header` likewise, where the server listens on a Unix socket: whoever connects to that is a
    /// proxy on this machine, and `proxies` are those before it.
    ///
    /// Not for a server that listens on TCP as well: there, a connection that its client has reset has
    /// no address either, and would be believed.
    #[must_use]
    pub fn over_unix_socket(
        proxies: impl IntoIterator<Item = Network>,
        header: ForwardingHeader,
    ) -> Self {
        Self::of_proxies(proxies, header, true)
    }

    /// Reads `header` from everyone, where so many proxies, whatever their addresses, are always in
    /// front. The address that far from its end is the client's.
    ///
    /// Whoever gets past one of them may choose the address that they are counted by.
    #[must_use]
    pub fn hops(hops: NonZeroU8, header: ForwardingHeader) -> Self {
        Self::of(Trust::Hops(hops), header)
    }

    /// The address of the client, in canonical form; none over a Unix socket that says nothing of it, and
    /// where the connection was reset before it was taken.
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

    /// Whether the connection is a trusted proxy's, so that what it says of the client may be believed.
    #[must_use]
    pub fn is_from_trusted_proxy(&self, request: &impl RequestHead) -> bool {
        self.is_trusted(peer(request))
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
        Self(Arc::new(Inner { trust, header, unread, silence: Silence::default() }))
    }

    /// Whether it reads any header field, so that what it finds is worth keeping.
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

    /// Notes whether the trusted `peer` sent the header, for those that never do.
    fn note_silence(&self, peer: Option<IpAddr>, request: &impl RequestHead) {
        let silence = match (&self.0.trust, peer) {
            (Trust::Proxies { listed, .. }, Some(address)) => listed.get(address),
            _ => None,
        };
        let silence = silence.unwrap_or(&self.0.silence);
        if request.lines(self.0.header.name()).next().is_some() {
            silence.end();
        } else if silence.goes_on_too_long() {
            warnings::silent(peer, &self.0.header);
        }
    }
}

/// The other end of the connection, if it has an address and still has it.
fn peer(request: &impl RequestHead) -> Option<IpAddr> {
    request.peer().map(canonical)
}

#[cfg(test)]
mod tests;
