//! How far a policy is in force.

use super::quotas;
use crate::app::config::leaf::Leaf;
use crate::app::config::section::Section;
use crate::domain::policy::{Policy, Rollout, Share};

/// The options of a policy that say how far it is in force.
pub(super) struct RolloutOptions {
    rollout: Rollout,
    candidate: Option<Leaf>,
}

impl RolloutOptions {
    /// Reads the options. A share and a candidate make sense only for a policy that is in force.
    pub(super) fn of(section: &mut Section) -> Self {
        let mode = section
            .get("mode", Rollout::ENFORCE, |leaf| leaf.parse("enforce, shadow or off", mode));
        let (enforce, candidate) = (section.take("enforce"), section.take("candidate"));
        if mode != Rollout::ENFORCE {
            for leaf in [enforce, candidate].into_iter().flatten() {
                let message = "it is of no use here, expected mode = \"enforce\"";
                section.note::<()>(Err(leaf.refuse(message)));
            }
            return Self { rollout: mode, candidate: None };
        }
        let share = enforce
            .and_then(|leaf| section.note(leaf.parse("a percentage, as in \"10%\"", str::parse)));
        let quotas = candidate.as_ref().and_then(|leaf| section.note(quotas::quotas(leaf)));
        let share = share.unwrap_or(Share::ALL);
        Self { rollout: Rollout::Enforce { share, candidate: quotas }, candidate }
    }

    /// `policy` with these options. A candidate that it refuses becomes an error of `section`.
    pub(super) fn add_to(self, policy: Policy, section: &mut Section) -> Policy {
        let with_rollout = policy.clone().with_rollout(self.rollout);
        match (with_rollout, self.candidate) {
            (Ok(policy), _) => policy,
            (Err(error), Some(leaf)) => section.note(Err(leaf.refuse(error))).unwrap_or(policy),
            (Err(_), None) => policy,
        }
    }
}

fn mode(text: &str) -> Result<Rollout, String> {
    match text {
        "enforce" => Ok(Rollout::ENFORCE),
        "shadow" => Ok(Rollout::Shadow),
        "off" => Ok(Rollout::Off),
        _ => Err(format!("{text:?} is not a mode: expected enforce, shadow or off")),
    }
}
