//! `tests/setup.sh` on machines that lack something: it names what is missing and where to get it, and
//! starts nothing that it cannot finish.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What the script itself runs, which every machine has.
const BASICS: [&str; 8] = ["sh", "sed", "sort", "head", "mktemp", "rm", "cat", "id"];

/// A machine that has nothing but the basics and what it is given.
struct Machine {
    programs: TempDir,
}

/// What the script did there: whether all is well, and what it printed.
#[derive(Debug, PartialEq, Eq)]
struct Done {
    is_well: bool,
    output: String,
    errors: String,
}

impl Machine {
    fn new() -> Self {
        let machine = Self {
            programs: TempDir::with_prefix("tollgate-setup-").expect("a temporary directory"),
        };
        for name in BASICS {
            let places = ["/bin", "/usr/bin"].map(|place| Path::new(place).join(name));
            let place = places.iter().find(|place| place.exists()).expect(name);
            symlink(place, machine.programs.path().join(name)).expect("a link");
        }
        machine
    }

    /// The same with a program that is this script.
    fn with(self, name: &str, script: &str) -> Self {
        let path = self.programs.path().join(name);
        let _ = fs::remove_file(&path);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
        self
    }

    /// The same with a Rust of this version.
    fn with_rust(self, version: &str) -> Self {
        let says = format!("echo 'rustc {version} (59807616e 2026-04-14)'");
        self.with("cargo", "exit 1").with("rustc", &says)
    }

    fn set_up(&self, tools: &[&str]) -> Done {
        let path = self.programs.path();
        let mut command = Command::new("/bin/sh");
        command.arg("tests/setup.sh").args(tools).current_dir(env!("CARGO_MANIFEST_DIR"));
        command.env_clear().env("PATH", path).env("HOME", path).env("TMPDIR", path);
        let done = command.stdin(Stdio::null()).output().expect("a shell");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Done {
            is_well: done.status.success(),
            output: text(done.stdout),
            errors: text(done.stderr),
        }
    }

    /// Asserts that it fails for want of `tool`, and says so with these words in one line, the last.
    #[track_caller]
    fn assert_lacks(&self, tool: &str, words: &[&str]) {
        let done = self.set_up(&[tool]);
        assert!(!done.is_well && done.output.is_empty(), "{done:?}");
        let said = done.errors.lines().last().unwrap_or_default();
        for word in words {
            assert!(said.contains(word), "{word:?} is not in {said:?}");
        }
    }

    #[track_caller]
    fn assert_has(&self, tools: &[&str]) {
        let (output, errors) = (String::new(), String::new());
        assert_eq!(self.set_up(tools), Done { is_well: true, output, errors });
    }
}

#[test]
fn without_a_rust_that_is_new_enough_it_says_which_is_needed_and_where_it_comes_from() {
    let needed = concat!("Rust ", env!("CARGO_PKG_RUST_VERSION"), " or newer is needed");
    Machine::new().assert_lacks("rust", &[needed, "there is no cargo", "https://rustup.rs"]);
    for old in ["1.63.0", "1.85.1", "1.9.0", "0.99.0"] {
        let machine = Machine::new().with_rust(old);
        machine.assert_lacks("rust", &[needed, &format!("is {old}: "), "https://rustup.rs"]);
        machine.with("rustup", "exit 1").assert_lacks("rust", &[needed, "run rustup update"]);
    }
    for new in ["1.89.0", "1.95.0", "1.100.0-nightly", "2.0.0"] {
        Machine::new().with_rust(new).assert_has(&["rust"]);
    }
}

#[test]
fn a_rust_that_is_only_not_in_the_path_is_found() {
    let machine = Machine::new();
    let bin = machine.programs.path().join(".cargo/bin");
    fs::create_dir_all(&bin).unwrap();
    symlink("/bin/sh", bin.join("cargo")).unwrap();
    machine.assert_lacks("rust", &["not in PATH", "/.cargo/bin:$PATH\""]);
}

#[test]
fn a_compiler_is_one_that_links_a_program() {
    let by_hand = |machine: Machine| machine.with("apt-get", "exit 1");
    let nothing = || Machine::new();
    by_hand(nothing()).assert_lacks("cc", &["apt-get install gcc libc6-dev"]);
    nothing().assert_lacks("cc", &["gcc and libc6-dev"]);
    // As gcc says it without libc6-dev.
    let bare = "echo 'ld: cannot find Scrt1.o: No such file or directory' >&2; exit 1";
    let bare = || nothing().with("cc", bare);
    by_hand(bare()).assert_lacks("cc", &["cannot build", "apt-get install libc6-dev"]);
    let done = bare().set_up(&["cc"]);
    assert!(done.errors.starts_with("ld: cannot find Scrt1.o"), "{done:?}");
    nothing().with("cc", "exit 0").assert_has(&["cc"]);
}

#[test]
fn it_says_that_it_installs_only_where_it_can() {
    let user = || Machine::new().with("id", "echo 1000");
    user().assert_lacks("redis-server", &["there is no apt-get"]);

    let with_apt = || user().with("apt-get", "exit 1");
    let advice = [
        "only root can install it",
        "tests/setup.sh redis-server as root",
        "port 6379",
        "systemctl disable --now redis-server",
    ];
    with_apt().assert_lacks("redis-server", &advice);
    // Who may not use sudo, or would have to type a password where nobody can.
    with_apt().with("sudo", "exit 1").assert_lacks("redis-server", &advice);
    // Other packages bring no service.
    let done = with_apt().set_up(&["wrk"]);
    assert!(done.errors.contains("tests/setup.sh wrk as root") && !done.errors.contains("6379"));

    let done = with_apt().with("sudo", r#"[ "$*" = "-n true" ]"#).set_up(&["redis-server"]);
    assert_eq!(done.output, "Installing redis-server from the system's packages, with sudo.\n");
    assert_eq!(done.errors, "redis-server could not be installed: the reason stands above.\n");
}

#[test]
fn a_valkey_is_a_redis() {
    for name in ["redis-server", "valkey-server"] {
        Machine::new().with(name, "exit 1").assert_has(&["redis-server"]);
    }
}

#[test]
fn what_is_there_is_not_spoken_of() {
    let machine = Machine::new().with_rust("1.95.0").with("cc", "exit 0").with("wrk", "exit 1");
    machine.assert_has(&["rust", "cc", "wrk"]);
}
