//! One thing, or a list of things.

use serde::Serialize;
use utoipa::ToSchema;

/// One thing, or a list of things.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// Each of them, with its index if there may be several.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Option<usize>, &T)> {
        let (items, is_list) = match self {
            Self::One(one) => (std::slice::from_ref(one), false),
            Self::Many(many) => (&many[..], true),
        };
        items.iter().enumerate().map(move |(index, item)| (is_list.then_some(index), item))
    }

    /// `answers` in the same form, of which there is one for each of these.
    pub(super) fn answered<A>(&self, mut answers: Vec<A>) -> OneOrMany<A> {
        match self {
            Self::One(_) if answers.len() == 1 => OneOrMany::One(answers.remove(0)),
            _ => OneOrMany::Many(answers),
        }
    }
}
