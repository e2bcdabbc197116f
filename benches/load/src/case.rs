//! The cases: what is asked of the limiter, under which load, against whom, with which target.

use crate::contender::Contender::{self, Anonymous, Bare, Incr, Multiplexed, Plain, Tollgate};
use crate::peer::PEERS;
use crate::serve_axum::AxumApp;
use crate::setting::Setting;
use crate::target::{Bound, Measure, Target};
use crate::wrk::Load;

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) about: String,
    pub(crate) setting: Setting,
    pub(crate) load: Load,
    /// Whether Tollgate has counted every client once before.
    pub(crate) is_filled: bool,
    /// The bare app first: the others are compared with it.
    pub(crate) contenders: Vec<Contender>,
    pub(crate) targets: Vec<Target>,
}

/// What a user would pick instead, on the work of the first case.
pub(crate) fn peers() -> Case {
    let others = PEERS.iter().map(Contender::Peer);
    Case {
        name: "peers",
        about: "what a user would pick instead; throttlecrab counts in itself".to_owned(),
        setting: Setting::of(&["fixed-window"]),
        load: Load { connections: 64, keys: 100_000 },
        is_filled: false,
        contenders: [Bare, Tollgate].into_iter().chain(others).collect(),
        targets: Vec::new(),
    }
}

/// The layer for tower beside the same app on axum without it, and what a user would pick instead.
fn tower() -> Case {
    use AxumApp::{AxumBare, AxumMemory, AxumRedis, TowerGovernor};
    let apps = [AxumBare, AxumMemory, AxumRedis, TowerGovernor];
    Case {
        name: "tower",
        about: "the layer for tower in memory and over Redis; tower_governor counts in memory"
            .to_owned(),
        setting: Setting::of(&["fixed-window"]),
        load: Load { connections: 64, keys: 100_000 },
        is_filled: false,
        contenders: apps.map(Contender::Axum).to_vec(),
        targets: Vec::new(),
    }
}

/// Every case under load of `wrk`; `start` and `outage` are cases of their own.
pub(crate) fn all() -> Vec<Case> {
    let everyone = || vec![Bare, Tollgate, Multiplexed, Plain];
    // Also who answers a yes or no without more.
    let and_incr = || [everyone(), vec![Incr]].concat();
    let case = |name, about: &str| Case {
        name,
        about: about.to_owned(),
        setting: Setting::of(&["fixed-window"]),
        load: Load { connections: 64, keys: 100_000 },
        is_filled: false,
        contenders: everyone(),
        targets: Vec::new(),
    };
    let of_bare = |least| Target::new(Measure::SpeedOf(Bare), Bound::AtLeast(least));
    vec![
        Case {
            contenders: and_incr(),
            targets: vec![of_bare(0.70), Target::new(Measure::SpeedOf(Plain), Bound::AtLeast(3.0))],
            ..case("default", "Redis, a fixed window")
        },
        Case {
            setting: Setting::of(&["fixed-window", "token-bucket"]),
            targets: vec![of_bare(0.60)],
            ..case("two-policies", "Redis, a fixed window and a token bucket")
        },
        Case {
            load: Load { connections: 64, keys: 1 },
            targets: vec![of_bare(0.80), Target::new(Measure::RedisCpu, Bound::AtMost(0.5))],
            ..case("hot-key", "Redis, one key, all admitted")
        },
        Case {
            setting: Setting { units: 1, ..Setting::of(&["fixed-window"]) },
            load: Load { connections: 64, keys: 100 },
            targets: vec![
                of_bare(0.95),
                Target::new(Measure::ReadsPerKey, Bound::AtMost(2.0)),
                Target::new(Measure::CallsPerKey, Bound::AtMost(2.0)),
            ],
            ..case("closed", "Redis, over the quota, all denied")
        },
        Case {
            setting: Setting { in_memory: true, ..Setting::of(&["fixed-window"]) },
            contenders: vec![Bare, Tollgate],
            targets: vec![of_bare(0.92)],
            ..case("memory", "the memory store, a fixed window")
        },
        Case {
            setting: Setting { takes_keys: true, ..Setting::of(&["fixed-window"]) },
            // One request a call, so that calls can be compared.
            load: Load { connections: 1, keys: 100_000 },
            contenders: vec![Bare, Tollgate, Anonymous],
            targets: vec![Target::new(Measure::CallsOver(Anonymous), Bound::AtMost(1.01))],
            ..case("authenticated", "Redis, a fixed window, by API key and without credentials")
        },
        Case {
            load: Load { connections: 8, keys: 100_000 },
            contenders: and_incr(),
            targets: vec![
                of_bare(0.40),
                Target::new(Measure::SpeedOf(Multiplexed), Bound::AtLeast(1.0)),
            ],
            ..case("eight", "Redis, a fixed window, few connections")
        },
        Case {
            load: Load { connections: 1, keys: 100_000 },
            targets: vec![Target::new(Measure::P50OverRoundTrip, Bound::AtMost(1.0))],
            ..case("latency", "Redis, a fixed window, no load")
        },
        Case {
            load: Load { connections: 512, keys: 100_000 },
            targets: vec![
                Target::new(Measure::P99OverP50Of(Plain), Bound::AtMost(1.0)),
                Target::new(Measure::Lost, Bound::AtMost(0.0)),
            ],
            ..case("many", "Redis, a fixed window, many connections")
        },
        tower(),
    ]
}
