//! The request that a query describes.

use std::borrow::Cow;
use std::net::IpAddr;

use actix_web::http::Method;

use crate::actix::adapter::decoded_path;
use crate::domain::client::{Claims, Client};
use crate::http::preflight::is_preflight;
use crate::limiter::Incoming;

/// The request that the query describes.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    /// Decoded, as the app's router decodes it.
    pub(super) path: String,
    pub(super) ip: Option<IpAddr>,
    pub(super) user: Option<String>,
    pub(super) plan: Option<String>,
    /// Header fields with their names in lower case.
    headers: Vec<(String, String)>,
    /// What follows the `?` of the path.
    query: Option<String>,
    claims: Claims,
}

impl Asked {
    /// # Errors
    /// If the query describes no request, with the reason.
    pub(super) fn read(query: Vec<(String, String)>) -> Result<Self, String> {
        let (mut method, mut path) = (None, None);
        let (mut ip, mut user, mut plan, mut headers) = (None, None, None, Vec::new());
        let mut claims = Claims::default();
        for (name, value) in query {
            let given = match &*name {
                "header" => {
                    headers.push(header(&value)?);
                    continue;
                }
                "claim" => {
                    let of = value.split_once(':').filter(|(name, _)| !name.is_empty());
                    let (name, of) = of.ok_or("claim: expected NAME:VALUE, as in org:acme.")?;
                    claims = claims.with(name, of);
                    continue;
                }
                "method" => &mut method,
                "path" => &mut path,
                "ip" => &mut ip,
                "user" => &mut user,
                "plan" => &mut plan,
                _ => return Err(format!("{name}: not known.")),
            };
            if given.replace(value).is_some() {
                return Err(format!("{name}: expected at most once."));
            }
        }
        let method = method.unwrap_or_else(|| "GET".to_owned());
        if Method::from_bytes(method.as_bytes()).is_err() {
            return Err("method: expected one such as GET.".to_owned());
        }
        let ip = ip.map(|ip| ip.parse().map_err(|_| "ip: expected an IP address.".to_owned()));
        if plan.is_some() && user.is_none() {
            return Err("plan: has no effect without a user.".to_owned());
        }
        let path = path.unwrap_or_default();
        let query = path.split('#').next().and_then(|it| it.split_once('?'));
        let query = query.map(|(_, query)| query.to_owned());
        let path = Some(&*path)
            .filter(|path| path.starts_with('/'))
            .and_then(decoded_path)
            .ok_or("path: expected the path of a request, such as /api/data.")?;
        Ok(Self { method, path, ip: ip.transpose()?, user, plan, headers, query, claims })
    }

    /// Calls `ask` with the client that sends it.
    fn client<T>(&self, ask: impl FnOnce(&Client<'_>) -> T) -> T {
        let headers = |name: &str| -> Option<Cow<'_, [u8]>> {
            let (_, value) = self.headers.iter().find(|(it, _)| it == name)?;
            Some(value.as_bytes().into())
        };
        let client = Client::unknown().with_headers(&headers).with_claims(&self.claims);
        let client = self.query.as_ref().map_or(client, |query| client.with_query(query));
        let host = self.headers.iter().find(|(name, _)| name == "host");
        let client = host.map_or(client, |(_, host)| client.with_host(host));
        let client = self.ip.map_or(client, |ip| client.with_address(ip));
        let client = self.user.as_ref().map_or(client, |user| client.with_user(user));
        ask(&self.plan.as_ref().map_or(client, |plan| client.with_plan(plan)))
    }
}

impl Incoming for Asked {
    fn method(&self) -> &str {
        &self.method
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn is_preflight(&self) -> bool {
        is_preflight(&self.method, |name| self.headers.iter().any(|(it, _)| it == name))
    }

    fn with_client<T>(&self, ask: impl FnOnce(&Client<'_>) -> T) -> T {
        self.client(ask)
    }
}

/// A header field from `NAME:VALUE`.
fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) =
        text.split_once(':').ok_or("header: expected NAME:VALUE, as in x-tenant:acme.")?;
    Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
}
