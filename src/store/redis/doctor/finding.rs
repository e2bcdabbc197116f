//! Findings, and how those of several servers are joined.

use std::fmt;

/// How many nodes a line names at most.
const MAX_NAMED: usize = 3;

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    pub(crate) about: &'static str,
    pub(crate) text: String,
    /// What was measured. Of several nodes, the highest value is shown.
    pub(crate) measured: Option<u64>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Ok,
    Warn,
    Fail,
}

impl Finding {
    pub(crate) fn new(level: Level, about: &'static str, text: impl Into<String>) -> Self {
        Self { level, about, text: text.into(), measured: None }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

/// All findings, in the order of the questions.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    pub(super) fn ok(&mut self, about: &'static str, text: impl Into<String>) {
        self.0.push(Finding::new(Level::Ok, about, text));
    }

    pub(super) fn warn(&mut self, about: &'static str, text: impl Into<String>) {
        self.0.push(Finding::new(Level::Warn, about, text));
    }

    pub(super) fn fail(&mut self, about: &'static str, text: impl Into<String>) {
        self.0.push(Finding::new(Level::Fail, about, text));
    }

    pub(super) fn measured(&mut self, level: Level, about: &'static str, text: String, is: u64) {
        self.0.push(Finding { measured: Some(is), ..Finding::new(level, about, text) });
    }

    /// Adds the findings of several servers. The same finding of all servers becomes one line. Other lines
    /// begin with the names of their servers.
    pub(super) fn join(&mut self, mut of_each: Vec<(String, Self)>) {
        if of_each.len() == 1 {
            self.0.extend(of_each.remove(0).1.0);
            return;
        }
        let mut groups: Vec<SameFinding<'_>> = Vec::new();
        for (name, findings) in &of_each {
            for finding in &findings.0 {
                match groups.iter_mut().find(|group| group.has(finding)) {
                    Some(group) => group.add(name, finding),
                    None => groups.push(SameFinding { finding, worst: name, names: vec![name] }),
                }
            }
        }
        // By question, in the order in which the first server was asked.
        let mut questions: Vec<&str> = Vec::new();
        for group in &groups {
            if !questions.contains(&group.finding.about) {
                questions.push(group.finding.about);
            }
        }
        for about in questions {
            let of_question = groups.iter().filter(|group| group.finding.about == about);
            self.0.extend(of_question.map(|group| group.joined(of_each.len())));
        }
    }
}

/// The servers that have the same finding.
struct SameFinding<'a> {
    finding: &'a Finding,
    /// The server that this finding is of.
    worst: &'a str,
    names: Vec<&'a str>,
}

impl<'a> SameFinding<'a> {
    fn has(&self, finding: &Finding) -> bool {
        let both_measured = self.finding.measured.is_some() && finding.measured.is_some();
        (self.finding.about, self.finding.level) == (finding.about, finding.level)
            && (both_measured || self.finding.text == finding.text)
    }

    fn add(&mut self, name: &'a str, finding: &'a Finding) {
        self.names.push(name);
        if finding.measured > self.finding.measured {
            (self.finding, self.worst) = (finding, name);
        }
    }

    /// The joined finding, if there are so many `servers` in all.
    fn joined(&self, servers: usize) -> Finding {
        let Finding { text, measured, .. } = self.finding;
        let count = self.names.len();
        let text = if measured.is_some() && count > 1 {
            format!("{}, the worst of {count} nodes: {text}", self.worst)
        } else if count == servers {
            text.clone()
        } else {
            format!("{}: {text}", Names(&self.names))
        };
        Finding { text, ..self.finding.clone() }
    }
}

/// Prints some names, and how many more there are.
pub(super) struct Names<'a>(pub(super) &'a [&'a str]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.0.len().min(MAX_NAMED);
        f.write_str(&self.0[..named].join(", "))?;
        match self.0.len() - named {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
