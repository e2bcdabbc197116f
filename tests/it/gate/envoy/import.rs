//! The configurations that Envoy's own rate limit service ships, imported, and asked as that service is.

use std::fs;
use std::path::Path;

use super::client::{Code, RateLimitRequest, codes, descriptor, remaining, request};
use super::serve;
use crate::support::process::{Finished, Options};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/gate/envoy/import");

fn import(files: &[&str]) -> Finished {
    let files: Vec<_> = files.iter().map(|file| format!("{SAMPLES}/{file}")).collect();
    let mut arguments = vec!["import", "envoy-ratelimit"];
    arguments.extend(files.iter().map(String::as_str));
    Options::default().run(&arguments)
}

/// What is imported from `files`, which `tollgate check` takes.
fn imported(files: &[&str]) -> String {
    let Finished { status, stdout, stderr } = import(files);
    assert!(status.success(), "{stderr}");
    let checked = Options::default().config(&stdout).run(&["check"]);
    assert!(checked.status.success(), "{stdout}\n{}", checked.stderr);
    stdout
}

#[test]
fn each_of_the_samples_is_taken_and_they_are_together() {
    let samples = ["config.yaml", "example.yaml", "quota.yaml"];
    for sample in samples {
        imported(&[sample]);
    }
    imported(&samples);
    assert_eq!(fs::read_dir(Path::new(SAMPLES)).expect("samples").count(), samples.len());
}

#[test]
fn an_imported_configuration_decides_as_the_service_does() {
    let config = imported(&["example.yaml"]) + "[store]\nurl = \"memory:\"\n";
    let (_tollgate, envoy) = serve(&config);
    let ask = |text: &str, times: usize| {
        let request =
            RateLimitRequest { domain: "rl".to_owned(), ..request(vec![descriptor(text)]) };
        let answers = (0..times).map(|_| envoy.ask(request.clone()).expect("an answer"));
        answers.fold(None, |_, answer| Some(answer)).expect("an answer")
    };
    for (descriptor, admitted) in [
        ("source_cluster=proxy,destination_cluster=mock", 1),
        ("foo=a", 2),
        ("foo=b", 2),
        ("foo=a,bar=x", 3),
        ("foo=a,bar=banned", 0),
    ] {
        if admitted > 0 {
            let last = ask(descriptor, admitted);
            assert_eq!((codes(&last).0, remaining(&last)), (Code::Ok, vec![0]), "{descriptor}");
        }
        assert_eq!(codes(&ask(descriptor, 1)).0, Code::OverLimit, "{descriptor}");
    }
    for descriptor in [
        "foo=a,bay=x",
        "qux=x",
        // Tried out, and never refused.
        "foo=a,baz=shady",
        // What no limit is for.
        "source_cluster=proxy",
        "source_cluster=other,destination_cluster=mock",
        "foo=a,bar=x,baz=x",
        "other=x",
    ] {
        assert_eq!(codes(&ask(descriptor, 5)).0, Code::Ok, "{descriptor}");
    }
}

#[test]
fn what_has_no_counterpart_is_said() {
    let Finished { status, stdout, stderr } = import(&["quota.yaml"]);
    assert!(status.success());
    assert_eq!(stderr, "2 things need a look: search for \"# note:\".\n");
    assert_eq!(stdout.matches("# note: quota_mode has no counterpart").count(), 2, "{stdout}");
    let stderr = import(&["config.yaml"]).stderr;
    assert_eq!(stderr, "All of it has a counterpart. `tollgate check` reads it.\n");
}

#[test]
fn a_file_that_cannot_be_imported_is_an_error_that_names_it() {
    let Finished { status, stdout, stderr } = import(&["config.yaml", "none.yaml"]);
    assert_eq!((status.code(), &*stdout), (Some(1), ""));
    assert!(stderr.contains("none.yaml cannot be read: No such file"), "{stderr}");
}
