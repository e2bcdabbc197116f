//! A request that a server describes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::claims::claims;
use super::members::{self, Target};
use super::mistake::{Mistake, part};
use crate::app::observation::CHECK;
use crate::domain::client::{Claims, Client};
use crate::domain::quota::Cost;
use crate::http::RequestHead;
use crate::http::preflight::is_preflight;
use crate::limiter::{Incoming, Limiter, LimiterError, Policies};

/// A request of somebody's client. Without `policies`, those of the route of `method` and `path` hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Check)]
pub(super) struct Described {
    /// The method; `GET` if it is left out.
    #[serde(default, deserialize_with = "members::method")]
    #[schema(value_type = String, required = false, pattern = "^[0-9A-Za-z_-]+$", example = "GET")]
    method: Option<String>,
    /// The path as it was sent, percent-encoded. Policies may count by a parameter of its query.
    // It is decoded when it is read.
    #[serde(default, deserialize_with = "members::path")]
    #[schema(value_type = String, required = false, pattern = "^/[!-;=?-_a-~]*$", max_length = 8192, example = "/api/data")]
    path: Option<Target>,
    /// The address of the client.
    #[serde(default, deserialize_with = "members::ip")]
    #[schema(value_type = Address, required = false)]
    ip: Option<IpAddr>,
    /// The user, whom the server has authenticated.
    #[serde(default, deserialize_with = "members::filled")]
    #[schema(value_type = String, required = false, min_length = 1, example = "1042")]
    user: Option<String>,
    /// The plan of the user.
    #[serde(default, deserialize_with = "members::filled")]
    #[schema(value_type = String, required = false, min_length = 1, example = "pro")]
    plan: Option<String>,
    /// The header fields by which policies count, such as `host` and `cookie`, by which a CORS preflight is known, and
    /// `accept`, by which the body of a refusal is chosen. Names that
    /// differ only in case are one field.
    #[serde(default, deserialize_with = "members::headers")]
    #[schema(value_type = HashMap<FieldName, String>, required = false)]
    headers: BTreeMap<String, String>,
    /// The claims of the user's verified token by which policies count.
    #[serde(default, deserialize_with = "claims")]
    #[schema(value_type = HashMap<String, ClaimValue>, required = false)]
    claims: Claims,
    /// The units that the request uses of each quota, instead of the cost of its route.
    #[serde(default, deserialize_with = "members::cost")]
    #[schema(value_type = u64, required = false, minimum = 1, maximum = 9007199254740991_u64)]
    cost: Option<Cost>,
    /// The names of the policies, instead of those of the route.
    #[serde(default, deserialize_with = "members::policies")]
    #[schema(value_type = Vec<String>, required = false, min_items = 1, example = json!(["default"]))]
    policies: Option<Vec<String>>,
    /// Whether the request may use the slots that these `policies` keep in reserve.
    #[serde(default, deserialize_with = "members::flag")]
    #[schema(value_type = bool, required = false, default = false)]
    uses_reserve: Option<bool>,
    /// Whether only the decision is asked for, and nothing is charged.
    #[serde(default, deserialize_with = "members::flag")]
    #[schema(value_type = bool, required = false, default = false)]
    pub(super) dry_run: Option<bool>,
}

/// The name of a header field, in any case.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", example = "x-tenant")]
#[expect(dead_code, reason = "it is there for the document alone")]
struct FieldName(String);

/// The value of a claim.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is there for the document alone")]
enum ClaimValue {
    Text(String),
    Number(ExactNumber),
    Flag(bool),
}

/// A number that is exact as a floating-point number.
struct ExactNumber;

impl PartialSchema for ExactNumber {
    fn schema() -> RefOr<Schema> {
        let exact = ObjectBuilder::new().schema_type(Type::Number);
        exact.minimum(Some(-9_007_199_254_740_991.0)).maximum(Some(9_007_199_254_740_991.0)).into()
    }
}

impl ToSchema for ExactNumber {}

/// An IPv4 or IPv6 address.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is there for the document alone")]
enum Address {
    #[schema(value_type = String, format = Ipv4)]
    V4(String),
    #[schema(value_type = String, format = Ipv6)]
    V6(String),
}

/// A described request that makes sense: what the limiter is asked about.
#[derive(Debug)]
pub(super) struct Question<'a> {
    described: &'a Described,
    policies: Option<Policies>,
}

impl Described {
    /// The question about it, which is the one at `index` if there are several.
    ///
    /// # Errors
    /// When it says too little, or names a policy that `limiter` has not.
    pub(super) fn question<'a>(
        &'a self,
        limiter: &Limiter,
        index: Option<usize>,
    ) -> Result<Question<'a>, Mistake> {
        let wrong = |member, detail: &str| Mistake::Part(part(index, member, detail));
        if self.path.is_none() && self.policies.is_none() {
            return Err(wrong("", "expected path or policies"));
        }
        if self.plan.is_some() && self.user.is_none() {
            return Err(wrong("plan", "expected a user beside it"));
        }
        if self.uses_reserve.is_some() && self.policies.is_none() {
            return Err(wrong(
                "uses_reserve",
                "expected policies beside it, or a route that says so",
            ));
        }
        let policies = self.policies.as_ref().map(|names| {
            let policies = limiter.policies(names)?;
            Ok(if self.uses_reserve == Some(true) { policies.with_reserve() } else { policies })
        });
        let policies = policies.transpose();
        let policies = policies.map_err(|error| match error {
            LimiterError::UnknownPolicy(_) => {
                Mistake::UnknownPolicy(part(index, "policies", error.to_string()))
            }
            _ => wrong("policies", &error.to_string()),
        })?;
        Ok(Question { described: self, policies })
    }
}

impl Question<'_> {
    /// The value of the header field `name`, which is in lower case.
    pub(super) fn header(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self.described.headers.get(name).map(|value| value.as_bytes().into())
    }

    /// The client, which has the header fields that `headers` finds.
    pub(super) fn client<'a>(
        &'a self,
        headers: &'a dyn Fn(&str) -> Option<Cow<'a, [u8]>>,
    ) -> Client<'a> {
        let Described { path, ip, user, plan, headers: fields, claims, .. } = self.described;
        let client = Client::unknown().with_headers(headers).with_claims(claims);
        let query = path.as_ref().and_then(|target| target.query.as_ref());
        let client = query.map_or(client, |query| client.with_query(query));
        let client = fields.get("host").map_or(client, |host| client.with_host(host));
        let client = ip.map_or(client, |ip| client.with_address(ip));
        let client = user.as_ref().map_or(client, |user| client.with_user(user));
        plan.as_ref().map_or(client, |plan| client.with_plan(plan))
    }
}

/// What is read of the request to choose the body of its refusal.
impl RequestHead for Question<'_> {
    fn peer(&self) -> Option<IpAddr> {
        self.described.ip
    }

    fn lines<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.described.headers.get(name).map(|value| value.as_bytes()).into_iter()
    }
}

impl Incoming for Question<'_> {
    /// The server or the proxy that asks does not say when the request ends, or says it later.
    fn holds_slots(&self) -> bool {
        false
    }

    fn door(&self) -> &'static str {
        CHECK
    }

    fn method(&self) -> &str {
        self.described.method.as_deref().unwrap_or("GET")
    }

    fn path(&self) -> &str {
        self.described.path.as_ref().map_or("", |target| &target.path)
    }

    fn is_preflight(&self) -> bool {
        is_preflight(self.method(), |name| self.described.headers.contains_key(name))
    }

    fn is_dry_run(&self) -> bool {
        self.described.dry_run.unwrap_or(false)
    }

    fn wants_receipt(&self) -> bool {
        true
    }

    fn policies(&self) -> Option<&Policies> {
        self.policies.as_ref()
    }

    fn cost(&self) -> Option<Cost> {
        self.described.cost
    }

    fn with_client<T>(&self, ask: impl FnOnce(&Client<'_>) -> T) -> T {
        ask(&self.client(&|name| self.header(name)))
    }
}
