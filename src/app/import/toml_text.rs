//! An imported configuration as TOML.

use std::fmt::{self, Write as _};

use serde_json::Value;

use super::converted::{Imported, ImportedDescriptor, Limit};

/// What is different there, whatever the configuration says.
const DIFFERENCES: &str = "\
# What is different from that service, in general:
# - A request that is denied charges nothing, and one that a descriptor denies charges none of the others. There it
#   charges all of them.
# - Windows are by the clock of Redis. There they are by the clock of each replica.
# - The keys and values of two descriptors never share a count. There they do if they are alike when joined by \"_\".
";

/// The configuration of `imported`.
pub(crate) fn text(imported: &Imported) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write(imported, &mut text);
    text
}

fn write(imported: &Imported, text: &mut String) -> fmt::Result {
    let files = imported.files.join(", ");
    writeln!(text, "# From the configuration of Envoy's rate limit service: {}.", comment(&files))?;
    text.push_str(DIFFERENCES);
    text.push_str("\n[gate]\nlisten = \"127.0.0.1:8082\" # where Envoy asks\n");
    for (domain, descriptors) in &imported.domains {
        for note in imported.notes.get(domain).into_iter().flatten() {
            writeln!(text, "\n# note: {domain}: {}", comment(note))?;
        }
        for descriptor in descriptors {
            text.push('\n');
            write_descriptor(domain, descriptor, text)?;
        }
    }
    Ok(())
}

fn write_descriptor(domain: &str, it: &ImportedDescriptor, text: &mut String) -> fmt::Result {
    for note in &it.notes {
        writeln!(text, "# note: {}", comment(note))?;
    }
    let table = format!("descriptors.{}.{}", quoted(domain), quoted(&it.pattern.to_string()));
    match &it.limit {
        Limit::Policy { name, quota, is_shadow } => {
            writeln!(text, "[policies.{}]", quoted(name))?;
            writeln!(text, "quota = \"{quota}\"")?;
            writeln!(text, "key = \"descriptor\"")?;
            if *is_shadow {
                writeln!(text, "mode = \"shadow\"")?;
            }
            writeln!(text, "\n[{table}]\npolicies = [{}]", quoted(name))?;
        }
        Limit::Unlimited => writeln!(text, "[{table}]\npolicies = []")?,
        Limit::Refused => writeln!(text, "[{table}]\nrefuse = true")?,
    }
    if !it.share.is_empty() {
        let share: Vec<_> = it.share.iter().map(|key| quoted(key)).collect();
        writeln!(text, "share = [{}]", share.join(", "))?;
    }
    Ok(())
}

/// `text` as a TOML string. JSON has the same escapes, except for one character.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

/// `text` on one line of a comment.
fn comment(text: &str) -> String {
    text.replace(char::is_control, " ")
}
