//! Random histories: a few policies, and requests that meet some of them, under a clock that mostly goes
//! forward.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use tollgate::{
    Algorithm, Calendar, CalendarUnit, MAX_EXACT, MAX_WINDOW, Penalty, Policy, PolicyError, Quota,
    Weekday, Window,
};

/// How many identities a history has.
pub(crate) const IDENTITIES: usize = 3;

/// When a history begins, but for what is added at random.
const EPOCH: u64 = 1_700_000_000_000;

/// The time zones of calendars: one without changes, two with changes of an hour, and one of half an hour. Two have
/// offsets that are no whole hours.
pub(crate) const ZONES: [&str; 4] =
    ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"];

/// So many requests at once are asked of a model one by one.
const MOST_TRIED: u64 = 5;

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;

/// One request, or several alike at once.
#[derive(Clone)]
pub(crate) struct Operation {
    /// The clock, in milliseconds since the epoch, and how far it went since the last operation.
    pub(crate) now: u64,
    pub(crate) step: i64,
    /// Whose request it is, below [`IDENTITIES`].
    pub(crate) identity: usize,
    /// The policies it meets, at least one, each at most once. A policy's name tells it from the
    /// others of the history; its algorithm never changes, its numbers may.
    pub(crate) policies: Vec<Arc<Policy>>,
    /// What it costs under the first policy, and how much more under each further one.
    pub(crate) cost: u64,
    pub(crate) step_of_cost: u64,
    /// How many requests there are; 0 is a peek.
    pub(crate) count: u64,
    /// Policies that are tried out, each with the index of the one in whose place, if there is one. Only a
    /// few requests at once have any.
    pub(crate) trials: Vec<(Arc<Policy>, Option<usize>)>,
    /// A set of bits. A policy whose bit is set is a further quota of the one before it. The first four bits are for the
    /// policies, and the others for those that are tried out.
    pub(crate) further: u8,
}

impl Operation {
    /// The indices of the policies that are quotas of one policy with that of `index`.
    pub(crate) fn quotas_of(&self, index: usize) -> Range<usize> {
        let is_further = |it: usize| it > 0 && self.further & (1 << it) != 0;
        let first = (0..=index).rev().find(|it| !is_further(*it)).unwrap_or_default();
        let end = (index + 1..self.policies.len()).find(|it| !is_further(*it));
        first..end.unwrap_or(self.policies.len())
    }

    /// Whether the trial of this index is of a further quota of the policy of the one before it.
    pub(crate) fn is_further_trial(&self, index: usize) -> bool {
        index > 0 && self.further & (16 << index) != 0
    }

    /// What it costs under its policy of this index.
    pub(crate) fn cost_under(&self, index: usize) -> u64 {
        let more = self.step_of_cost * u64::try_from(index).expect("a few policies");
        (self.cost + more).min(MAX_EXACT)
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { now, step, identity, cost, step_of_cost: more, count, further, .. } = self;
        write!(f, "{now} ({step:+} ms): #{identity} {count} x cost {cost} (+{more}), ")?;
        write!(f, "further {further:#b}, under")?;
        self.policies.iter().try_for_each(|policy| write_policy(f, policy))?;
        for (policy, replaced) in &self.trials {
            write!(f, ", trying in place of {replaced:?}")?;
            write_policy(f, policy)?;
        }
        Ok(())
    }
}

fn write_policy(f: &mut fmt::Formatter<'_>, policy: &Policy) -> fmt::Result {
    write!(f, " [{}: {} ", policy.name(), policy.quota())?;
    if let Some(penalty) = policy.penalty() {
        write!(f, "with {penalty:?} ")?;
    }
    match policy.algorithm() {
        Algorithm::TokenBucket { burst } => write!(f, "token-bucket of {burst}]"),
        other => match policy.quota().window().calendar() {
            Some(calendar) => write!(f, "{other} of {calendar:?}]"),
            None => write!(f, "{other}]"),
        },
    }
}

/// Histories whose policies stay as they are, with that many operations.
pub(crate) fn histories(operations: Range<usize>) -> impl Strategy<Value = Vec<Operation>> {
    of_policies(policy().prop_map(|policy| vec![policy]), operations)
}

/// Histories in which the numbers of a policy change now and then, and change back.
pub(crate) fn changing_histories(
    operations: Range<usize>,
) -> impl Strategy<Value = Vec<Operation>> {
    let versions = policy().prop_flat_map(|first| {
        // Mostly the window stays.
        let later = vec((numbers(), prop::bool::weighted(0.8)), 1..=2);
        (Just(first), later).prop_map(|(first, later)| {
            let of_same_kind = |(numbers, keeps_window): (Numbers, bool)| {
                let window = if keeps_window { first.numbers.window } else { numbers.window };
                first.with_numbers(Numbers { window, ..numbers })
            };
            std::iter::once(first).chain(later.into_iter().map(of_same_kind)).collect()
        })
    });
    of_policies(versions, operations)
}

/// Histories under 1 to 4 policies, each of which has one or more versions.
fn of_policies(
    versions: impl Strategy<Value = Vec<Draft>>,
    operations: Range<usize>,
) -> impl Strategy<Value = Vec<Operation>> {
    let start = prop_oneof![Just(0), 0..DAY].prop_map(|ms| EPOCH + ms);
    (vec(versions, 1..=4), start, vec(rough_operation(), operations))
        .prop_map(|(drafts, start, rough)| play(&drafts, start, &rough))
}

/// Makes operations of rough ones, by the policies that they meet and the clock before them.
fn play(drafts: &[Vec<Draft>], start: u64, rough: &[Rough]) -> Vec<Operation> {
    let versions: Vec<Vec<Arc<Policy>>> = drafts
        .iter()
        .enumerate()
        .map(|(i, drafts)| drafts.iter().map(|draft| draft.policy(&format!("p{i}"))).collect())
        .collect();
    let mut in_force = vec![0; versions.len()];
    let mut now = start;
    let mut operations = Vec::new();
    for rough in rough {
        if let Some(policy) = rough.change {
            let policy = policy % versions.len();
            in_force[policy] = (in_force[policy] + 1) % versions[policy].len();
        }
        let current = |i: usize| &versions[i][in_force[i]];
        let of_all = |i: &usize| rough.policies & (1 << i) != 0;
        let mut met: Vec<usize> = (0..versions.len()).filter(of_all).collect();
        if met.is_empty() {
            met.push(usize::from(rough.policies) % versions.len());
        }
        let first = current(met[0]);
        let tried =
            (0..versions.len()).filter(|i| !met.contains(i) && rough.trials & (1 << i) != 0);
        let replaced = |i: usize| match usize::from(rough.replaces >> (2 * i) & 3) {
            0 => None,
            number => Some(number % met.len()),
        };
        let trials = tried.map(|i| (Arc::clone(current(i)), replaced(i)));
        let trials =
            if (1..=MOST_TRIED).contains(&rough.count) { trials.collect() } else { Vec::new() };
        let before = now;
        now = rough.step.from(now, first.quota().window());
        operations.push(Operation {
            now,
            step: signed(now) - signed(before),
            identity: rough.identity,
            policies: met.into_iter().map(|i| Arc::clone(current(i))).collect(),
            cost: rough.cost.under(first),
            step_of_cost: rough.step_of_cost,
            count: rough.count,
            trials,
            further: rough.further,
        });
    }
    operations
}

fn signed(instant: u64) -> i64 {
    i64::try_from(instant).expect("instants are far below 2^63")
}

/// An operation before it is known what its policies are and where the clock stands.
#[derive(Clone, Debug)]
struct Rough {
    step: Step,
    identity: usize,
    policies: u8, // a set of bits
    trials: u8,   // likewise
    replaces: u8, // two bits each
    further: u8,  // likewise
    change: Option<usize>,
    cost: RoughCost,
    step_of_cost: u64,
    count: u64,
}

fn rough_operation() -> impl Strategy<Value = Rough> {
    let change = prop_oneof![9 => Just(None), 1 => (0..4_usize).prop_map(Some)];
    let most = u64::from(u32::MAX);
    let count = prop_oneof![30 => 0..=5_u64, 1 => Just(1 << 24), 1 => most - 1..=most];
    let step_of_cost = prop_oneof![3 => Just(0), 1 => 1..=3_u64];
    let costs = (cost(), step_of_cost);
    let further = prop_oneof![Just(0), 0..=255_u8];
    let sets = (1..16_u8, 0..16_u8, 0..=255_u8, further);
    (step(), 0..IDENTITIES, sets, change, costs, count).prop_map(
        |(step, identity, sets, change, (cost, step_of_cost), count)| {
            let (policies, trials, replaces, further) = sets;
            Rough {
                step,
                identity,
                policies,
                trials,
                replaces,
                further,
                change,
                cost,
                step_of_cost,
                count,
            }
        },
    )
}

/// How the clock goes before an operation. Windows are those of the first policy it meets.
#[derive(Clone, Copy, Debug)]
enum Step {
    Forward(u64),
    /// Thousandths of a window.
    ForwardInWindow(u64),
    /// To the next beginning of a window, but for a millisecond more or less.
    ToNextWindow(i64),
    /// As long as a window, but for a millisecond more or less.
    ByWindow(i64),
    Back(u64),
    /// Thousandths of a window.
    BackInWindow(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => prop_oneof![Just(0), Just(1), 2..20_u64, 0..2 * SECOND].prop_map(Step::Forward),
        12 => (1..=2_000_u64).prop_map(Step::ForwardInWindow),
        3 => (-1..=1_i64).prop_map(Step::ToNextWindow),
        2 => (-1..=1_i64).prop_map(Step::ByWindow),
        4 => prop_oneof![1..20_u64, 1..2 * SECOND].prop_map(Step::Back),
        2 => prop_oneof![1..=1_000_u64, 1_000..=3_000_u64].prop_map(Step::BackInWindow),
    ]
}

impl Step {
    fn from(self, now: u64, window: Window) -> u64 {
        let this = window.holding(now);
        let window = this.end - this.start;
        let near = |instant: u64, by: i64| instant.saturating_add_signed(by);
        match self {
            Self::Forward(ms) => now + ms,
            Self::ForwardInWindow(thousandths) => now + window / SECOND * thousandths,
            Self::ToNextWindow(by) => near(this.end, by).max(now),
            Self::ByWindow(by) => near(now + window, by),
            Self::Back(ms) => now - ms,
            Self::BackInWindow(thousandths) => now - window / SECOND * thousandths,
        }
    }
}

/// What an operation costs, by the first policy that it meets.
#[derive(Clone, Copy, Debug)]
enum RoughCost {
    Units(u64),
    /// The quota, or burst, divided by this.
    Part(u64),
    /// This much above the quota, or burst.
    Above(u64),
    /// This much, whatever the quota is.
    Huge(u64),
}

fn cost() -> impl Strategy<Value = RoughCost> {
    prop_oneof![
        32 => (1..=8_u64).prop_map(RoughCost::Units),
        4 => (1..=3_u64).prop_map(RoughCost::Part),
        1 => (1..=3_u64).prop_map(RoughCost::Above),
        1 => prop_oneof![Just(1 << 40), Just(MAX_EXACT)].prop_map(RoughCost::Huge),
    ]
}

impl RoughCost {
    fn under(self, policy: &Policy) -> u64 {
        let capacity = match policy.algorithm() {
            Algorithm::TokenBucket { burst } => burst,
            _ => policy.quota().units(),
        };
        match self {
            Self::Units(units) => units,
            Self::Part(divisor) => (capacity / divisor).max(1),
            Self::Above(units) => (capacity + units).min(MAX_EXACT),
            Self::Huge(units) => units,
        }
    }
}

/// A policy without a name.
#[derive(Clone, Copy, Debug)]
struct Draft {
    kind: Kind,
    numbers: Numbers,
    penalty: Option<Penalty>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    FixedWindow,
    /// A fixed window that the calendar ends.
    CalendarWindow(CalendarUnit, &'static str),
    SlidingWindow,
    SlidingLog,
    TokenBucket,
    InFlight,
}

#[derive(Clone, Copy, Debug)]
struct Numbers {
    units: u64,
    window: u64,
    burst: u64, // of a token bucket
}

fn policy() -> impl Strategy<Value = Draft> {
    let kind = prop_oneof![
        Just(Kind::FixedWindow),
        calendar_window(),
        Just(Kind::SlidingWindow),
        Just(Kind::SlidingLog),
        Just(Kind::TokenBucket),
        Just(Kind::InFlight),
    ];
    let penalty = prop_oneof![2 => Just(None), 1 => penalty().prop_map(Some)];
    (kind, numbers(), penalty).prop_map(|(kind, numbers, penalty)| Draft { kind, numbers, penalty })
}

fn calendar_window() -> impl Strategy<Value = Kind> {
    let units = prop_oneof![
        3 => Just(CalendarUnit::Day),
        1 => Just(CalendarUnit::Week(Weekday::Monday)),
        1 => Just(CalendarUnit::Week(Weekday::Sunday)),
        3 => Just(CalendarUnit::Month),
        1 => Just(CalendarUnit::Year),
    ];
    (units, prop::sample::select(ZONES.to_vec()))
        .prop_map(|(unit, zone)| Kind::CalendarWindow(unit, zone))
}

/// Mostly a ban after a few denials, for about as long as a small window.
fn penalty() -> impl Strategy<Value = Penalty> {
    let ms = || prop_oneof![8 => SECOND..600 * SECOND, 1 => SECOND..=MAX_WINDOW];
    let denials = prop_oneof![8 => 1..=6_u32, 1 => 7..=2_000_u32];
    (denials, ms(), ms(), 0..=8_u64).prop_map(|(denials, within, ban, doublings)| {
        let longest = ban.saturating_mul(doublings.max(1)).min(MAX_WINDOW);
        Penalty::new(denials, within, ban, longest).expect("numbers in range")
    })
}

/// Mostly small quotas, some large, some as large as the algorithm allows, or as slow.
fn numbers() -> impl Strategy<Value = Numbers> {
    let seconds = |range: std::ops::RangeInclusive<u64>| range.prop_map(|number| number * SECOND);
    let small = (1..=40_u64, seconds(10..=600), 1..=80_u64);
    let large = (1_000..=2_000_000_u64, seconds(60..=DAY / SECOND), 1..=4_000_000_u64);
    let at_an_edge = || prop_oneof![Just(SECOND), Just(MAX_WINDOW), seconds(1..=31 * DAY / SECOND)];
    let largest = (Just(MAX_EXACT), at_an_edge(), Just(MAX_EXACT));
    // A bucket that takes longest to fill.
    let slowest = (1..=3_u64, at_an_edge(), Just(MAX_EXACT));
    prop_oneof![12 => small, 2 => large, 1 => largest, 1 => slowest]
        .prop_map(|(units, window, burst)| Numbers { units, window, burst })
}

impl Draft {
    fn with_numbers(self, numbers: Numbers) -> Self {
        Self { numbers, ..self }
    }

    /// The policy, with its quota lowered to what its algorithm can count.
    fn policy(self, name: &str) -> Arc<Policy> {
        let Numbers { mut units, window, mut burst } = self.numbers;
        loop {
            let algorithm = match self.kind {
                Kind::FixedWindow | Kind::CalendarWindow(..) => Algorithm::FixedWindow,
                Kind::SlidingWindow => Algorithm::SlidingWindow,
                Kind::SlidingLog => Algorithm::SlidingLog,
                Kind::TokenBucket => Algorithm::TokenBucket { burst },
                Kind::InFlight => Algorithm::InFlight,
            };
            let quota = match self.kind {
                Kind::CalendarWindow(unit, zone) => {
                    let calendar = Calendar::new(unit, zone.parse().expect("a zone"));
                    Quota::by_calendar(units, calendar)
                }
                _ => Quota::new(units, window),
            };
            let quota = quota.expect("windows are whole seconds, in range");
            let policy = Policy::new(name, quota).expect("a short plain name");
            match policy.with_algorithm(algorithm) {
                Ok(policy) => {
                    let with = |penalty| policy.clone().with_penalty(penalty);
                    return Arc::new(self.penalty.map_or_else(|| policy.clone(), with));
                }
                Err(PolicyError::TooLarge { largest, .. }) => match self.kind {
                    Kind::TokenBucket => burst = largest,
                    _ => units = largest,
                },
                Err(error) => unreachable!("only large numbers are refused: {error}"),
            }
        }
    }
}
