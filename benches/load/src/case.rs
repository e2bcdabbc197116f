//! The cases: what is asked of the limiter, under which load, against whom, with which target.

use crate::contender::Contender::{
    self, Anonymous, Bare, Ceiling, Coalescing, Commands, Incr, Increx, Multiplexed, Plain,
    Tollgate,
};
use crate::contender::Door;
use crate::peer::{LIMITADOR, PEERS};
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
        about: "axum with the layer for tower, and with tower_governor".to_owned(),
        setting: Setting::of(&["fixed-window"]),
        load: Load { connections: 64, keys: 100_000 },
        is_filled: false,
        contenders: apps.map(Contender::Axum).to_vec(),
        targets: Vec::new(),
    }
}

/// The doors of the gate beside the app, and what else speaks Envoy's protocol, at one and at three descriptors.
pub(crate) fn gate() -> Vec<Case> {
    let doors = [Door::Envoy, Door::Check, Door::ForwardAuth].map(Contender::Gate);
    let [envoy, check, auth] = doors;
    let case = |name, about: &str, algorithms: &[&'static str]| Case {
        name,
        about: about.to_owned(),
        setting: Setting::of(algorithms),
        load: Load { connections: 64, keys: 100_000 },
        is_filled: false,
        contenders: vec![envoy, Contender::Peer(&LIMITADOR), check, auth, Tollgate],
        targets: Vec::new(),
    };
    let three = ["fixed-window"; 3];
    vec![
        case("gate", "Redis, the doors of the gate, a fixed window", &three[..1]),
        case("gate-three", "Redis, the doors of the gate, three fixed windows", &three),
    ]
}

/// Every case under load of `wrk`; `start` and `outage` are cases of their own.
pub(crate) fn all() -> Vec<Case> {
    let everyone = || vec![Bare, Tollgate, Multiplexed, Plain];
    // Also what shows how much the script leaves.
    let and_ceiling = || [everyone(), vec![Ceiling, Commands]].concat();
    // Also who answers a yes or no without more.
    let and_counters = || [and_ceiling(), vec![Incr, Increx]].concat();
    let case = |name, about: &str| Case {
        name,
        about: about.to_owned(),
        setting: Setting::of(&["fixed-window"]),
        load: Load { connections: 64, keys: 100_000 },
        is_filled: false,
        contenders: everyone(),
        targets: Vec::new(),
    };
    let at_least = |measure, least| Target::new(measure, Bound::AtLeast(least));
    let at_most = |measure, most| Target::new(measure, Bound::AtMost(most));
    let of_bare = |least| at_least(Measure::SpeedOf(Bare), least);
    // How much of what is possible the script and its keys leave, and the decisions alone.
    let of_ceiling = |least| at_least(Measure::SpeedOf(Ceiling), least);
    let of_commands = |least| at_least(Measure::SpeedOf(Commands), least);
    let share_of_script = |most| at_most(Measure::RedisCpuBeyond(Ceiling), most);
    vec![
        Case {
            contenders: and_counters(),
            targets: vec![
                of_bare(0.70),
                of_ceiling(0.90),
                of_commands(0.90),
                at_least(Measure::SpeedOf(Plain), 3.0),
                share_of_script(4.0),
                at_most(Measure::ServerCpuBeyond(Bare), 3.5),
                at_most(Measure::BytesAKey, 150.0),
            ],
            ..case("default", "Redis, a fixed window")
        },
        Case {
            setting: Setting::of(&["fixed-window", "token-bucket"]),
            contenders: and_ceiling(),
            targets: vec![of_bare(0.60), of_ceiling(0.80), of_commands(0.90), share_of_script(6.5)],
            ..case("two-policies", "Redis, a fixed window and a token bucket")
        },
        Case {
            load: Load { connections: 64, keys: 1 },
            contenders: and_ceiling(),
            targets: vec![of_bare(0.80), at_most(Measure::RedisCpu, 0.5)],
            ..case("hot-key", "Redis, one key, all admitted")
        },
        Case {
            setting: Setting { lease_ms: 100, ..Setting::of(&["fixed-window"]) },
            load: Load { connections: 64, keys: 1 },
            contenders: vec![Bare, Tollgate, Coalescing],
            targets: vec![of_bare(0.88), at_most(Measure::RedisCpu, 0.1)],
            ..case("lease", "Redis, one key, all admitted, with a lease and without")
        },
        Case {
            setting: Setting { units: 1, ..Setting::of(&["fixed-window"]) },
            load: Load { connections: 64, keys: 100 },
            targets: vec![
                of_bare(0.95),
                at_most(Measure::ReadsPerKey, 2.0),
                at_most(Measure::CallsPerKey, 2.0),
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
            targets: vec![at_most(Measure::CallsOver(Anonymous), 1.01)],
            ..case("authenticated", "Redis, a fixed window, by API key and without credentials")
        },
        Case {
            load: Load { connections: 8, keys: 100_000 },
            contenders: and_counters(),
            targets: vec![
                of_bare(0.40),
                at_least(Measure::SpeedOf(Multiplexed), 1.0),
                at_most(Measure::ServerCpuOver(Multiplexed), 1.15),
                at_most(Measure::P50Over(Multiplexed), 1.0),
            ],
            ..case("eight", "Redis, a fixed window, few connections")
        },
        Case {
            load: Load { connections: 1, keys: 100_000 },
            contenders: and_ceiling(),
            targets: vec![
                at_most(Measure::P50OverRoundTrip, 1.0),
                // Each call is of one request: no other shares what it costs.
                share_of_script(12.0),
                at_most(Measure::ServerCpuOver(Multiplexed), 1.15),
                at_most(Measure::P50Over(Multiplexed), 1.0),
            ],
            ..case("latency", "Redis, a fixed window, no load")
        },
        Case {
            load: Load { connections: 512, keys: 100_000 },
            targets: vec![at_most(Measure::P99OverP50Of(Plain), 1.0), at_most(Measure::Lost, 0.0)],
            ..case("many", "Redis, a fixed window, many connections")
        },
        tower(),
    ]
}
