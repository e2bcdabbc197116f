//! One override, and how a table of them is written.

use crate::domain::clock::Millis;
use crate::domain::quota::Quotas;

/// What stands between two fields of a line. No field may hold it.
pub(super) const SEPARATOR: char = '\t';

/// What an operator changed for one client, or for one policy. It ends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Override {
    /// What it does.
    pub effect: Effect,
    /// The client, as its identity stands between the braces of its keys; `None` if it is about a policy.
    pub key: Option<Box<str>>,
    /// The policy; `None` if it is about all policies that the client meets.
    pub policy: Option<Box<str>>,
    /// Since when, in milliseconds since the epoch by the store's clock.
    pub since: Millis,
    /// Until when, by the same clock.
    pub until: Millis,
    /// Who made it.
    pub by: Box<str>,
    /// Why.
    pub why: Box<str>,
}

/// What an [`Override`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// The client is refused.
    Ban,
    /// The client has these quotas.
    Boost(Quotas),
    /// The policy neither decides nor counts.
    Off,
}

impl Effect {
    /// Its name: `ban`, `boost` or `off`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ban => "ban",
            Self::Boost(_) => "boost",
            Self::Off => "off",
        }
    }
}

impl Override {
    /// Whether it is about the same thing as `other`, so that only one of them can hold.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        (self.effect.name(), &self.key, &self.policy)
            == (other.effect.name(), &other.key, &other.policy)
    }

    fn write(&self, text: &mut String) {
        let quota = match &self.effect {
            Effect::Boost(quota) => quota.to_string(),
            Effect::Ban | Effect::Off => String::new(),
        };
        let fields = [
            self.effect.name(),
            self.key.as_deref().unwrap_or_default(),
            self.policy.as_deref().unwrap_or_default(),
            &self.since.to_string(),
            &self.until.to_string(),
            &quota,
            &self.by,
            &self.why,
        ];
        text.push_str(&fields.join(&SEPARATOR.to_string()));
        text.push('\n');
    }

    fn read(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split(SEPARATOR).collect();
        let [effect, key, policy, since, until, quota, by, why] = fields[..] else { return None };
        let effect = match effect {
            "ban" => Effect::Ban,
            "boost" => Effect::Boost(quota.parse().ok()?),
            "off" => Effect::Off,
            _ => return None,
        };
        let given = |field: &str| (!field.is_empty()).then(|| field.into());
        Some(Self {
            effect,
            key: given(key),
            policy: given(policy),
            since: since.parse().ok()?,
            until: until.parse().ok()?,
            by: by.into(),
            why: why.into(),
        })
    }
}

/// The text of a table.
pub(super) fn text_of(overrides: &[Override]) -> String {
    let mut text = String::new();
    overrides.iter().for_each(|it| it.write(&mut text));
    text
}

/// The overrides of a text, without the lines that are none, and how many of those there are.
pub(super) fn overrides_of(text: &str) -> (Vec<Override>, usize) {
    let mut unknown = 0;
    let read = text.lines().filter_map(|line| {
        let read = Override::read(line);
        unknown += usize::from(read.is_none());
        read
    });
    (read.collect(), unknown)
}
