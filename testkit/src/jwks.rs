//! An HTTP server on loopback that answers all requests alike, and counts them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::threads::until;

const PATIENCE: Duration = Duration::from_secs(10);

/// An answer that never comes: the connection stays open until the client closes it.
pub const HOLD: &str = "HOLD";

/// A running server, ended on drop.
#[derive(Debug)]
pub struct JwksServer {
    scheme: &'static str,
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    answer: Mutex<Vec<u8>>,
    fetches: AtomicUsize,
    is_over: AtomicBool,
}

impl JwksServer {
    /// A server that answers with `document`.
    pub fn start(document: &str) -> Self {
        Self::serve("http", document, Shared::answer)
    }

    /// The same over TLS, with the certificate and the private key in these files.
    pub fn start_tls(document: &str, certificate: &str, key: &str) -> Self {
        let chain = CertificateDer::pem_file_iter(certificate).expect("a file of certificates");
        let chain = chain.collect::<Result<Vec<_>, _>>().expect("certificates");
        let key = PrivateKeyDer::from_pem_file(key).expect("a private key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.expect("versions of TLS").with_no_client_auth();
        let config = Arc::new(config.with_single_cert(chain, key).expect("a certificate"));
        Self::serve("https", document, move |shared, connection| {
            let session = ServerConnection::new(config.clone()).expect("a session");
            shared.answer(StreamOwned::new(session, connection));
        })
    }

    fn serve(
        scheme: &'static str,
        document: &str,
        answer: impl Fn(&Shared, TcpStream) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (fetches, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let shared = Arc::new(Shared { answer: Mutex::new(found(document)), fetches, is_over });
        let serving = shared.clone();
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                if serving.is_over.load(Ordering::SeqCst) {
                    break;
                }
                connection.set_read_timeout(Some(PATIENCE)).expect("a time limit");
                answer(&serving, connection);
            }
        });
        Self { scheme, address, shared }
    }

    /// `http://127.0.0.1:port/jwks.json`, or the same with `https`.
    pub fn url(&self) -> String {
        format!("{}://{}/jwks.json", self.scheme, self.address)
    }

    /// Answers with another document from now on.
    pub fn set(&self, document: &str) {
        self.set_raw(&found(document));
    }

    /// Answers with these bytes from now on; with none, the connection is closed.
    pub fn set_raw(&self, answer: &[u8]) {
        *self.shared.answer.lock().expect("nobody panics with it") = answer.to_vec();
    }

    /// How often it was asked.
    pub fn fetches(&self) -> usize {
        self.shared.fetches.load(Ordering::SeqCst)
    }

    /// Waits until it was asked twice more: what was under way when this is called is then over, and
    /// so is one fetch that began later.
    pub fn wait_for_a_fetch(&self) {
        let before = self.fetches();
        until("the keys are fetched again", || self.fetches() >= before + 2);
    }
}

impl Shared {
    fn answer(&self, connection: impl Read + Write) {
        let mut connection = BufReader::new(connection);
        let lines = connection.by_ref().lines();
        let head = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).count();
        if head > 0 {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            let answer = self.answer.lock().expect("nobody panics with it").clone();
            if answer == HOLD.as_bytes() {
                let _ = connection.read_to_end(&mut Vec::new());
                return;
            }
            // Who asked may not want to hear it to its end.
            let _ =
                connection.get_mut().write_all(&answer).and_then(|()| connection.get_mut().flush());
        }
    }
}

impl Drop for JwksServer {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn found(document: &str) -> Vec<u8> {
    let length = document.len();
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{document}")
        .into_bytes()
}
