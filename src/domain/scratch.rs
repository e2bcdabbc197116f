//! Texts that are put together and soon copied to where they stay.

use std::cell::Cell;

thread_local! {
    static SCRATCH: Cell<String> = const { Cell::new(String::new()) };
}

/// Has `write` put a text together in a draft of this thread, so that what is made of it is allocated
/// once, in its own length. The draft begins empty.
pub(crate) fn scratch<T>(write: impl FnOnce(&mut String) -> T) -> T {
    // Taken, so that a draft within a draft is another one.
    let mut text = SCRATCH.take();
    text.clear();
    let made = write(&mut text);
    SCRATCH.set(text);
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_begins_empty_also_within_another() {
        let made = scratch(|outer| {
            outer.push_str("outer");
            let inner = scratch(|inner| {
                inner.push_str("inner");
                inner.clone()
            });
            format!("{outer} {inner}")
        });
        assert_eq!(made, "outer inner");
        assert_eq!(scratch(|text| text.len()), 0);
    }
}
