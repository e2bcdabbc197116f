//! Tells CORS preflights from other requests.

/// Whether a request by `method` is a CORS preflight, where `has` says which header fields it has, by their names in
/// lower case. Browsers send it before a request of a script of another origin.
pub(crate) fn is_preflight(method: &str, has: impl Fn(&str) -> bool) -> bool {
    method == "OPTIONS" && has("origin") && has("access-control-request-method")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_options_with_both_fields_is_a_preflight() {
        let (origin, method) = ("origin", "access-control-request-method");
        for (by, fields, expected) in [
            ("OPTIONS", &[origin, method][..], true),
            ("OPTIONS", &[origin], false),
            ("OPTIONS", &[method], false),
            ("OPTIONS", &[], false),
            ("GET", &[origin, method], false),
            ("options", &[origin, method], false),
        ] {
            let is = is_preflight(by, |name| fields.contains(&name));
            assert_eq!(is, expected, "{by} with {fields:?}");
        }
    }
}
