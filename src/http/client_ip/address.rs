//! Parses one entry of a forwarding field.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

use crate::domain::key::canonical;
use crate::domain::policy::is_token_byte;

/// The address in `text`, which may have a port after it, and brackets around IPv6.
pub(super) fn read(text: &str) -> Option<IpAddr> {
    let (address, port) = if let Some(rest) = text.strip_prefix('[') {
        let (address, after) = rest.split_once(']')?;
        let port = match after {
            "" => None,
            _ => Some(after.strip_prefix(':')?),
        };
        (address.parse::<Ipv6Addr>().ok()?.into(), port)
    } else {
        match text.split_once(':') {
            // An IPv6 address has more than one colon.
            Some((address, port)) if !port.contains(':') => (address.parse().ok()?, Some(port)),
            _ => (text.parse().ok()?, None),
        }
    };
    port.is_none_or(is_port).then(|| canonical(address))
}

/// A port by RFC 7239, which may be obfuscated.
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(name) => !name.is_empty() && name.bytes().all(is_obfuscated_byte),
        None => (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

fn is_obfuscated_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

/// The address in the parameter `for` of `element`, as in `for="[2001:db8::1]:80";proto=https` (RFC
/// 7239, section 4); `None` if it is `unknown`, obfuscated, missing or there twice.
pub(super) fn read_forwarded(element: &str) -> Option<IpAddr> {
    let mut found = None;
    let mut rest = element;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(';') {
            rest = after.trim_start();
            continue;
        }
        let (name, after) = rest.split_once('=')?;
        if name.is_empty() || !name.bytes().all(is_token_byte) {
            return None;
        }
        let (value, after) = value(after)?;
        rest = after.trim_start();
        if !(rest.is_empty() || rest.starts_with(';')) {
            return None;
        }
        if name.eq_ignore_ascii_case("for") && found.replace(read(&value)?).is_some() {
            return None;
        }
    }
    found
}

/// A token or a quoted string (RFC 9110, section 5.6.4), and what is after it.
fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ' ', '\t', '"']).unwrap_or(text.len());
        return Some((text[..end].into(), &text[end..]));
    };
    let end = quoted.find(['"', '\\'])?;
    if quoted[end..].starts_with('"') {
        return Some((quoted[..end].into(), &quoted[end + 1..]));
    }
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value.into(), &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}
