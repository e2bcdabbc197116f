//! What a quota may refuse at most: a [`Goal`].

use clap::ValueEnum;
use serde::Serialize;

use super::report::Refusals;
use super::traffic::Traffic;
use crate::domain::policy::Share;

/// What a quota may refuse at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Goal {
    pub(crate) share: Share,
    pub(crate) of: Of,
}

/// What a share is of. A client is refused if any of its requests is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Of {
    Clients,
    Requests,
}

impl Goal {
    /// The most that may be refused of `traffic`, in whole clients or requests.
    pub(super) fn most(self, traffic: &Traffic) -> u64 {
        let all = self
            .of
            .count(&Refusals { clients: traffic.clients.len() as u64, requests: traffic.requests });
        self.share.of(all)
    }
}

impl Of {
    /// The number that counts.
    pub(super) fn count(self, refused: &Refusals) -> u64 {
        match self {
            Self::Clients => refused.clients,
            Self::Requests => refused.requests,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Requests => "requests",
        }
    }
}
