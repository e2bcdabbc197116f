//! Which proxy asks, and where it describes the request of its client: a [`Proxy`].

use actix_web::web::Query;

/// A proxy that can ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proxy {
    Nginx,
    Caddy,
    Traefik,
    Envoy,
    Haproxy,
    Apache,
}

/// Their names in the query.
pub(super) const PROXIES: [(&str, Proxy); 6] = [
    ("nginx", Proxy::Nginx),
    ("caddy", Proxy::Caddy),
    ("traefik", Proxy::Traefik),
    ("envoy", Proxy::Envoy),
    ("haproxy", Proxy::Haproxy),
    ("apache", Proxy::Apache),
];

/// Where the method and the path of the client's request stand. Nothing else is read for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Described {
    /// In the fields `X-Forwarded-Method` and `X-Forwarded-Uri`, which the proxy sets.
    InFields,
    /// In the request of the proxy itself: its method, and its path after that of the endpoint.
    InTheRequest,
}

impl Proxy {
    /// The proxy that `query` names; `None` unless it names one.
    pub(super) fn named(query: &str) -> Option<Self> {
        let query = Query::<Vec<(String, String)>>::from_query(query).ok()?;
        let mut names = query.iter().filter(|(key, _)| key == "proxy").map(|(_, name)| name);
        let name = names.next().filter(|_| names.next().is_none())?;
        PROXIES.iter().find(|(known, _)| known == name).map(|(_, proxy)| *proxy)
    }

    pub(super) fn describes(self) -> Described {
        match self {
            Self::Envoy => Described::InTheRequest,
            _ => Described::InFields,
        }
    }

    /// Whether it passes on no other refusals than 401 and 403, and no body.
    pub(super) fn hides_refusals(self) -> bool {
        self == Self::Nginx
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_once_and_exactly() {
        for (name, proxy) in PROXIES {
            assert_eq!(Proxy::named(&format!("a=b&proxy={name}")), Some(proxy));
        }
        for query in
            ["", "proxy", "proxy=", "proxy=squid", "proxy=Nginx", "proxy=nginx&proxy=envoy"]
        {
            assert_eq!(Proxy::named(query), None, "{query}");
        }
    }
}
