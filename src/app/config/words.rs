//! How messages name keys, and which values they may show.

use ::config::ValueKind;

/// The longest text that a message shows, in characters.
const LONGEST_SHOWN: usize = 60;

/// The most names that a message lists.
const MOST_NAMES: usize = 30;

/// A key as TOML writes it.
pub(crate) fn key_of(path: &[impl AsRef<str>]) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let names: Vec<String> = path
        .iter()
        .map(AsRef::as_ref)
        .map(|name| match name {
            _ if !name.is_empty() && name.bytes().all(is_bare) => name.to_owned(),
            _ => format!("{name:?}"),
        })
        .collect();
    names.join(".")
}

/// `names` as a choice in words. Of many names, only the first ones are listed.
pub(super) fn one_of(names: &[impl AsRef<str>]) -> String {
    let more = names.len().saturating_sub(MOST_NAMES);
    let others = (more > 0).then(|| format!("one of {more} more"));
    let names = names.iter().take(MOST_NAMES).map(AsRef::as_ref);
    let names: Vec<&str> = names.chain(others.as_deref()).collect();
    match names.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

/// The value of the option at `key` as messages may show it.
pub(super) fn show(key: &str, kind: &ValueKind) -> String {
    let proves_users = key == "auth" || key.starts_with("auth.") || key.contains("token_sha256");
    match kind {
        ValueKind::String(_) if proves_users => "a text, not shown here".to_owned(),
        ValueKind::String(text) => show_text(text),
        ValueKind::Table(_) => "a table".to_owned(),
        ValueKind::Array(_) => "a list".to_owned(),
        scalar => scalar.to_string(),
    }
}

/// `text` in quotes, unless it is long or may be a secret.
pub(super) fn show_text(text: &str) -> String {
    if is_like_a_secret(text) {
        "a URL, not shown here".to_owned()
    } else if text.chars().nth(LONGEST_SHOWN).is_some() {
        "a long text".to_owned()
    } else {
        format!("{text:?}")
    }
}

/// Whether `text` looks like a store's URL, which may hold a password.
pub(super) fn is_like_a_secret(text: &str) -> bool {
    text.contains("://") || text.contains('@')
}
