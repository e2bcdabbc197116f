//! The credential that a request carries.

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName};

/// The longest credential that is read, in bytes. An ordinary token has a tenth of that.
const LONGEST: usize = 8 * 1024;

/// What a request carries to prove whose it is, not yet verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credential<'a> {
    /// An API key, from the field for it.
    Key(&'a [u8]),
    /// An API key or a token, from `Authorization`.
    Bearer(&'a [u8]),
    /// Something that can be neither, and why.
    Unreadable(&'static str),
}

impl<'a> Credential<'a> {
    /// The credential in the field `api_key_header` of `headers`, or in `Authorization` where
    /// `reads_authorization`; `None` if there is none.
    pub(super) fn find(
        headers: &'a HeaderMap,
        api_key_header: Option<&HeaderName>,
        reads_authorization: bool,
    ) -> Option<Self> {
        let keys = api_key_header.into_iter().flat_map(|name| headers.get_all(name));
        let authorizations = reads_authorization.then(|| headers.get_all(AUTHORIZATION));
        let keys = keys.map(|line| Self::Key(line.as_bytes()));
        let bearers = authorizations.into_iter().flatten().map(|line| bearer(line.as_bytes()));
        let mut all = keys.chain(bearers);
        let first = all.next()?;
        Some(match first {
            // Nothing says which of them is meant.
            _ if all.next().is_some() => Self::Unreadable("there are several"),
            Self::Key(text) | Self::Bearer(text) if text.len() > LONGEST => {
                Self::Unreadable("it is too long")
            }
            Self::Key([]) | Self::Bearer([]) => Self::Unreadable("it is empty"),
            one => one,
        })
    }
}

/// What follows the scheme `Bearer`, which is case-insensitive (RFC 9110, section 11.1).
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
