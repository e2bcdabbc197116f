//! Tests that need programs which are not ours, and which `make test-real` installs. Each is ignored, so that
//! `make test` needs none of them.

mod browser;
mod calendars;
mod clock;
mod envoy;
mod forward_auth;
mod gate_api;
mod gate_clients;
mod http_clients;
mod nginx;
mod page;
mod promtool;
mod proxy_protocol;
mod simulate;
mod systemd;
