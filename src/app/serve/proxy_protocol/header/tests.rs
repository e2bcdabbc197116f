//! Which bytes are a header, what it says, and how much of a connection is read for it.

use proptest::prelude::*;

use super::*;

/// A header of version 2 with this command, this family and protocol, and these bytes after its fixed part.
fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[0x20 | command, family], &length, rest].concat()
}

/// From 192.0.2.1:4711 to 10.0.0.1:80.
const IPV4: [u8; 12] = [192, 0, 2, 1, 10, 0, 0, 1, 0x12, 0x67, 0, 80];

/// From [2001:db8::1]:4711 to [2001:db8::2]:80.
fn ipv6() -> Vec<u8> {
    let address = |last| [&[0x20, 1, 0x0d, 0xb8][..], &[0; 11], &[last]].concat();
    [address(1), address(2), vec![0x12, 0x67, 0, 80]].concat()
}

fn client(text: &str) -> Source {
    Source::Client(text.parse().unwrap())
}

/// Headers, each with what it says.
fn headers() -> Vec<(Vec<u8>, Source)> {
    let (one, other) = (client("192.0.2.1:4711"), client("[2001:db8::1]:4711"));
    let longest = b"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff \
        ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
    assert_eq!(longest.len(), LONGEST_LINE);
    let text = |text: &str| text.as_bytes().to_vec();
    // Values that a proxy adds, one of them a checksum, which is not verified.
    let more = [&[0x04, 0, 2, 7, 7][..], &[0x03, 0, 4, 1, 2, 3, 4]].concat();
    vec![
        (text("PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\n"), one),
        (text("PROXY TCP6 2001:db8::1 2001:db8::2 4711 80\r\n"), other),
        (text("PROXY UNKNOWN\r\n"), Source::Peer),
        (longest.to_vec(), Source::Peer),
        (v2(1, 0x11, &IPV4), one),
        (v2(1, 0x21, &ipv6()), other),
        (v2(1, 0x11, &[&IPV4[..], &more].concat()), one),
        (v2(1, 0x21, &[ipv6(), vec![0; MOST_STATED - 36]].concat()), other),
        // Neither a Unix socket, nor nothing, nor UDP has an address of TCP.
        (v2(1, 0x31, &[0; 216]), Source::Peer),
        (v2(1, 0x00, &[]), Source::Peer),
        (v2(1, 0x12, &IPV4), Source::Peer),
        // LOCAL means the proxy itself, whatever addresses follow.
        (v2(0, 0x00, &[]), Source::Peer),
        (v2(0, 0x11, &IPV4), Source::Peer),
        (v2(0, 0x11, &[1, 2, 3]), Source::Peer),
        (v2(0, 0x7f, &more), Source::Peer),
    ]
}

/// Reads a header from `bytes` as a connection does, which gives at most `most` bytes at once. Returns what it says, and
/// how many bytes were read.
fn read(bytes: &[u8], most: usize) -> Result<(Source, usize), HeaderError> {
    let mut read = 0;
    loop {
        match step(&bytes[..read])? {
            Step::Done(source) => return Ok((source, read)),
            Step::Read(_) if read == bytes.len() => return Err(HeaderError::CutOff),
            Step::Read(missing) => {
                assert!(missing > 0, "it gets on");
                read += missing.min(most).min(bytes.len() - read);
            }
        }
    }
}

#[test]
fn a_header_says_where_the_client_is_and_not_a_byte_after_it_is_read() {
    for (header, expected) in headers() {
        let sent = [&header[..], b"GET / HTTP/1.1\r\n\r\n"].concat();
        for most in [1, 2, 3, 5, usize::MAX] {
            let shown = header.escape_ascii();
            assert_eq!(read(&sent, most), Ok((expected, header.len())), "{shown} by {most}");
        }
    }
}

#[test]
fn no_part_of_a_header_is_one() {
    for (header, _) in headers() {
        for end in 0..header.len() {
            assert_eq!(read(&header[..end], usize::MAX), Err(HeaderError::CutOff));
        }
    }
}

#[test]
fn what_is_no_header_is_refused() {
    use HeaderError::{Malformed, SomethingElse, TooLong};
    let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(LONGEST_LINE));
    let too_much = u16::try_from(MOST_STATED + 1).unwrap().to_be_bytes();
    let too_much = [&SIGNATURE[..], &[0x21, 0x11], &too_much].concat();
    for (bytes, expected) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], SomethingElse),
        (b"P", HeaderError::CutOff),
        (b"POST / HTTP/1.1\r\n\r\n", SomethingElse),
        (b"proxy TCP4 192.0.2.1 10.0.0.1 4711 80\r\n", SomethingElse),
        (b"PROXY\r\n", SomethingElse),
        (b"PROXY/TCP4 192.0.2.1 10.0.0.1 4711 80\r\n", SomethingElse),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00", SomethingElse),
        (b"\r\n\r\n\0\r\nQUIT\r", SomethingElse),
        (b"\0\0\0\0", SomethingElse),
        (b"PROXY \r\nGET / HTTP/1.1\r\n", Malformed),
        (b"PROXY TCP5 192.0.2.1 10.0.0.1 4711 80\r\n", Malformed),
        (b"PROXY TCP4 192.0.2.1\r\n   ", Malformed),
        (b"PROXY TCP4 192.0.2.256 10.0.0.1 4711 80\r\n", Malformed),
        (b"PROXY TCP4 2001:db8::1 2001:db8::2 4711 80\r\n", Malformed),
        (b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 65536\r\n", Malformed),
        (b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\n", Malformed),
        (b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 80 \r\n", Malformed),
        (b"PROXY TCP4 192.0.2.1\xff 10.0.0.1 4711 80\r\n", Malformed),
        (long.as_bytes(), TooLong),
        (&too_much, TooLong),
        // An unknown version, command or family, and fewer bytes than the addresses have.
        (&[&SIGNATURE[..], &[0x11, 0x11, 0, 0]].concat(), Malformed),
        (&v2(2, 0x11, &IPV4), Malformed),
        (&v2(1, 0x41, &IPV4), Malformed),
        (&v2(1, 0x11, &IPV4[..11]), Malformed),
        (&v2(1, 0x21, &IPV4), Malformed),
        (&v2(1, 0x31, &IPV4), Malformed),
    ] {
        for most in [1, usize::MAX] {
            assert_eq!(read(bytes, most), Err(expected), "{}", bytes.escape_ascii());
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_read_without_end(
        begin in prop_oneof![Just(&b""[..]), Just(WORD), Just(&b"PROXY TCP4 "[..]), Just(&SIGNATURE[..])],
        rest in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let bytes = [begin, &rest].concat();
        if let Ok((_, length)) = read(&bytes, usize::MAX) {
            prop_assert!(length <= bytes.len());
        }
    }
}
