//! How everything here fails: with a sentence for whoever ran it.

/// What came of it.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
