//! A reusable buffer for texts that are composed and then copied to where they stay.

use std::cell::Cell;

thread_local! {
    static SCRATCH: Cell<String> = const { Cell::new(String::new()) };
}

/// Lets `write` compose a text in a buffer of this thread, which is empty at first. What `write` makes of
/// the text is then allocated once, in its final length.
#[inline]
pub(crate) fn scratch<T>(write: impl FnOnce(&mut String) -> T) -> T {
    // The buffer is taken out, so that a nested call gets another one.
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
    fn a_buffer_is_empty_at_first_even_within_another() {
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
