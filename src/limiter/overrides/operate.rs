//! What operators ask of a limiter: to ban, to boost, to switch off, to list, and to undo.

use std::time::Duration;

use super::change::{AuditLine, Note};
use super::changed::{
    Changed, ListedOverrides, OverrideWarning, audit_line, line_of, log_change, take, valid,
};
use super::entry::{Effect, Override};
use super::error::OverrideError;
use super::overridden::may_count;
use super::shared::Overrides;
use crate::domain::banned::Banned;
use crate::domain::client::Client;
use crate::domain::clock::millis;
use crate::domain::key::{Identity, Ipv6Prefix};
use crate::domain::policy::Policy;
use crate::domain::quota::{MAX_WINDOW, Quota, Quotas};
use crate::limiter::Limiter;
use crate::limiter::policies::Policies;

impl Limiter {
    /// The ban of `client`, if one holds: of its address or its user, or of its key under one of `policies`.
    /// A check does not ask for it.
    #[must_use]
    pub fn banned(&self, policies: Option<&Policies>, client: &Client<'_>) -> Option<Banned> {
        let table = self.0.overridden.load()?;
        let policies = policies.into_iter().flat_map(|policies| &*policies.0);
        let mut bans = policies.filter_map(|variants| {
            let policy = variants.policy();
            let tag = |tag: &str| table.ban_of_key(policy, tag);
            self.0.keyspace.with_tag(&client.identity(policy), tag)
        });
        table.ban_of_client(client, &self.0.keyspace).or_else(|| bans.next())
    }
}

/// What operators ask. These calls block the caller until the store has answered or failed.
impl Limiter {
    /// The text that stands for the client of `key` between the braces of its keys, and in overrides. An IPv6
    /// address names its network of the size that `policy` counts by, or else the policies.
    ///
    /// # Errors
    /// If `key` names no client, or there is no such policy.
    pub fn tag_named(&self, key: &str, policy: Option<&str>) -> Result<Box<str>, OverrideError> {
        let policies = self.meant(policy)?;
        let mut prefixes = policies.iter().map(|policy| policy.ipv6_prefix());
        let first = prefixes.next().unwrap_or_default();
        let is_same = prefixes.all(|prefix| prefix == first);
        let prefix = if is_same { first } else { Ipv6Prefix::default() };
        self.0.keyspace.tag_named(key, prefix).map_err(OverrideError::Key)
    }

    /// Refuses the client of `key` for as long as `lasts`, whatever it asks for; or, with a `policy`, what
    /// meets that policy.
    ///
    /// # Errors
    /// If the arguments make no ban, or the store fails.
    pub fn ban(
        &self,
        key: &str,
        policy: Option<&str>,
        lasts: Duration,
        note: Note<'_>,
    ) -> Result<Changed, OverrideError> {
        let tag = self.tag_named(key, policy)?;
        self.put("ban", Effect::Ban, Some(tag), policy, lasts, note)
    }

    /// Ends a ban of the client of `key`, which was for `policy` or for all, and bans by the penalty of `policy` or of
    /// every policy that counts by such a key.
    ///
    /// # Errors
    /// If the arguments name no ban, or the store fails. That there is no ban is no error.
    pub fn unban(
        &self,
        key: &str,
        policy: Option<&str>,
        note: Note<'_>,
    ) -> Result<Changed, OverrideError> {
        let tag = self.tag_named(key, policy)?;
        valid(note)?;
        let penalties = self.end_penalties(&tag, policy, note)?;
        let changed = self.end("unban", Effect::Ban, Some(tag), policy, note)?;
        Ok(Changed { penalties, ..changed })
    }

    /// Gives the client of `key` other `quotas` for as long as `lasts`: under every policy that counts by
    /// such a key, or under `policy` alone.
    ///
    /// # Errors
    /// If the arguments make no boost, or the store fails.
    pub fn boost(
        &self,
        key: &str,
        policy: Option<&str>,
        quotas: Quotas,
        lasts: Duration,
        note: Note<'_>,
    ) -> Result<Changed, OverrideError> {
        let tag = self.tag_named(key, policy)?;
        // A boost of everything leaves limits of requests under way alone.
        let is_meant =
            |it: &&Policy| may_count(it.key(), &tag) && (policy.is_some() || it.has_quotas());
        for policy in self.meant(policy)?.into_iter().filter(is_meant) {
            policy.with_own_quotas(&quotas).map_err(OverrideError::Quota)?;
        }
        self.put("boost", Effect::Boost(quotas), Some(tag), policy, lasts, note)
    }

    /// Ends a boost of the client of `key`, which was under `policy` or under all.
    ///
    /// # Errors
    /// If the arguments name no boost, or the store fails. That there is no boost is no error.
    pub fn unboost(
        &self,
        key: &str,
        policy: Option<&str>,
        note: Note<'_>,
    ) -> Result<Changed, OverrideError> {
        let tag = self.tag_named(key, policy)?;
        // The quota does not matter.
        let any = Quota::new(1, MAX_WINDOW).map(Quotas::from);
        let any = any.map(Effect::Boost).unwrap_or(Effect::Ban);
        self.end("unboost", any, Some(tag), policy, note)
    }

    /// Switches `policy` off for as long as `lasts`, or for 366 days: it neither decides nor counts.
    ///
    /// # Errors
    /// If there is no such policy, or the store fails.
    pub fn disable(
        &self,
        policy: &str,
        lasts: Option<Duration>,
        note: Note<'_>,
    ) -> Result<Changed, OverrideError> {
        let lasts = lasts.unwrap_or(Duration::from_millis(MAX_WINDOW));
        self.meant(Some(policy))?;
        self.put("disable", Effect::Off, None, Some(policy), lasts, note)
    }

    /// Switches `policy` on again.
    ///
    /// # Errors
    /// If there is no such policy, or the store fails. That it is on is no error.
    pub fn enable(&self, policy: &str, note: Note<'_>) -> Result<Changed, OverrideError> {
        self.meant(Some(policy))?;
        self.end("enable", Effect::Off, None, Some(policy), note)
    }

    /// All overrides that hold.
    ///
    /// # Errors
    /// If this limiter has no overrides.
    pub fn list_overrides(&self) -> Result<ListedOverrides, OverrideError> {
        let (overrides, now, outdated) = self.overrides()?.list();
        Ok(ListedOverrides { overrides, now, outdated })
    }

    /// The last `most` changes, newest first. The store keeps at most 1,000, and for 30 days after the last.
    ///
    /// # Errors
    /// If the store does not answer.
    pub fn audit(&self, most: usize) -> Result<Vec<AuditLine>, OverrideError> {
        self.overrides()?.audit(most).map_err(OverrideError::Store)
    }

    /// What an operator may not have meant by a ban or a boost of `key`, and `policy` alone if it is given.
    ///
    /// # Errors
    /// If the arguments name no client or no policy.
    pub fn warnings_of(
        &self,
        key: &str,
        policy: Option<&str>,
    ) -> Result<Vec<OverrideWarning>, OverrideError> {
        let tag = self.tag_named(key, policy)?;
        Ok(self.warnings(&Effect::Ban, &tag, policy))
    }

    /// Adds a change that is no override, such as a reset, to the changes that [`audit`](Self::audit) lists.
    ///
    /// # Errors
    /// If the note is not valid, or the store fails.
    pub fn note_change(
        &self,
        action: &str,
        subject: &str,
        before: &str,
        after: &str,
        note: Note<'_>,
    ) -> Result<(), OverrideError> {
        valid(note)?;
        let line = |now| audit_line(now, action, subject.to_owned(), note, before, after);
        let done = self.overrides()?.change(|_, now| (line(now), Some(line(now))))?;
        log_change(&done.made);
        Ok(())
    }

    fn overrides(&self) -> Result<&Overrides, OverrideError> {
        self.0.overrides.as_ref().ok_or(OverrideError::NotKept)
    }

    /// The policy of this name, or all.
    fn meant(&self, policy: Option<&str>) -> Result<Vec<&Policy>, OverrideError> {
        match policy {
            None => Ok(self.0.variants.values().map(|it| &**it.policy()).collect()),
            Some(name) => match self.0.variants.get(name) {
                Some(variants) => Ok(vec![variants.policy()]),
                None => Err(OverrideError::UnknownPolicy(name.to_owned())),
            },
        }
    }

    fn put(
        &self,
        action: &str,
        effect: Effect,
        key: Option<Box<str>>,
        policy: Option<&str>,
        lasts: Duration,
        note: Note<'_>,
    ) -> Result<Changed, OverrideError> {
        let lasts = millis(lasts);
        if !(1..=MAX_WINDOW).contains(&lasts) {
            return Err(OverrideError::Duration);
        }
        let warnings = key.as_deref().map(|tag| self.warnings(&effect, tag, policy));
        let made = self.made(effect, key, policy, note)?;
        let done = self.overrides()?.change(|overrides, now| {
            let made = Override { since: now, until: now.saturating_add(lasts), ..made.clone() };
            let before = take(overrides, &made);
            overrides.push(made.clone());
            let line = line_of(action, now, before.as_ref(), Some(&made), &made, note);
            ((before, made, line.clone()), Some(line))
        })?;
        let (before, after, line) = done.made;
        log_change(&line);
        let warnings = warnings.unwrap_or_default();
        let penalties = Vec::new();
        Ok(Changed { before, after: Some(after), penalties, now: done.now, warnings })
    }

    fn end(
        &self,
        action: &str,
        effect: Effect,
        key: Option<Box<str>>,
        policy: Option<&str>,
        note: Note<'_>,
    ) -> Result<Changed, OverrideError> {
        let meant = self.made(effect, key, policy, note)?;
        let done = self.overrides()?.change(|overrides, now| {
            let before = take(overrides, &meant);
            let line = |before| line_of(action, now, Some(before), None, &meant, note);
            let line = before.as_ref().map(line);
            ((before, line.clone()), line)
        })?;
        let (before, line) = done.made;
        line.iter().for_each(log_change);
        let (penalties, warnings) = (Vec::new(), Vec::new());
        Ok(Changed { before, after: None, penalties, now: done.now, warnings })
    }

    fn made(
        &self,
        effect: Effect,
        key: Option<Box<str>>,
        policy: Option<&str>,
        note: Note<'_>,
    ) -> Result<Override, OverrideError> {
        valid(note)?;
        let (by, why) = (note.by.into(), note.why.into());
        Ok(Override { effect, key, policy: policy.map(Into::into), since: 0, until: 0, by, why })
    }

    fn warnings(&self, effect: &Effect, tag: &str, policy: Option<&str>) -> Vec<OverrideWarning> {
        let mut warnings = Vec::new();
        let is_one = tag.contains(':') && !tag.starts_with("header:")
            || tag.matches(':').count() > 1
            || tag.contains('#');
        if !is_one {
            warnings.push(OverrideWarning::ManyClients);
        }
        let identity = Identity::named(tag, Ipv6Prefix::default());
        if identity.is_ok_and(|it| self.0.proxies.iter().any(|proxy| proxy.holds(&it))) {
            warnings.push(OverrideWarning::TrustedProxy);
        }
        let is_by_itself = *effect == Effect::Ban
            && policy.is_none()
            && (tag.starts_with("ip:") || tag.starts_with("user:"));
        let mut policies = self.meant(policy).unwrap_or_default().into_iter();
        if !is_by_itself && !policies.any(|policy| may_count(policy.key(), tag)) {
            warnings.push(OverrideWarning::NoPolicy);
        }
        warnings
    }
}
