//! What a decision charged: a [`Receipt`].

use std::fmt;
use std::str::FromStr;

use crate::domain::algorithm::Algorithm;
use crate::domain::clock::Millis;
use crate::domain::policy::Policy;
use crate::domain::quota::{Cost, MAX_EXACT, Quota};
use crate::domain::slot::SlotId;

/// No mark in a policy's name, and none in the text of an identity.
const SEPARATOR: char = '!';

/// Texts of another form begin with another number.
const VERSION: &str = "1";

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
    charges: Vec<ReceiptCharge>,
}

/// One charge of a [`Receipt`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReceiptCharge {
    /// The policy, of which only the name, the algorithm and the quota are known.
    pub(crate) policy: Policy,
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
    pub(crate) fn new(id: u128, charges: Vec<ReceiptCharge>) -> Self {
        Self { id, charges }
    }

    /// The ID of the decision, as keys hold it.
    pub(crate) fn id(&self) -> String {
        format!("{:032x}", self.id)
    }

    pub(crate) fn charges(&self) -> &[ReceiptCharge] {
        &self.charges
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}{SEPARATOR}{:032x}", self.id)?;
        self.charges.iter().try_for_each(|charge| {
            let ReceiptCharge { policy, tag, cost, at, slot } = charge;
            let (name, kind, quota) = (policy.name(), kind(policy.algorithm()), policy.quota());
            let (units, window, cost) = (quota.units(), quota.window(), cost.units());
            write!(f, "!{name}!{kind}{window}!{units}!{cost}!")?;
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
        let is_id = head[1].len() == 32 && head[1].bytes().all(|it| it.is_ascii_hexdigit());
        if head[0] != VERSION || !is_id || charges.is_empty() || charges.len() % PARTS != 0 {
            return Err(ReceiptError);
        }
        let id = u128::from_str_radix(head[1], 16).map_err(|_| ReceiptError)?;
        let charges = charges.chunks_exact(PARTS).map(|parts| charge(parts).ok_or(ReceiptError));
        Ok(Self { id, charges: charges.collect::<Result<_, _>>()? })
    }
}

fn kind(algorithm: Algorithm) -> char {
    match algorithm {
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
    let window = layout.strip_prefix(kind)?.parse().ok()?;
    let quota = Quota::new(units.parse().ok()?, window).ok()?;
    let algorithm = match kind {
        'f' => Algorithm::FixedWindow,
        's' => Algorithm::SlidingWindow,
        'l' => Algorithm::SlidingLog,
        // How much a bucket holds does not matter for what it is given back.
        'b' => Algorithm::TokenBucket { burst: 1 },
        'i' => Algorithm::InFlight,
        _ => return None,
    };
    let policy = Policy::new(name, quota).ok()?.with_algorithm(algorithm).ok()?;
    // A brace would end the hash tag of a key.
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'{' && byte != b'}';
    let is_tag = (1..=MAX_TAG).contains(&tag.len()) && tag.bytes().all(is_plain);
    let cost = Cost::new(cost.parse().ok()?)?;
    let (at, slot) = match algorithm {
        Algorithm::InFlight => (0, Some(slot(at)?)),
        _ => (at.parse().ok()?, None),
    };
    is_tag.then_some(ReceiptCharge { policy, tag: (*tag).into(), cost, at, slot })
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
