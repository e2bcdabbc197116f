//! What every client needs: [`Needs`].

use super::counting::Counting;
use super::replay::{denied, denies_any, most_used};
use super::report::Refusals;
use super::times::Times;
use super::traffic::Traffic;
use crate::domain::algorithm::Algorithm;

/// What every client needs: the smallest quota that never denies it. Under a larger quota it is not denied either,
/// whatever the algorithm.
#[derive(Debug)]
pub(super) struct Needs<'a> {
    counting: Counting,
    /// The largest first. One more than the largest quota stands for all above it.
    needs: Vec<Need<'a>>,
}

/// What a client needs.
#[derive(Clone, Copy, Debug)]
struct Need<'a> {
    units: u64,
    times: &'a Times,
}

impl<'a> Needs<'a> {
    pub(super) fn of(counting: Counting, traffic: &'a Traffic) -> Self {
        let need = |times| Need { units: need(counting, times), times };
        let mut needs: Vec<Need<'a>> = traffic.clients.iter().map(need).collect();
        needs.sort_unstable_by_key(|need| std::cmp::Reverse(need.units));
        Self { counting, needs }
    }

    /// The need of the client that needs `place`th most, from 0.
    pub(super) fn at(&self, place: usize) -> Option<u64> {
        self.needs.get(place).map(|need| need.units)
    }

    /// How many clients need more than `units`.
    pub(super) fn above(&self, units: u64) -> usize {
        self.needs.partition_point(|need| need.units > units)
    }

    /// The requests of all clients.
    pub(super) fn requests(&self) -> u64 {
        self.needs.iter().map(|need| need.times.len()).sum()
    }

    /// What a quota of `units` refuses, from 1 to the largest.
    pub(super) fn refused_by(&self, units: u64) -> Refusals {
        let above = &self.needs[..self.above(units)];
        let requests = above.iter().map(|need| denied(self.counting, units, need.times)).sum();
        Refusals { clients: above.len() as u64, requests }
    }

    /// The needs, the smallest first.
    pub(super) fn ascending(&self) -> impl ExactSizeIterator<Item = u64> {
        self.needs.iter().rev().map(|need| need.units)
    }

    pub(super) fn counting(&self) -> Counting {
        self.counting
    }
}

fn need(counting: Counting, times: &Times) -> u64 {
    match counting.algorithm {
        Algorithm::TokenBucket { .. } => bucket_need(counting, times),
        _ => most_used(counting, times).unwrap_or_else(|| counting.largest() + 1),
    }
}

/// A token bucket that holds the most requests within a window never denies. One of half as many must deny: it holds
/// one half, and refills less than the other within the window.
fn bucket_need(counting: Counting, times: &Times) -> u64 {
    let most = most_within_a_window(counting, times);
    let largest = counting.largest();
    let (mut denies, mut suffices) = ((most / 2).min(largest), most.min(largest + 1));
    while suffices - denies > 1 {
        let middle = denies + (suffices - denies) / 2;
        if denies_any(counting, middle, times) {
            denies = middle;
        } else {
            suffices = middle;
        }
    }
    suffices
}

/// The most requests within any window, wherever it begins.
fn most_within_a_window(counting: Counting, times: &Times) -> u64 {
    let mut oldest = times.iter().peekable();
    let mut within = 0_u64;
    let mut most = 0;
    for now in times.iter() {
        within += 1;
        while oldest.next_if(|at| at + counting.window() <= now).is_some() {
            within -= 1;
        }
        most = most.max(within);
    }
    most
}

#[cfg(test)]
mod tests;
