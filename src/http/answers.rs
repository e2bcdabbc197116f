//! How clients are told what was decided about their requests.

use std::borrow::Cow;
use std::sync::Arc;

use super::fields::FieldOptions;
use super::refusals::Refusals;
use crate::limiter::Admission;

/// The settings of all that clients are told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    pub(crate) fields: FieldOptions,
    /// Own bodies of denials, if there are any.
    pub(crate) refusals: Option<Arc<Refusals>>,
}

/// How one client is told.
#[derive(Debug)]
pub(crate) struct Telling {
    pub(crate) fields: FieldOptions,
    /// In a box, since few have it.
    pub(super) own: Option<Box<Own>>,
}

/// What own bodies are made of.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) refusals: Arc<Refusals>,
    pub(super) request_id: Option<Box<str>>,
}

impl Answers {
    /// The settings with these own bodies.
    pub(crate) fn with_refusals(self, refusals: Refusals) -> Self {
        Self { refusals: (!refusals.is_empty()).then(|| Arc::new(refusals)), ..self }
    }

    /// How the client of a request is told that has this ID. It is only read if own bodies may show it.
    pub(crate) fn to<'a>(&self, request_id: impl FnOnce() -> Option<Cow<'a, str>>) -> Telling {
        let own = self.refusals.as_ref().map(|refusals| {
            let request_id = request_id().map(|id| id.into_owned().into());
            Box::new(Own { refusals: refusals.clone(), request_id })
        });
        Telling { fields: self.fields, own }
    }

    /// How the client of a request is told which is decided already. One that passes needs no body.
    pub(crate) fn about<'a>(
        &self,
        admission: &Admission,
        request_id: impl FnOnce() -> Option<Cow<'a, str>>,
    ) -> Telling {
        match admission {
            Admission::Passes(_) => Telling { fields: self.fields, own: None },
            Admission::Refused(_) => self.to(request_id),
        }
    }
}
