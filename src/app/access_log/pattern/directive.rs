//! A format as it stands in a configuration file.

/// The format in `text`, which may be the whole directive, as `log_format main '…' '…';` or `LogFormat "…" main`.
pub(super) fn contents(text: &str) -> String {
    let text = text.trim();
    let directive = ["log_format", "LogFormat"].iter().find_map(|it| text.strip_prefix(it));
    let (inside, count) = strings(directive.unwrap_or(text));
    // A format may itself begin with a value in quotes.
    let is_quoted = text.starts_with('\'') || (text.starts_with('"') && count == 1);
    if count > 0 && (directive.is_some() || is_quoted) {
        return inside;
    }
    directive.unwrap_or(text).replace("\\\"", "\"")
}

/// The strings in quotes within `text`, put together, and how many they are.
fn strings(text: &str) -> (String, usize) {
    let mut inside = String::new();
    let mut count = 0;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match quote {
            None if matches!(character, '\'' | '"') => {
                quote = Some(character);
                count += 1;
            }
            None => {}
            Some(_) if character == '\\' => match characters.next() {
                Some(next @ ('"' | '\'' | '\\')) => inside.push(next),
                next => inside.extend(['\\'].into_iter().chain(next)),
            },
            Some(open) if character == open => quote = None,
            Some(_) => inside.push(character),
        }
    }
    (inside, count)
}
