//! What a key gives back.

use tollgate::Algorithm;

use super::{Charge, History, Model, Terms, Use, no_model, unsigned};

impl Model {
    /// Gives back what `charge` costs, as far as it still counts at `now`: what was charged at `charged_at`, or what was
    /// charged last. Returns how many units that were.
    pub(crate) fn refund(&mut self, now: u64, charge: &Charge, charged_at: Option<u64>) -> u64 {
        let Some(history) = self.histories.get_mut(&charge.key) else { return 0 };
        let (now, terms) = (i128::from(now), Terms::of(&charge.policy));
        let given = history.give_back(terms, now, charge.cost.into(), charged_at.map(i128::from));
        history.uses.retain(|it| it.amount != 0);
        if history.uses.is_empty() {
            self.histories.remove(&charge.key);
        }
        unsigned(given)
    }
}

impl History {
    fn give_back(&mut self, terms: Terms, now: i128, units: i128, at: Option<i128>) -> i128 {
        let window = terms.window;
        let stamp = self.stamp().expect("a key has a history if it was charged");
        match terms.algorithm {
            Algorithm::FixedWindow => {
                let asked = terms.window_holding(at.unwrap_or(now));
                let counts = asked == stamp && now < terms.end_of(asked);
                if counts { self.take(units, |it| it.at >= asked) } else { 0 }
            }
            Algorithm::SlidingWindow => {
                let asked = terms.window_holding(at.unwrap_or(now));
                // It counts in its own window and in the next one, and the state knows two windows.
                let is_known = |begin: i128| begin == stamp || begin == stamp - window;
                let is_asked = |begin: i128| match at {
                    Some(_) => begin == asked,
                    // The clock may not be behind.
                    None => stamp <= asked && begin >= asked - window,
                };
                let counts =
                    |begin: i128| is_known(begin) && is_asked(begin) && now < begin + 2 * window;
                self.take(units, |it| counts(terms.window_holding(it.at)))
            }
            Algorithm::SlidingLog => {
                self.take(units, |it| now < it.at + window && at.is_none_or(|at| at == it.at))
            }
            Algorithm::TokenBucket { .. } => {
                let instant = self.as_of(now);
                let since = at.map_or(0, |at| (instant - at).max(0));
                // What has flowed back since may be used already.
                let asked = (units * window - since * terms.units).max(0);
                let given = asked.min(History { terms, uses: self.uses.clone() }.owed_at(instant));
                let owed = History { terms, uses: self.uses.clone() }.owed_at(stamp) - given;
                self.uses = vec![Use { at: stamp, amount: owed }];
                // A part of a unit counts as one.
                (given + window - 1) / window
            }
            // Slots are given back by their names.
            Algorithm::InFlight => 0,
            other => no_model(other),
        }
    }

    /// Takes up to `units` from those uses that `counts`, the newest first.
    fn take(&mut self, units: i128, counts: impl Fn(&Use) -> bool) -> i128 {
        let mut given = 0;
        for it in self.uses.iter_mut().rev() {
            if counts(it) {
                let taken = it.amount.min(units - given);
                it.amount -= taken;
                given += taken;
            }
        }
        given
    }
}
