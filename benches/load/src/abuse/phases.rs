//! What the abusers do, how many of them, and from which addresses.

use std::net::Ipv4Addr;

/// An address whose requests are refused with 403.
pub(super) const BLOCKED: Ipv4Addr = Ipv4Addr::new(127, 0, 2, 1);

/// A path whose quota of one request a day is used up at once.
pub(super) const USED_UP: &str = "/api/used-up";

/// What an abuser does, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Sends 20,000 requests in one go, and never reads.
    Pipeline { path: &'static str, to: Listener },
    /// Sends as many, and reads a byte every few seconds.
    ReadSlowly,
    /// Sends a byte of a head every few seconds.
    HeadSlowly { after: Before },
    /// Sends a byte of a body every few seconds.
    BodySlowly { framing: Framing },
    /// Sends a gigabyte that nobody asked for.
    BodyUnasked { path: &'static str, expects: bool },
    /// Connects, and sends nothing.
    Silent { to: Listener },
    /// Connects, and resets the connection.
    Reset,
    /// Connects, asks once, and closes.
    AskOnce,
    /// Sends one of the heads that no server should take.
    Malformed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listener {
    App,
    Admin,
}

/// What came before a head that is sent slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    GoodRequest,
    /// A part of this head, nearly as large as a head may be.
    LargePart,
}

/// How the length of a body is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    ContentLength,
    Chunked,
}

/// Where abusers come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum From {
    One(Ipv4Addr),
    /// Each has an address of its own, in this network of 16 bits.
    Each(u8),
}

impl From {
    pub(super) fn address(self, number: u32) -> Ipv4Addr {
        match self {
            Self::One(address) => address,
            Self::Each(network) => {
                Ipv4Addr::from_bits(Ipv4Addr::new(127, network, 0, 1).to_bits() + number)
            }
        }
    }
}

/// Abusers who do the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crew {
    pub(super) act: Act,
    pub(super) count: u32,
    pub(super) from: From,
}

#[derive(Clone, Debug)]
pub(super) struct Phase {
    pub(super) name: &'static str,
    pub(super) crews: Vec<Crew>,
}

const DATA: &str = "/api/data";

/// One address that has many connections, of each kind.
const fn one(number: u8) -> From {
    From::One(Ipv4Addr::new(127, 0, 3, number))
}

/// Whose requests are allowed, are answered with 429 and 403, and are an operator's.
const PIPELINERS: [Crew; 4] = [
    Crew { act: pipeline(DATA, Listener::App), count: 20, from: From::Each(10) },
    Crew { act: pipeline(USED_UP, Listener::App), count: 10, from: one(1) },
    Crew { act: pipeline(DATA, Listener::App), count: 10, from: From::One(BLOCKED) },
    Crew { act: pipeline("/ready", Listener::Admin), count: 10, from: one(2) },
];

const SLOW_READERS: [Crew; 1] = [Crew { act: Act::ReadSlowly, count: 200, from: From::Each(11) }];

const SLOW_HEADS: [Crew; 5] = [
    Crew { act: Act::HeadSlowly { after: Before::Nothing }, count: 600, from: From::Each(12) },
    Crew { act: Act::HeadSlowly { after: Before::GoodRequest }, count: 600, from: From::Each(13) },
    Crew { act: Act::HeadSlowly { after: Before::LargePart }, count: 1_000, from: From::Each(20) },
    Crew { act: Act::HeadSlowly { after: Before::Nothing }, count: 600, from: one(3) },
    Crew { act: Act::HeadSlowly { after: Before::GoodRequest }, count: 600, from: one(3) },
];

const SLOW_BODIES: [Crew; 2] = [
    Crew {
        act: Act::BodySlowly { framing: Framing::ContentLength },
        count: 300,
        from: From::Each(14),
    },
    Crew { act: Act::BodySlowly { framing: Framing::Chunked }, count: 300, from: From::Each(15) },
];

const UNASKED_BODIES: [Crew; 4] = [
    Crew { act: unasked(USED_UP, false), count: 4, from: one(4) },
    Crew { act: unasked(USED_UP, true), count: 4, from: one(4) },
    Crew { act: unasked(DATA, false), count: 4, from: From::One(BLOCKED) },
    Crew { act: unasked(DATA, true), count: 4, from: From::One(BLOCKED) },
];

/// More than `max_connections` in all, and more than `max_connections_per_ip` from one address.
const FLOODS: [Crew; 6] = [
    Crew { act: Act::Silent { to: Listener::App }, count: 10_000, from: From::Each(16) },
    Crew { act: Act::Silent { to: Listener::App }, count: 1_500, from: one(5) },
    Crew { act: Act::Silent { to: Listener::Admin }, count: 200, from: one(6) },
    Crew { act: Act::Reset, count: 50, from: one(7) },
    Crew { act: Act::Reset, count: 50, from: From::Each(17) },
    Crew { act: Act::AskOnce, count: 50, from: From::Each(18) },
];

const MALFORMED: [Crew; 2] = [
    Crew { act: Act::Malformed, count: 50, from: one(8) },
    Crew { act: Act::Malformed, count: 50, from: From::Each(19) },
];

/// The phases in their order, the first and the last but one without abuse.
pub(super) fn phases() -> Vec<Phase> {
    let kinds: [(&'static str, &[Crew]); 7] = [
        ("pipeliners", &PIPELINERS),
        ("slow readers", &SLOW_READERS),
        ("slow heads", &SLOW_HEADS),
        ("slow bodies", &SLOW_BODIES),
        ("unasked bodies", &UNASKED_BODIES),
        ("floods", &FLOODS),
        ("malformed", &MALFORMED),
    ];
    let phase = |(name, crews): (_, &[Crew])| Phase { name, crews: crews.to_vec() };
    let all = kinds.iter().flat_map(|(_, crews)| *crews).copied().collect();
    let mut phases = vec![Phase { name: CALM, crews: Vec::new() }];
    phases.extend(kinds.map(phase));
    phases.push(Phase { name: "calm again", crews: Vec::new() });
    phases.push(Phase { name: "all at once", crews: all });
    phases
}

/// The phase that others are compared with.
pub(super) const CALM: &str = "calm";

const fn pipeline(path: &'static str, to: Listener) -> Act {
    Act::Pipeline { path, to }
}

const fn unasked(path: &'static str, expects: bool) -> Act {
    Act::BodyUnasked { path, expects }
}
