//! A body with variables: a [`Template`].

use std::fmt;

use crate::domain::policy::Policy;
use crate::http::accept::BodyFormat;
use crate::http::fields::push;

/// The longest body, in bytes.
pub(super) const MOST_BYTES: usize = 65_536;

/// The variables, by the names that they have between braces.
const VARIABLES: [(&str, Variable); 6] = [
    ("policy", Variable::Policy),
    ("quota", Variable::Quota),
    ("limit", Variable::Limit),
    ("window", Variable::Window),
    ("retry_after", Variable::RetryAfter),
    ("request_id", Variable::RequestId),
];

/// What a name between braces stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variable {
    Policy,
    Quota,
    Limit,
    Window,
    RetryAfter,
    RequestId,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Variable(Variable),
}

/// A body in which names between braces are variables. Other braces stand for themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Box<[Part]>);

/// The values of the variables for one refusal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    /// The policy that the body tells of.
    pub(super) policy: &'a Policy,
    /// The seconds to wait; `None` where no wait helps.
    pub(super) retry_after: Option<u64>,
    /// The ID of the request; empty if it has none.
    pub(super) request_id: &'a str,
}

/// Why a text is no body of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalError {
    /// A name between braces that is no variable.
    UnknownVariable(String),
    /// The text has so many bytes, which is more than [`Refusals::MOST_BYTES`](crate::Refusals::MOST_BYTES).
    TooLong(usize),
}

impl fmt::Display for RefusalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownVariable(name) => {
                write!(f, "{{{name}}} is not a variable: expected ")?;
                for (index, (known, _)) in VARIABLES.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { ", " })?;
                    write!(f, "{{{known}}}")?;
                }
                write!(f, ", or {{{{{name}}}}} for the text {{{name}}}")
            }
            Self::TooLong(bytes) => {
                write!(f, "a body of {bytes} bytes is too long: expected at most {MOST_BYTES}")
            }
        }
    }
}

impl std::error::Error for RefusalError {}

impl Template {
    /// Reads the variables in `text`.
    ///
    /// # Errors
    /// When `text` is too long, or has an unknown name between braces.
    pub(super) fn parse(text: &str) -> Result<Self, RefusalError> {
        if text.len() > MOST_BYTES {
            return Err(RefusalError::TooLong(text.len()));
        }
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, from_brace) = rest.split_at(at);
            plain.push_str(before);
            if let Some((name, after)) = name_in(from_brace, "{{", "}}") {
                plain.extend(["{", name, "}"]);
                rest = after;
            } else if let Some((name, after)) = name_in(from_brace, "{", "}") {
                let variable = VARIABLES.iter().find(|(known, _)| *known == name);
                let (_, variable) =
                    variable.ok_or_else(|| RefusalError::UnknownVariable(name.to_owned()))?;
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain).into()));
                }
                parts.push(Part::Variable(*variable));
                rest = after;
            } else {
                plain.push('{');
                rest = &from_brace[1..];
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain.into()));
        }
        Ok(Self(parts.into()))
    }

    /// Whether it tells how long to wait.
    pub(super) fn tells_the_wait(&self) -> bool {
        self.0.contains(&Part::Variable(Variable::RetryAfter))
    }

    /// Whether it tells how long the window is.
    pub(super) fn tells_the_window(&self) -> bool {
        self.0.contains(&Part::Variable(Variable::Window))
    }

    /// Appends the body to `body`, with its values escaped for `format`.
    pub(super) fn render(&self, values: Values<'_>, format: BodyFormat, body: &mut String) {
        for part in &self.0 {
            match part {
                Part::Text(text) => body.push_str(text),
                Part::Variable(variable) => values.push(*variable, format, body),
            }
        }
    }
}

impl Values<'_> {
    fn push(self, variable: Variable, format: BodyFormat, body: &mut String) {
        let terms = || self.policy.terms();
        match variable {
            Variable::Policy => escape(self.policy.name(), format, body),
            Variable::Quota => escape(&self.policy.allows(), format, body),
            Variable::Limit => push(body, terms().units),
            Variable::Window => push(body, terms().window.longest() / 1_000),
            Variable::RetryAfter => push(body, self.retry_after.unwrap_or_default()),
            Variable::RequestId => escape(self.request_id, format, body),
        }
    }
}

/// The name at the beginning of `text` between `open` and `close`, and what follows.
fn name_in<'a>(text: &'a str, open: &str, close: &str) -> Option<(&'a str, &'a str)> {
    let inner = text.strip_prefix(open)?;
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let length = inner.bytes().take_while(|byte| is_of_name(*byte)).count();
    let (name, rest) = inner.split_at(length);
    let is_name = name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    Some((name, rest.strip_prefix(close)?)).filter(|_| is_name)
}

/// Appends `value` so that it is text in `format`, and nothing else.
fn escape(value: &str, format: BodyFormat, body: &mut String) {
    for letter in value.chars() {
        let escaped = match (format, letter) {
            (BodyFormat::Html, '&') => "&amp;",
            (BodyFormat::Html, '<') => "&lt;",
            (BodyFormat::Html, '>') => "&gt;",
            (BodyFormat::Html, '"') => "&quot;",
            (BodyFormat::Html, '\'') => "&#39;",
            (BodyFormat::Json, '"') => "\\\"",
            (BodyFormat::Json, '\\') => "\\\\",
            // Control characters mean nothing in any of them.
            (_, letter) if letter.is_control() => "",
            (_, letter) => {
                body.push(letter);
                continue;
            }
        };
        body.push_str(escaped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str, format: BodyFormat, request_id: &str) -> String {
        let policy = Policy::new("daily", "1000/2 days".parse().unwrap()).unwrap();
        let values = Values { policy: &policy, retry_after: Some(42), request_id };
        let mut body = String::new();
        Template::parse(text).unwrap().render(values, format, &mut body);
        body
    }

    #[test]
    fn a_name_between_braces_is_a_variable_and_other_braces_are_text() {
        for (text, expected) in [
            ("", ""),
            ("Wait {retry_after} s.", "Wait 42 s."),
            ("{policy}{limit}{window}{quota}", "daily10001728001000/2 days"),
            (r#"{"a":{"wait":{retry_after}}}"#, r#"{"a":{"wait":42}}"#),
            ("p{margin:0} a { color: red }", "p{margin:0} a { color: red }"),
            ("{{policy}} {{other}}", "{policy} {other}"),
            ("{{policy} {policy}} {{{policy}}}", "{daily daily} {{policy}}"),
            ("{} {1} { policy } {", "{} {1} { policy } {"),
            ("é{policy}é", "édailyé"),
            ("<{request_id}>", "<7-a>"),
        ] {
            assert_eq!(rendered(text, BodyFormat::Text, "7-a"), expected, "{text}");
        }
    }

    #[test]
    fn a_value_is_text_in_its_format_whatever_it_holds() {
        let id = "<b>\"'&\\\u{7}\r\n\u{85}{policy}é";
        for (format, expected) in [
            (BodyFormat::Text, "<b>\"'&\\{policy}é"),
            (BodyFormat::Html, "&lt;b&gt;&quot;&#39;&amp;\\{policy}é"),
            (BodyFormat::Json, r#"<b>\"'&\\{policy}é"#),
        ] {
            assert_eq!(rendered("{request_id}", format, id), expected, "{format:?}");
        }
    }

    #[test]
    fn an_unknown_variable_is_refused_with_those_that_there_are() {
        let error = Template::parse("Wait {retryAfter} s.").unwrap_err();
        assert_eq!(
            error.to_string(),
            "{retryAfter} is not a variable: expected {policy}, {quota}, {limit}, {window}, \
             {retry_after}, {request_id}, or {{retryAfter}} for the text {retryAfter}"
        );
    }

    #[test]
    fn a_body_has_an_end() {
        assert!(Template::parse(&"x".repeat(MOST_BYTES)).is_ok());
        let error = Template::parse(&"x".repeat(MOST_BYTES + 1)).unwrap_err();
        assert_eq!(error.to_string(), "a body of 65537 bytes is too long: expected at most 65536");
    }
}
