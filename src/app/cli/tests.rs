use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::time::Duration;

use super::*;

/// Runs `arguments` without environment and files, and gives what would be served.
fn served(arguments: &[&str]) -> Result<Config, CliError> {
    let arguments = ["tollgate"].iter().chain(arguments).map(OsString::from);
    let mut served = None;
    execute(arguments, BTreeMap::new(), None, |_, config, _| {
        served = Some(config);
        Ok::<(), Infallible>(())
    })?;
    Ok(served.expect("success without serving"))
}

fn failure(arguments: &[&str]) -> (u8, String) {
    let failure = served(arguments).expect_err("it served");
    (failure.exit_code(), failure.to_string())
}

#[test]
fn the_parser_of_arguments_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn serve_is_what_happens_without_a_command() {
    let default = config::load(&Sources::default()).unwrap();
    assert_eq!(served(&[]).unwrap(), default);
    assert_eq!(served(&["serve"]).unwrap(), default);
}

#[test]
fn the_command_says_what_is_done() {
    let cases: [(&[&str], Action); 3] =
        [(&[], Action::Serve), (&["serve"], Action::Serve), (&["doctor"], Action::Doctor)];
    for (arguments, action) in cases {
        let arguments = ["tollgate"].iter().chain(arguments).map(OsString::from);
        let done = execute(arguments, BTreeMap::new(), None, |it, _, _| {
            assert_eq!(it, action);
            Ok::<(), Infallible>(())
        });
        done.unwrap();
    }
}

#[test]
fn options_work_on_both_sides_of_the_command_and_the_last_wins() {
    let cases: [&[&str]; 4] = [
        &["--set", "store.timeout_ms=7"],
        &["serve", "--set", "store.timeout_ms=7"],
        &["--set=store.timeout_ms=7", "serve"],
        &["--set", "store.timeout_ms=6", "serve", "--set", "store.timeout_ms=7"],
    ];
    for arguments in cases {
        let timeout = served(arguments).unwrap().store.timeout;
        assert_eq!(timeout, Duration::from_millis(7), "{arguments:?}");
    }
}

#[test]
fn files_are_read_in_order_on_both_sides_of_the_command() {
    let directory = env::temp_dir().join(format!("tollgate-cli-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let one = file("one.toml", "[store]\ntimeout_ms = 1\ninstances = 1");
    let two = file("two.toml", "[store]\ntimeout_ms = 2");
    let both = served(&["--config", &one, "serve", "--config", &two]);
    let reversed = served(&["--config", &two, "--config", &one]);
    fs::remove_dir_all(&directory).unwrap();
    assert_eq!(both.unwrap().store.timeout, Duration::from_millis(2));
    assert_eq!(reversed.unwrap().store.timeout, Duration::from_millis(1));
}

#[test]
fn help_and_version_are_a_success() {
    for arguments in [["--help"], ["--version"]] {
        assert_eq!(failure(&arguments).0, 0, "{arguments:?}");
    }
    assert!(failure(&["--version"]).1.contains(env!("CARGO_PKG_VERSION")));
    let help = failure(&["--help"]).1;
    for word in ["serve", "--config <FILE>", "--set <KEY=VALUE>"] {
        assert!(help.contains(word), "{word} is not in {help}");
    }
}

#[test]
fn an_argument_that_nobody_knows_is_a_usage_error() {
    for arguments in [&["--nonsense"][..], &["nonsense"], &["--config"], &["serve", "more"]] {
        let (code, text) = failure(arguments);
        assert_eq!(code, 2, "{arguments:?}");
        assert!(text.starts_with("tollgate: ") && !text.contains("error:"), "{text}");
    }
}

#[test]
fn a_bad_configuration_is_reported_whole() {
    let (code, text) = failure(&["serve", "--set", "store.timeout_ms=0", "--set", "x=1"]);
    assert_eq!(code, 78);
    assert_eq!(
        text,
        "tollgate: store.timeout_ms: expected a whole number from 1 to 60000, got \"0\" \
         (from the command line)\n\
         tollgate: x: unknown key, expected server, admin, gate, store, client_ip, headers, cors, access, log, refusals, policies, auth, routes or descriptors \
         (from the command line)"
    );
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let (code, text) = failure(&["--config", "no/such/file.toml"]);
    assert_eq!(code, 78);
    assert!(text.starts_with("tollgate: no/such/file.toml: cannot be read: "), "{text}");
}

#[test]
fn a_server_that_fails_tells_each_cause() {
    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);
    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }
    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    let cause = |text, cause| Some(Box::new(Layer(text, cause)));
    let causes = cause("cannot bind", cause("permission denied", None));
    let serve = |_, _, _: &_| Err(Layer("cannot listen on 127.0.0.1:80", causes));
    let failure = execute(["tollgate".into()], BTreeMap::new(), None, serve).unwrap_err();
    assert_eq!(failure.exit_code(), 1);
    assert_eq!(
        failure.to_string(),
        "tollgate: cannot listen on 127.0.0.1:80: cannot bind: permission denied"
    );
}

#[test]
fn what_is_suggested_for_must_be_known() {
    for (option, value, said) in [
        ("--window", "fortnight", "is not a window"),
        ("--algorithm", "leaky-bucket", "is not an algorithm"),
        ("--deny-at-most", "101%", "101%"),
        ("--route", "login", "is not a route"),
        ("--charge-on", "401,600", "\"600\" is no status"),
        ("--of", "bytes", "[possible values: clients, requests]"),
        ("--field", "user", "does not say where a field is"),
    ] {
        let (code, text) = failure(&["suggest", option, value]);
        assert_eq!(code, 2, "{option} {value}");
        assert!(text.contains(said), "{text}");
    }
    let (code, text) = failure(&["suggest", "no/such/access.log", "--set", "store.url=memory:"]);
    assert_eq!(code, 1);
    assert!(text.starts_with("tollgate: the log cannot be read: no/such/access.log"), "{text}");
}
