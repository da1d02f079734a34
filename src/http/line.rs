//! One server under one base URL: the only place where a request leaves the program.
//!
//! Owns: reads with their repetitions and redirects, writes with their single chance, who may be sent a credential,
//! what is counted.
//! Leaves to others: what the answers mean (`extract`, `load`).
//! A newcomer gets wrong: `write` repeats nothing but a plain 429. Anything else that went wrong on the way may have
//! arrived, and only looking at the server tells (docs/write-protocols.md).

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{HeaderValue, LOCATION};
use reqwest::{Client, Method, RequestBuilder, Response};
use secrecy::ExposeSecret;
use url::Url;

use super::call::Repeats;
use super::counts::Tally;
use super::hints::{self, NO_CONNECTION};
use super::origin::{check_base, is_loopback, is_same, origin};
use super::redact::{self, redact, safe_url};
use super::retry::{self, Pause, Pauses};
use super::stopping::Stopping;
use super::{Answer, Call, Counts, Failure, FailureKind, Pace, Proxy, Sent, Transport};
use crate::model::Fault;

/// A pause this long is told of.
const WORTH_A_WORD: Duration = Duration::from_secs(60);

/// Redirects that a read follows.
const HOPS: usize = 3;

/// What a client does with cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookies {
    /// Drops them.
    Refuse,
    /// Keeps them in a jar of its own, for one session.
    Keep,
}

/// Which way a line beside another one goes. None of them shows the client certificate: that is for the configured products,
/// and whoever issues tokens is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Road {
    /// To an endpoint of the pipeline file: as the other one.
    Configured,
    /// To a server that something else names: without the extra headers, which are for the configured ones.
    Foreign,
    /// As `Foreign`, and through no proxy.
    Direct,
}

/// One server under one base URL. Clones share pace and counts.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    shared: Arc<Shared>,
    client: Client,
    stopping: Stopping,
}

#[derive(Debug)]
struct Shared {
    name: String,
    base: Url,
    pace: Arc<Pace>,
    transport: Transport,
    tally: Arc<Tally>,
}

/// How one exchange ended without failing.
enum Heard {
    Answer(Answer),
    TooLarge(u16),
    /// It holds a secret of ours, and nothing of it is kept.
    Echo(u16),
}

/// How one exchange failed.
enum Broken {
    /// We do not send such a thing.
    Ours(Failure),
    /// It surely never left.
    Never(String),
    /// It may have arrived.
    Lost(&'static str, String),
    /// It did not leave: the run is asked to stop.
    Stopped,
}

/// How a pause ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Woken {
    Rested,
    Stopped,
}

impl Line {
    /// A line to the server under `base`; `name` is the id in the pipeline file.
    pub(crate) fn new(name: &str, base: Url, pace: Arc<Pace>, transport: &Transport) -> Result<Self, Failure> {
        check_base(name, &base)?;
        for (_, secret) in &transport.headers {
            redact::know(secret);
        }
        let client = transport.client(&base, Cookies::Refuse)?;
        let (name, transport) = (name.to_owned(), transport.clone());
        let shared = Arc::new(Shared { name, base, pace, transport, tally: Arc::default() });
        Ok(Self { shared, client, stopping: Stopping::Never })
    }

    /// The same, which knows when the run is asked to stop.
    #[must_use]
    pub(crate) fn stopping(self, stopping: Stopping) -> Self {
        Self { stopping, ..self }
    }

    /// A line to another server that the sign-in needs, made when it is needed; pace, trust and counts are shared.
    pub(super) fn beside(&self, base: Url, road: Road) -> Result<Self, Failure> {
        let Shared { name, pace, transport, tally, .. } = &*self.shared;
        check_base(name, &base)?;
        let mut transport = transport.clone().without_identity();
        match road {
            Road::Configured => {}
            Road::Foreign => transport.headers.clear(),
            Road::Direct => {
                transport.headers.clear();
                transport.proxy = Proxy::None;
            }
        }
        let client = transport.client(&base, Cookies::Refuse)?;
        let (name, pace, tally) = (name.clone(), Arc::clone(pace), Arc::clone(tally));
        let shared = Arc::new(Shared { name, base, pace, transport, tally });
        Ok(Self { shared, client, stopping: self.stopping.clone() })
    }

    /// The same server, pace and counts, with connections and cookies of its own.
    pub(crate) fn session(&self, cookies: Cookies) -> Result<Self, Failure> {
        let client = self.shared.transport.client(self.base(), cookies)?;
        Ok(Self { shared: Arc::clone(&self.shared), client, stopping: self.stopping.clone() })
    }

    /// The base URL.
    pub(crate) fn base(&self) -> &Url {
        &self.shared.base
    }

    /// The pace, for asking how much may run at once.
    pub(crate) fn pace(&self) -> &Arc<Pace> {
        &self.shared.pace
    }

    /// The base URL and a path below it, with or without a leading `/`. A context path of the base is kept.
    pub(crate) fn url(&self, path: &str) -> Url {
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let mut url = self.base().clone();
        url.set_path(&format!("{}/{}", self.base().path().trim_end_matches('/'), path.trim_start_matches('/')));
        url.set_query(query);
        url
    }

    /// Whether a URL that a server told us is still on this server.
    pub(crate) fn same_server(&self, url: &Url) -> bool {
        let base = self.base();
        is_same(base, url)
    }

    /// What was sent so far, by all clones and sessions.
    pub(crate) fn counts(&self) -> Counts {
        self.shared.tally.counts()
    }

    /// Counts parts of a batch that are sent again.
    pub(crate) fn count_retried(&self, parts: u64) {
        self.shared.tally.retried(parts);
    }

    /// Counts parts of a batch that were told to slow down.
    pub(crate) fn count_throttled(&self, parts: u64) {
        self.shared.tally.throttled(parts);
    }

    /// Nobody who shares the pace sends before this much time has passed.
    pub(crate) fn hold(&self, time: Duration) {
        // A long wait in silence looks like a hang.
        if self.shared.pace.hold(time) && time >= WORTH_A_WORD {
            tracing::warn!(
                "{} at {} asked for a pause: nothing is sent there for {}",
                self.shared.name,
                origin(self.base()),
                humantime::format_duration(Duration::from_secs(time.as_secs()))
            );
        }
    }

    /// The pauses of one call, as the `http` entry wants them.
    pub(crate) fn pauses(&self) -> Pauses {
        Pauses::beginning_with(self.shared.transport.retry_pause)
    }

    /// Waits before another try of something that this line does not repeat by itself, such as parts of a batch.
    pub(crate) async fn rest(&self, pauses: &mut Pauses, asked: Option<Duration>) -> Pause {
        let pause = pauses.next(asked);
        match pause {
            Pause::Wait(time) if self.nap(time).await == Woken::Stopped => Pause::Enough,
            pause => pause,
        }
    }

    /// Sleeps before a repetition, unless the run is asked to stop.
    async fn nap(&self, time: Duration) -> Woken {
        tokio::select! {
            biased;
            () = self.stopping.asked() => Woken::Stopped,
            () = self.shared.pace.nap(time) => Woken::Rested,
        }
    }

    /// A read: repeated when the way there broke and on 429, 500, 502, 503, 504 and 509. The last answer is returned
    /// whatever its status.
    pub(crate) async fn read(&self, call: Call) -> Result<Answer, Failure> {
        let (tried, cap) = (call.describe(), call.cap);
        self.read_within_cap(call).await?.ok_or_else(|| {
            Failure::new(FailureKind::Odd, tried, format!("the answer is larger than the {cap} bytes that are taken"))
        })
    }

    /// As [`Line::read`]; `None` when the answer is larger than the call's cap.
    pub(crate) async fn read_within_cap(&self, mut call: Call) -> Result<Option<Answer>, Failure> {
        let mut pauses = self.pauses();
        let mut hops = 0;
        loop {
            let pause = match self.exchange(&call).await {
                Ok(Heard::TooLarge(_)) => return Ok(None),
                Ok(Heard::Echo(status)) => return Err(echo(&call, status)),
                Ok(Heard::Answer(answer)) if is_redirect(&answer) => {
                    hops += 1;
                    call = self.follow(call, &answer, hops)?;
                    continue;
                }
                Ok(Heard::Answer(answer))
                    if call.repeats == Repeats::NoAnswer || !retry::is_transient(answer.status) =>
                {
                    return Ok(Some(answer));
                }
                Ok(Heard::Answer(answer)) => match pauses.next(self.heed(&answer)) {
                    Pause::Wait(time) => time,
                    Pause::Enough => return Ok(Some(answer)),
                    Pause::Blocked => return Err(blocked(&answer)),
                },
                Err(Broken::Ours(failure)) => return Err(failure),
                Err(Broken::Stopped) => return Err(stopped(&call)),
                Err(Broken::Never(found) | Broken::Lost(_, found)) => match pauses.next(None) {
                    Pause::Wait(time) if !hints::is_final(&found) => time,
                    _ => return Err(self.unreachable(&call, &found)),
                },
            };
            if self.nap(pause).await == Woken::Stopped {
                return Err(stopped(&call));
            }
            self.count_retried(1);
        }
    }

    /// A write: sent once, or again after a plain 429. Follows no redirect.
    pub(crate) async fn write(&self, call: Call) -> Sent {
        let mut pauses = self.pauses();
        loop {
            let answer = match self.exchange(&call).await {
                Ok(Heard::Answer(answer)) => answer,
                Ok(Heard::TooLarge(status)) => {
                    return Sent::Lost(fault("answer_too_large", &call, &format!("{status}, a body over the cap")));
                }
                Ok(Heard::Echo(status)) => {
                    return Sent::Lost(Fault::new("secret_given_back", echo(&call, status).to_string()));
                }
                Err(Broken::Ours(failure)) => return Sent::Never(Fault::new("not_sent", failure.to_string())),
                Err(Broken::Stopped) => return Sent::Never(fault("stopped", &call, ASKED)),
                Err(Broken::Never(found)) => return Sent::Never(fault("not_connected", &call, &found)),
                Err(Broken::Lost(code, found)) => return Sent::Lost(fault(code, &call, &found)),
            };
            if answer.status != 429 {
                return Sent::Answer(answer);
            }
            let Pause::Wait(time) = pauses.next(self.heed(&answer)) else { return Sent::Answer(answer) };
            if self.nap(time).await == Woken::Stopped {
                return Sent::Answer(answer);
            }
            self.count_retried(1);
        }
    }

    /// One request and its answer, in turn and counted.
    async fn exchange(&self, call: &Call) -> Result<Heard, Broken> {
        self.check(call).map_err(Broken::Ours)?;
        let mut request = self.dressed(call).map_err(Broken::Ours)?;
        let stamp = call.stamp.map(|header| (header, uuid::Uuid::new_v4().to_string()));
        if let Some((header, id)) = &stamp {
            request = request.header(*header, id);
        }
        let _turn = tokio::select! {
            biased;
            () = self.stopping.no_turn() => return Err(Broken::Stopped),
            turn = self.shared.pace.turn(call.units) => turn,
        };
        let tally = &self.shared.tally;
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() || error.is_builder() => return Err(Broken::Never(reason(&error))),
            Err(error) => {
                tally.sent(call.units);
                return Err(self.lost(call, &error));
            }
        };
        tally.sent(call.units);
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = take_body(response, call.cap).await.map_err(|error| self.lost(call, &error))?;
        // Support of Microsoft asks for exactly these (docs/wire/microsoft-graph.md §6).
        let told = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        tracing::debug!(
            line = %self.shared.name,
            status,
            bytes = body.as_ref().map(Bytes::len),
            id = stamp.as_ref().map(|(_, id)| id.as_str()),
            request_id = told("request-id"),
            date = told("date").filter(|_| stamp.is_some()),
            diagnostic = told("x-ms-ags-diagnostic"),
            "{}",
            call.describe()
        );
        let Some(body) = body else { return Ok(Heard::TooLarge(status)) };
        tally.received(body.len());
        if retry::is_throttled(status) {
            tally.throttled(1);
        } else if let Some(time) = retry::breather(&headers) {
            self.hold(time);
        }
        if !call.returns_secrets && redact::is_echo(&headers, &body) {
            return Ok(Heard::Echo(status));
        }
        Ok(Heard::Answer(Answer::new(status, headers, body, call.describe())))
    }

    fn lost(&self, call: &Call, error: &reqwest::Error) -> Broken {
        if error.is_timeout() {
            let patience = call.patience(self.shared.transport.timeout);
            return Broken::Lost("timed_out", format!("no answer in {} s", patience.as_secs_f32()));
        }
        Broken::Lost("connection_lost", reason(error))
    }

    /// The request with the transport's own headers, which only the configured server is sent.
    fn dressed(&self, call: &Call) -> Result<RequestBuilder, Failure> {
        let transport = &self.shared.transport;
        let mut request = call.request(&self.client, transport.timeout);
        if !self.same_server(&call.url) {
            return Ok(request);
        }
        for (name, secret) in &transport.headers {
            let mut value = HeaderValue::from_str(secret.expose_secret()).map_err(|_| {
                let found = format!("the value of the header `{name}` holds characters that no header can hold");
                Failure::new(FailureKind::Misconfigured, call.describe(), found)
            })?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        Ok(request)
    }

    /// Refuses what must not be sent: a credential to another server, or in the clear.
    fn check(&self, call: &Call) -> Result<(), Failure> {
        if let Some(fault) = &call.fault {
            return Err(Failure::new(FailureKind::Misconfigured, call.describe(), redact(fault)));
        }
        let same = self.same_server(&call.url);
        if call.secret && !same {
            let found = format!("that is not {}: no credential is sent there", origin(self.base()));
            return Err(Failure::new(FailureKind::Odd, call.describe(), found));
        }
        let secret = call.secret || (same && !self.shared.transport.headers.is_empty());
        if secret && call.url.scheme() != "https" && !is_loopback(&call.url) {
            return Err(Failure::new(FailureKind::Misconfigured, call.describe(), "a credential over plain http")
                .hint("write https:// in the base URL; plain http is for this machine only"));
        }
        Ok(())
    }

    /// Tells everybody on this pace what the server asked for.
    fn heed(&self, answer: &Answer) -> Option<Duration> {
        let asked = retry::retry_after(&answer.headers);
        if let Some(time) = asked.filter(|time| *time < retry::BLOCKED && !time.is_zero()) {
            self.hold(time);
        }
        asked
    }

    /// Where a read goes on after a redirect.
    fn follow(&self, call: Call, answer: &Answer, hops: usize) -> Result<Call, Failure> {
        let location = answer.header(LOCATION.as_str()).unwrap_or_default();
        let Ok(url) = call.url.join(location) else {
            return Err(answer.failure(FailureKind::Odd, format!("{}, a redirect to nowhere", answer.status)));
        };
        let found = format!("{}, a redirect to {}", answer.status, safe_url(&url));
        if !self.same_server(&url) {
            return Err(answer.failure(FailureKind::Misconfigured, found).hint(self.moved_hint(&call.url, &url)));
        }
        if hops > HOPS {
            return Err(answer.failure(FailureKind::Odd, format!("{found}, after {HOPS} others")));
        }
        if call.method != Method::GET && !matches!(answer.status, 307 | 308) {
            return Err(answer.failure(FailureKind::Odd, found));
        }
        Ok(call.moved(url))
    }

    /// Names the base URL to write, if the other server has the same path; else it is no move but a gateway.
    fn moved_hint(&self, asked: &Url, location: &Url) -> String {
        let below = asked.path().strip_prefix(self.base().path().trim_end_matches('/')).unwrap_or(asked.path());
        match location.path().strip_suffix(below) {
            Some(context) => format!("the base URL redirects to {}{context}: write that one", origin(location)),
            None => format!("{} answers in its place: a sign-in page or a gateway?", origin(location)),
        }
    }

    fn unreachable(&self, call: &Call, found: &str) -> Failure {
        let failure = Failure::new(FailureKind::Unreachable, call.describe(), redact(found));
        if let Some(hint) = hints::hint(found) {
            return failure.hint(hint);
        }
        if found.starts_with(NO_CONNECTION) {
            return failure.hint("is the address right, and does a firewall or proxy let this machine through? else run again when the server is back");
        }
        failure.hint("it was tried again and again: run again when the server is well")
    }
}

/// A failure for a server that gives back what it was sent.
fn echo(call: &Call, status: u16) -> Failure {
    Failure::new(FailureKind::Odd, call.describe(), format!("{status}, and the answer holds a secret of this pipeline"))
        .hint("the server, or something before it, gives back credentials: nothing of the answer was kept; change that secret")
}

const ASKED: &str = "the run is asked to stop";

fn stopped(call: &Call) -> Failure {
    Failure::new(FailureKind::Stopped, call.describe(), ASKED).hint("run again to go on: what was done is saved")
}

/// A failure for a server that asked for a time no run can wait.
fn blocked(answer: &Answer) -> Failure {
    let asked = format!("{}, Retry-After: {}", answer.status, answer.header("retry-after").unwrap_or_default());
    if !retry::is_throttled(answer.status) {
        return answer.failure(FailureKind::Unreachable, format!("{asked}: down for longer")).hint("run again later");
    }
    answer
        .failure(FailureKind::Refused, format!("{asked}: blocked by rate limiting"))
        .hint("an administrator of that server has to exempt this account from rate limiting, or raise its limit; a vendor's cloud wants less: lower `units` of the rate, and run again after that time")
}

/// The body, or `None` if it is larger than the cap. Stops reading there.
async fn take_body(mut response: Response, cap: usize) -> Result<Option<Bytes>, reqwest::Error> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    if announced > cap {
        return Ok(None);
    }
    let mut body = BytesMut::with_capacity(announced);
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > cap {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body.freeze()))
}

fn fault(code: &str, call: &Call, found: &str) -> Fault {
    Fault::new(code, format!("{}: {}", call.describe(), redact(found)))
}

/// Why a request failed, in the words of the innermost cause; the outer ones say only that it failed.
pub(super) fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return if error.is_connect() { format!("{NO_CONNECTION} in time") } else { "no answer in time".to_owned() };
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let words = innermost.to_string();
    // What the TLS library puts before words of our own.
    let words = words.strip_prefix("unexpected error: ").unwrap_or(&words);
    match error.source() {
        Some(_) if error.is_connect() => redact(&format!("{NO_CONNECTION}: {words}")),
        Some(_) => redact(words),
        // The only text that could name the URL with its query.
        None => "the request could not be made".to_owned(),
    }
}

fn is_redirect(answer: &Answer) -> bool {
    matches!(answer.status, 301 | 302 | 303 | 307 | 308)
}
