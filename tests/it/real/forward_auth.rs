//! Proxies ask the gate, as `deploy/` configures them: one suite for all.
//!
//! A test is told which [`Proxy`] it goes through. Between the client and the application stands that proxy, run from
//! the very file in `deploy/`, in which only addresses and paths are others.

mod admitted;
mod apache;
mod application;
mod attacks;
mod caddy;
mod counts;
mod credentials;
mod envoy;
mod haproxy;
mod nginx;
mod preflights;
mod silence;
mod site;
mod token;
mod told_apart;

/// Makes a test of each of these functions for each proxy.
macro_rules! through_each_proxy {
    ($($test:ident),+ $(,)?) => {
        mod through_nginx {
            $(#[test] #[ignore = "make test-real"] fn $test() { super::$test(super::Proxy::Nginx); })+
        }
        mod through_caddy {
            $(#[test] #[ignore = "make test-real"] fn $test() { super::$test(super::Proxy::Caddy); })+
        }
        mod through_haproxy {
            $(#[test] #[ignore = "make test-real"] fn $test() { super::$test(super::Proxy::Haproxy); })+
        }
        mod through_apache {
            $(#[test] #[ignore = "make test-real"] fn $test() { super::$test(super::Proxy::Apache); })+
        }
        mod through_envoy {
            $(#[test] #[ignore = "make test-real"] fn $test() { super::$test(super::Proxy::Envoy); })+
        }
    };
}
use through_each_proxy;
