//! What all forms have in common.

use std::io::{self, Write};

use super::extreme::extreme;
use super::samples;
use crate::app::simulate::report::Report;
use crate::app::simulate::show::{html, json, text};

pub(super) fn all() -> [Report; 6] {
    [
        samples::nothing(),
        samples::one_request(),
        samples::nothing_denied(),
        samples::a_day(),
        samples::compared(),
        extreme(),
    ]
}

/// What `write` writes, which is UTF-8.
pub(super) fn written(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut output = Vec::new();
    write(&mut output).expect("a vector takes all");
    String::from_utf8(output).expect("a report is UTF-8")
}

/// Takes nothing.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn every_report_has_every_form() {
    for report in all() {
        for width in [0, 1, 40, 80, 200, u16::MAX] {
            assert!(!written(|it| text(&report, it, width)).is_empty());
        }
        assert!(written(|it| json(&report, it)).ends_with("}\n"));
        assert!(written(|it| html(&report, it)).ends_with("</html>\n"));
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let report = samples::a_day();
    assert!(text(&report, &mut Full, 80).is_err());
    assert!(json(&report, &mut Full).is_err());
    assert!(html(&report, &mut Full).is_err());
}
