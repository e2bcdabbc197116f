//! Whether an output is the one that a page shows. `…` there stands for any text.

use crate::support::http::raw;

/// Asserts that `output` is `shown`, but for the figures that differ from time to time.
#[track_caller]
pub(super) fn assert_shown(shown: &str, output: &str) {
    let [shown, output] = [shown, output].map(|text| text.trim_end().replace("\r\n", "\n"));
    let is_shown = shown.lines().count() == output.lines().count()
        && shown.lines().zip(output.lines()).all(|(shown, line)| is_alike(shown, line));
    assert!(is_shown, "it shows\n{shown}\n\nand is\n{output}");
}

/// Asserts that an answer with its head is `shown`, whose fields may come in any order.
#[track_caller]
pub(super) fn assert_answered(shown: &str, answer: &str) {
    let in_order = |text: &str| {
        let text = text.replace("\r\n", "\n");
        let (head, body) = text.split_once("\n\n").expect("a head and a body");
        let mut lines: Vec<_> = head.lines().collect();
        lines[1..].sort_unstable();
        format!("{}\n\n{body}", lines.join("\n"))
    };
    assert_shown(&in_order(shown), &in_order(answer));
}

/// Whether a line is the one that is shown.
pub(super) fn is_alike(shown: &str, line: &str) -> bool {
    let (shown, line) = (times_aside(shown), times_aside(line));
    let mut parts = shown.split('…');
    let first = parts.next().expect("a part");
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// The text with one sign in place of each number, and of whatever dots and digits it is made.
pub(super) fn figures_aside(text: &str) -> String {
    let mut without = String::new();
    let mut rest = text;
    while let Some(begin) = rest.find(|sign: char| sign.is_ascii_digit()) {
        without.push_str(&rest[..begin]);
        without.push('#');
        let number =
            rest[begin..].trim_start_matches(|sign: char| sign.is_ascii_digit() || sign == '.');
        // A full stop ends a sentence and is no part of the number.
        let length = rest[begin..].len() - number.len();
        let number = rest[begin..][..length].trim_end_matches('.');
        rest = &rest[begin + number.len()..];
    }
    without + rest
}

/// The text with one sign for each number that depends on when it was said, and for what depends on
/// their length.
fn times_aside(text: &str) -> String {
    let mut text = text.to_owned();
    for before in [";t=", "retry-after: ", "reset: ", "Retry in ", "content-length: "] {
        let mut parts = text.split(before);
        let mut without = parts.next().expect("a part").to_owned();
        for part in parts {
            let after = part.trim_start_matches(|sign: char| sign.is_ascii_digit());
            without = without + before + "#" + after;
        }
        text = without;
    }
    text
}

/// What `command`, a GET by curl, prints of the server at `url`: with `-i`, the head as well.
pub(super) fn curl(command: &str, url: &str) -> String {
    let (options, target) = command.rsplit_once(' ').expect("a URL");
    let path = target.splitn(4, '/').nth(3).expect("a path");
    let fields: Vec<_> = options.split("-H '").skip(1).map(|it| it.replace('\'', "")).collect();
    let fields: String = fields.iter().map(|field| format!("{}\r\n", field.trim_end())).collect();
    let host = url.trim_start_matches("http://");
    let answer =
        raw(url, format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\n{fields}\r\n").as_bytes());
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    if options.contains("-i") { format!("{head}\n\n{body}") } else { body.to_owned() }
}
