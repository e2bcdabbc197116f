//! The command with another script, one that decides nothing.
//!
//! The script is replaced in a copy of the executable, which so needs no option for it.

use std::fs;
use std::path::{Path, PathBuf};

use tollgate::lua::ACQUIRE;

use crate::result::Result;

/// It calls no command, so that what is left is the way to Redis.
pub(crate) const CEILING: &str = include_str!("../ceiling.lua");

/// It calls the commands that a decision needs: no script that decides can cost less.
pub(crate) const COMMANDS: &str = include_str!("../commands.lua");

/// A copy of the command `tollgate` in `directory`, called `name`, whose script is `script`.
pub(crate) fn made_of(
    tollgate: &Path,
    script: &str,
    directory: &Path,
    name: &str,
) -> Result<PathBuf> {
    let mut program = fs::read(tollgate)?;
    let copies = replace(&mut program, ACQUIRE.as_bytes(), script.as_bytes())?;
    if copies == 0 {
        return Err(format!(
            "{} does not hold the script that this harness was built with: build both anew",
            tollgate.display()
        )
        .into());
    }
    let path = directory.join(name);
    fs::write(&path, program)?;
    fs::set_permissions(&path, fs::metadata(tollgate)?.permissions())?;
    Ok(path)
}

/// Writes `to` over each `from`, and newlines over what is left of it. Returns how many there were.
fn replace(program: &mut [u8], from: &[u8], to: &[u8]) -> Result<usize> {
    if to.len() > from.len() {
        return Err("a script is longer than the one that it replaces".into());
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
