//! The formats of access logs: a [`Format`].

use std::fmt;
use std::str::FromStr;

use super::alb::Alb;
use super::clf::Clf;
use super::draft::Draft;
use super::field_path::FieldPath;
use super::json::{Json, Schema};
use super::pattern::{Matcher, Pattern};

/// The names of formats.
pub(super) const NAMES: &str = "common, combined, caddy, traefik, alb or json";

/// How the lines of an access log are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// The Common Log Format.
    Common,
    /// The Combined Log Format, which adds referer and agent.
    Combined,
    /// JSON as Caddy writes it.
    Caddy,
    /// JSON as Traefik writes it.
    Traefik,
    /// As AWS Application Load Balancers write it.
    Alb,
    /// JSON with fields of any name.
    Json,
    /// As the configuration of nginx or Apache says.
    Pattern(Pattern),
}

impl Format {
    /// Its name, such as `combined`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Common => "common",
            Self::Combined => "combined",
            Self::Caddy => "caddy",
            Self::Traefik => "traefik",
            Self::Alb => "alb",
            Self::Json => "json",
            Self::Pattern(pattern) => pattern.name(),
        }
    }

    /// What reads its lines. `fields` say where values are in JSON.
    pub(super) fn parser(&self, fields: &[FieldPath]) -> Parser {
        match self {
            Self::Common | Self::Combined => Parser::Clf(Clf::default()),
            Self::Caddy => Parser::Json(Json::new(Schema::Caddy, fields)),
            Self::Traefik => Parser::Json(Json::new(Schema::Traefik, fields)),
            Self::Json => Parser::Json(Json::new(Schema::Any, fields)),
            Self::Alb => Parser::Alb(Alb::default()),
            Self::Pattern(pattern) => Parser::Pattern(pattern.matcher()),
        }
    }
}

impl FromStr for Format {
    type Err = FormatError;

    /// Reads the name of a format, or a format as the configuration of nginx or Apache has it.
    fn from_str(text: &str) -> Result<Self, FormatError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "common" => Ok(Self::Common),
            "combined" => Ok(Self::Combined),
            "caddy" => Ok(Self::Caddy),
            "traefik" => Ok(Self::Traefik),
            "alb" => Ok(Self::Alb),
            "json" => Ok(Self::Json),
            _ => {
                let refused = |problem| FormatError { text: text.to_owned(), problem };
                if !text.contains(['$', '%']) {
                    return Err(refused(None));
                }
                text.parse().map(Self::Pattern).map_err(|problem| refused(Some(problem)))
            }
        }
    }
}

/// A text that is not a [`Format`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormatError {
    text: String,
    /// What is wrong with a format as in a configuration; `None` if it is none.
    problem: Option<String>,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        match &self.problem {
            Some(problem) => write!(f, "{text:?} is not the format of a log: {problem}"),
            None => write!(
                f,
                "{text:?} is not the format of a log: expected {NAMES}, or a log_format of nginx or a \
                 LogFormat of Apache"
            ),
        }
    }
}

impl std::error::Error for FormatError {}

/// What reads the lines of one file.
#[derive(Debug)]
pub(super) enum Parser {
    Clf(Clf),
    Alb(Alb),
    Json(Json),
    Pattern(Matcher),
}

impl Parser {
    /// Reads `line` into `draft`, or says what is wrong with it.
    pub(super) fn read(&mut self, line: &[u8], draft: &mut Draft) -> Result<(), &'static str> {
        match self {
            Self::Clf(clf) => clf.read(line, draft),
            Self::Alb(alb) => alb.read(line, draft),
            Self::Json(json) => json.read(line, draft),
            Self::Pattern(matcher) => matcher.read(line, draft),
        }
    }
}

#[cfg(test)]
mod tests;
