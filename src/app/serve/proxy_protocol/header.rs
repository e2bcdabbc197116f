//! The header of the PROXY protocol, in its versions 1 (a line of text) and 2 (binary).

use std::fmt;
use std::net::SocketAddr;

use proxy_header::{ParseConfig, Protocol, ProxyHeader};

/// How a header of version 2 begins.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The bytes of version 2 before those that it states the number of.
const FIXED: usize = 16;

/// The most that it may state: addresses of Unix sockets have 216, and the rest are values that proxies add.
const MOST_STATED: usize = 4_096;

/// How a header of version 1 begins.
const WORD: &[u8] = b"PROXY ";

/// The longest header of version 1, by the specification.
const LONGEST_LINE: usize = 107;

/// Whom a connection is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The proxy itself, or a client whose address is none of TCP.
    Peer,
    /// A client at this address.
    Client(SocketAddr),
}

/// What is to be done after a part of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// At least so many bytes are missing. No more may be read, as more may belong to the client.
    Read(usize),
    /// It is whole.
    Done(Source),
}

/// Why some bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderError {
    /// They begin like something else, such as a request.
    SomethingElse,
    /// They begin like a header, and are none.
    Malformed,
    /// It is longer than it may be.
    TooLong,
    /// The connection ended within it.
    CutOff,
}

/// What comes after the bytes `read` of a header.
///
/// # Errors
/// If they do not begin a header.
pub(super) fn step(read: &[u8]) -> Result<Step, HeaderError> {
    let begins = |with: &[u8]| {
        let common = read.len().min(with.len());
        read[..common] == with[..common]
    };
    match (begins(SIGNATURE), begins(WORD)) {
        (false, false) => Err(HeaderError::SomethingElse),
        // No header of either version is shorter.
        _ if read.len() < SIGNATURE.len() => Ok(Step::Read(SIGNATURE.len() - read.len())),
        (true, _) => binary(read),
        (false, true) => line(read),
    }
}

/// The same for version 2.
fn binary(read: &[u8]) -> Result<Step, HeaderError> {
    let Some(&[version_and_command, _, high, low]) = read.get(SIGNATURE.len()..FIXED) else {
        return Ok(Step::Read(FIXED - read.len()));
    };
    let stated = usize::from(u16::from_be_bytes([high, low]));
    if stated > MOST_STATED {
        return Err(HeaderError::TooLong);
    }
    match (FIXED + stated).saturating_sub(read.len()) {
        // The command LOCAL: whatever addresses it has are not meant.
        0 if version_and_command == 0x20 => Ok(Step::Done(Source::Peer)),
        0 => whole(read),
        missing => Ok(Step::Read(missing)),
    }
}

/// The same for version 1.
fn line(read: &[u8]) -> Result<Step, HeaderError> {
    match read.iter().position(|byte| *byte == b'\n') {
        Some(at) if at + 1 == read.len() => whole(read),
        Some(_) => Err(HeaderError::Malformed),
        None if read.len() >= LONGEST_LINE => Err(HeaderError::TooLong),
        // Two bytes end it, of which the first may be there.
        None if read.ends_with(b"\r") => Ok(Step::Read(1)),
        None => Ok(Step::Read(2.min(LONGEST_LINE - read.len()))),
    }
}

/// What a whole header says.
fn whole(header: &[u8]) -> Result<Step, HeaderError> {
    let config = ParseConfig { include_tlvs: false, allow_v1: true, allow_v2: true };
    match ProxyHeader::parse(header, config) {
        Ok((parsed, length)) if length == header.len() => {
            let address = parsed.proxied_address();
            let address = address.filter(|address| address.protocol == Protocol::Stream);
            Ok(Step::Done(address.map_or(Source::Peer, |it| Source::Client(it.source))))
        }
        _ => Err(HeaderError::Malformed),
    }
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SomethingElse => "it begins like something else",
            Self::Malformed => "it is malformed",
            Self::TooLong => "it is too long",
            Self::CutOff => "it is cut off",
        })
    }
}

impl std::error::Error for HeaderError {}

#[cfg(test)]
mod tests;
