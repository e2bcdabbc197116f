//! Service links: the variables that Kubernetes and Docker set for each service. For a service called
//! tollgate, that is `TOLLGATE_PORT=tcp://10.0.0.1:80` and others. They are not configuration.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, SocketAddr};

const PROTOCOLS: [&str; 3] = ["tcp", "udp", "sctp"];

/// Whether the variable `name` is a service link: name and value have the form of one, and `variables`
/// has `SERVICE_PORT` with a URL, which every service has.
pub(super) fn is_service_link(
    name: &str,
    value: &OsStr,
    variables: &BTreeMap<OsString, OsString>,
) -> bool {
    let service = value.to_str().and_then(|value| service(name, value));
    // Options have two underscores between levels; service links never do.
    let service = service.filter(|_| !name.contains("__"));
    let head = service.and_then(|service| variables.get(OsStr::new(&format!("{service}_PORT"))));
    head.and_then(|value| value.to_str()).is_some_and(is_url)
}

/// The service of the variable, if it has the form of a service link.
fn service<'a>(name: &'a str, value: &str) -> Option<&'a str> {
    let is_number = value.parse::<u16>().is_ok();
    let is_address = value.parse::<IpAddr>().is_ok();
    if let Some((service, port_name)) = name.split_once("_SERVICE_PORT") {
        let is_named = port_name.is_empty() || port_name.starts_with('_');
        return (is_named && is_number).then_some(service);
    }
    match name.rsplit_once('_')? {
        (rest, "HOST") if is_address => rest.strip_suffix("_SERVICE"),
        (service, "PORT") if is_url(value) => Some(service),
        (port, "PORT") if is_number => service_of_port(port),
        (port, "PROTO") if PROTOCOLS.contains(&value) => service_of_port(port),
        (port, "ADDR") if is_address => service_of_port(port),
        _ if is_url(value) => service_of_port(name),
        _ => None,
    }
}

/// The `TOLLGATE` of `TOLLGATE_PORT_8080_TCP`.
fn service_of_port(name: &str) -> Option<&str> {
    let (rest, protocol) = name.rsplit_once('_')?;
    let (rest, number) = rest.rsplit_once('_')?;
    let is_port = PROTOCOLS.iter().any(|it| it.to_ascii_uppercase() == protocol)
        && number.parse::<u16>().is_ok();
    rest.strip_suffix("_PORT").filter(|_| is_port)
}

/// Whether `value` is like `tcp://10.0.0.1:80`.
fn is_url(value: &str) -> bool {
    value.split_once("://").is_some_and(|(protocol, address)| {
        PROTOCOLS.contains(&protocol) && address.parse::<SocketAddr>().is_ok()
    })
}
