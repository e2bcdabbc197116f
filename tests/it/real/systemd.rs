//! The unit in `deploy/systemd`, under systemd's own tools.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const UNIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/systemd/tollgate.service");

/// The unit as it is, but with the command that was built: systemd looks whether its command is there.
fn installed() -> (TempDir, PathBuf) {
    let directory = TempDir::with_prefix("tollgate-unit-").expect("a directory");
    let text = fs::read_to_string(UNIT).expect("the unit");
    let command = "/usr/local/bin/tollgate";
    assert_eq!(text.matches(command).count(), 1);
    let path = directory.path().join("tollgate.service");
    fs::write(&path, text.replace(command, env!("CARGO_BIN_EXE_tollgate"))).expect("a unit");
    (directory, path)
}

fn analyze(arguments: &[&str], unit: &Path) -> Output {
    let mut command = Command::new("systemd-analyze");
    command.args(arguments).arg(unit).env("SYSTEMD_COLORS", "0").env("SYSTEMD_PAGER", "");
    command.output().expect("systemd-analyze")
}

#[test]
#[ignore = "make test-real"]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let (_directory, unit) = installed();
    // The manual is installed beside the unit, not here.
    let output = analyze(&["verify", "--man=no"], &unit);
    let errors = String::from_utf8_lossy(&output.stderr);
    let of_ours: Vec<&str> = errors.lines().filter(|it| it.contains("tollgate")).collect();
    assert!(output.status.success() && of_ours.is_empty(), "{errors}");
}

/// Of the exposure that systemd computes, from 0 to 10. A service without protection has 9.6.
#[test]
#[ignore = "make test-real"]
fn the_unit_exposes_little() {
    let (_directory, unit) = installed();
    let output = analyze(&["security", "--offline=true", "--threshold=15"], &unit);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "above 1.5: {text}");
}
