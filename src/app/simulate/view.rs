//! Who sends the requests of a log, as a configuration sees them: a [`View`].

use std::sync::Arc;

use super::request::{Head, Replayed};
use crate::app::access_log::LoggedRequest;
use crate::app::assemble::client_ip;
use crate::app::auth::ApiKeys;
use crate::app::config::Config;
use crate::http::{ClientIp, User};

/// Finds out who sends a request of a log, by the code that serves. Cheap to clone.
#[derive(Clone, Debug)]
pub(in crate::app) struct View {
    client_ip: ClientIp,
    users: Arc<Users>,
}

/// Which users the configuration knows.
#[derive(Debug)]
struct Users {
    /// Whether anything proves a user.
    are_known: bool,
    /// Where users have their plans.
    api_keys: Option<ApiKeys>,
    /// The field in which trusted proxies name the user.
    header: Option<String>,
}

impl View {
    pub(in crate::app) fn of(config: &Config) -> Self {
        let auth = &config.auth;
        let header = auth.user_header.as_ref();
        let users = Users {
            are_known: auth.proves_users(),
            api_keys: auth.api_keys.clone(),
            header: header.map(|name| name.as_str().to_owned()),
        };
        Self { client_ip: client_ip(config), users: Arc::new(users) }
    }

    /// The request with its address and user.
    pub(in crate::app) fn see<'a>(&self, request: &'a LoggedRequest) -> Replayed<'a> {
        let address = self.client_ip.address(&Head(request));
        Replayed::new(request, address, self.users.user_of(request, &self.client_ip))
    }
}

impl Users {
    /// The user of `request`, who is believed as the log names it. Where nothing proves a user, the server knows none.
    fn user_of(&self, request: &LoggedRequest, client_ip: &ClientIp) -> Option<User> {
        if !self.are_known {
            return None;
        }
        let by_proxy = self.header.as_deref().and_then(|name| request.field(name));
        let by_proxy = by_proxy.filter(|_| client_ip.is_from_trusted_proxy(&Head(request)));
        let id = by_proxy.or_else(|| request.user())?;
        let plan = self.api_keys.as_ref().and_then(|keys| keys.plan_of(id));
        let user = User::new(id);
        Some(match plan {
            Some(plan) => user.with_plan(plan),
            None => user,
        })
    }
}
