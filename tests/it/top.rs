//! `tollgate top` in a terminal: it follows what happens, and leaves the terminal as it found it.

use rustix::process::Signal;

use crate::support::port;
use crate::support::process::{Options, Tollgate};
use crate::support::terminal::Terminal;

const SIZE: [u16; 2] = [80, 20];

/// A process in which two requests a year of each `x-client` are admitted, and whose operators ask at `listen`.
fn serve(listen: &str) -> Tollgate {
    Options::default()
        .set("store.url", "memory:")
        .set("admin.listen", listen)
        .set("policies.default.quota", "2/52 weeks")
        .set("policies.default.key", "header:x-client")
        .set("policies.trial.quota", "1/52 weeks")
        .set("policies.trial.mode", "shadow")
        .serve()
}

fn listen() -> String {
    format!("127.0.0.1:{}", port::free())
}

fn ask(tollgate: &Tollgate, client: &str, times: usize) {
    for _ in 0..times {
        tollgate.get("/api/data", &[("x-client", client.as_bytes())]);
    }
}

fn top(listen: &str, arguments: &[&str]) -> Terminal {
    let options = Options::default().set("admin.listen", listen);
    let arguments = [&["top", "--every", "100ms"], arguments].concat();
    options.run_in_terminal(&arguments, SIZE)
}

/// Waits for the end of the view, after which the terminal has to be as it was.
#[track_caller]
fn assert_ended(mut terminal: Terminal) {
    assert_eq!(terminal.wait().code(), Some(0));
    assert!(terminal.is_as_before(), "the modes of the terminal are others than before");
    terminal.until("the screen is as before", |text| text.is_empty());
    terminal.look(|screen| {
        assert!(!screen.alternate_screen() && !screen.hide_cursor());
    });
}

#[test]
fn the_view_follows_what_happens_until_a_key_ends_it() {
    let listen = listen();
    let tollgate = serve(&listen);
    ask(&tollgate, "ann", 12);
    let mut terminal = top(&listen, &[]);
    let text = terminal.until("ann is shown", |text| text.contains("header:x-client:ann"));
    assert!(text.starts_with(&format!("tollgate at {listen}")), "{text}");
    assert!(!terminal.is_as_before() && terminal.look(|screen| screen.alternate_screen()));
    ask(&tollgate, "bob", 42);
    let is_first = |text: &str| {
        let line = |name| text.lines().position(|line| line.contains(&format!("client:{name}")));
        line("bob").zip(line("ann")).is_some_and(|(bob, ann)| bob < ann)
    };
    terminal.until("bob is first, and ann is below", is_first);
    terminal.press("j");
    terminal.until("ann is selected", |text| {
        text.lines().any(|line| line.starts_with('>') && line.contains("client:ann"))
    });
    terminal.press("ss");
    terminal.until("the order is another", |text| text.contains("all policies: busiest"));
    terminal.press("\t\t");
    terminal.until("the policy is another", |text| text.contains("trial: busiest"));
    terminal.press("\x1b[Z");
    terminal.until("the policy is the one before", |text| text.contains("default: busiest"));
    terminal.press("\x1b");
    assert_ended(terminal);
}

#[test]
fn another_size_is_filled() {
    let listen = listen();
    let tollgate = serve(&listen);
    ask(&tollgate, "ann", 12);
    let mut terminal = top(&listen, &[]);
    let is_full = |[columns, rows]: [u16; 2]| {
        move |text: &str| {
            let first = text.lines().next().unwrap_or_default();
            let last = text.lines().nth(usize::from(rows) - 1).unwrap_or_default();
            first.len() == usize::from(columns) && first.ends_with(" ago") && last.starts_with("q ")
        }
    };
    terminal.until("the screen is full", is_full(SIZE));
    for size in [[60, 16], [132, 50], [60, 16], [20, 5]] {
        terminal.resize(size);
        if size == [20, 5] {
            // The first line is not wide enough for all.
            terminal.until("the least is there", |text| {
                text.lines().nth(4).is_some_and(|last| last.starts_with("q end "))
            });
        } else {
            terminal.until("the new screen is full", is_full(size));
        }
    }
    // A key that comes together with a new size may be seen only with the next key. A signal is seen at once.
    terminal.resize(SIZE);
    terminal.until("the first size is full", is_full(SIZE));
    terminal.signal(Signal::TERM);
    assert_ended(terminal);
}

#[test]
fn a_process_that_is_gone_is_asked_until_it_is_back() {
    let listen = listen();
    let mut tollgate = serve(&listen);
    ask(&tollgate, "ann", 12);
    let mut terminal = top(&listen, &[]);
    terminal.until("ann is shown", |text| text.contains("header:x-client:ann"));
    assert!(tollgate.stop().success());
    let text = terminal.until("it says so", |text| text.contains("No answer for "));
    assert!(text.contains("header:x-client:ann"), "the last figures stay: {text}");
    let tollgate = serve(&listen);
    ask(&tollgate, "eve", 12);
    let text = terminal.until("it is back", |text| text.contains("header:x-client:eve"));
    assert!(!text.contains("No answer"), "{text}");
    terminal.press("\x03");
    assert_ended(terminal);
}

#[test]
fn a_signal_ends_it_in_order() {
    let listen = listen();
    let _tollgate = serve(&listen);
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        let terminal = top(&listen, &[]);
        terminal.until("it is there", |text| text.contains("most refused"));
        terminal.signal(signal);
        assert_ended(terminal);
    }
}

/// Also where the signal of that is ignored, as under `nohup`, or got lost.
#[test]
fn it_ends_with_its_terminal() {
    let listen = listen();
    let _tollgate = serve(&listen);
    let mut terminal = top(&listen, &[]);
    terminal.until("it is there", |text| text.contains("most refused"));
    terminal.hang_up("s");
    assert_eq!(terminal.wait().code(), Some(0));
}

#[test]
fn it_has_no_colours_where_there_shall_be_none() {
    let listen = listen();
    let tollgate = serve(&listen);
    ask(&tollgate, "ann", 12);
    for (value, has_colours) in [("", true), ("1", false)] {
        let options = Options::default().set("admin.listen", &listen).env("NO_COLOR", value);
        let mut terminal = options.run_in_terminal(&["top"], SIZE);
        terminal.until("ann is shown", |text| text.contains("header:x-client:ann"));
        let is_coloured = terminal.look(|screen| {
            let cells = (0..SIZE[1]).flat_map(|row| (0..SIZE[0]).map(move |column| (row, column)));
            cells.filter_map(|(row, column)| screen.cell(row, column)).any(|cell| {
                [cell.fgcolor(), cell.bgcolor()].iter().any(|it| *it != vt100::Color::Default)
            })
        });
        assert_eq!(is_coloured, has_colours, "NO_COLOR={value}");
        terminal.press("q");
        assert_ended(terminal);
    }
}

#[test]
fn a_list_is_printed_once_where_that_is_asked_for_or_nothing_else_is_possible() {
    let listen = listen();
    let tollgate = serve(&listen);
    ask(&tollgate, "ann", 12);
    for (arguments, term) in
        [(&["--once"][..], "xterm"), (&["--json"], "xterm"), (&[], "dumb"), (&[], "")]
    {
        let options = Options::default().set("admin.listen", &listen).env("TERM", term);
        let mut terminal = options.run_in_terminal(&[&["top"], arguments].concat(), SIZE);
        assert_eq!(terminal.wait().code(), Some(0));
        let text = terminal.until("the list is there", |text| text.contains("ann"));
        assert!(!text.contains("q end"), "{text}");
        assert!(terminal.is_as_before());
    }
}

#[test]
fn who_cannot_be_asked_at_first_is_an_error_as_for_other_commands() {
    let mut terminal = top(&listen(), &[]);
    assert_eq!(terminal.wait().code(), Some(1));
    terminal
        .until("it says why", |text| text.contains("tollgate: no process answers at 127.0.0.1"));
    assert!(terminal.is_as_before());
    for every in ["0s", "99ms", "2h", "soon"] {
        let finished = Options::default().run(&["top", "--every", every]);
        assert_eq!(finished.status.code(), Some(2), "{every}: {}", finished.stderr);
    }
}
