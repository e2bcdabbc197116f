//! Names of policies, made of the names of other things.

use std::collections::HashSet;

use crate::app::auth::FAILURES;
use crate::domain::policy::MAX_NAME;

/// Makes names, each once.
#[derive(Debug)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// Names other than those of policies that are there already.
    pub(super) fn new() -> Self {
        Self(["default", FAILURES].map(str::to_owned).into())
    }

    /// A name that is like these `words`.
    pub(super) fn like<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) -> String {
        let is_plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '.');
        let mut name = String::new();
        for word in words {
            // Whatever no name can have stands for an end of a word.
            for part in word.split(|it| !is_plain(it)).filter(|part| !part.is_empty()) {
                if !name.is_empty() {
                    name.push('-');
                }
                name.push_str(part);
            }
        }
        if name.is_empty() {
            name.push_str("policy");
        }
        self.once(&name)
    }

    /// `name`, or with a number after it if it is taken.
    fn once(&mut self, name: &str) -> String {
        let mut number = 1;
        loop {
            let end = if number == 1 { String::new() } else { format!("-{number}") };
            let start = &name[..name.len().min(MAX_NAME - end.len())];
            let once = format!("{}{end}", start.trim_end_matches('-'));
            if self.0.insert(once.clone()) {
                return once;
            }
            number += 1;
        }
    }
}
