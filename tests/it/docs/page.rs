//! A page as it is written, and the blocks of code in it.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of Markdown.
pub(super) struct Page {
    /// Its path in the repository.
    pub(super) name: String,
    pub(super) text: String,
}

/// A block of code.
pub(super) struct Block {
    /// `file:line` of its first line.
    pub(super) place: String,
    pub(super) text: String,
}

/// A command, and the output that is shown below it.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) place: String,
    pub(super) command: String,
    pub(super) output: String,
}

impl Page {
    /// The page at this path in the repository.
    pub(super) fn named(name: &str) -> Self {
        let text = fs::read_to_string(root().join(name)).expect(name);
        Self { name: name.to_owned(), text }
    }

    /// The README, all pages of the book, and the guide.
    pub(super) fn all() -> Vec<Self> {
        let mut names = vec!["README.md".to_owned()];
        for folder in ["docs/src", "docs/guide"] {
            for file in fs::read_dir(root().join(folder)).expect(folder) {
                let name = file.expect("a file").file_name().into_string().expect("text");
                if name.ends_with(".md") {
                    names.push(format!("{folder}/{name}"));
                }
            }
        }
        names.sort();
        names.iter().map(|name| Self::named(name)).collect()
    }

    /// The blocks in `language`, in order.
    pub(super) fn blocks(&self, language: &str) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            // A block in a list is indented.
            let Some((indent, found)) = line.split_once("```") else { continue };
            let body = lines.by_ref().map(|(_, line)| line);
            let body = body.map(|line| line.strip_prefix(indent).unwrap_or(line));
            let body: Vec<_> = body.take_while(|line| *line != "```").collect();
            if found == language {
                let place = format!("{}:{}", self.name, number + 2);
                blocks.push(Block { place, text: body.join("\n") });
            }
        }
        blocks
    }

    /// The commands in its consoles, in order.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for Block { place, text } in self.blocks("console") {
            let text = text.replace("\\\n", "");
            let commands = text.strip_prefix("$ ").expect("a console begins with a command");
            for step in commands.split("\n$ ") {
                let (command, output) = step.split_once('\n').unwrap_or((step, ""));
                let [command, output] = [command, output].map(str::to_owned);
                steps.push(Step { place: place.clone(), command, output });
            }
        }
        steps
    }

    /// The cells of the rows of its tables, heads of tables among them.
    pub(super) fn rows(&self) -> Vec<Vec<&str>> {
        let rows = self.text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
        rows.map(|row| row.split(" | ").collect()).collect()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
