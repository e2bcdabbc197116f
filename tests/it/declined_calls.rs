//! Requests that Redis declines were not charged there. They are admitted without it, owed in full, and
//! charged when it is back.

use std::fs;
use std::time::Duration;

use redis::{Connection, cmd};
use tollgate::OnStoreFailure;

use crate::support::redis::Server;
use crate::support::threads::{start, until};
use crate::support::traffic::{admitted, limiter, options, store};

/// One command after another, as words.
type Commands<'a> = &'a [&'a [&'a str]];

fn tell(operator: &mut Connection, commands: Commands<'_>) {
    for words in commands {
        redis::Cmd::new().arg(*words).exec(operator).expect("a command that it takes");
    }
}

/// Waits until the server refuses an operator as it does everyone.
fn until_it_says(code: &str, operator: &mut Connection) {
    until(code, || cmd("PING").exec(operator).is_err_and(|error| error.code() == Some(code)));
}

/// Lets a client use a part of a quota before, while and after `server` declines to count for
/// `cause`: none of it is lost, and none charged twice.
#[track_caller]
fn nothing_is_lost(
    server: &Server,
    credentials: &str,
    cause: &str,
    fail: impl FnOnce(&mut Connection),
    mend: impl FnOnce(&mut Connection),
) {
    let mut operator = server.connection();
    // Nothing here is waited for.
    let timeout = Duration::from_secs(10);
    let url = format!("{}{credentials}", server.url());
    let store = store(&options(&url).timeout(timeout));
    let limiter = limiter(&store, 10, OnStoreFailure::Local);
    assert_eq!(admitted(&limiter, "one", 2), 2, "{cause}");
    fail(&mut operator);
    // Three are sent and declined, and the fourth is not sent.
    assert_eq!(admitted(&limiter, "one", 4), 4, "{cause}");
    let status = store.status();
    assert_eq!((status.outages, status.failures), (1, 3), "{status:?}");
    assert_eq!(status.cause, Some(cause));
    mend(&mut operator);
    until("the store is up", || store.is_up());
    let books = || (store.status().charged_back, store.status().not_charged_back);
    until("it is charged", || books() != (0, 0));
    assert_eq!(books(), (4, 0), "{cause}");
    assert_eq!(admitted(&limiter, "one", 9), 10 - 2 - 4, "{cause}");
}

#[test]
fn by_a_redis_that_takes_no_writes() {
    const SERVE_NOTHING_STALE: &[&str] = &["CONFIG", "SET", "replica-serve-stale-data", "no"];
    const FOLLOW_NOBODY: &[&str] = &["REPLICAOF", "127.0.0.1", "1"];
    const LEAD: &[&str] = &["REPLICAOF", "NO", "ONE"];
    // (the cause, what brings it about, what ends it)
    let cases: [(&str, Commands<'_>, Commands<'_>); 4] = [
        (
            "out of memory",
            &[&["CONFIG", "SET", "maxmemory", "1"]],
            &[&["CONFIG", "SET", "maxmemory", "0"]],
        ),
        ("read-only replica", &[FOLLOW_NOBODY], &[LEAD]),
        ("replica without primary", &[SERVE_NOTHING_STALE, FOLLOW_NOBODY], &[LEAD]),
        (
            "too few replicas",
            &[&["CONFIG", "SET", "min-replicas-to-write", "1"]],
            &[&["CONFIG", "SET", "min-replicas-to-write", "0"]],
        ),
    ];
    for (cause, fail, mend) in cases {
        let server = Server::start();
        nothing_is_lost(&server, "", cause, |it| tell(it, fail), |it| tell(it, mend));
    }
}

#[test]
fn by_a_redis_that_could_not_save() {
    let server = Server::start();
    // In the place of its snapshot.
    let home = server.socket().parent().expect("a directory").to_owned();
    fs::create_dir(home.join("reload.rdb")).expect("a directory");
    let fail = |operator: &mut Connection| {
        tell(operator, &[&["CONFIG", "SET", "save", "3600 1"], &["BGSAVE"]]);
        until_it_says("MISCONF", operator);
    };
    let mend = |operator: &mut Connection| tell(operator, &[&["CONFIG", "SET", "save", ""]]);
    nothing_is_lost(&server, "", "cannot save", fail, mend);
}

#[test]
fn by_a_redis_that_is_busy_with_a_script() {
    let server = Server::start();
    let url = server.url();
    server.tell(&["CONFIG", "SET", "busy-reply-threshold", "1"]);
    let fail = |operator: &mut Connection| {
        start(1, move |_| {
            let client = redis::Client::open(&*url).expect("a URL");
            let mut somebody = client.get_connection().expect("a connection");
            cmd("EVAL").arg("while true do end").arg(0).exec(&mut somebody).is_err()
        });
        until_it_says("BUSY", operator);
    };
    let mend = |operator: &mut Connection| tell(operator, &[&["SCRIPT", "KILL"]]);
    nothing_is_lost(&server, "", "busy with a script", fail, mend);
}

#[test]
fn by_a_redis_whose_user_may_not_run_scripts_any_more() {
    const USER: &[&str] = &["ACL", "SETUSER", "tollgate"];
    let server = Server::start();
    server.tell(&[USER, &["on", ">secret", "~*", "+@all"]].concat());
    let rule = |rule| move |operator: &mut Connection| tell(operator, &[&[USER, &[rule]].concat()]);
    let (fail, mend) = (rule("-evalsha"), rule("+evalsha"));
    nothing_is_lost(&server, "?user=tollgate&pass=secret", "missing permission", fail, mend);
}
