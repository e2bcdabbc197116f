//! The host of a request, in one form however it is written.

use std::borrow::Cow;
use std::net::Ipv6Addr;

/// The most characters of a host's name (RFC 1035, section 2.3.4).
const MAX_HOST: usize = 253;

/// The host in `authority`, which may have a port: in lower case, without the port and without the dot of the root. An
/// IPv6 address stands in brackets, in its shortest form. `None` if it is no host.
pub(crate) fn normal_host(authority: &str) -> Option<Cow<'_, str>> {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(literal) = host.strip_prefix('[') {
        let (address, port) = literal.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        let has_port = port.strip_prefix(':').map_or(port.is_empty(), is_number);
        return has_port.then(|| format!("[{address}]").into());
    }
    let host = match host.split_once(':') {
        Some((host, port)) => Some(host).filter(|_| is_number(port))?,
        None => host,
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_name = (1..=MAX_HOST).contains(&host.len())
        && !host.ends_with('.')
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    if !is_name {
        return None;
    }
    let is_lower = !host.bytes().any(|byte| byte.is_ascii_uppercase());
    Some(if is_lower { host.into() } else { host.to_ascii_lowercase().into() })
}

/// A port may be empty (RFC 3986, section 3.2.3).
fn is_number(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_has_one_form_however_it_is_written() {
        for (written, expected) in [
            ("api.example.com", "api.example.com"),
            ("API.Example.COM:8443", "api.example.com"),
            ("api.example.com.", "api.example.com"),
            ("api.example.com.:443", "api.example.com"),
            ("api.example.com:", "api.example.com"),
            ("user:password@api.example.com", "api.example.com"),
            ("203.0.113.7:80", "203.0.113.7"),
            ("[2001:DB8:0::1]:8080", "[2001:db8::1]"),
            ("[::1]", "[::1]"),
            ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
            ("my_service", "my_service"),
        ] {
            let host = normal_host(written);
            assert_eq!(host.as_deref(), Some(expected), "{written}");
            assert_eq!(normal_host(expected).as_deref(), Some(expected), "it is normal by now");
        }
    }

    #[test]
    fn what_no_host_is_called_is_none() {
        let long = "a".repeat(MAX_HOST + 1);
        for written in [
            "",
            ".",
            ":80",
            "a..",
            "a:b",
            "a:80:80",
            "a b",
            "a/b",
            "a{b}",
            "a\0",
            "é.example",
            "%61",
            "[::1",
            "[::1]x",
            "[::1]:x",
            "[1.2.3.4]",
            "::1",
            "a,b",
            &long,
        ] {
            assert_eq!(normal_host(written), None, "{written:?}");
        }
        assert!(normal_host(&long[1..]).is_some());
    }
}
