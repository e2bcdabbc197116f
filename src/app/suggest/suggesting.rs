//! Suggests a quota for one window: what it refuses, how far others are, and the policy to paste.

use super::abuse::Abuse;
use super::counting::{Counting, NAME};
use super::goal::Goal;
use super::needs::Needs;
use super::peaks::Peaks;
use super::report::{Found, OfWindow, Suggestion};
use super::search::smallest;
use super::traffic::Traffic;
use super::trial::try_out;
use super::window::Window;
use crate::app::error::AppError;
use crate::domain::algorithm::Algorithm;
use crate::domain::policy::{KeySource, PolicyError, Statuses};

/// What a quota is suggested for.
#[derive(Clone, Debug)]
pub(super) struct Suggesting<'a> {
    pub(super) traffic: &'a Traffic,
    pub(super) goal: Goal,
    pub(super) key: &'a KeySource,
    pub(super) algorithms: &'a [Algorithm],
    /// The only statuses whose requests are counted.
    pub(super) charge_on: Option<&'a Statuses>,
}

impl Suggesting<'_> {
    /// The quotas of one window.
    ///
    /// # Errors
    /// When a limiter refuses something else than the search says.
    pub(super) fn of_window(&self, window: Window) -> Result<OfWindow, AppError> {
        let aligned = Counting { algorithm: Algorithm::FixedWindow, window };
        let peaks = Peaks::of(Needs::of(aligned, self.traffic).ascending());
        let counting = |algorithm: &Algorithm| Counting { algorithm: *algorithm, window };
        let all = self.algorithms.iter().map(counting).map(|counting| self.of(counting));
        Ok(OfWindow {
            window: window.to_string(),
            window_ms: window.millis(),
            peaks,
            suggestions: all.collect::<Result<_, _>>()?,
        })
    }

    fn of(&self, counting: Counting) -> Result<Suggestion, AppError> {
        let needs = Needs::of(counting, self.traffic);
        let most = self.goal.most(self.traffic);
        let units = smallest(&needs, self.goal.of, most).filter(|_| self.traffic.requests > 0);
        let found = units.map(|units| self.found(&needs, units)).transpose()?;
        let not_found = found.is_none().then(|| self.why_none(&needs));
        Ok(Suggestion { algorithm: counting.algorithm.name(), found, not_found })
    }

    fn found(&self, needs: &Needs<'_>, units: u64) -> Result<Found, AppError> {
        let counting = needs.counting();
        let refused = needs.refused_by(units);
        let policy = counting.policy(units, self.key.clone()).map_err(no_policy)?;
        try_out(policy, self.traffic, refused)?;
        let busiest = needs.at(needs.above(units));
        let with_margin = units.saturating_add(units.div_ceil(4)).min(counting.largest());
        Ok(Found {
            units,
            quota: counting.quota(units).to_string(),
            refused,
            refused_with_one_less: (units > 1).then(|| needs.refused_by(units - 1)),
            busiest_not_refused: busiest,
            busiest_uses_percent: busiest.map(|need| need.saturating_mul(100) / units),
            units_with_margin: with_margin,
            abuse: Abuse::of(counting, units),
            toml: self.toml(counting, units, with_margin),
        })
    }

    /// The policy, with a comment that says how large it is with a margin.
    fn toml(&self, counting: Counting, units: u64, with_margin: u64) -> String {
        let mut toml = format!(
            "[policies.{NAME}]\n\
             quota = \"{}\"  # {} leaves room for a quarter more\n\
             algorithm = \"{}\"\n\
             key = {}\n",
            counting.quota(units),
            counting.quota(with_margin),
            counting.algorithm,
            key_of(self.key)
        );
        if let Some(statuses) = self.charge_on {
            let listed = statuses.to_string().replace(", ", "\", \"");
            toml += &format!("charge_on = [\"{listed}\"]\n");
        }
        toml
    }

    fn why_none(&self, needs: &Needs<'_>) -> String {
        if self.traffic.requests == 0 {
            return "There is no request to count.".to_owned();
        }
        let counting = needs.counting();
        let (largest, of) = (counting.largest(), self.goal.of);
        format!(
            "The largest quota of a {} is {}, and refuses {} {}: more than {}.",
            counting.algorithm,
            counting.quota(largest),
            of.count(&needs.refused_by(largest)),
            of.word(),
            self.goal.share
        )
    }
}

/// The key as it stands in a configuration.
fn key_of(key: &KeySource) -> String {
    match key.parts() {
        [one] => format!("\"{one}\""),
        parts => {
            let parts: Vec<_> = parts.iter().map(|part| format!("\"{part}\"")).collect();
            format!("[{}]", parts.join(", "))
        }
    }
}

fn no_policy(error: PolicyError) -> AppError {
    AppError::new("the suggestion is no policy, which is a mistake of tollgate", error)
}

#[cfg(test)]
mod tests;
