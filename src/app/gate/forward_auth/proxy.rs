//! Which proxy asks, and where it describes the request of its client: a [`Proxy`].

use actix_web::HttpRequest;
use actix_web::web::Query;

use super::mistake::Mistake;

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
    /// The proxy that sends `request`, whose path continues with `rest` after that of the endpoint.
    ///
    /// Only Envoy appends a path, that of its client's request. The query is then the client's as well, so a proxy that it
    /// names does not count.
    ///
    /// # Errors
    /// When the query does not name one proxy.
    pub(super) fn of(request: &HttpRequest, rest: &str) -> Result<Self, Mistake> {
        let named = Self::named(request.query_string());
        match rest {
            "" => named.ok_or(Mistake::Proxy),
            // A slash too many in the settings of another proxy would have all its requests counted as "/".
            "/" if named.is_some_and(|it| it != Self::Envoy) => Err(Mistake::Slash),
            _ => Ok(Self::Envoy),
        }
    }

    /// The proxy that `query` names, if it names one.
    fn named(query: &str) -> Option<Self> {
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
    use actix_web::test::TestRequest;

    use super::*;

    fn proxy(query: &str, rest: &str) -> Option<Proxy> {
        let request = TestRequest::with_uri(&format!("/v1/auth{rest}?{query}")).to_http_request();
        Proxy::of(&request, rest).ok()
    }

    #[test]
    fn a_proxy_is_named_once_and_exactly() {
        for (name, expected) in PROXIES {
            assert_eq!(proxy(&format!("proxy={name}"), ""), Some(expected));
        }
        let unclear =
            ["", "proxy", "proxy=", "proxy=squid", "proxy=Nginx", "proxy=nginx&proxy=caddy"];
        for query in unclear {
            assert_eq!(proxy(query, ""), None, "{query}");
        }
    }

    #[test]
    fn after_a_path_the_query_is_that_of_a_client() {
        for query in ["", "proxy=nginx", "proxy=squid", "proxy=envoy", "a=b"] {
            assert_eq!(proxy(query, "/api/data"), Some(Proxy::Envoy), "{query}");
        }
        assert_eq!(proxy("a=b", "/"), Some(Proxy::Envoy));
        assert_eq!(proxy("proxy=nginx", "/"), None);
    }
}
