//! What a decision charged: a [`Receipt`].

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::domain::algorithm::Algorithm;
use crate::domain::calendar::Calendar;
use crate::domain::clock::Millis;
use crate::domain::policy::{CANDIDATE, Policy, Rollout, Share};
use crate::domain::quota::{Cost, MAX_EXACT, Quota};
use crate::domain::slot::SlotId;
use crate::domain::window::Window;

/// No mark in a policy's name, and none in the text of an identity.
const SEPARATOR: char = '!';

/// Texts of another form begin with another number.
const VERSION: &str = "1";

/// Follows the version if a process charged in place of the store. Its number comes next.
const IN_PROCESS: char = 'p';

/// Stands in place of the algorithm's letter before a window by the calendar.
const BY_CALENDAR: char = 'c';

/// The parts of the text of one charge.
const PARTS: usize = 6;

/// The longest text of an identity that a key holds, and some more.
const MAX_TAG: usize = 512;

/// What a decision charged, so that it can be given back once.
///
/// Its text names whose quotas were charged, in plain sight. It is for those who ask, not for their clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    id: u128,
    counted_in: CountedIn,
    charges: Vec<ReceiptCharge>,
}

/// Who counted the charges of a [`Receipt`], and so has them to give back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CountedIn {
    /// The store.
    Store,
    /// The process of this number, in place of the store.
    Process(u64),
}

/// One charge of a [`Receipt`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReceiptCharge {
    /// The policy. Of one that was read from a text, only the name, the algorithm and the quota are known.
    pub(crate) policy: Arc<Policy>,
    /// Whether it was only tried out.
    pub(crate) is_trial: bool,
    /// Whose quota it is, as keys name it.
    pub(crate) tag: Box<str>,
    pub(crate) cost: Cost,
    /// When it was charged, by the store's clock; 0 for a slot.
    pub(crate) at: Millis,
    /// The slot that it took, if it counts requests under way.
    pub(crate) slot: Option<SlotId>,
}

impl Receipt {
    /// The receipt of `charges`, which no other has the `id` of.
    pub(crate) fn new(id: u128, counted_in: CountedIn, charges: Vec<ReceiptCharge>) -> Self {
        Self { id, counted_in, charges }
    }

    /// The ID of the decision, as keys hold it.
    pub(crate) fn id(&self) -> String {
        format!("{:032x}", self.id)
    }

    pub(crate) fn counted_in(&self) -> CountedIn {
        self.counted_in
    }

    /// The charges: first those of the policies of the decision, in their order, and then those of trials.
    pub(crate) fn charges(&self) -> &[ReceiptCharge] {
        &self.charges
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(VERSION)?;
        if let CountedIn::Process(number) = self.counted_in {
            write!(f, "{IN_PROCESS}{number:016x}")?;
        }
        write!(f, "{SEPARATOR}{:032x}", self.id)?;
        self.charges.iter().try_for_each(|charge| {
            let ReceiptCharge { policy, is_trial, tag, cost, at, slot } = charge;
            let kind = match kind(policy) {
                kind if *is_trial => kind.to_ascii_uppercase(),
                kind => kind,
            };
            let (name, units, cost) = (policy.name(), policy.quota().units(), cost.units());
            write!(f, "!{name}!{kind}")?;
            match policy.quota().window() {
                Window::Fixed(length) => write!(f, "{length}"),
                Window::Calendar(calendar) => f.write_str(calendar.code()),
            }?;
            write!(f, "!{units}!{cost}!")?;
            match slot {
                Some(slot) => write!(f, "{:x}-{:x}", slot.holder(), slot.number())?,
                None => write!(f, "{at}")?,
            }
            write!(f, "!{tag}")
        })
    }
}

impl FromStr for Receipt {
    type Err = ReceiptError;

    fn from_str(text: &str) -> Result<Self, ReceiptError> {
        let parts: Vec<&str> = text.split(SEPARATOR).collect();
        let (head, charges) = parts.split_at_checked(2).ok_or(ReceiptError)?;
        let counted_in = head[0].strip_prefix(VERSION).and_then(counted_in).ok_or(ReceiptError)?;
        if !is_hex(head[1], 32) || charges.is_empty() || charges.len() % PARTS != 0 {
            return Err(ReceiptError);
        }
        let id = u128::from_str_radix(head[1], 16).map_err(|_| ReceiptError)?;
        let charges = charges.chunks_exact(PARTS).map(|parts| charge(parts).ok_or(ReceiptError));
        Ok(Self { id, counted_in, charges: charges.collect::<Result<_, _>>()? })
    }
}

/// Who counted, by what follows the version.
fn counted_in(text: &str) -> Option<CountedIn> {
    if text.is_empty() {
        return Some(CountedIn::Store);
    }
    let number = text.strip_prefix(IN_PROCESS).filter(|number| is_hex(number, 16))?;
    u64::from_str_radix(number, 16).ok().map(CountedIn::Process)
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|it| it.is_ascii_hexdigit())
}

fn kind(policy: &Policy) -> char {
    match policy.algorithm() {
        _ if policy.quota().window().calendar().is_some() => BY_CALENDAR,
        Algorithm::FixedWindow => 'f',
        Algorithm::SlidingWindow => 's',
        Algorithm::SlidingLog => 'l',
        Algorithm::TokenBucket { .. } => 'b',
        Algorithm::InFlight => 'i',
    }
}

fn charge(parts: &[&str]) -> Option<ReceiptCharge> {
    let [name, layout, units, cost, at, tag] = parts else { return None };
    let kind = layout.chars().next()?;
    let (units, window) = (units.parse().ok()?, layout.strip_prefix(kind)?);
    let (is_trial, kind) = (kind.is_ascii_uppercase(), kind.to_ascii_lowercase());
    let quota = match kind {
        BY_CALENDAR => Quota::by_calendar(units, Calendar::of_code(window)?),
        _ => Quota::new(units, window.parse().ok()?),
    };
    let quota = quota.ok()?;
    let algorithm = match kind {
        'f' | BY_CALENDAR => Algorithm::FixedWindow,
        's' => Algorithm::SlidingWindow,
        'l' => Algorithm::SlidingLog,
        // How much a bucket holds does not matter for what it is given back.
        'b' => Algorithm::TokenBucket { burst: 1 },
        'i' => Algorithm::InFlight,
        _ => return None,
    };
    let candidate_of = name.strip_suffix(CANDIDATE).filter(|_| is_trial);
    let policy = Policy::new(candidate_of.unwrap_or(name), quota).ok()?;
    let policy = policy.with_algorithm(algorithm).ok()?;
    let policy = match candidate_of {
        Some(_) => {
            let rollout = Rollout::Enforce { share: Share::ALL, candidate: Some(quota.into()) };
            policy.with_rollout(rollout).ok()?.candidate_parts().pop()?
        }
        None => policy,
    };
    // A brace would end the hash tag of a key.
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'{' && byte != b'}';
    let is_tag = (1..=MAX_TAG).contains(&tag.len()) && tag.bytes().all(is_plain);
    let cost = Cost::new(cost.parse().ok()?)?;
    let (at, slot) = match algorithm {
        Algorithm::InFlight => (0, Some(slot(at)?)),
        _ => (at.parse().ok()?, None),
    };
    let (policy, tag) = (policy.into(), (*tag).into());
    is_tag.then_some(ReceiptCharge { policy, is_trial, tag, cost, at, slot })
}

fn slot(text: &str) -> Option<SlotId> {
    let (holder, number) = text.split_once('-')?;
    let number = u64::from_str_radix(number, 16).ok().filter(|number| *number <= MAX_EXACT)?;
    Some(SlotId::new(u64::from_str_radix(holder, 16).ok()?, number))
}

/// A text that is no [`Receipt`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptError;

impl fmt::Display for ReceiptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no ID of a decision: expected one as a check answers it")
    }
}

impl std::error::Error for ReceiptError {}

#[cfg(test)]
mod tests;
