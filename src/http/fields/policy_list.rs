//! `RateLimit-Policy`, which is the same for every request that meets the same policies.

use std::cell::RefCell;
use std::sync::Arc;

use bytes::Bytes;

use super::text::parameter;
use crate::domain::decision::Decision;
use crate::domain::policy::Policy;
use crate::domain::scratch::scratch;

/// The unit of a quota of requests under way, as draft 11 names it.
pub(crate) const CONCURRENT_REQUESTS: &str = "concurrent-requests";

/// The syntax of a policy in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// `"default";q=10;w=60`: draft-ietf-httpapi-ratelimit-headers-11.
    Draft11,
    /// `10;w=60`: draft-ietf-httpapi-ratelimit-headers-07.
    Draft7,
}

/// The field for sets of policies: a route has the same set every time.
type Said = Vec<(Syntax, Vec<Arc<Policy>>, Bytes)>;

/// How many sets of policies a thread caches: as many as most apps have.
const MOST_SAID: usize = 16;

thread_local! {
    static SAID: RefCell<Said> = const { RefCell::new(Vec::new()) };
}

/// Each policy of `decision` with its quota and its window in seconds, unless the calendar ends that, or the requests that may be under way at once.
pub(super) fn policies(decision: &Decision, syntax: Syntax) -> Bytes {
    SAID.with_borrow_mut(|said| {
        let asked = decision.shared_policies();
        let is = |(known, policies, _): &&(Syntax, Vec<Arc<Policy>>, _)| {
            *known == syntax
                && policies.len() == asked.len()
                && policies.iter().zip(asked).all(|(a, b)| Arc::ptr_eq(a, b))
        };
        if let Some((_, _, value)) = said.iter().find(is) {
            return value.clone();
        }
        let value = scratch(|list| serialized(asked, syntax, list));
        if said.len() == MOST_SAID {
            said.clear();
        }
        said.push((syntax, asked.to_vec(), value.clone()));
        value
    })
}

fn serialized(policies: &[Arc<Policy>], syntax: Syntax, list: &mut String) -> Bytes {
    for policy in policies {
        let (terms, is_in_flight) = (policy.terms(), !policy.has_quotas());
        match syntax {
            Syntax::Draft11 => {
                begin_item(list, policy);
                parameter(list, ";q=", terms.units);
                if is_in_flight {
                    list.push_str(";qu=\"");
                    list.push_str(CONCURRENT_REQUESTS);
                    list.push('"');
                    continue;
                }
                // Windows by the calendar have no one length.
                if let Some(length) = terms.window.fixed() {
                    parameter(list, ";w=", length / 1_000);
                }
                if terms.burst != terms.units {
                    parameter(list, ";tollgate-burst=", terms.burst);
                }
            }
            // Parsers of that time take a quota and its window, and some take nothing else.
            Syntax::Draft7 if is_in_flight => {}
            Syntax::Draft7 => {
                if let Some(length) = terms.window.fixed() {
                    parameter(list, if list.is_empty() { "" } else { ", " }, terms.units);
                    parameter(list, ";w=", length / 1_000);
                }
            }
        }
    }
    Bytes::copy_from_slice(list.as_bytes())
}

/// Begins the next item of a structured list (RFC 9651, section 3.1) with the policy's label as a string. The label
/// has only letters, digits, `-`, `_`, `.` and `/`, which need no escapes. No two quotas of a request have the same.
pub(super) fn begin_item(list: &mut String, policy: &Policy) {
    if !list.is_empty() {
        list.push_str(", ");
    }
    list.push('"');
    list.push_str(policy.label());
    list.push('"');
}
