//! Which formats of header fields are sent: a [`HeaderFormat`], and a set of those.

use std::fmt;
use std::str::FromStr;

/// A format in which responses tell of quotas. The drafts are those of
/// [draft-ietf-httpapi-ratelimit-headers](https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderFormat {
    /// Draft 11: `RateLimit: "default";r=7;t=42` and `RateLimit-Policy: "default";q=10;w=60`, with every policy.
    Draft11,
    /// Draft 7: `RateLimit: limit=10, remaining=7, reset=42` and `RateLimit-Policy: 10;w=60`. It uses the names of
    /// draft 11 in another syntax, so only one of the two can be sent.
    Draft7,
    /// Draft 6: `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset`.
    Draft6,
    /// `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset`, which no standard has.
    XRateLimit,
}

impl HeaderFormat {
    const ALL: [Self; 4] = [Self::Draft11, Self::Draft7, Self::Draft6, Self::XRateLimit];

    fn name(self) -> &'static str {
        match self {
            Self::Draft11 => "draft-11",
            Self::Draft7 => "draft-7",
            Self::Draft6 => "draft-6",
            Self::XRateLimit => "x-ratelimit",
        }
    }
}

impl fmt::Display for HeaderFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for HeaderFormat {
    type Err = HeaderFormatError;

    fn from_str(text: &str) -> Result<Self, HeaderFormatError> {
        let format = Self::ALL.into_iter().find(|it| it.name() == text);
        format.ok_or_else(|| HeaderFormatError::Unknown(text.to_owned()))
    }
}

/// What `X-RateLimit-Reset` counts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum XRateLimitReset {
    /// The seconds until then, as in the drafts.
    #[default]
    Seconds,
    /// The seconds since the Unix epoch, as GitHub sends them, by this process's clock.
    Epoch,
}

impl FromStr for XRateLimitReset {
    type Err = HeaderFormatError;

    /// Reads `seconds` or `epoch`.
    fn from_str(text: &str) -> Result<Self, HeaderFormatError> {
        match text {
            "seconds" => Ok(Self::Seconds),
            "epoch" => Ok(Self::Epoch),
            _ => Err(HeaderFormatError::UnknownReset(text.to_owned())),
        }
    }
}

/// Why formats cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderFormatError {
    /// A text that names no format.
    Unknown(String),
    /// A text that is no form of `X-RateLimit-Reset`.
    UnknownReset(String),
    /// Draft 7 and draft 11 together.
    SameNames,
}

impl fmt::Display for HeaderFormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(text) => write!(
                f,
                "{text:?} is not a format of header fields: expected draft-11, draft-7, draft-6 or x-ratelimit"
            ),
            Self::UnknownReset(text) => {
                write!(f, "{text:?} is not a form of X-RateLimit-Reset: expected seconds or epoch")
            }
            Self::SameNames => f.write_str(
                "draft-11 and draft-7 use the same field names in different ways: expected one of the two",
            ),
        }
    }
}

impl std::error::Error for HeaderFormatError {}

/// A set of formats that can be sent together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeaderFormats(u8);

impl HeaderFormats {
    /// The set of `formats`.
    ///
    /// # Errors
    /// When two of them use the same names.
    pub(crate) fn new(
        formats: impl IntoIterator<Item = HeaderFormat>,
    ) -> Result<Self, HeaderFormatError> {
        let set = Self(formats.into_iter().fold(0, |set, format| set | bit(format)));
        match set.has(HeaderFormat::Draft11) && set.has(HeaderFormat::Draft7) {
            true => Err(HeaderFormatError::SameNames),
            false => Ok(set),
        }
    }

    /// Its formats.
    #[cfg(feature = "server")]
    pub(crate) fn iter(self) -> impl Iterator<Item = HeaderFormat> {
        HeaderFormat::ALL.into_iter().filter(move |format| self.has(*format))
    }

    /// Whether `format` is in it.
    pub(crate) fn has(self, format: HeaderFormat) -> bool {
        self.0 & bit(format) != 0
    }
}

impl Default for HeaderFormats {
    /// Draft 11 alone.
    fn default() -> Self {
        Self(bit(HeaderFormat::Draft11))
    }
}

fn bit(format: HeaderFormat) -> u8 {
    1 << format as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_read_by_the_name_that_it_shows() {
        for format in HeaderFormat::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert!("Draft-11".parse::<HeaderFormat>().is_err());
        assert_eq!("epoch".parse(), Ok(XRateLimitReset::Epoch));
        assert_eq!("seconds".parse(), Ok(XRateLimitReset::default()));
        assert!("unix".parse::<XRateLimitReset>().is_err());
    }

    #[test]
    fn any_set_can_be_sent_but_one_with_both_meanings_of_the_same_names() {
        for set in 0..16_u8 {
            let formats = HeaderFormat::ALL.into_iter().filter(|it| set & bit(*it) != 0);
            let formats: Vec<_> = formats.collect();
            match HeaderFormats::new(formats.clone()) {
                Ok(read) => {
                    for format in HeaderFormat::ALL {
                        assert_eq!(read.has(format), formats.contains(&format), "{formats:?}");
                    }
                }
                Err(error) => {
                    assert_eq!((set & 0b11, error), (0b11, HeaderFormatError::SameNames));
                }
            }
        }
        assert_eq!(HeaderFormats::new([HeaderFormat::Draft11]), Ok(HeaderFormats::default()));
    }
}
