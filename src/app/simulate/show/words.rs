//! Counts, shares, lengths of time and names, as a report writes them.

use crate::domain::clock::Millis;

/// Of a name with more letters, the rest is left out.
const LONGEST_NAME: usize = 300;

/// A count, with a comma between thousands.
pub(in crate::app) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count of what `noun` names, whose plural ends with s.
pub(super) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// A count in few letters, for the scale of a plot. It is exact for the counts that a scale has.
pub(super) fn short(number: u64) -> String {
    const UNITS: [(u64, &str); 5] = [
        (1_000_000_000_000_000_000, "E"),
        (1_000_000_000_000_000, "P"),
        (1_000_000_000_000, "T"),
        (1_000_000_000, "G"),
        (1_000_000, "M"),
    ];
    let unit = UNITS.into_iter().find(|(unit, _)| number >= *unit);
    unit.map_or_else(|| count(number), |(unit, sign)| format!("{} {sign}", number / unit))
}

/// Which share of `whole` `part` is, in percent with two decimals. A share is neither rounded to nothing nor to all.
pub(super) fn share(part: u64, whole: u64) -> String {
    let whole = u128::from(whole.max(1));
    let hundredths = (u128::from(part) * 10_000 + whole / 2) / whole;
    match hundredths {
        0 if part > 0 => "< 0.01 %".to_owned(),
        10_000 if u128::from(part) < whole => "> 99.99 %".to_owned(),
        _ => format!("{}.{:02} %", hundredths / 100, hundredths % 100),
    }
}

/// A length of time in its two largest units, without what is left over.
pub(super) fn duration(millis: Millis) -> String {
    let seconds = millis / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let two = |large: String, rest: u64, unit: &str| match rest {
        0 => large,
        _ => format!("{large} {rest} {unit}"),
    };
    match seconds {
        0 if millis > 0 => format!("{millis} ms"),
        0..60 => format!("{seconds} s"),
        60..3_600 => two(format!("{minutes} min"), seconds % 60, "s"),
        3_600..86_400 => two(format!("{hours} h"), minutes % 60, "min"),
        _ => two(counted(days, "day"), hours % 24, "h"),
    }
}

/// A name from outside in one line; of a very long one, the beginning.
pub(super) fn brief(name: &str) -> String {
    match name.char_indices().nth(LONGEST_NAME) {
        None => plain(name),
        Some((end, _)) => format!("{}…", plain(&name[..end])),
    }
}

/// The name of a file that was read.
pub(super) fn file(name: &str) -> String {
    if name == "-" { "standard input".to_owned() } else { brief(name) }
}

/// The names of some files. Of more than a few, the rest is counted.
pub(super) fn listed(names: &[String]) -> String {
    const MOST: usize = 4;
    match names.len() {
        0..=MOST => names.join(", "),
        number => format!("{} and {} more", names[..MOST].join(", "), number - MOST),
    }
}

/// A text from outside in one line: what could move the cursor or reorder letters is escaped.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_unseen(letter) {
            plain.extend(letter.escape_unicode());
        } else {
            plain.push(letter);
        }
    }
    plain
}

/// Whether a letter shows nothing itself and may change how others look.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}')
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

#[cfg(test)]
mod tests;
