//! What the view shows.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;
use serde_json::{Value, json};

use super::board::{Board, Pressed};
use super::draw::draw;
use super::figures::Figures;
use super::follower::News;
use super::history::History;
use super::words;
use crate::app::observation::Rank;
use crate::domain::clock::Millis;

/// A policy as the process answers it.
fn policy(name: &str, quota: &str, [admitted, denied]: [u64; 2]) -> Value {
    json!({
        "name": name, "quota": quota, "key": "ip", "mode": "enforce", "share": null, "candidate": null,
        "is_switched_off": false,
        "counts": {
            "admitted": admitted, "denied": denied, "denied_by_another": 0, "undecided": 0,
            "shadow_agrees": 0, "shadow_would_deny": 0, "candidate_agrees": 0,
            "candidate_would_deny": 0, "candidate_would_admit": 0,
        },
    })
}

fn answers(policies: &[Value], refused: &[Value], busiest: &[Value]) -> [Value; 3] {
    let top = |keys: &[Value]| json!({ "window_seconds": [300, 600], "keys": keys });
    let store = json!({ "kind": "redis", "is_up": true, "down_for_ms": null, "cause": null });
    let policies = json!({ "generation": 3, "store": store, "policies": policies });
    [policies, top(refused), top(busiest)]
}

fn key(policy: &str, key: &str, [count, error]: [u64; 2], since: Option<u64>) -> Value {
    json!({ "policy": policy, "key": key, "count": count, "error": error, "refused_for_seconds": since })
}

/// What a process answers after so many seconds, in which a client asked ten times a second, and was refused eight
/// times.
fn after(seconds: u64) -> [Value; 3] {
    let mut candidate = policy("login", "5/minute", [40, 0]);
    candidate["candidate"] = json!("3/minute");
    candidate["counts"]["candidate_would_deny"] = json!(7);
    let mut shadow = policy("per-ip-and-path", "1000/hour", [0, 0]);
    shadow["mode"] = json!("shadow");
    shadow["counts"]["shadow_agrees"] = json!(90);
    shadow["counts"]["shadow_would_deny"] = json!(12);
    let requests = 5_000 + 10 * seconds;
    let denied = 4_180 + 8 * seconds;
    let default = policy("default", "10/minute", [requests - denied, denied]);
    answers(
        &[default, candidate, shadow],
        &[
            key("default", "ip:203.0.113.7", [denied - 13, 0], Some(192)),
            key("default", "ip:2001:db8:7::/64", [13, 4], Some(40)),
        ],
        &[
            key("default", "ip:203.0.113.7", [requests - 500, 0], Some(192)),
            key("login", "user:1042", [40, 0], None),
        ],
    )
}

fn figures(answers: [Value; 3], at: Millis) -> Figures {
    let [policies, refused, busiest] = answers;
    Figures::of(policies, refused, busiest, at).expect("the answers are readable")
}

/// What is known after the process has answered at 0 s and at 2 s.
fn board() -> Board {
    let mut board = Board::new("127.0.0.1:8081", None, Rank::Refused, figures(after(0), 0));
    board.hear(News::Figures(figures(after(2), 2_000)), 2_000);
    board
}

fn press(board: &mut Board, code: KeyCode) -> Pressed {
    board.press(KeyEvent::new(code, KeyModifiers::NONE))
}

/// The lines of a screen of this size, without the spaces at their ends.
fn shown(board: &Board, now: Millis, [columns, rows]: [u16; 2]) -> String {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| draw(board, now, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let lines = buffer.content().chunks(columns.into());
    let text = |line: &[ratatui::buffer::Cell]| {
        let text: String = line.iter().map(|cell| cell.symbol()).collect();
        format!("{}\n", text.trim_end())
    };
    lines.map(text).collect()
}

/// The line of `text` that begins so.
fn line_of<'a>(text: &'a str, begins: &str) -> &'a str {
    let mut lines = text.lines().filter(|line| line.starts_with(begins));
    lines.next().unwrap_or_else(|| panic!("no line begins with {begins:?}:\n{text}"))
}

#[test]
fn a_screen_has_policies_with_their_rates_and_keys_with_theirs_as_the_page_shows() {
    let page = include_str!("../../../../../docs/src/operate.md");
    let shown = shown(&board(), 2_300, [80, 15]);
    assert!(page.contains(&format!("```text\n{shown}```\n")), "\n{shown}");
}

#[test]
fn sixty_columns_have_what_is_needed() {
    let expected = "\
tollgate at 127.0.0.1:8081   store: redis             0s ago
 POLICY          MODE          ALLOWED/S DENIED/S WOULD DENY
>all policies
 default         enforce             2.0      8.0          -
 login           enforce               0        0          7
 per-ip-and-path shadow                0        0         12

all policies: most refused, last 5 to 10 minutes
  REFUSED     /S REQUESTS   SINCE KEY
>    4183    8.0     4520  3m 12s ip:203.0.113.7
      ~13      0        -     40s ip:2001:db8:7::/64

ip:203.0.113.7 under default: refused 4183, 8.0 a second,
since 3m 12s ago; requests 4520, 10.0 a second
q end   Tab policy   j k select   s order
";
    assert_eq!(shown(&board(), 2_300, [60, 15]), expected);
}

#[test]
fn a_wide_screen_has_quotas_and_what_is_tried_out_in_their_place() {
    let text = shown(&board(), 2_300, [120, 15]);
    let line = line_of(&text, " login");
    assert!(line.contains("5/minute, tries 3/minute"), "{text}");
}

#[test]
fn no_size_is_too_small_and_a_low_screen_shows_the_policy_that_is_selected() {
    let mut board = board();
    for columns in [1, 2, 20, 59, 79, 109, 300] {
        for rows in 1..30 {
            shown(&board, 2_300, [columns, rows]);
        }
    }
    (0..3).for_each(|_| assert_eq!(press(&mut board, KeyCode::Tab), Pressed::Policy));
    let text = shown(&board, 2_300, [80, 10]);
    assert!(line_of(&text, ">per-ip-and-path").contains("shadow"), "{text}");
}

#[test]
fn while_nothing_is_heard_the_last_figures_stay_with_their_age() {
    let mut board = board();
    board.hear(News::Lost("Connection refused".to_owned()), 5_000);
    board.hear(News::Lost("timeout".to_owned()), 7_000);
    let text = shown(&board, 68_000, [80, 16]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with("1m 6s ago"), "{text}");
    assert_eq!(lines[1], "No answer for 1m 3s, still trying: timeout");
    assert!(text.contains(">    4183"), "{text}");
    board.hear(News::Figures(figures(after(70), 70_000)), 70_000);
    let text = shown(&board, 70_100, [80, 16]);
    assert!(!text.contains("No answer") && text.contains("0s ago\n"), "{text}");
}

#[test]
fn a_store_that_is_down_is_said_with_its_cause() {
    let mut answers = after(0);
    answers[0]["store"] = json!({
        "kind": "redis", "is_up": false, "down_for_ms": 12_900, "cause": "it refuses connections",
    });
    let board = Board::new("127.0.0.1:8081", None, Rank::Refused, figures(answers, 0));
    let text = shown(&board, 100, [80, 16]);
    assert!(text.contains("store: redis down"), "{text}");
    assert!(text.contains("\nThe store is down for 12s: it refuses connections\n"), "{text}");
}

#[test]
fn the_modes_of_policies_say_what_holds() {
    let mut answers = after(0);
    answers[0]["policies"][0]["is_switched_off"] = json!(true);
    answers[0]["policies"][1]["share"] = json!("10%");
    answers[0]["policies"][2]["mode"] = json!("off");
    let board = Board::new("127.0.0.1:8081", None, Rank::Refused, figures(answers, 0));
    let text = shown(&board, 100, [80, 16]);
    for (policy, mode) in
        [(" default", "switched off"), (" login", "enforce 10%"), (" per-ip-and-path", " off ")]
    {
        assert!(line_of(&text, policy).contains(mode), "{text}");
    }
}

#[test]
fn an_empty_list_says_why() {
    let mut off = policy("off", "1/minute", [0, 0]);
    off["is_switched_off"] = json!(true);
    let mut shadow = policy("shadow", "1/minute", [0, 0]);
    shadow["mode"] = json!("shadow");
    let policies = [policy("idle", "1/minute", [0, 0]), off, shadow];
    let of = |policy: Option<&str>, by| {
        let figures = figures(answers(&policies, &[], &[]), 0);
        let board = Board::new("127.0.0.1:8081", policy.map(str::to_owned), by, figures);
        shown(&board, 0, [120, 16])
    };
    for (policy, by, expected) in [
        (None, Rank::Refused, "No request was refused in the last 5 to 10 minutes."),
        (None, Rank::Busiest, "No request came in the last 5 to 10 minutes."),
        (Some("idle"), Rank::Busiest, "No request came under idle in the last 5 to 10 minutes."),
        (Some("off"), Rank::Refused, "10 minutes. An operator has switched it off."),
        (
            Some("shadow"),
            Rank::Refused,
            "minutes. It is only tried out, so its keys are not counted.",
        ),
        (Some("gone"), Rank::Refused, "minutes. There is no such policy."),
    ] {
        let text = of(policy, by);
        assert!(text.contains(&format!("{expected}\n")), "{expected}\n{text}");
    }
}

#[test]
fn each_order_has_its_first_key_and_the_selected_key_is_followed() {
    let answers = |seconds: u64| {
        let refused =
            [key("p", "ip:a", [900, 0], Some(9)), key("p", "ip:b", [10 + 5 * seconds, 0], Some(9))];
        let busiest = [
            key("p", "ip:a", [901, 0], Some(9)),
            key("p", "ip:b", [11 + 5 * seconds, 0], Some(9)),
            key("p", "ip:c", [2_000 + seconds, 0], None),
            key("p", "ip:d", [50 + 100 * seconds, 0], None),
        ];
        self::answers(&[policy("p", "1/minute", [0, 0])], &refused, &busiest)
    };
    let mut board = Board::new("127.0.0.1:8081", None, Rank::Refused, figures(answers(0), 0));
    board.hear(News::Figures(figures(answers(2), 2_000)), 2_000);
    let keys = |board: &Board| {
        board.rows().iter().map(|row| row.name.key.clone()).collect::<Vec<_>>().join(" ")
    };
    let selected = |board: &Board| {
        let rows = board.rows();
        rows[board.selected(&rows)].name.key.clone()
    };
    for (title, expected) in [
        ("most refused", "ip:a ip:b"),
        ("most refused at the moment", "ip:b ip:a"),
        ("busiest", "ip:c ip:a ip:d ip:b"),
        ("busiest at the moment", "ip:d ip:b ip:c ip:a"),
    ] {
        assert_eq!((board.order().title(), &*keys(&board)), (title, expected));
        assert_eq!(press(&mut board, KeyCode::Char('s')), Pressed::Nothing);
    }
    press(&mut board, KeyCode::Char('k'));
    assert_eq!(selected(&board), "ip:a");
    press(&mut board, KeyCode::Down);
    press(&mut board, KeyCode::Char('j'));
    assert_eq!(selected(&board), "ip:b", "there is none below");
    board.hear(News::Figures(figures(answers(400), 400_000)), 400_000);
    assert_eq!((keys(&board).as_str(), selected(&board).as_str()), ("ip:b ip:a", "ip:b"));
    press(&mut board, KeyCode::Up);
    assert_eq!(selected(&board), "ip:b");
}

#[test]
fn tab_goes_round_all_policies_and_keys_end_the_view() {
    let mut board = board();
    let mut seen = Vec::new();
    for _ in 0..4 {
        press(&mut board, KeyCode::Tab);
        seen.push(board.policy().map(str::to_owned));
    }
    let names = ["default", "login", "per-ip-and-path"].map(|name| Some(name.to_owned()));
    assert_eq!(seen, [&names[..], &[None]].concat());
    press(&mut board, KeyCode::BackTab);
    assert_eq!(board.policy(), Some("per-ip-and-path"));
    for code in [KeyCode::Char('q'), KeyCode::Esc] {
        assert_eq!(press(&mut board, code), Pressed::End);
    }
    assert_eq!(press(&mut board, KeyCode::Char('c')), Pressed::Nothing);
    let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(board.press(control_c), Pressed::End);
}

#[test]
fn what_is_refused_now_and_what_is_wrong_is_red() {
    let mut board = board();
    board.hear(News::Lost("timeout".to_owned()), 5_000);
    let mut terminal = Terminal::new(TestBackend::new(80, 16)).unwrap();
    terminal.draw(|frame| draw(&board, 6_000, frame)).unwrap();
    let cells = terminal.backend().buffer().content().iter();
    let red: String = cells.filter(|it| it.fg == Color::Red).map(|it| it.symbol()).collect();
    assert!(red.contains("No answer") && red.contains("8.0"), "{red}");
}

#[test]
fn a_rate_is_that_of_the_last_seconds_and_a_count_that_falls_is_no_growth() {
    let at = |seconds: u64, denied: u64| {
        let policies = [policy("p", "1/minute", [0, denied])];
        figures(answers(&policies, &[], &[]), seconds * 1_000)
    };
    let denied = |it: &Figures| Some(it.policy("p")?.counts.denied);
    let mut history = History::new(at(0, 1_000));
    assert_eq!(history.rate(denied), None, "one figure is no rate");
    history.add(at(2, 1_010));
    assert_eq!(history.rate(denied), Some(5.0));
    // The process was started anew.
    history.add(at(4, 2));
    history.add(at(5, 7));
    assert_eq!(history.rate(denied), Some(3.0), "15 in 5 seconds");
    for seconds in 6..30 {
        history.add(at(seconds, 7 + 100 * (seconds - 5)));
    }
    assert_eq!(history.rate(denied), Some(100.0));
    // After a pause there is a rate as well.
    history.add(at(1_029, 4_407));
    assert_eq!(history.rate(denied), Some(2.0));
    assert_eq!(history.rate(|it| it.policy("q").map(|it| it.counts.denied)), None);
}

#[test]
fn numbers_and_times_are_short() {
    for (number, text) in [(0, "0"), (99_999_999, "99999999"), (123_456_789, "123M")] {
        assert_eq!(words::count(number), text);
    }
    let rates = [(0.0, "0"), (0.01, "<0.1"), (0.06, "0.1"), (99.94, "99.9"), (1234.5, "1234")];
    for (rate, text) in rates {
        assert_eq!(words::rate(Some(rate)), text);
    }
    for (seconds, text) in [
        (59, "59s"),
        (60, "1m 0s"),
        (192, "3m 12s"),
        (3_600, "1h 0m"),
        (86_399, "23h 59m"),
        (93_600, "1d 2h"),
    ] {
        assert_eq!(words::time(seconds), text);
    }
}
