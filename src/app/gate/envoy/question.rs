//! What the limiter is asked about a request of Envoy.

use std::borrow::Cow;
use std::fmt;

use super::messages::{RateLimitDescriptor, RateLimitRequest};
use super::units;
use crate::app::assemble::{DescriptorEntry, DescriptorRule};
use crate::domain::key::Descriptor;
use crate::domain::quota::{MAX_EXACT, Quota};
use crate::limiter::{DescriptorRules, Part};

/// The most descriptors of a request. Envoy sends a few.
const MOST_DESCRIPTORS: usize = 128;

/// A request of Envoy, each of its descriptors with the rule that is for it.
#[derive(Debug)]
pub(super) struct Question<'a>(Vec<Asked<'a>>);

/// One descriptor.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// What it is charged; `None` if no rule is for it.
    rule: Option<Counted<'a>>,
    /// Whether its limit was not taken, because its rule allows none.
    ignores_limit: bool,
}

/// What a descriptor is charged under its rule.
#[derive(Debug)]
struct Counted<'a> {
    rule: &'a DescriptorRule,
    entries: Vec<DescriptorEntry<'a>>,
    descriptor: Descriptor,
    units: u64,
    gives_back: bool,
    quota: Option<Quota>,
}

/// What becomes of a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// No rule is for it.
    Unknown,
    /// Its rule has no policy.
    Unlimited,
    /// Its rule refuses it, whatever was used.
    Refused,
    /// It has to have room under policies.
    Counted,
    /// It gives units back.
    GivesBack,
}

/// Why a request cannot be decided: Envoy has to send another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QuestionError {
    NoDomain,
    NoDescriptors,
    TooManyDescriptors,
    NoEntries,
    TooManyHits,
    Limit,
}

impl<'a> Question<'a> {
    /// What `request` asks, under `rules`.
    ///
    /// # Errors
    /// If it cannot be decided under any rules.
    pub(super) fn new(
        request: &'a RateLimitRequest,
        rules: &'a DescriptorRules<DescriptorRule>,
    ) -> Result<Self, QuestionError> {
        let RateLimitRequest { domain, descriptors, hits_addend } = request;
        if domain.is_empty() {
            return Err(QuestionError::NoDomain);
        }
        if descriptors.is_empty() {
            return Err(QuestionError::NoDescriptors);
        }
        if descriptors.len() > MOST_DESCRIPTORS {
            return Err(QuestionError::TooManyDescriptors);
        }
        let units = u64::from((*hits_addend).max(1));
        let asked = descriptors.iter().map(|it| Asked::new(domain, it, units, rules));
        asked.collect::<Result<_, _>>().map(Self)
    }

    /// What becomes of each descriptor, in their order.
    pub(super) fn fates(&self) -> impl Iterator<Item = Fate> {
        self.0.iter().map(Asked::fate)
    }

    /// How many limits were not taken.
    pub(super) fn ignored_limits(&self) -> usize {
        self.0.iter().filter(|asked| asked.ignores_limit).count()
    }

    /// Calls `ask` with what has to have room. If a rule refuses the request, nothing of it is charged.
    pub(super) fn with_parts<T>(&self, ask: impl FnOnce(&[Part<'_>]) -> T) -> T {
        let is_refused = self.fates().any(|fate| fate == Fate::Refused);
        self.with(Fate::Counted, |parts| {
            if is_refused {
                parts.iter_mut().for_each(|part| part.units = 0);
            }
            ask(parts)
        })
    }

    /// Calls `ask` with what is given back.
    pub(super) fn with_given_back<T>(&self, ask: impl FnOnce(&[Part<'_>]) -> T) -> T {
        self.with(Fate::GivesBack, |parts| ask(parts))
    }

    fn with<T>(&self, fate: Fate, ask: impl FnOnce(&mut [Part<'_>]) -> T) -> T {
        let counted = self.0.iter().filter(|asked| asked.fate() == fate);
        let counted: Vec<_> = counted.filter_map(|asked| asked.rule.as_ref()).collect();
        let headers: Vec<_> = counted.iter().map(|it| |name: &str| it.header(name)).collect();
        let parts = counted.iter().zip(&headers).map(|(it, headers)| {
            let client = it.rule.client(&it.entries).with_descriptor(&it.descriptor);
            let client = match it.rule.has_headers() {
                true => client.with_headers(headers),
                false => client,
            };
            Part { policies: &it.rule.policies, client, units: it.units, quota: it.quota }
        });
        ask(&mut parts.collect::<Vec<_>>())
    }
}

impl<'a> Asked<'a> {
    fn new(
        domain: &str,
        asked: &'a RateLimitDescriptor,
        units: u64,
        rules: &'a DescriptorRules<DescriptorRule>,
    ) -> Result<Self, QuestionError> {
        if asked.entries.is_empty() {
            return Err(QuestionError::NoEntries);
        }
        let units = asked.hits_addend.unwrap_or(units);
        if units > MAX_EXACT {
            return Err(QuestionError::TooManyHits);
        }
        let limit =
            asked.limit.as_ref().map(|limit| units::quota_of(limit).ok_or(QuestionError::Limit));
        let limit = limit.transpose()?;
        let entries = asked.entries.iter().map(|entry| (entry.key.as_str(), entry.value.as_str()));
        let entries: Vec<_> = entries.collect();
        let Some(rule) = rules.find(domain, entries.iter().copied()) else {
            return Ok(Self { rule: None, ignores_limit: limit.is_some() });
        };
        let quota = limit.zip(rule.quota_override).map(|(it, most)| units::lower(it, most));
        let ignores_limit = limit.is_some() && quota.is_none();
        let descriptor = rule.descriptor(domain, &entries);
        let gives_back = asked.is_negative_hits;
        let counted = Counted { rule, entries, descriptor, units, gives_back, quota };
        Ok(Self { rule: Some(counted), ignores_limit })
    }

    fn fate(&self) -> Fate {
        let Some(counted) = &self.rule else { return Fate::Unknown };
        if counted.rule.refuses {
            Fate::Refused
        } else if counted.rule.policies.is_empty() {
            Fate::Unlimited
        } else if counted.gives_back {
            Fate::GivesBack
        } else {
            Fate::Counted
        }
    }
}

impl<'a> Counted<'a> {
    fn header(&self, name: &str) -> Option<Cow<'a, [u8]>> {
        self.rule.header(name, &self.entries)
    }
}

impl fmt::Display for QuestionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDomain => f.write_str("the domain is empty: expected the name of one"),
            Self::NoDescriptors => f.write_str("there are no descriptors: expected at least one"),
            Self::TooManyDescriptors => {
                write!(f, "there are too many descriptors: expected at most {MOST_DESCRIPTORS}")
            }
            Self::NoEntries => f.write_str("a descriptor has no entries: expected at least one"),
            Self::TooManyHits => {
                write!(f, "hits_addend is too large: expected at most {MAX_EXACT}")
            }
            Self::Limit => f.write_str(
                "a limit is no quota: expected a unit, and at least 1 request in each of it",
            ),
        }
    }
}

impl std::error::Error for QuestionError {}
