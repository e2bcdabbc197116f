//! A proxy between a store and its Redis, on a loopback port: it delays, drops and cuts what passes.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// What the proxy does with what passes, from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: everything passes.
    None,
    /// Replies wait until the fault is another one, and arrive late.
    Late,
    /// Each reply comes in so many parts, so much later each.
    Parts(usize, Duration),
    /// Requests are swallowed, and never answered.
    Drop,
    /// So many bytes of the next reply pass, and then the connection ends.
    CutReplies(usize),
    /// Connections end, and new ones at once.
    Closed,
    /// What has idled for longer is forgotten: requests on it are swallowed, and nobody is told.
    Forgets(Duration),
}

/// A running proxy, which ends with the test.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: PathBuf,
    fault: Mutex<Fault>,
    changed: Condvar,
    ended: AtomicBool,
    swallowed: AtomicUsize,
    open: Mutex<Vec<Arc<Flow>>>,
}

/// One connection of a client, and the one to the server that goes with it.
#[derive(Debug)]
struct Flow {
    client: TcpStream,
    server: UnixStream,
    /// When anything passed last.
    used: Mutex<Instant>,
    is_forgotten: AtomicBool,
}

impl Proxy {
    /// To the server whose Unix socket is `upstream`.
    pub fn to(upstream: impl Into<PathBuf>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            upstream: upstream.into(),
            fault: Mutex::new(Fault::None),
            changed: Condvar::new(),
            ended: AtomicBool::new(false),
            swallowed: AtomicUsize::new(0),
            open: Mutex::default(),
        });
        let accepts = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepts.ended.load(Ordering::SeqCst) {
                    return;
                }
                accepts.join(client);
            }
        });
        Self { address, shared }
    }

    /// `redis://127.0.0.1:port/0`
    pub fn url(&self) -> String {
        format!("redis://{}/0", self.address)
    }

    /// From now on does this.
    pub fn set(&self, fault: Fault) {
        *self.shared.fault() = fault;
        self.shared.changed.notify_all();
        if fault == Fault::Closed {
            self.shared.close_all();
        }
    }

    /// Ends the connections of now; new ones pass.
    pub fn cut(&self) {
        self.shared.close_all();
    }

    /// How many requests were swallowed.
    pub fn swallowed(&self) -> usize {
        self.shared.swallowed.load(Ordering::SeqCst)
    }

    /// How many connections pass through it.
    pub fn connections(&self) -> usize {
        self.shared.open().len()
    }

    /// What is open now.
    pub fn flows(&self) -> Flows {
        Flows(self.shared.open().clone())
    }
}

/// Some of the connections that passed through a proxy at a time.
#[derive(Debug)]
pub struct Flows(Vec<Arc<Flow>>);

impl Flows {
    /// Whether each has been closed, or has idled for longer than `limit`.
    pub fn are_over(&self, limit: Duration) -> bool {
        let is_over = |flow: &Arc<Flow>| flow.is_closed() || flow.idle() > limit;
        self.0.iter().all(is_over)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.set(Fault::Closed);
        // Its listener waits for one more.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn fault(&self) -> MutexGuard<'_, Fault> {
        self.fault.lock().expect("no panic holds it")
    }

    fn open(&self) -> MutexGuard<'_, Vec<Arc<Flow>>> {
        self.open.lock().expect("no panic holds it")
    }

    fn close_all(&self) {
        for flow in self.open().drain(..) {
            flow.end();
        }
    }

    /// Connects a client with the server; both directions are threads that end with it.
    fn join(self: &Arc<Self>, client: TcpStream) {
        client.set_nodelay(true).expect("a TCP connection");
        let fault = self.fault();
        let Ok(server) = UnixStream::connect(&self.upstream) else { return };
        if *fault == Fault::Closed {
            return;
        }
        let flow = Arc::new(Flow {
            client,
            server,
            used: Mutex::new(Instant::now()),
            is_forgotten: AtomicBool::new(false),
        });
        self.open().push(flow.clone());
        drop(fault);
        let ((from, to), (forth, back)) = (flow.copies(), flow.copies());
        let (there, its) = (self.clone(), flow.clone());
        thread::spawn(move || there.carry(&its, from, to, Self::request));
        let here = self.clone();
        thread::spawn(move || here.carry(&flow, back, forth, Self::reply));
    }

    /// Carries bytes until either side ends; then both do.
    fn carry<F: Read, T: Write>(
        &self,
        flow: &Arc<Flow>,
        mut from: F,
        mut to: T,
        pass: fn(&Self, &Flow, &mut T, &[u8]) -> bool,
    ) {
        let mut bytes = [0; 16_384];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            if !pass(self, flow, &mut to, &bytes[..read]) {
                break;
            }
            *flow.used.lock().expect("no panic holds it") = Instant::now();
        }
        flow.end();
        self.open().retain(|other| !Arc::ptr_eq(other, flow));
    }

    fn request<T: Write>(&self, flow: &Flow, to: &mut T, bytes: &[u8]) -> bool {
        let fault = *self.fault();
        if matches!(fault, Fault::Forgets(limit) if flow.idle() > limit) {
            flow.is_forgotten.store(true, Ordering::SeqCst);
        }
        if fault == Fault::Drop || flow.is_forgotten.load(Ordering::SeqCst) {
            self.swallowed.fetch_add(1, Ordering::SeqCst);
            return true;
        }
        to.write_all(bytes).is_ok()
    }

    fn reply<T: Write>(&self, _: &Flow, to: &mut T, bytes: &[u8]) -> bool {
        let fault = self.changed.wait_while(self.fault(), |fault| *fault == Fault::Late);
        let fault = fault.expect("no panic holds it");
        match *fault {
            Fault::Parts(count, length) => {
                drop(fault);
                bytes.chunks(bytes.len().div_ceil(count)).enumerate().all(|(number, part)| {
                    let same = Fault::Parts(count, length);
                    let stays = |fault: &mut Fault| number > 0 && *fault == same;
                    let waited = self.changed.wait_timeout_while(self.fault(), length, stays);
                    waited.is_ok() && to.write_all(part).is_ok()
                })
            }
            Fault::CutReplies(most) => {
                let _ = to.write_all(&bytes[..most.min(bytes.len())]);
                false
            }
            _ => to.write_all(bytes).is_ok(),
        }
    }
}

impl Flow {
    fn copies(&self) -> (TcpStream, UnixStream) {
        let client = self.client.try_clone().expect("a copy");
        (client, self.server.try_clone().expect("a copy"))
    }

    fn idle(&self) -> Duration {
        self.used.lock().expect("no panic holds it").elapsed()
    }

    /// Ends both sides; their threads see it.
    fn end(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }

    fn is_closed(&self) -> bool {
        self.client.peer_addr().is_err()
    }
}
