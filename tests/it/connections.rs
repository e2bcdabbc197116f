//! What one client may use of the server: each limit takes effect, and `/metrics` counts it.

use std::net::{Ipv4Addr, TcpStream};

use crate::support::conversation::Conversation;
use crate::support::http::Client;
use crate::support::port;
use crate::support::process::{Options, Tollgate};
use crate::support::raw::connect_from;

mod ages;
mod bodies;
mod connection_counts;
mod expect_continue;
mod files;
mod heads;
mod hosts;
mod http1_forms;
mod proxy_protocol;
mod refusals;
mod slow_readers;
mod start_up;
mod stop;

const GET: &str = "GET /api/data HTTP/1.1\r\nhost: t\r\n\r\n";

/// Options of a process that counts by itself, with the quota as it is by default.
fn memory() -> Options {
    Options::default().set("store.url", "memory:")
}

/// The command, which counts in its memory, and who asks as its operator.
struct Stand {
    tollgate: Tollgate,
    operator: Client,
    port: u16,
    admin_port: u16,
}

impl Stand {
    /// With these settings under `[server]`, and room for all requests of a test.
    fn with(settings: &[(&str, &str)]) -> Self {
        let options = memory().set("policies.default.quota", "1000000/hour");
        Self::of(options, settings)
    }

    /// With these settings under `[server]` as well.
    fn of(options: Options, settings: &[(&str, &str)]) -> Self {
        let port = port::free();
        Self::on(options, settings, &format!("127.0.0.1:{port}"), port)
    }

    fn on(options: Options, settings: &[(&str, &str)], listen: &str, port: u16) -> Self {
        let admin_port = port::free();
        let admin = format!("127.0.0.1:{admin_port}");
        let options = options.set("admin.listen", &admin).set("store.timeout_ms", "60000");
        let set = |options: Options, (name, value): &(&str, &str)| {
            options.set(&format!("server.{name}"), value)
        };
        let options = settings.iter().fold(options, set);
        let tollgate = options.serve_on(listen, port);
        Self { tollgate, operator: Client::of(format!("http://{admin}")), port, admin_port }
    }

    /// A connection to the app.
    fn dial(&self) -> Conversation {
        self.dial_from(Ipv4Addr::LOCALHOST)
    }

    /// A connection from this address of 127.0.0.0/8.
    fn dial_from(&self, source: Ipv4Addr) -> Conversation {
        Conversation::over(connect_from(source, self.port))
    }

    /// A connection to the operators' listener.
    fn dial_admin(&self) -> Conversation {
        Conversation::over(connect_from(Ipv4Addr::LOCALHOST, self.admin_port))
    }

    /// How often this setting acted on the app's listener.
    fn acted(&self, setting: &str) -> u64 {
        self.metric(&limits("server", setting))
    }

    /// How often this setting acted on the operators' listener.
    fn acted_on_admin(&self, setting: &str) -> u64 {
        self.metric(&limits("admin", setting))
    }

    /// How many connections to the app are open.
    fn open(&self) -> u64 {
        self.metric("tollgate_connections{listener=\"server\"}")
    }

    fn metric(&self, name: &str) -> u64 {
        let text = self.operator.get("/metrics", &[]).body;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in {text}")).parse().expect("a number")
    }
}

fn limits(listener: &str, setting: &str) -> String {
    format!("tollgate_connection_limits_total{{listener=\"{listener}\",setting=\"{setting}\"}}")
}

/// 127.0.1.1 and so on: the addresses of as many clients as a test needs.
fn address(number: usize) -> Ipv4Addr {
    let [.., high, low] = u32::try_from(number + 257).expect("few of them").to_be_bytes();
    Ipv4Addr::new(127, 0, high, low)
}

/// A connection that reads as little as the system lets it.
fn connect_narrow(source: Ipv4Addr, port: u16) -> TcpStream {
    use rustix::net::{AddressFamily, SocketFlags, SocketType};
    use rustix::net::{bind, connect, socket_with, sockopt};
    use std::net::SocketAddrV4;

    let (family, kind) = (AddressFamily::INET, SocketType::STREAM);
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, None).expect("a socket");
    sockopt::set_socket_recv_buffer_size(&socket, 4_096).expect("a size");
    bind(&socket, &SocketAddrV4::new(source, 0)).expect("a loopback address");
    connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)).expect("a server");
    socket.into()
}
