//! The answers that pages show, and what the start says.

use tollgate::{Clock as _, SystemClock};

use super::page::{Page, Step};
use super::shown::{assert_answered, assert_shown, curl, is_alike};
use crate::support::port;
use crate::support::process::{Options, Tollgate};

const KEY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn step<'a>(steps: &'a [Step], begin: &str) -> &'a Step {
    let found = steps.iter().find(|step| step.command.starts_with(begin));
    found.unwrap_or_else(|| panic!("no command begins with {begin:?}: {steps:?}"))
}

/// The first blocks of text of a page, where it shows header fields.
fn fields(page: &str) -> Vec<String> {
    Page::named(page).blocks("text").into_iter().map(|block| block.text).collect()
}

/// The fields `shown` are in an answer, each just so.
#[track_caller]
fn assert_fields(shown: &str, answer: &str) {
    for shown in shown.lines() {
        assert!(answer.lines().any(|line| is_alike(shown, line)), "{shown} is not in\n{answer}");
    }
}

/// What `ask` returns where a new minute began neither before nor while it asked.
fn within_a_minute<T>(ask: impl Fn() -> T) -> T {
    let minute = || SystemClock.now() / 60_000;
    loop {
        let begin = minute();
        let answered = ask();
        if minute() == begin {
            return answered;
        }
    }
}

#[test]
fn the_start_is_as_shown() {
    for name in ["README.md", "docs/src/start.md"] {
        let steps = Page::named(name).steps();
        let free = port::free();
        let (log, ten, eleventh) = within_a_minute(|| {
            let url = format!("redis://127.0.0.1:{free}/0");
            let mut tollgate = Options::default().set("store.url", &url).serve();
            let log = tollgate.stderr().join("\n");
            let statuses = (0..10).map(|_| tollgate.get("/api/data", &[]).status.to_string());
            let statuses: Vec<_> = statuses.collect();
            let eleventh = curl(&step(&steps, "curl -i").command, tollgate.url());
            let port = format!(":{}", tollgate.url().rsplit(':').next().expect("a port"));
            let log = log.replace(&format!(":{free}"), ":6379").replace(&port, ":8080");
            (log, statuses.join(" "), eleventh)
        });
        assert_shown(&step(&steps, "make run").output, &log);
        assert_shown(&step(&steps, "for i in $(seq 10); do curl").output, &ten);
        assert_answered(&step(&steps, "curl -i").output, &eleventh);
    }
}

#[test]
fn wrong_credentials_are_answered_as_shown() {
    let steps = Page::named("docs/src/authentication.md").steps();
    let tollgate = memory().set(&format!("auth.keys.{KEY}.user"), "1042").serve();
    let shown = step(&steps, "curl -i");
    assert_answered(&shown.output, &curl(&shown.command, tollgate.url()));
}

#[test]
fn refusals_have_the_bodies_that_are_shown() {
    let page = Page::named("docs/src/refusals.md");
    let shown: Vec<_> = page.blocks("json").into_iter().map(|block| block.text).collect();
    let body = |tollgate: &Tollgate| {
        curl("curl -H 'authorization: Bearer x' http://h/api/data", tollgate.url())
    };
    let policy = "policies.default.on_store_failure";
    let burst = &burst();
    let unauthorized = memory().set(&format!("auth.keys.{KEY}.user"), "1042").serve();
    let limited = memory().config(burst).serve();
    let refuses = Options::default().set(policy, "deny");
    let refuses = refuses.set("store.url", &format!("redis://127.0.0.1:{}", port::free())).serve();
    let blocks = memory().set("access.block", "127.0.0.1").serve();
    let listen = format!("127.0.0.1:{}", port::free());
    let bans = memory().set("admin.listen", &listen).serve();
    let ban = ["ban", "ip:127.0.0.1", "--for", "1h"];
    let finished = Options::default().set("admin.listen", &listen).run(&ban);
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    assert_eq!(shown.len(), 5);
    assert_shown(&shown[0], &first_denial(&limited, "curl http://h/api/data"));
    assert_shown(&shown[1], &body(&refuses));
    assert_shown(&shown[2], &body(&blocks));
    assert_shown(&shown[3], &body(&bans));
    assert_shown(&shown[4], &body(&unauthorized));
}

#[test]
fn header_fields_are_as_shown() {
    let burst = &burst();
    for name in ["docs/src/header-fields.md", "docs/guide/header_fields.md"] {
        let shown = fields(name);
        let tollgate = memory().config(burst).serve();
        let ask = "curl -i http://h/api/data";
        assert_fields(&shown[0], &curl(ask, tollgate.url()));
        assert_fields(&shown[1], &first_denial(&tollgate, ask));
    }
    let older =
        memory().set("headers.send", "draft-11,x-ratelimit").set("headers.cors_expose", "true");
    let older = older.set("policies.default.quota", "2/minute").serve();
    let answer = within_a_minute(|| {
        older.get("/api/status", &[]);
        curl("curl -i http://h/api/data", older.url())
    });
    let shown = &fields("docs/src/header-fields.md")[2];
    assert_fields(shown, &answer);
}

/// The configuration of a policy that is quickly used up.
fn burst() -> String {
    let blocks = Page::named("docs/src/policies.md").blocks("toml");
    let mut texts = blocks.into_iter().map(|block| block.text);
    texts.find(|text| text.contains("[policies.burst]")).expect("the page shows one")
}

fn memory() -> Options {
    Options::default().set("store.url", "memory:")
}

/// The first answer to `command` that is a 429: a token bucket of 20 is empty soon, however fast it refills.
fn first_denial(tollgate: &Tollgate, command: &str) -> String {
    let answers = (0..1_000).map(|_| curl(command, tollgate.url()));
    let mut denied = answers.filter(|answer| answer.contains("quota-exceeded"));
    denied.next().expect("a denial")
}
