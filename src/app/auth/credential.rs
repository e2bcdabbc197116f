use actix_web::http::header::{AUTHORIZATION, HeaderMap};

use super::Proofs;

/// The longest credential that is looked at: a token of an ordinary size has a tenth of it.
const LONGEST: usize = 8 * 1024;

/// What a request shows for itself, not yet looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credential<'a> {
    /// An API key, from the field for it.
    Key(&'a [u8]),
    /// An API key or a token, from `Authorization`.
    Bearer(&'a [u8]),
    /// Something that can be neither, for this reason.
    Unreadable(&'static str),
}

impl<'a> Credential<'a> {
    /// The one in `headers`, where there is any.
    pub(super) fn of(headers: &'a HeaderMap, proofs: &Proofs) -> Option<Self> {
        let keys = proofs.api_key_header.iter().flat_map(|name| headers.get_all(name));
        let authorizations = proofs.reads_authorization().then(|| headers.get_all(AUTHORIZATION));
        let keys = keys.map(|line| Self::Key(line.as_bytes()));
        let bearers = authorizations.into_iter().flatten().map(|line| bearer(line.as_bytes()));
        let mut all = keys.chain(bearers);
        let first = all.next()?;
        Some(match first {
            // Which of them would be meant?
            _ if all.next().is_some() => Self::Unreadable("there are several"),
            Self::Key(text) | Self::Bearer(text) if text.len() > LONGEST => {
                Self::Unreadable("it is too long")
            }
            Self::Key([]) | Self::Bearer([]) => Self::Unreadable("it is empty"),
            one => one,
        })
    }
}

/// What follows the scheme `Bearer`, whose letters have no case (RFC 9110, section 11.1).
fn bearer(line: &[u8]) -> Credential<'_> {
    match line.split_at_checked(6) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"bearer") => match rest {
            [b' ', ..] | [] => Credential::Bearer(rest.trim_ascii()),
            _ => Credential::Unreadable("its scheme is not Bearer"),
        },
        _ => Credential::Unreadable("its scheme is not Bearer"),
    }
}

#[cfg(test)]
mod tests;
