//! A line to a store that is bad on purpose: it answers in the store's place that it is asked too much, cuts what is sent
//! amid its body, and loses answers.
//!
//! Owns: what becomes of each request. Leaves to others: the store at its end, of whatever maker.
//! A newcomer gets wrong: each request has a connection of its own, so nothing of a bad one is in the way of the next.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Whole,
    /// The store is not asked; the answer is this status.
    TooMany(u16),
    /// Half of the body arrives.
    CutAmid,
    /// It arrives, and nobody hears of it.
    LoseTheAnswer,
    /// Half of the answer comes back.
    CutTheAnswer,
    /// The store is not asked, and nobody answers until the client gives up.
    Silent,
}

/// A line that is there until it is dropped.
pub(super) struct BadLine {
    /// In place of the store's own.
    pub(super) url: String,
    address: String,
    bad: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

impl BadLine {
    /// To a store, `http://HOST:PORT/PATH`. Requests go through these by turns.
    pub(super) fn to(endpoint: &str, turns: &'static [Line]) -> Self {
        let turn = AtomicUsize::new(0);
        Self::judged(endpoint, move |_| turns[turn.fetch_add(1, Ordering::Relaxed) % turns.len()])
    }

    /// The same; what becomes of each request this says, by its first line.
    pub(super) fn judged(endpoint: &str, judge: impl Fn(&str) -> Line + Send + Sync + 'static) -> Self {
        let rest = endpoint.strip_prefix("http://").expect("a store without TLS");
        let (store, path) =
            rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, format!("/{path}")));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (bad, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (store, counted, stopped) = (store.to_owned(), Arc::clone(&bad), Arc::clone(&stop));
        let listening = std::thread::spawn(move || {
            let judge = &|head: &str| {
                let line = judge(head.lines().next().unwrap_or_default());
                counted.fetch_add(usize::from(line != Line::Whole), Ordering::Relaxed);
                line
            };
            std::thread::scope(|scope| {
                for client in listener.incoming().map_while(Result::ok) {
                    if stopped.load(Ordering::Acquire) {
                        return;
                    }
                    let store = &store;
                    // Whoever hangs up has what was wanted.
                    scope.spawn(move || drop(pass(client, store, judge)));
                }
            });
        });
        Self { url: format!("http://{address}{path}"), address, bad, stop, listening: Some(listening) }
    }

    /// Requests that did not go through whole.
    pub(super) fn bad(&self) -> usize {
        self.bad.load(Ordering::Relaxed)
    }
}

impl Drop for BadLine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        _ = TcpStream::connect(&self.address);
        if let Some(listening) = self.listening.take() {
            _ = listening.join();
        }
    }
}

fn pass(mut client: TcpStream, store: &str, judge: &(dyn Fn(&str) -> Line + Sync)) -> std::io::Result<()> {
    let (head, body) = request(&mut client)?;
    let line = judge(&head);
    if line == Line::Silent {
        return client.read(&mut [0]).map(drop);
    }
    if let Line::TooMany(status) = line {
        let told = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>SlowDown</Code></Error>";
        let head = format!(
            "HTTP/1.1 {status} Slow Down\r\ncontent-type: application/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            told.len()
        );
        return client.write_all([head.as_bytes(), told.as_bytes()].concat().as_slice());
    }
    let mut store = TcpStream::connect(store)?;
    store.write_all(head.as_bytes())?;
    if line == Line::CutAmid {
        store.write_all(&body[..body.len() / 2])?;
        return store.shutdown(Shutdown::Both);
    }
    store.write_all(&body)?;
    let mut answer = Vec::new();
    store.read_to_end(&mut answer)?;
    match line {
        Line::LoseTheAnswer => Ok(()),
        Line::CutTheAnswer => client.write_all(&answer[..answer.len() / 2]),
        Line::Whole | Line::TooMany(_) | Line::CutAmid | Line::Silent => client.write_all(&answer),
    }
}

/// The head of a request, which now ends its connection, and the body.
pub(super) fn request(client: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let (mut read, mut part) = (Vec::new(), [0; 8192]);
    let end = loop {
        if let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end;
        }
        match client.read(&mut part)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            length => read.extend_from_slice(&part[..length]),
        }
    };
    let head = String::from_utf8_lossy(&read[..end]).into_owned();
    let is = |line: &&str, name: &str| line.to_ascii_lowercase().starts_with(name);
    let length = head.lines().find(|line| is(line, "content-length:")).and_then(|line| line[15..].trim().parse().ok());
    let mut body = read.split_off(end + 4);
    let begun = body.len();
    body.resize(length.unwrap_or(0).max(begun), 0);
    client.read_exact(&mut body[begun..])?;
    let kept = head.lines().filter(|line| !is(line, "connection:"));
    let head = kept.fold(String::new(), |head, line| head + line + "\r\n");
    Ok((head + "Connection: close\r\n\r\n", body))
}
