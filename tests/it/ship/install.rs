//! Completions, the manual and the health of a container: what the command itself makes and tells.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::http::Client;
use crate::support::port;
use crate::support::process::Options;

fn completions(shell: &str) -> String {
    let finished = Options::default().run(&["completions", shell]);
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    finished.stdout
}

/// Asks bash itself what it offers after `words`.
fn offered_by_bash(words: &[&str]) -> Vec<String> {
    let directory = TempDir::with_prefix("tollgate-bash-").expect("a directory");
    let script = directory.path().join("tollgate");
    fs::write(&script, completions("bash")).expect("a script");
    let asked = format!(
        "source {} || exit 1; COMP_WORDS=({}); COMP_CWORD={}; _tollgate tollgate '{}'; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        words.join(" "),
        words.len() - 1,
        words[words.len() - 1]
    );
    let output = Command::new("bash").args(["--norc", "-c", &asked]).output().expect("bash");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_and_their_options() {
    assert_eq!(offered_by_bash(&["tollgate", "unb"]), ["unban", "unboost"]);
    assert_eq!(offered_by_bash(&["tollgate", "ban", "ip:1", "--fo"]), ["--for"]);
    let all = offered_by_bash(&["tollgate", "''"]);
    assert!(all.contains(&"serve".to_owned()), "{all:?}");
}

#[test]
fn other_shells_have_completions_and_an_unknown_shell_is_a_usage_error() {
    assert!(completions("zsh").starts_with("#compdef tollgate\n"));
    assert!(completions("fish").contains("complete -c tollgate"));
    let finished = Options::default().run(&["completions", "sh"]);
    assert_eq!(finished.status.code(), Some(2));
    assert!(finished.stderr.contains("[possible values: bash, "), "{}", finished.stderr);
}

#[test]
fn the_manual_has_a_page_for_each_command_that_the_help_names() {
    let directory = TempDir::with_prefix("tollgate-man-").expect("a directory");
    let path = directory.path().to_str().expect("a path of text");
    let finished = Options::default().run(&["man", path]);
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    let first = Options::default().run(&["man"]).stdout;
    assert!(first.contains(".TH tollgate 1"), "{first}");
    assert!(first.contains(".SH \"EXIT STATUS\"\n.TP\n0\nSuccess."), "{first}");
    let written = fs::read_to_string(directory.path().join("tollgate.1")).expect("a page");
    assert_eq!(written, first);
    let help = Options::default().run(&["--help"]).stdout;
    let commands = help.split("Commands:\n").nth(1).expect("commands");
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let commands = commands.filter_map(|line| line.split_whitespace().next());
    let mut pages = 0;
    for command in commands.filter(|it| *it != "help") {
        let name = format!("tollgate-{command}.1");
        assert!(directory.path().join(&name).exists(), "{name}");
        // roff writes a hyphen as \-.
        assert!(first.contains(&format!("tollgate\\-{command}(1)")), "{command} in {first}");
        pages += 1;
    }
    assert!(pages > 10, "{help}");
    for hidden in ["man", "completions", "help"] {
        assert!(!directory.path().join(format!("tollgate-{hidden}.1")).exists(), "{hidden}");
    }
}

#[test]
fn health_is_what_the_process_says_of_itself() {
    let listen = format!("127.0.0.1:{}", port::free());
    let options = || Options::default().set("admin.listen", &listen);
    let finished = options().run(&["health"]);
    assert_eq!(finished.status.code(), Some(1));
    assert!(finished.stderr.contains("no process answers at"), "{}", finished.stderr);
    // Neither Redis nor a token is needed.
    let token = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let _tollgate = options()
        .set("admin.token_sha256", token)
        .set("store.url", &format!("redis://127.0.0.1:{}", port::free()))
        .serve();
    let finished = options().run(&["health"]);
    assert_eq!((finished.status.code(), &*finished.stdout), (Some(0), "The process serves.\n"));
    let head = Client::of(format!("http://{listen}")).request("HEAD", "/healthz", &[]);
    assert_eq!((head.status, &*head.body), (200, ""));
}

fn make(target: &str, directory: &TempDir, binary: &str) -> Output {
    let mut command = Command::new("make");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).arg(target);
    command.arg(format!("DESTDIR={}", directory.path().display()));
    // It may run beneath `make test`.
    command.env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
    command.args(["PREFIX=/opt/tollgate", &format!("BINARY={binary}")]).output().expect("make")
}

/// All files below a directory, by their paths within it.
fn files(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in fs::read_dir(next).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let path = path.strip_prefix(directory).expect("it is within");
                found.insert(path.to_str().expect("text").to_owned());
            }
        }
    }
    found
}

#[test]
fn make_install_puts_everything_in_place_and_keeps_the_configuration() {
    let directory = TempDir::with_prefix("tollgate-install-").expect("a directory");
    let binary = env!("CARGO_BIN_EXE_tollgate");
    let done = make("install", &directory, binary);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let at = |path: &str| directory.path().join(path);
    let installed = files(directory.path());
    let pages =
        installed.iter().filter(|it| it.starts_with("opt/tollgate/share/man/man1/")).count();
    let others: Vec<_> = installed.iter().filter(|it| !it.contains("/man1/")).collect();
    assert!(pages > 10, "{installed:?}");
    assert_eq!(
        others,
        [
            "etc/tollgate/config.toml",
            "opt/tollgate/bin/tollgate",
            "opt/tollgate/lib/systemd/system/tollgate.service",
            "opt/tollgate/share/bash-completion/completions/tollgate",
            "opt/tollgate/share/fish/vendor_completions.d/tollgate.fish",
            "opt/tollgate/share/zsh/site-functions/_tollgate",
        ]
    );
    let version = Command::new(at("opt/tollgate/bin/tollgate")).arg("--version").output();
    assert!(version.expect("it runs").stdout.starts_with(b"tollgate "));
    let unit = at("opt/tollgate/lib/systemd/system/tollgate.service");
    let unit = fs::read_to_string(unit).expect("a unit");
    let start = "ExecStart=/opt/tollgate/bin/tollgate serve --config /etc/tollgate/config.toml\n";
    assert!(unit.contains(start), "{unit}");

    fs::write(at("etc/tollgate/config.toml"), "# mine").expect("a configuration");
    assert!(make("install", &directory, binary).status.success());
    assert!(make("uninstall", &directory, binary).status.success());
    assert_eq!(files(directory.path()), ["etc/tollgate/config.toml".to_owned()].into());
    assert_eq!(fs::read(at("etc/tollgate/config.toml")).expect("a file"), b"# mine");
}

#[test]
fn make_install_without_a_command_says_how_to_build_it() {
    let directory = TempDir::with_prefix("tollgate-install-").expect("a directory");
    let done = make("install", &directory, "/nonexistent/tollgate");
    assert!(!done.status.success());
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(
        errors.contains("There is no /nonexistent/tollgate: run make build first."),
        "{errors}"
    );
    assert!(files(directory.path()).is_empty());
}

/// No container can be built wherever tests run. This holds the file to what is there.
#[test]
fn the_container_copies_what_exists_and_starts_what_the_command_knows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("deploy/container/Containerfile")).expect("a file");
    let lines = || text.lines().filter(|line| !line.starts_with('#'));
    let of = |name: &str| lines().filter_map(move |line| line.strip_prefix(name)).next_back();
    for copied in lines().filter_map(|line| line.strip_prefix("COPY deploy/")) {
        let source = copied.split(' ').next().expect("a source");
        assert!(root.join("deploy").join(source).exists(), "{source}");
    }
    let ignored = root.join("deploy/container/Containerfile.dockerignore");
    let ignored = fs::read_to_string(ignored).expect("a file");
    for kept in ignored.lines().filter_map(|line| line.strip_prefix('!')) {
        assert!(root.join(kept).exists(), "{kept}");
    }
    assert_eq!(of("FROM "), Some("scratch"));
    assert_eq!(of("USER "), Some("65532:65532"), "not root");
    assert_eq!(of("ENTRYPOINT "), Some("[\"/usr/local/bin/tollgate\"]"));
    assert_eq!(of("CMD "), Some("[\"serve\"]"));
    let health = of("HEALTHCHECK ").expect("a health check");
    assert!(health.ends_with("CMD [\"/usr/local/bin/tollgate\", \"health\"]"), "{health}");

    // The directory has only this file, as in the container.
    let config = fs::read_to_string(root.join("deploy/container/config.toml")).expect("a file");
    let admin = format!("127.0.0.1:{}", port::free());
    let options = || Options::default().config(&config).set("admin.listen", &admin);
    let _tollgate = options().set("store.url", "memory:").serve();
    assert_eq!(options().run(&["health"]).status.code(), Some(0));
}
