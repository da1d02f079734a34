//! The log of requests that the simulators got.
//!
//! Owns: the entries (bounded), the counts for each endpoint (unbounded, small), and the most requests in flight at once.
//! Leaves to others: who asked and which parts a batch had; the simulators say so in `simulator::SimulatedAnswer`.
//! A newcomer gets wrong: a request whose connection was dropped is in the log, with no status.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Instant;

use serde::Serialize;

use super::simulator::SimulatedAnswer;

/// How many entries are kept; the counts go on beyond.
const KEPT: usize = 50_000;

/// One request.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Entry {
    /// The order of arrival, from 1.
    pub number: u64,
    /// Which simulator.
    pub simulator: String,
    /// The HTTP method.
    pub method: String,
    /// The path, base path included.
    pub path: String,
    /// The query as it was sent.
    pub query: Option<String>,
    /// The status of the answer; none if the client got no answer, or not yet.
    pub status: Option<u16>,
    /// In whose name.
    pub who: Option<String>,
    /// In which session.
    pub session: Option<String>,
    /// Which fault struck it.
    pub fault: Option<String>,
    /// The parts of a batch and the status of each.
    pub parts: Vec<(String, u16)>,
    /// What the vendor's quota counts it as.
    pub units: u64,
    /// Milliseconds from the start of the sandbox to its arrival.
    pub began_ms: f64,
    /// Milliseconds from the start of the sandbox to its answer.
    pub ended_ms: Option<f64>,
    /// The port of the client: requests of one connection share it.
    pub peer_port: u16,
    /// Bytes of the request's body.
    pub received: u64,
}

/// Sums for one endpoint: a simulator, a method and a path in which ids are `*`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Requests that arrived.
    pub requests: u64,
    /// Parts of batches in them.
    pub parts: u64,
    /// What the vendor's quota counts them as.
    pub units: u64,
    /// Of the requests and parts: those with status 429.
    pub throttled: u64,
}

/// The log.
#[derive(Debug)]
pub struct Requests {
    started: Instant,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    arrived: u64,
    entries: VecDeque<Entry>,
    counts: BTreeMap<String, Count>,
    in_flight: BTreeMap<String, u64>,
    peaks: BTreeMap<String, u64>,
}

impl Default for Requests {
    fn default() -> Self {
        Self { started: Instant::now(), log: Mutex::default() }
    }
}

impl Requests {
    /// A request arrived; its number comes back.
    pub(super) fn arrived(&self, mut entry: Entry) -> u64 {
        entry.began_ms = self.milliseconds();
        let mut log = self.log.lock().expect(POISON);
        log.arrived += 1;
        entry.number = log.arrived;
        let flying = log.in_flight.entry(entry.simulator.clone()).or_default();
        *flying += 1;
        let flying = *flying;
        let peak = log.peaks.entry(entry.simulator.clone()).or_default();
        *peak = flying.max(*peak);
        log.counts.entry(endpoint(&entry)).or_default().requests += 1;
        if log.entries.len() == KEPT {
            log.entries.pop_front();
        }
        let number = entry.number;
        log.entries.push_back(entry);
        number
    }

    /// A request was answered, or dropped: then without a status.
    pub(super) fn answered(
        &self,
        (simulator, number): (&str, u64),
        status: Option<u16>,
        answer: SimulatedAnswer,
        fault: Option<String>,
    ) {
        let ended = self.milliseconds();
        let mut log = self.log.lock().expect(POISON);
        if let Some(flying) = log.in_flight.get_mut(simulator) {
            *flying = flying.saturating_sub(1);
        }
        // Numbers have no gaps, so the place follows from the first; a reset may have taken the entry away.
        let first = log.entries.front().map_or(u64::MAX, |e| e.number);
        let place = number.checked_sub(first).and_then(|place| usize::try_from(place).ok());
        let Some(entry) = place.and_then(|place| log.entries.get_mut(place)) else { return };
        entry.status = status;
        entry.ended_ms = Some(ended);
        entry.who = answer.who;
        entry.session = answer.session;
        entry.fault = fault;
        entry.units = answer.units.unwrap_or(answer.parts.len().max(1) as u64);
        entry.parts = answer.parts;
        let endpoint = endpoint(entry);
        let throttled = entry.parts.iter().filter(|p| p.1 == 429).count() + usize::from(status == Some(429));
        let (parts, units) = (entry.parts.len() as u64, entry.units);
        let count = log.counts.entry(endpoint).or_default();
        count.parts += parts;
        count.units += units;
        count.throttled += throttled as u64;
    }

    /// Every kept entry, in the order of arrival.
    pub fn entries(&self) -> Vec<Entry> {
        self.log.lock().expect(POISON).entries.iter().cloned().collect()
    }

    /// The sums for each endpoint: `graph GET /v1.0/users`.
    pub fn counts(&self) -> BTreeMap<String, Count> {
        self.log.lock().expect(POISON).counts.clone()
    }

    /// How many requests a simulator got since the last reset.
    pub fn of(&self, simulator: &str) -> u64 {
        let prefix = format!("{simulator} ");
        let log = self.log.lock().expect(POISON);
        log.counts.iter().filter(|(k, _)| k.starts_with(&prefix)).map(|(_, c)| c.requests).sum()
    }

    /// Requests that have arrived and are not answered yet.
    pub(crate) fn in_flight(&self) -> u64 {
        self.log.lock().expect(POISON).in_flight.values().sum()
    }

    /// The most requests that each simulator had in flight at once.
    pub(crate) fn peaks(&self) -> BTreeMap<String, u64> {
        self.log.lock().expect(POISON).peaks.clone()
    }

    /// Forgets entries and counts. Numbers go on, so that a request in flight cannot be mistaken for a new one.
    pub fn reset(&self) {
        let mut log = self.log.lock().expect(POISON);
        log.entries.clear();
        log.counts.clear();
        log.peaks.clear();
    }

    fn milliseconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * 1000.0
    }
}

const POISON: &str = "no code panics while it holds the log of requests";

/// The endpoint of a request: segments with a digit in them are ids, except versions such as `v1.0` and sizes.
fn endpoint(entry: &Entry) -> String {
    let segments = entry.path.split('/').map(|segment| if is_id(segment) { "*" } else { segment });
    format!("{} {} {}", entry.simulator, entry.method, segments.collect::<Vec<_>>().join("/"))
}

fn is_id(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    segment.contains('@') || segment.len() >= 32 || (digits > 0 && digits == segment.len() && digits > 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str) -> Entry {
        Entry { simulator: "graph".into(), method: "GET".into(), path: path.into(), ..Entry::default() }
    }

    #[test]
    fn ids_do_not_split_an_endpoint() {
        for (path, wanted) in [
            ("/v1.0/users/b1f0c5a2-0d6e-4a3b-8a51-6f2d9a7c1e01/photo/$value", "graph GET /v1.0/users/*/photo/$value"),
            ("/v1.0/users/ada@contoso.example/photo", "graph GET /v1.0/users/*/photo"),
            ("/jira/rest/api/2/user/avatar/15017", "graph GET /jira/rest/api/2/user/avatar/*"),
            ("/v1.0/$batch", "graph GET /v1.0/$batch"),
        ] {
            assert_eq!(endpoint(&entry(path)), wanted);
        }
    }

    #[test]
    fn counts_survive_and_peaks_show_what_was_in_flight_together() {
        let requests = Requests::default();
        let first = requests.arrived(entry("/v1.0/users"));
        let second = requests.arrived(entry("/v1.0/users"));
        requests.answered(("graph", first), Some(429), SimulatedAnswer::default(), None);
        let parts = vec![("GET /users/1/photo".to_owned(), 200), ("GET /users/2/photo".to_owned(), 429)];
        requests.answered(("graph", second), Some(200), SimulatedAnswer { parts, ..SimulatedAnswer::default() }, None);
        let counts = requests.counts();
        assert_eq!(counts["graph GET /v1.0/users"], Count { requests: 2, parts: 2, units: 3, throttled: 2 });
        assert_eq!((requests.peaks()["graph"], requests.in_flight()), (2, 0));
        requests.reset();
        assert_eq!((requests.of("graph"), requests.entries().len()), (0, 0));
        assert_eq!(requests.arrived(entry("/")), 3, "numbers go on after a reset");
    }
}
