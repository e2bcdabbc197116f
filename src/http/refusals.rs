//! Bodies of denials in the words of whoever runs the limiter: [`Refusals`].

use std::collections::BTreeMap;

use bytes::Bytes;

pub use self::template::RefusalError;
use self::template::{Template, Values};
use super::accept::{BodyFormat, own_format};
use crate::domain::clock::millis;
use crate::domain::decision::Decision;
use crate::domain::policy::Policy;
use crate::domain::scratch::scratch;
use crate::http::fields::{Stretch, seconds_up};
use crate::http::request::RequestHead;

mod template;

/// Own bodies of 429s, for all policies and for single ones. A client gets the one that its `Accept` likes best. It
/// gets problem details (RFC 9457) if it likes those as much, as one does that sends no `Accept` or `*/*`.
///
/// In a body, names between braces are variables, and their values are escaped for the format:
///
/// | variable | is |
/// |---|---|
/// | `{policy}` | the name of the policy that denies: of several, the first with a body of its own, or the first |
/// | `{quota}` | its quota, as in `10/minute` |
/// | `{limit}` | the units of its quota |
/// | `{window}` | its window in seconds |
/// | `{retry_after}` | how many seconds to wait, as in `Retry-After` |
/// | `{request_id}` | the ID that a trusted proxy gave the request; empty without one |
///
/// `{{policy}}` stands for the text `{policy}`. All other braces stand for themselves.
///
/// A request that costs more than a whole quota is never admitted. A body with `{retry_after}` is not used for it.
/// Nor is one with `{window}` for a quota whose windows end by the calendar, since they are not all of one length.
///
/// ```
/// use tollgate::{RefusalBodies, Refusals};
///
/// let refusals = Refusals::new(
///     RefusalBodies::new()
///         .text("Too many requests. Try again in {retry_after} s.\n")?
///         .json(r#"{"error":"rate_limited","retry_after":{retry_after}}"#)?,
/// )
/// .policy("login", RefusalBodies::new().html("<p>Too many attempts.</p>")?);
/// # let _ = refusals;
/// # Ok::<(), tollgate::RefusalError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    general: RefusalBodies,
    policies: BTreeMap<Box<str>, RefusalBodies>,
}

impl Refusals {
    /// The longest body, in bytes.
    pub const MOST_BYTES: usize = template::MOST_BYTES;

    /// These `bodies`, whichever policy denies.
    #[must_use]
    pub fn new(bodies: RefusalBodies) -> Self {
        Self { general: bodies, policies: BTreeMap::new() }
    }

    /// The same, with other `bodies` where the policy called `name` denies. Formats that these lack are those of all
    /// policies.
    #[must_use]
    pub fn policy(mut self, name: &str, bodies: RefusalBodies) -> Self {
        self.policies.insert(name.into(), bodies);
        self
    }

    /// Whether there is no body at all.
    pub(crate) fn is_empty(&self) -> bool {
        [&self.general].into_iter().chain(self.policies.values()).all(RefusalBodies::is_empty)
    }

    /// The own body of a denial. `None` if it has none in any format.
    pub(crate) fn body_of(&self, denial: Denial<'_, impl RequestHead>) -> Option<OwnBody> {
        let Denial { request, decision, stretch, request_id } = denial;
        let wait = decision.retry_after().map(|wait| seconds_up(millis(stretch.of_duration(wait))));
        let retry_after = wait.map(|wait| wait.max(1));
        let found = |format| self.template(decision, format, retry_after.is_some());
        BodyFormat::ALL.into_iter().find_map(found)?;
        let format = own_format(request.lines("accept"), |format| found(format).is_some());
        let Some((format, (policy, template))) = format.and_then(|it| Some((it, found(it)?)))
        else {
            return Some(OwnBody::Declined);
        };
        let values = Values { policy, retry_after, request_id };
        Some(OwnBody::Chosen {
            media_type: format.media_type(),
            body: scratch(|body| {
                template.render(values, format, body);
                Bytes::copy_from_slice(body.as_bytes())
            }),
        })
    }

    /// The body of `decision` in `format`, and the policy that it tells of.
    fn template<'a>(
        &'a self,
        decision: &'a Decision,
        format: BodyFormat,
        has_wait: bool,
    ) -> Option<(&'a Policy, &'a Template)> {
        let of = |policy: &Policy, bodies: &'a RefusalBodies| {
            let has_length = policy.has_quotas() && policy.quota().window().calendar().is_none();
            bodies.template(format).filter(|template| {
                (has_wait || !template.tells_the_wait())
                    && (has_length || !template.tells_the_window())
            })
        };
        let mut violated = decision.violated().map(|(policy, _)| policy);
        let own = decision
            .violated()
            .find_map(|(policy, _)| Some((policy, of(policy, self.policies.get(policy.name())?)?)));
        own.or_else(|| {
            let policy = violated.next()?;
            Some((policy, of(policy, &self.general)?))
        })
    }
}

/// A denial whose body is looked for.
#[derive(Debug)]
pub(crate) struct Denial<'a, R> {
    pub(crate) request: &'a R,
    pub(crate) decision: &'a Decision,
    /// By how much its waits are longer.
    pub(crate) stretch: Stretch,
    /// Empty if the request has none.
    pub(crate) request_id: &'a str,
}

/// What becomes of own bodies in a denial that has some.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum OwnBody {
    /// The client likes this one best.
    Chosen { media_type: &'static str, body: Bytes },
    /// It likes problem details as much as any.
    Declined,
}

/// Own bodies of refusals, of which each is in another format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefusalBodies {
    /// In the order of [`BodyFormat::ALL`].
    templates: [Option<Template>; 3],
}

impl RefusalBodies {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with `text` as `text/plain`.
    ///
    /// # Errors
    /// When it is longer than [`Refusals::MOST_BYTES`], or has a name between braces that is no variable.
    pub fn text(self, text: &str) -> Result<Self, RefusalError> {
        self.with(BodyFormat::Text, text)
    }

    /// The same, with `html` as `text/html`.
    ///
    /// # Errors
    /// When it is longer than [`Refusals::MOST_BYTES`], or has a name between braces that is no variable.
    pub fn html(self, html: &str) -> Result<Self, RefusalError> {
        self.with(BodyFormat::Html, html)
    }

    /// The same, with `json` as `application/json`. Whether it is JSON is not looked at.
    ///
    /// # Errors
    /// When it is longer than [`Refusals::MOST_BYTES`], or has a name between braces that is no variable.
    pub fn json(self, json: &str) -> Result<Self, RefusalError> {
        self.with(BodyFormat::Json, json)
    }

    pub(crate) fn with(mut self, format: BodyFormat, text: &str) -> Result<Self, RefusalError> {
        self.templates[format as usize] = Some(Template::parse(text)?);
        Ok(self)
    }

    /// The body in `format` of a refusal by `policy`, to look at it before it is used.
    #[cfg(feature = "server")]
    pub(crate) fn sample(
        &self,
        format: BodyFormat,
        policy: &Policy,
        request_id: &str,
    ) -> Option<String> {
        let mut body = String::new();
        let values = Values { policy, retry_after: Some(1), request_id };
        self.template(format)?.render(values, format, &mut body);
        Some(body)
    }

    fn template(&self, format: BodyFormat) -> Option<&Template> {
        self.templates[format as usize].as_ref()
    }

    fn is_empty(&self) -> bool {
        self.templates.iter().all(Option::is_none)
    }
}

#[cfg(test)]
mod tests;
