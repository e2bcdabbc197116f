//! A changed configuration is taken while the process serves, whole or not at all.

mod under_load;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::http::Client;
use crate::support::jwks::JwksServer;
use crate::support::port;
use crate::support::process::{Options, Tollgate};
use crate::support::redis::Server;
use crate::support::threads::until;

/// A configuration whose policy has this quota in a window that does not end during a test.
fn quota(units: u64) -> String {
    format!("[policies.default]\nquota = \"{units}/52 weeks\"\n")
}

/// A directory with a `main.toml`, and who serves by it.
struct Served {
    directory: TempDir,
    tollgate: Tollgate,
    operator: Client,
}

impl Served {
    fn by(text: &str) -> Self {
        Self::by_with(text, Options::default().set("store.url", "memory:"))
    }

    fn by_with(text: &str, options: Options) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("main.toml");
        fs::write(&path, text).expect("a configuration");
        Self::of(directory, &path, options)
    }

    fn of(directory: TempDir, path: &Path, options: Options) -> Self {
        let listen = format!("127.0.0.1:{}", port::free());
        let tollgate = options
            .flag("--config", path.to_str().expect("a path of text"))
            .set("admin.listen", &listen)
            .serve();
        Self { directory, tollgate, operator: Client::of(format!("http://{listen}")) }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.directory.path().join(name), text).expect("a file");
    }

    /// Replaces a file by another of its name, as editors do.
    fn rename(&self, name: &str, text: &str) {
        self.write("new", text);
        let path = |name| self.directory.path().join(name);
        fs::rename(path("new"), path(name)).expect("a file is replaced");
    }

    fn status(&self) -> u16 {
        self.tollgate.get("/api/data", &[]).status
    }

    /// The `RateLimit-Policy` of a request that is not charged.
    fn policy(&self) -> String {
        let response = self.tollgate.get("/api/status", &[]);
        response.header("ratelimit-policy").unwrap_or_default().to_owned()
    }

    /// Waits until this quota is in force.
    fn until_quota(&self, units: u64) {
        let policy = format!("\"default\";q={units};w=31449600");
        until(&format!("{policy} is in force"), || self.policy() == policy);
    }

    fn ready(&self) -> Value {
        let response = self.operator.get("/ready", &[]);
        assert_eq!(response.status, 200);
        serde_json::from_str(&response.body).expect("JSON")
    }

    fn metric(&self, name: &str) -> f64 {
        let text = self.operator.get("/metrics", &[]).body;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in {text}")).parse().expect("a number")
    }
}

#[test]
fn a_file_that_is_written_or_replaced_is_taken_and_what_was_used_stays_used() {
    let mut served = Served::by(&quota(2));
    assert_eq!([served.status(), served.status(), served.status()], [200, 200, 429]);
    served.write("main.toml", &quota(3));
    served.until_quota(3);
    assert_eq!([served.status(), served.status()], [200, 429]);
    served.rename("main.toml", &quota(4));
    served.until_quota(4);
    assert_eq!([served.status(), served.status()], [200, 429]);
    let line = "INFO ] The configuration was reloaded: generation 3 is in force, changed are \
                policies.default.quota.";
    served.tollgate.wait_for_line(line);
    assert_eq!(served.metric("tollgate_config_generation"), 3.0);
    assert_eq!(served.metric("tollgate_config_reloads_total{outcome=\"taken\"}"), 2.0);
}

#[test]
fn a_link_that_is_swapped_is_followed_as_kubernetes_swaps_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    let version = |name: &str, units| {
        fs::create_dir(path(name)).expect("a directory");
        fs::write(path(name).join("main.toml"), quota(units)).expect("a configuration");
    };
    version("..1", 2);
    symlink("..1", path("..data")).expect("a link");
    symlink("..data/main.toml", path("main.toml")).expect("a link");
    let main = path("main.toml");
    version("..2", 3);
    symlink("..2", path("..data_tmp")).expect("a link");
    let (from, to) = (path("..data_tmp"), path("..data"));
    let served = Served::of(directory, &main, Options::default().set("store.url", "memory:"));
    served.until_quota(2);
    fs::rename(from, to).expect("a link is replaced");
    served.until_quota(3);
    // Files beside it that changed are no reason.
    served.write("other", "");
    served.write("..2/main.toml", &quota(4));
    served.until_quota(4);
    assert_eq!(served.metric("tollgate_config_generation"), 3.0);
}

#[test]
fn a_file_with_a_mistake_changes_nothing_and_readiness_says_why_until_it_is_mended() {
    let mut served = Served::by(&quota(2));
    assert_eq!(served.ready(), json!({ "status": "ready", "store": "up" }));
    let bad =
        "[policies.default]\nquota = \"3/52 weeks\"\nalgorithm = \"hunter\"\n[access]\nallow = 7\n";
    served.write("main.toml", bad);
    let line = "ERROR] The configuration cannot be used, and generation 1 stays in force:";
    served.tollgate.wait_for_line(line);
    served
        .tollgate
        .wait_for_line("ERROR] policies.default.algorithm: \"hunter\" is not an algorithm");
    served.tollgate.wait_for_line("ERROR] access.allow: expected a list");
    let outdated = &served.ready()["configuration"];
    assert_eq!(outdated["generation"], 1);
    assert!(outdated["outdated_for_seconds"].is_u64());
    let errors: Vec<&str> =
        outdated["errors"].as_array().expect("errors").iter().filter_map(Value::as_str).collect();
    assert!(
        errors[0].starts_with("access.allow: ") && errors[0].ends_with("main.toml:5)"),
        "{errors:?}"
    );
    assert!(errors[1].starts_with("policies.default.algorithm: "), "{errors:?}");
    assert_eq!(served.metric("tollgate_config_outdated"), 1.0);
    assert_eq!(served.metric("tollgate_config_reloads_total{outcome=\"refused\"}"), 1.0);
    served.until_quota(2);

    // Text that is no TOML, and a file that is gone.
    served.write("main.toml", "= nonsense");
    served.tollgate.wait_for_line("main.toml:1: column 1: ");
    fs::remove_file(served.directory.path().join("main.toml")).expect("the file is removed");
    served.tollgate.wait_for_line("main.toml: cannot be read");
    served.until_quota(2);

    served.write("main.toml", &quota(2));
    let line = "INFO ] The configuration files say again what is in force: generation 1.";
    served.tollgate.wait_for_line(line);
    assert_eq!(served.ready(), json!({ "status": "ready", "store": "up" }));
    served.write("main.toml", &quota(5));
    served.until_quota(5);
    assert_eq!(served.metric("tollgate_config_outdated"), 0.0);
}

#[test]
fn a_signal_reloads_even_where_nothing_changed_and_the_deny_cache_forgets() {
    let redis = Server::start();
    let options =
        Options::default().set("store.url", &redis.url()).set("store.deny_cache_ms", "60000");
    let mut served = Served::by_with(&quota(1), options);
    assert_eq!([served.status(), served.status()], [200, 429]);
    // Somebody else frees the client. The deny cache does not know.
    redis.tell(&["FLUSHALL"]);
    assert_eq!(served.status(), 429);
    served.tollgate.signal(Signal::HUP);
    let line = "INFO ] SIGHUP: The configuration was reloaded: generation 2 is in force, no option \
                changed.";
    served.tollgate.wait_for_line(line);
    assert_eq!(served.status(), 200);
}

#[test]
fn files_that_options_name_are_taken_as_well() {
    let key = |digest: &str, user: &str| format!("{digest} = {{ user = \"{user}\" }}\n");
    let new_key = || {
        let made = Options::default().run(&["keys", "new", "--user", "ann"]);
        let mut lines = made.stdout.lines().map(str::to_owned);
        let key = lines.next().expect("a key");
        let line = lines.next().expect("a line");
        (key, line.split_once(' ').expect("a digest").0.to_owned())
    };
    let ((one, one_digest), (two, two_digest)) = (new_key(), new_key());
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("main.toml");
    fs::write(&path, "[auth]\nkeys_file = \"keys.toml\"\n").expect("a configuration");
    fs::write(directory.path().join("keys.toml"), key(&one_digest, "ann")).expect("keys");
    let options = Options::default().set("store.url", "memory:").set("auth.failures", "1000/day");
    let mut served = Served::of(directory, &path, options);
    let status = |served: &Served, key: &str| {
        let value = format!("Bearer {key}");
        served.tollgate.get("/api/data", &[("authorization", value.as_bytes())]).status
    };
    assert_eq!((status(&served, &one), status(&served, &two)), (200, 401));
    served.rename("keys.toml", &key(&two_digest, "ann"));
    until("the other key holds", || status(&served, &two) == 200);
    assert_eq!(status(&served, &one), 401);
    let line = "generation 2 is in force, changed are auth.keys_file.";
    served.tollgate.wait_for_line(line);

    served.write("main.toml", "[access]\nblock = [\"127.0.0.0/8\"]\n");
    until("the client is blocked", || served.status() == 403);
}

#[test]
fn a_key_set_is_fetched_again_only_where_its_options_changed() {
    let server = JwksServer::start(r#"{"keys":[]}"#);
    let tokens = |units: u64, audience: &str| {
        format!(
            "{}[auth.jwt]\njwks_url = \"{}\"\nalgorithms = [\"ES256\"]\naudience = [\"{audience}\"]\n\
             jwks_refresh_ms = 86400000\njwks_cooldown_ms = 3600000\n",
            quota(units),
            server.url(),
        )
    };
    let served = Served::by(&tokens(2, "one"));
    assert_eq!(server.fetches(), 1);
    served.write("main.toml", &tokens(3, "one"));
    served.until_quota(3);
    assert_eq!(server.fetches(), 1);
    served.write("main.toml", &tokens(4, "two"));
    served.until_quota(4);
    assert_eq!(server.fetches(), 2);
    let threads = || {
        let tasks = fs::read_dir(format!("/proc/{}/task", served.tollgate.pid())).expect("tasks");
        let names = tasks.map(|task| fs::read_to_string(task.expect("a task").path().join("comm")));
        names.filter(|name| name.as_ref().is_ok_and(|name| name.trim() == "jwks")).count()
    };
    until("the thread of the old set has ended", || threads() == 1);
    served.write("main.toml", &quota(5));
    served.until_quota(5);
    until("no set is fetched", || threads() == 0);
}

#[test]
fn what_cannot_change_is_named_and_the_rest_is_taken() {
    let mut served = Served::by(&quota(2));
    served.write(
        "main.toml",
        &format!(
            "{}[server]\nworkers = 3\n[store]\nmax_keys = 7\nkey_prefix = \"other\"\n",
            quota(3)
        ),
    );
    served.until_quota(3);
    for option in ["server.workers", "store.key_prefix", "store.max_keys"] {
        let line = format!("WARN ] {option} takes effect when the process is started again.");
        served.tollgate.wait_for_line(&line);
    }
    let max_keys = served.metric("tollgate_memory_max_keys");
    assert!(max_keys > 1_000.0, "{max_keys}");
}

#[test]
fn what_is_owed_after_an_outage_survives_a_reload() {
    let mut redis = Server::start();
    let options = Options::default().set("store.url", &redis.url());
    let options = options.set("policies.default.key", "header:X-Client");
    let served = Served::by_with(&quota(10), options);
    let statuses_of = |client: &str, times: usize| -> Vec<u16> {
        let ask = |_| served.tollgate.get("/api/data", &[("x-client", client.as_bytes())]).status;
        (0..times).map(ask).collect()
    };
    for client in ["ann", "bob"] {
        assert_eq!(statuses_of(client, 2), [200, 200]);
    }
    redis.stop();
    until("Redis is given up", || {
        served.metric("tollgate_store_up") == 0.0 || {
            served.tollgate.get("/api/status", &[]);
            false
        }
    });
    assert_eq!(statuses_of("ann", 3), [200; 3]);
    served.write("main.toml", &quota(6));
    served.until_quota(6);
    // It still knows where each client stood in Redis, and what it has admitted since.
    assert_eq!(statuses_of("ann", 2), [200, 429]);
    assert_eq!(statuses_of("bob", 5), [200, 200, 200, 200, 429]);
    redis.restart();
    until("Redis is taken up", || served.metric("tollgate_store_up") == 1.0);
    until("what is owed is charged", || {
        served.metric("tollgate_store_charged_back_units_total") == 8.0
    });
}

#[test]
fn the_command_says_beforehand_what_a_file_would_change() {
    let directory = tempfile::tempdir().expect("a directory");
    let new = directory.path().join("new.toml");
    let path = new.to_str().expect("a path of text");
    let check = |text: &str, more: &[&str]| {
        fs::write(&new, text).expect("a file");
        let arguments = [&["reload", "--check", path], more].concat();
        Options::default().config("[policies.default]\nquota = \"5/minute\"\n").run(&arguments)
    };
    let text = "[policies.default]\nquota = \"7/minute\"\n[server]\nworkers = 3\n";
    let finished = check(text, &[]);
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    assert_eq!(
        finished.stdout,
        format!(
            "policies.default.quota: \"5/minute\" (config.toml:2) -> \"7/minute\" ({path}:2): live; counts \
             are kept\nserver.workers: its default -> 3 ({path}:4): at the next restart\n"
        )
    );
    let finished = check(text, &["--json"]);
    let report: Value = serde_json::from_str(&finished.stdout).expect("JSON");
    assert_eq!(
        report["changes"][0],
        json!({
            "option": "policies.default.quota",
            "before": "\"5/minute\"",
            "after": "\"7/minute\"",
            "takes_effect": "reload",
            "counts": "kept",
        })
    );
    let finished = check("[policies.default]\nquota = \"5/minute\"\n", &[]);
    assert_eq!(finished.stdout, "The file is valid, and changes nothing.\n");
    let finished = check("[policies.default]\nquota = \"many\"\n", &[]);
    assert_eq!((finished.status.code(), &*finished.stdout), (Some(78), ""));
    assert!(
        finished.stderr.starts_with("tollgate: policies.default.quota: "),
        "{}",
        finished.stderr
    );
}
