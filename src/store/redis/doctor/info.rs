//! What `INFO` says: version, memory, clients, replicas, and what a restart keeps.

use redis::{RedisResult, cmd};

use super::examiner::Examiner;

/// The last major version that lacks a command of the script (`SET` with `KEEPTTL`), and the oldest one
/// that the tests run on.
const TOO_OLD: u32 = 5;
const TESTED: u32 = 7;

/// More than this is nearly all, in percent.
const NEARLY_ALL: u64 = 90;

impl Examiner<'_> {
    /// Asks for `INFO`. Returns how many keys the server has evicted, if it says so.
    pub(super) fn info(&mut self) -> Option<u64> {
        let Ok(info) = self.ask::<String>(&cmd("INFO")) else {
            self.findings.warn(
                "server",
                "version, eviction and persistence are unknown: its user may not run INFO, which \
                 counting does not need",
            );
            return None;
        };
        self.version(&info);
        self.eviction(&info);
        self.memory(&info);
        self.clients(&info);
        self.replicas(&info);
        self.persistence(&info);
        number(&info, "evicted_keys")
    }

    fn version(&mut self, info: &str) {
        let valkey = field(info, "valkey_version");
        let name = if valkey.is_some() { "Valkey" } else { "Redis" };
        let version = valkey.or_else(|| field(info, "redis_version")).unwrap_or("unknown");
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        match major {
            Some(..=TOO_OLD) => self.findings.fail(
                "version",
                format!("{name} {version}: it does not know SET with KEEPTTL, take 7.0 or later"),
            ),
            Some(TESTED..) => self.findings.ok("version", format!("{name} {version}")),
            _ => self
                .findings
                .warn("version", format!("{name} {version} is not tested, take 7.0 or later")),
        }
    }

    fn eviction(&mut self, info: &str) {
        let policy = field(info, "maxmemory_policy").unwrap_or("unknown");
        let limit = field(info, "maxmemory").and_then(|it| it.parse::<u64>().ok());
        match (policy, limit) {
            ("noeviction", _) => self.findings.ok("eviction", "noeviction: no count is forgotten"),
            (_, Some(0)) => self.findings.warn(
                "eviction",
                format!("{policy}, but no maxmemory is set: with one, counts would be forgotten; set noeviction"),
            ),
            _ => self.findings.fail(
                "eviction",
                format!(
                    "{policy}: when its memory is full, counts are forgotten, as each has a TTL; set noeviction"
                ),
            ),
        }
    }

    fn persistence(&mut self, info: &str) {
        let saves: RedisResult<(String, String)> = self.ask(cmd("CONFIG").arg("GET").arg("save"));
        match (field(info, "aof_enabled"), saves) {
            (Some("1"), _) => self.findings.ok("persistence", "append-only file"),
            (_, Ok((_, save))) if save.is_empty() => {
                self.findings.warn("persistence", "none: a restart forgets what was used");
            }
            (_, Ok((_, save))) => self.findings.warn(
                "persistence",
                format!("snapshots ({save}): a restart forgets what was used since the last"),
            ),
            (_, Err(_)) => self
                .findings
                .warn("persistence", "no append-only file: a restart may forget what was used"),
        }
    }

    fn memory(&mut self, info: &str) {
        let (Some(used), Some(limit @ 1..)) =
            (number(info, "used_memory"), number(info, "maxmemory"))
        else {
            return;
        };
        let percent = used.saturating_mul(100) / limit;
        let text = format!("{percent} % of its maxmemory is used");
        if percent >= NEARLY_ALL {
            self.findings
                .warn("memory", format!("{text}: raise it, or it counts no more when it is full"));
        } else {
            self.findings.ok("memory", text);
        }
    }

    fn clients(&mut self, info: &str) {
        let counts = (number(info, "connected_clients"), number(info, "maxclients"));
        let (Some(connected), Some(limit)) = counts else { return };
        // A process needs those of its dispatchers, that of a probe, and that of a look from time to
        // time. This connection will be closed.
        let needed = self.options.connections as u64 + 2;
        let left = (limit + 1).saturating_sub(connected);
        let text = format!("{connected} of {limit} are connected");
        if left < needed {
            let why = format!(
                "each process needs {needed}, and one for each worker; raise its maxclients"
            );
            self.findings.fail("clients", format!("{text}: {why}"));
        } else if connected.saturating_mul(100) / limit.max(1) >= NEARLY_ALL {
            self.findings.warn("clients", format!("{text}: see who they are by CLIENT LIST"));
        }
    }

    fn replicas(&mut self, info: &str) {
        // The server only says so if `min-replicas-to-write` is set.
        let Some(good) = number(info, "min_slaves_good_slaves") else { return };
        let ask = self.ask(cmd("CONFIG").arg("GET").arg("min-replicas-to-write"));
        let wanted: Option<u64> = ask.ok().and_then(|(_, it): (String, String)| it.parse().ok());
        let Some(wanted) = wanted else { return };
        let text = format!("{good} follow it, and min-replicas-to-write is {wanted}");
        if good < wanted {
            self.findings.fail("replicas", format!("{text}: it takes no writes"));
        } else if good == wanted {
            self.findings.warn("replicas", format!("{text}: it takes no writes while one is away"));
        } else {
            self.findings.ok("replicas", text);
        }
    }
}

/// The value of the field `name` in the reply to `INFO`.
pub(super) fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix(':');
    info.lines().find_map(value).map(str::trim)
}

fn number(info: &str, name: &str) -> Option<u64> {
    field(info, name)?.parse().ok()
}
