//! The role of a server.

use redis::{FromRedisValue as _, Value, cmd};

use super::examiner::Examiner;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Server,
    Sentinel,
}

impl Examiner<'_> {
    /// Asks the server for its role. There is no finding if its user may not ask that.
    pub(super) fn role(&mut self) -> Role {
        let said: Vec<Value> = self.ask(&cmd("ROLE")).unwrap_or_default();
        let word = |index: usize| {
            let word = said.get(index).cloned().map(String::from_redis_value);
            word.and_then(Result::ok).unwrap_or_default()
        };
        match word(0).as_str() {
            "sentinel" => {
                self.findings.fail(
                    "role",
                    "it is a sentinel. Write store.url as redis+sentinel://host:port/name.",
                );
                return Role::Sentinel;
            }
            "slave" => {
                let text = format!(
                    "it is a read-only replica of {}:{}. Point store.url at the primary.",
                    word(1),
                    word(2)
                );
                self.findings.fail("role", text);
            }
            "master" => {
                let replicas = said.get(2).cloned().map(Vec::<Value>::from_redis_value);
                let count = replicas.and_then(Result::ok).unwrap_or_default().len();
                let text = match count {
                    0 => "a primary without a replica".to_owned(),
                    1 => "a primary with 1 replica".to_owned(),
                    count => format!("a primary with {count} replicas"),
                };
                self.findings.ok("role", text);
            }
            _ => {}
        }
        Role::Server
    }
}
