//! What Envoy's descriptors are charged, ready for requests.

use std::borrow::Cow;

use crate::app::config::{ClientEntries, DescriptorOptions};
use crate::domain::client::Client;
use crate::domain::key::Descriptor;
use crate::domain::quota::Quota;
use crate::limiter::{DescriptorPattern, DescriptorRules, Limiter, LimiterError, Policies};

/// An entry of a descriptor: its key and its value.
pub(crate) type DescriptorEntry<'a> = (&'a str, &'a str);

/// What the descriptors that match a pattern are charged.
#[derive(Debug)]
pub(crate) struct DescriptorRule {
    /// The policies that a request has to pass.
    pub(crate) policies: Policies,
    /// Whether it passes never.
    pub(crate) refuses: bool,
    /// The most that it may ask for as a limit of its own; `None` if it may not.
    pub(crate) quota_override: Option<Quota>,
    pattern: DescriptorPattern,
    share: Vec<usize>,
    client: ClientEntries,
}

/// The rules that `options` describe, under the policies of `limiter`.
///
/// # Errors
/// When a rule names a policy that does not exist, or names one twice.
pub(super) fn rules(
    options: &[DescriptorOptions],
    limiter: &Limiter,
) -> Result<DescriptorRules<DescriptorRule>, LimiterError> {
    let mut rules = DescriptorRules::new();
    for it in options {
        let policies = limiter.policies(&it.policies)?;
        let rule = DescriptorRule {
            policies: if it.uses_reserve { policies.with_reserve() } else { policies },
            refuses: it.refuse,
            quota_override: it.quota_override,
            pattern: it.pattern.clone(),
            share: it.share.clone(),
            client: it.client.clone(),
        };
        rules.add(&it.domain, &it.pattern, rule);
    }
    Ok(rules)
}

impl DescriptorRule {
    /// The descriptor of `domain` with `entries`, which match the pattern, as it is counted.
    pub(crate) fn descriptor(&self, domain: &str, entries: &[DescriptorEntry<'_>]) -> Descriptor {
        let mut descriptor = Descriptor::new(domain);
        for (index, (key, value)) in entries.iter().enumerate() {
            let is_shared = self.share.contains(&index);
            let pattern = self.pattern.entries().get(index).filter(|_| is_shared);
            descriptor = match pattern.map(|pattern| &pattern.value) {
                None => descriptor.with(key, value),
                Some(None) => descriptor.with_any_of(key, ["", ""]),
                Some(Some(wildcard)) => descriptor.with_any_of(key, wildcard.parts()),
            };
        }
        descriptor
    }

    /// Whether a policy counts by a header field that an entry stands for.
    pub(crate) fn has_headers(&self) -> bool {
        !self.client.headers.is_empty()
    }

    /// What `entries` have in place of the header field called `name`.
    pub(crate) fn header<'a>(
        &self,
        name: &str,
        entries: &[DescriptorEntry<'a>],
    ) -> Option<Cow<'a, [u8]>> {
        let (_, index) = self.client.headers.iter().find(|(it, _)| **it == *name)?;
        entries.get(*index).map(|(_, value)| value.as_bytes().into())
    }

    /// The client that `entries` tell of. An entry that is empty tells nothing, nor does a text in place of an address.
    pub(crate) fn client<'a>(&self, entries: &[DescriptorEntry<'a>]) -> Client<'a> {
        let told = |index: Option<usize>| {
            let (_, value) = entries.get(index?)?;
            Some(*value).filter(|value| !value.is_empty())
        };
        let mut client = Client::unknown();
        if let Some(address) = told(self.client.ip).and_then(|value| value.parse().ok()) {
            client = client.with_address(address);
        }
        if let Some(user) = told(self.client.user) {
            client = client.with_user(user);
        }
        if let Some(plan) = told(self.client.plan) {
            client = client.with_plan(plan);
        }
        client
    }
}
