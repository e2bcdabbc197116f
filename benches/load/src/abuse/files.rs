//! The files that this process may open: each connection of an abuser is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::phases::Phase;
use crate::result::Result;

/// The default of `server.max_connections`.
const MAX_CONNECTIONS: u64 = 10_000;

/// Enough for everything at once: abusers, honest clients, and this process itself.
const ENOUGH: u64 = 18_000;

/// Below it the abusers are too few to say anything.
const LEAST: u64 = 2_000;

/// The most files that this process may open, to which its limit was raised.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files(u64);

impl Files {
    pub(super) fn raise_limit() -> Result<Self> {
        let hard = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: hard, maximum: hard })?;
        match hard.unwrap_or(ENOUGH) {
            files if files < LEAST => {
                Err(format!("{LEAST} open files are needed at least: the limit is {files}").into())
            }
            files => Ok(Self(files)),
        }
    }

    pub(super) fn limit(self) -> u64 {
        self.0
    }

    /// Those that the server may have, so that the abusers can have more.
    pub(super) fn max_connections(self) -> usize {
        usize::try_from(self.share(MAX_CONNECTIONS)).unwrap_or(usize::MAX)
    }

    /// The same, where it is not the default.
    pub(super) fn max_connections_if_fewer(self) -> Option<usize> {
        (self.0 < ENOUGH).then(|| self.max_connections())
    }

    /// Leaves as many of each crew as there are files for.
    pub(super) fn fit(self, phases: &mut [Phase]) {
        for crew in phases.iter_mut().flat_map(|phase| &mut phase.crews) {
            crew.count = u32::try_from(self.share(crew.count.into())).unwrap_or(crew.count).max(1);
        }
    }

    fn share(self, count: u64) -> u64 {
        count * self.0.min(ENOUGH) / ENOUGH
    }
}
