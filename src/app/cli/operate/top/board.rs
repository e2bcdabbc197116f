//! What the view knows, and what keys change of it.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::figures::{Estimate, Figures, KeyFigures, KeyName};
use super::follower::News;
use super::history::History;
use super::order::{KeyRates, Order};
use crate::app::observation::Rank;
use crate::domain::clock::Millis;

/// What the view knows, and what of it is shown.
pub(super) struct Board {
    address: String,
    history: History,
    policy: Option<String>,
    order: Order,
    /// `None` for the first key of the list, whichever that is.
    selected: Option<KeyName>,
    lost: Option<Lost>,
}

/// The process has not answered since then, for the last time because of this.
pub(super) struct Lost {
    pub(super) since: Millis,
    pub(super) reason: String,
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pressed {
    Nothing,
    /// The keys of another policy.
    Policy,
    End,
}

/// A key of the list.
pub(super) struct Row<'a> {
    pub(super) name: &'a KeyName,
    pub(super) figures: KeyFigures,
    pub(super) rates: KeyRates,
}

impl Board {
    pub(super) fn new(address: &str, policy: Option<String>, by: Rank, first: Figures) -> Self {
        let (address, history) = (address.to_owned(), History::new(first));
        let order = Order::of(by);
        Self { address, history, policy, order, selected: None, lost: None }
    }

    /// Takes in what came of an attempt that began at `now` or before.
    pub(super) fn hear(&mut self, news: News, now: Millis) {
        match (news, &mut self.lost) {
            (News::Figures(figures), lost) => {
                *lost = None;
                self.history.add(figures);
            }
            (News::Lost(reason), Some(lost)) => lost.reason = reason,
            (News::Lost(reason), lost) => *lost = Some(Lost { since: now, reason }),
        }
    }

    /// Does what `key` is for.
    pub(super) fn press(&mut self, key: KeyEvent) -> Pressed {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if is_control => return Pressed::End,
            KeyCode::Char('q') | KeyCode::Esc => return Pressed::End,
            KeyCode::Down | KeyCode::Char('j') => self.select(|index| index + 1),
            KeyCode::Up | KeyCode::Char('k') => self.select(|index| index.saturating_sub(1)),
            KeyCode::Char('s') => {
                self.order = self.order.next();
                self.selected = None;
            }
            KeyCode::Tab => return self.turn_to(1),
            KeyCode::BackTab => return self.turn_to(-1),
            _ => {}
        }
        Pressed::Nothing
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn history(&self) -> &History {
        &self.history
    }

    /// The policy whose keys are shown; `None` for all.
    pub(super) fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    pub(super) fn order(&self) -> Order {
        self.order
    }

    pub(super) fn lost(&self) -> Option<&Lost> {
        self.lost.as_ref()
    }

    /// The keys that are shown, in order.
    pub(super) fn rows(&self) -> Vec<Row<'_>> {
        let order = self.order;
        let is_shown = |name: &KeyName, figures: &KeyFigures| {
            self.policy.as_ref().is_none_or(|policy| *policy == name.policy)
                && (figures.refused.is_some() || !order.is_of_refusals())
        };
        let all = self.history.last().keys.iter();
        let shown = all.filter(|(name, figures)| is_shown(name, figures));
        let mut rows: Vec<Row<'_>> = shown
            .map(|(name, figures)| Row { name, figures: *figures, rates: self.rates(name) })
            .collect();
        rows.sort_by_cached_key(|row| order.rank(&row.figures, row.rates));
        rows
    }

    /// Which of `rows` is selected.
    pub(super) fn selected(&self, rows: &[Row<'_>]) -> usize {
        let selected = self.selected.as_ref();
        rows.iter().position(|row| Some(row.name) == selected).unwrap_or(0)
    }

    fn rates(&self, name: &KeyName) -> KeyRates {
        let rate = |count: fn(&KeyFigures) -> Option<Estimate>| {
            self.history.rate(|figures| Some(count(figures.keys.get(name)?)?.count))
        };
        KeyRates { requests: rate(|it| it.requests), refused: rate(|it| it.refused) }
    }

    fn select(&mut self, to: impl Fn(usize) -> usize) {
        let rows = self.rows();
        let index = to(self.selected(&rows)).min(rows.len().saturating_sub(1));
        self.selected = rows.get(index).map(|row| row.name.clone());
    }

    /// Turns to the policy that stands so many places further down in the list, where all policies together come first.
    fn turn_to(&mut self, places: isize) -> Pressed {
        let policies = &self.history.last().policies;
        let names = policies.iter().map(|it| Some(it.name.as_str()));
        let all: Vec<Option<&str>> = [None].into_iter().chain(names).collect();
        let now = all.iter().position(|name| *name == self.policy()).unwrap_or(0);
        let next = (now + all.len()).saturating_add_signed(places) % all.len();
        self.policy = all[next].map(str::to_owned);
        self.selected = None;
        Pressed::Policy
    }
}
