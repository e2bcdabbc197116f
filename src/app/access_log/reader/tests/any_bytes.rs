//! No bytes make a panic.

use proptest::prelude::*;

use super::{AccessLog, Format, Logs, gzip, samples};
use crate::app::access_log::draft::Draft;

/// Lines of every format.
fn good_lines() -> Vec<Vec<u8>> {
    let lines = samples::ALL.iter().flat_map(|bytes| bytes.split(|byte| *byte == b'\n'));
    lines.map(<[u8]>::to_vec).collect()
}

/// A line of some format with some of its bytes replaced, or cut off.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop_oneof![any::<u8>(), prop::sample::select(b"\"\\[]{}:,- 0\xff".to_vec())];
    let changes = prop::collection::vec((any::<prop::sample::Index>(), bytes), 0..6);
    (prop::sample::select(good_lines()), changes, any::<prop::sample::Index>()).prop_map(
        |(mut line, changes, cut)| {
            for (at, byte) in changes.into_iter().filter(|_| !line.is_empty()).collect::<Vec<_>>() {
                let at = at.index(line.len());
                line[at] = byte;
            }
            // Half of the time the whole line is kept.
            line.truncate(cut.index(2 * line.len() + 1));
            line
        },
    )
}

fn any_line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![3 => mutated(), 1 => prop::collection::vec(any::<u8>(), 0..80)]
}

fn format() -> impl Strategy<Value = Format> {
    let formats = ["common", "caddy", "traefik", "alb", "json", samples::NGINX, samples::APACHE];
    prop::sample::select(formats.to_vec()).prop_map(|format| format.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_line_makes_a_parser_panic(
        lines in prop::collection::vec(any_line(), 1..8),
        format in format(),
    ) {
        let mut parser = format.parser(&[]);
        let mut draft = Draft::default();
        for line in &lines {
            draft.begin();
            if parser.read(line, &mut draft).is_ok() {
                prop_assert!(draft.finish().is_some());
            }
        }
        for (request, _) in draft.take() {
            prop_assert!(request.method().len() + request.target().len() <= 200_000);
            let _ = (request.user(), request.field("x-forwarded-for"), request.field("absent"));
            let _ = format!("{request:?}");
        }
    }

    #[test]
    fn no_format_as_in_a_configuration_makes_a_panic(text in "[$%{}a-z:^\"\\\\<>!,0-9 ]{0,24}", line in "[ -~]{0,60}") {
        let texts = [format!("$msec {text}"), format!("%{{sec}}t {text}"), text];
        for format in texts.into_iter().filter_map(|text| text.parse::<Format>().ok()) {
            let _ = format.parser(&[]).read(format!("1714564800 {line}").as_bytes(), &mut Draft::default());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_file_makes_a_log_panic(bytes in prop::collection::vec(mutated(), 0..40), is_gzip: bool) {
        let text = bytes.join(&b'\n');
        let text = if is_gzip { gzip(&text) } else { text };
        let logs = Logs::new(&[&text]);
        if AccessLog::open(&logs.options).is_ok() {
            logs.read();
        }
    }
}
