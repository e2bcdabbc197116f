//! The command with another script: one that decides nothing, so that what is left is the way to Redis.
//!
//! The script is replaced in a copy of the executable, which so needs no option for it.

use std::fs;
use std::path::{Path, PathBuf};

use tollgate::lua::ACQUIRE;

use crate::result::Result;

const CEILING: &str = include_str!("../ceiling.lua");

/// A copy of the command `tollgate` in `directory`, whose script is [`CEILING`].
pub(crate) fn made_of(tollgate: &Path, directory: &Path) -> Result<PathBuf> {
    let mut program = fs::read(tollgate)?;
    let copies = replace(&mut program, ACQUIRE.as_bytes(), CEILING.as_bytes())?;
    if copies == 0 {
        return Err(format!(
            "{} does not hold the script that this harness was built with: build both anew",
            tollgate.display()
        )
        .into());
    }
    let path = directory.join("ceiling");
    fs::write(&path, program)?;
    fs::set_permissions(&path, fs::metadata(tollgate)?.permissions())?;
    Ok(path)
}

/// Writes `to` over each `from`, and newlines over what is left of it. Returns how many there were.
fn replace(program: &mut [u8], from: &[u8], to: &[u8]) -> Result<usize> {
    if to.len() > from.len() {
        return Err("the script of the ceiling is longer than the one that it replaces".into());
    }
    let mut copies = 0;
    let mut begin = 0;
    while let Some(at) = program[begin..].windows(from.len()).position(|it| it == from) {
        let place = &mut program[begin + at..][..from.len()];
        place.fill(b'\n');
        place[..to.len()].copy_from_slice(to);
        begin += at + from.len();
        copies += 1;
    }
    Ok(copies)
}
