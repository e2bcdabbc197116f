//! Slots: what requests under way hold of a policy that limits how many there are at once.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// Names a slot: the process that holds it, and a number that is unique there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SlotId {
    holder: u64,
    number: u64,
}

impl SlotId {
    /// The slot of this `number`, below 2^53, of the process that is called `holder`.
    #[must_use]
    pub fn new(holder: u64, number: u64) -> Self {
        Self { holder, number }
    }

    /// The process that holds it.
    #[must_use]
    pub fn holder(self) -> u64 {
        self.holder
    }

    /// Its number, unique among the slots of that process.
    #[must_use]
    pub fn number(self) -> u64 {
        self.number
    }

    /// The slot that is `further` numbers on.
    #[must_use]
    pub fn after(self, further: u64) -> Self {
        Self { number: self.number.wrapping_add(further), ..self }
    }
}

/// The slots that one request holds of policies that limit the requests under way. They are given back when the last copy
/// is dropped.
#[derive(Clone, Debug)]
pub struct Slots(Arc<dyn Held>);

/// What gives slots back when it is dropped.
pub(crate) trait Held: fmt::Debug + Send + Sync {
    /// The limiter, which knows what it is, finds its own type so.
    fn as_any(&self) -> &dyn Any;
}

impl Slots {
    pub(crate) fn new(held: impl Held + 'static) -> Self {
        Self(Arc::new(held))
    }

    pub(crate) fn as_any(&self) -> &dyn Any {
        self.0.as_any()
    }
}
