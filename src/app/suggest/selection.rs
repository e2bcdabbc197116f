//! Which requests of a log are counted, and for whom: a [`Selection`].

use std::sync::Arc;

use crate::app::access_log::LoggedRequest;
use crate::app::config::Config;
use crate::app::error::AppError;
use crate::app::simulate::View;
use crate::domain::policy::{KeySource, Policy, Statuses};
use crate::domain::quota::Quota;
use crate::limiter::{Access, Incoming as _, Limiter, RoutePattern};
use crate::store::{Fingerprint, MemoryStore};

/// Selects requests as the server would find their clients, routes and access lists.
#[derive(Debug)]
pub(super) struct Selection {
    view: View,
    /// Has the routes and the access lists, and decides nothing.
    limiter: Limiter,
    has_routes: bool,
    /// Says what clients are told apart by.
    policy: Policy,
    /// The only statuses whose requests are counted.
    charge_on: Option<Statuses>,
}

/// Whether a request is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Selected {
    /// For this client.
    Counted { client: Fingerprint, has_user: bool },
    /// It is for another route.
    OtherRoute,
    /// It was answered with another status.
    OtherStatus,
    /// Its client is on an access list, so no policy would count it.
    OnAccessList,
}

impl Selection {
    /// Selects the requests for `routes`, or all if there are none, that were answered as `charge_on` says. Tells
    /// clients apart by `key`.
    ///
    /// # Errors
    /// When the routes do not fit together.
    pub(super) fn new(
        config: &Config,
        key: &KeySource,
        routes: &[RoutePattern],
        charge_on: Option<Statuses>,
    ) -> Result<Self, AppError> {
        let mut builder = Limiter::builder(Arc::new(MemoryStore::new(1)))
            .allow(config.access.allow.iter().cloned())
            .block(config.access.block.iter().cloned());
        let is_first = |(at, route): &(usize, &RoutePattern)| !routes[..*at].contains(route);
        for (_, route) in routes.iter().enumerate().filter(is_first) {
            builder = builder.route::<String>(route.to_string(), [], []);
        }
        let any_quota = Quota::new(1, 1_000).map_err(do_not_fit)?;
        let policy = Policy::new("clients", any_quota).map_err(do_not_fit)?;
        let policy = policy.with_key(key.clone()).with_ipv6_prefix(config.client_ip.ipv6_prefix);
        let limiter = builder.policy(policy.clone()).build().map_err(do_not_fit)?;
        Ok(Self {
            view: View::of(config),
            limiter,
            has_routes: !routes.is_empty(),
            policy,
            charge_on,
        })
    }

    pub(super) fn select(&self, request: &LoggedRequest) -> Selected {
        let seen = self.view.see(request);
        if self.has_routes && self.limiter.route(seen.method(), seen.path()).is_none() {
            return Selected::OtherRoute;
        }
        let has = |statuses: &Statuses| request.status().is_some_and(|it| statuses.has(it));
        if !self.charge_on.as_ref().is_none_or(has) {
            return Selected::OtherStatus;
        }
        self.limiter.with_client_of(&seen, |client| match self.limiter.access(client) {
            Access::Limited => Selected::Counted {
                client: Fingerprint::of_text(&client.identity(&self.policy).to_string()),
                has_user: client.user_id().is_some(),
            },
            _ => Selected::OnAccessList,
        })
    }
}

fn do_not_fit(error: impl std::error::Error + Send + Sync + 'static) -> AppError {
    AppError::new("the routes do not fit", error)
}
