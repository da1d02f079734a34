//! A proxy that opens TLS, as company proxies do, with the simulators behind it under names of their own.
//!
//! Owns: what the proxy is asked, how it fails, and the names. Leaves to others: what must hold (`proxied`).
//! A newcomer gets wrong: a proxy is never asked for this machine itself, so the names are of no machine at all. Only
//! the proxy knows them, and its certificate is signed by the CA in `keys/`.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::super::harness::Harness;

/// Every name ends in this.
pub(super) const DOMAIN: &str = "canary.example";

/// Who may use the proxy. Every character that URLs, forms, pages or JSON spell otherwise is in it.
pub(super) const USER: &str = "proxy user";
/// Their password.
pub(super) const PASSWORD: &str = "canary proxy&pass+word/1\"'<=>";

/// How the proxy behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Lets through whoever has the password.
    Honest,
    /// So many connections; then each one ends as soon as it is made.
    GoneAfter(usize),
    /// Answers every request for a connection with this status and what it was sent: in the reason, headers and body.
    Refuses(u16),
    /// Answers with something that is no HTTP.
    Babbles,
    /// Makes the connection, and answers in the server's place with this status and what it was sent.
    Answers(u16),
}

/// What the proxy was sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    /// `CONNECT host:port`, or what it was asked in the clear.
    pub asked: Vec<String>,
    /// The headers of requests inside of the connections, as the servers get them.
    pub inside: Vec<String>,
}

/// The proxy. It ends with the process: nothing waits for it.
pub(super) struct Proxy {
    address: String,
    shared: Arc<Shared>,
}

struct Shared {
    /// The address of each simulator, by the first part of its name.
    servers: Mutex<BTreeMap<String, String>>,
    tls: Arc<rustls::ServerConfig>,
    manner: Mutex<Manner>,
    heard: Mutex<Heard>,
}

fn keys(name: &str) -> String {
    format!("{}/tests/suite/canaries/keys/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The credential as the proxy wants to see it.
pub(super) fn pair() -> String {
    base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"))
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

impl Proxy {
    /// A proxy in front of every simulator of the harness, whose pipeline file leads there by names from now on.
    pub(super) fn before(harness: &mut Harness, simulators: &[&str]) -> Self {
        let mut servers = BTreeMap::new();
        let mut urls = BTreeMap::new();
        for name in simulators {
            let url = harness.sandbox.endpoint(name).unwrap_or_else(|| panic!("no simulator {name}")).to_owned();
            let rest = url.strip_prefix("http://").expect("a simulator speaks plain http");
            let (address, path) = rest.split_once('/').map_or((rest, ""), |(address, path)| (address, path));
            servers.insert((*name).to_owned(), address.to_owned());
            urls.insert(*name, format!("'https://{name}.{DOMAIN}/{path}'"));
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let (manner, heard) = (Mutex::new(Manner::Honest), Mutex::default());
        let shared = Arc::new(Shared { servers: Mutex::new(servers), tls: tls(), manner, heard });
        let proxy = Self { address, shared: Arc::clone(&shared) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        harness.write("ca.pem", std::fs::read(keys("ca.pem")).expect("the CA of the tests"));
        for secret in [PASSWORD, &encoded(PASSWORD), &pair()] {
            harness.keep(secret);
        }
        harness.edit(|pipe| {
            pipe.entra("endpoints", &format!("{{ login: {}, graph: {} }}", urls["login"], urls["graph"]));
            let google = format!("{{ token: {}, directory: {} }}", urls["token"], urls["directory"]);
            pipe.source("google").set("endpoints", &google);
            for product in ["jira", "confluence", "bitbucket"] {
                pipe.target(product).set("base_url", &urls[product]);
            }
        });
        proxy
    }

    /// Its URL, credential included.
    pub(super) fn url(&self) -> String {
        format!("http://{}:{}@{}", encoded(USER), encoded(PASSWORD), self.address)
    }

    /// Behaves so from now on, having heard nothing yet.
    pub(super) fn behave(&self, manner: Manner) {
        *lock(&self.shared.heard) = Heard::default();
        *lock(&self.shared.manner) = manner;
    }

    /// In front of this server, too; where it is from now on.
    #[cfg(feature = "bucket")]
    pub(super) fn leads_to(&self, name: &str, url: &str) -> String {
        let address = url.strip_prefix("http://").expect("a server that speaks plain http");
        lock(&self.shared.servers).insert(name.to_owned(), address.to_owned());
        format!("https://{name}.{DOMAIN}")
    }

    /// Everything that it was sent.
    pub(super) fn heard(&self) -> Heard {
        lock(&self.shared.heard).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tls() -> Arc<rustls::ServerConfig> {
    let chain = vec![CertificateDer::from_pem_file(keys("server.pem")).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(keys("server.pem")).expect("its key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder.expect("TLS 1.3").with_no_client_auth().with_single_cert(chain, key).expect("a pair");
    Arc::new(config)
}

impl Shared {
    fn serve(&self, mut client: TcpStream) -> Option<()> {
        client.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
        let head = head(&mut client)?;
        let nth = {
            let mut heard = lock(&self.heard);
            heard.asked.push(head.lines().next()?.trim_end_matches(" HTTP/1.1").to_owned());
            heard.asked.len()
        };
        let sent = header(&head, "proxy-authorization").unwrap_or_default().to_owned();
        let quoted = format!("{sent} is {USER}:{PASSWORD}");
        let manner = *lock(&self.manner);
        let name = head.strip_prefix("CONNECT ").and_then(|rest| rest.split_once(&format!(".{DOMAIN}:443 ")));
        match (manner, name) {
            (Manner::GoneAfter(many), _) if nth > many => return Some(()),
            (Manner::Babbles, _) => return client.write_all(format!("{quoted}\r\n\r\n").as_bytes()).ok(),
            (Manner::Refuses(status), _) => return refuse(&mut client, status, &quoted),
            _ if sent != format!("Basic {}", pair()) => return refuse(&mut client, 407, &quoted),
            _ => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?,
        }
        let (name, _) = name?;
        let connection = rustls::ServerConnection::new(Arc::clone(&self.tls)).ok()?;
        let mut inside = rustls::StreamOwned::new(connection, client);
        let request = Request::read(&mut inside)?;
        lock(&self.heard).inside.push(request.head.clone());
        match manner {
            Manner::Answers(status) => refuse(&mut inside, status, &quoted)?,
            _ => {
                let address = lock(&self.servers).get(name)?.clone();
                inside.write_all(&request.ask(&address).ok()?).ok()?;
            }
        }
        inside.conn.send_close_notify();
        inside.flush().ok()
    }
}

/// Answers with what was sent.
fn refuse(client: &mut impl Write, status: u16, quoted: &str) -> Option<()> {
    let line = quoted.replace(['\r', '\n'], " ");
    let answer = format!(
        "HTTP/1.1 {status} {line}\r\nproxy-authenticate: Basic realm=\"{line}\"\r\nx-seraph-loginreason: {line}\r\n\
         location: https://elsewhere.{DOMAIN}/?q={line}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{quoted}",
        quoted.len()
    );
    client.write_all(answer.as_bytes()).ok()
}

/// A request up to the empty line; nothing where the client speaks TLS at once.
fn head(stream: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
        head[0].is_ascii_uppercase().then_some(())?;
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// A request that came through TLS.
struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &mut impl Read) -> Option<Self> {
        let head = head(stream)?;
        assert!(header(&head, "transfer-encoding").is_none(), "every body of ours has a length: {head}");
        let mut body = vec![0; header(&head, "content-length").map_or(Ok(0), str::parse).ok()?];
        stream.read_exact(&mut body).ok()?;
        Some(Self { head, body })
    }

    /// Asks the simulator, over a connection of its own that ends with the answer.
    fn ask(&self, address: &str) -> io::Result<Vec<u8>> {
        let mut server = TcpStream::connect(address)?;
        let head = self.head.trim_end_matches("\r\n");
        server.write_all(format!("{head}\r\nconnection: close\r\n\r\n").as_bytes())?;
        server.write_all(&self.body)?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        Ok(answer)
    }
}
