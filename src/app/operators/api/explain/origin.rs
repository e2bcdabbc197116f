//! Where the parts of a key come from, in words.

use crate::domain::policy::KeySource;

/// Where each part of the key comes from.
pub(super) fn origins(key: &KeySource) -> Vec<String> {
    key.parts().iter().map(origin).collect()
}

fn origin(part: &KeySource) -> String {
    match part {
        KeySource::Ip => "the address".to_owned(),
        KeySource::User => "the user".to_owned(),
        KeySource::UserOrIp => "the user, or else the address".to_owned(),
        KeySource::Global => "all requests together".to_owned(),
        KeySource::Header(name) => format!("the header field {name}"),
        KeySource::Descriptor => "the descriptor".to_owned(),
        KeySource::Claim(name) => format!("the claim {name}"),
        KeySource::Cookie(name) => format!("the cookie {name} in the header field cookie"),
        KeySource::Query(name) => format!("the parameter {name} of the query"),
        KeySource::Host => "the header field host".to_owned(),
        KeySource::Segment(name) => format!("the path, in the place of {{{name}}}"),
        KeySource::Route => "the pattern of the route".to_owned(),
        other => other.to_string(),
    }
}
