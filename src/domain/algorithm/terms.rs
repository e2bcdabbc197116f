use crate::domain::clock::Millis;
use crate::domain::window::Window;

/// The numbers that an algorithm computes with: see [`Algorithm::terms`](super::Algorithm::terms).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Terms {
    /// The units allowed per window.
    pub units: u64,
    /// The window.
    pub window: Window,
    /// The most units that can ever be used at once.
    pub burst: u64,
}

impl Terms {
    /// The length of the window for an algorithm that counts in windows of one length alone. No policy has such an
    /// algorithm with a window by the calendar, which would count here as its longest.
    pub(super) fn length(&self) -> Millis {
        self.window.longest()
    }
}
