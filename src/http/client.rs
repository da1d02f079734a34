//! One server under one base URL: the only place where a request leaves the program.
//!
//! Owns: reads with their repetitions and redirects, writes with their single chance, who may be sent a credential,
//! what is counted.
//! Leaves to others: what the answers mean (`extract`, `load`).
//! A newcomer gets wrong: `write` repeats nothing but a plain 429. Anything else that went wrong on the way may have
//! arrived, and only looking at the server tells (docs/write-protocols.md).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderValue, LOCATION};
use reqwest::{Client as HttpClient, Method, RequestBuilder};
use tracing::{Instrument as _, Span};
use url::Url;

use super::attempt::{
    ASKED, Attempt, Broken, blocked, echo, fault, gives_a_secret_back, is_redirect, stopped, take_body,
};
use super::counts::RequestCounter;
use super::hints::{self, NO_CONNECTION, reason};
use super::jar::{SessionJar, SessionJars};
use super::origin::{check_base, is_loopback, is_same, origin};
use super::outage::{Outage, Silence};
use super::request::Repeats;
use super::retry::{self, Pause, Pauses};
use super::stopping::Stopping;
use super::{Cookies, Counts, Failure, FailureKind, RateLimit, Request, Response, Sent};
use crate::model::Fault;
use crate::secret::{redact, safe_url};
use crate::settings::{Http, Proxy};

/// A pause this long is told of.
const WORTH_A_WORD: Duration = Duration::from_secs(60);

/// How a try that took too long is told.
const NO_ANSWER: &str = "no answer in";

/// Redirects that a read follows.
const HOPS: usize = 3;

/// Which way a line beside another one goes. None of them shows the client certificate: that is for the configured products,
/// and whoever issues tokens is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// To an endpoint of the pipeline file: as the other one.
    Configured,
    /// To a server that something else names: without the extra headers, which are for the configured ones.
    Foreign,
    /// As `Foreign`, and through no proxy.
    Direct,
}

/// One server under one base URL. Clones share pace and counts.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    shared: Arc<ClientParts>,
    http_client: HttpClient,
    /// The cookies of this session, where it keeps any.
    jar: Option<Arc<SessionJar>>,
    stopping: Stopping,
}

#[derive(Debug)]
struct ClientParts {
    name: String,
    base: Url,
    rate_limit: Arc<RateLimit>,
    http: Http,
    counter: Arc<RequestCounter>,
    outage: Outage,
    jars: SessionJars,
}

/// How a pause ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Woken {
    Rested,
    Stopped,
}

impl Client {
    /// A client of the server under `base`; `name` is the id in the pipeline file.
    pub(crate) fn new(name: &str, base: Url, rate_limit: Arc<RateLimit>, http: &Http) -> Result<Self, Failure> {
        check_base(name, &base)?;
        let http_client = http.http_client(&base, None)?;
        let (name, http) = (name.to_owned(), http.clone());
        let outage = Outage::default();
        let shared = Arc::new(ClientParts {
            name,
            base,
            rate_limit,
            http,
            counter: Arc::default(),
            outage,
            jars: SessionJars::default(),
        });
        Ok(Self { shared, http_client, jar: None, stopping: Stopping::Never })
    }

    /// The same, which knows when the run is asked to stop.
    #[must_use]
    pub(crate) fn stopping(self, stopping: Stopping) -> Self {
        Self { stopping, ..self }
    }

    /// A line to another server that the sign-in needs, made when it is needed; pace, trust and counts are shared.
    pub(super) fn beside(&self, base: Url, route: Route) -> Result<Self, Failure> {
        let ClientParts { name, rate_limit, http, counter, .. } = &*self.shared;
        check_base(name, &base)?;
        let mut http = http.clone().without_identity();
        match route {
            Route::Configured => {}
            Route::Foreign => http.headers.clear(),
            Route::Direct => {
                http.headers.clear();
                http.proxy = Proxy::None;
            }
        }
        let http_client = http.http_client(&base, None)?;
        let (name, rate_limit, counter) = (name.clone(), Arc::clone(rate_limit), Arc::clone(counter));
        let outage = Outage::default();
        let shared =
            Arc::new(ClientParts { name, base, rate_limit, http, counter, outage, jars: SessionJars::default() });
        Ok(Self { shared, http_client, jar: None, stopping: self.stopping.clone() })
    }

    /// The same server, pace and counts, with connections and cookies of its own.
    pub(crate) fn session(&self, cookies: Cookies) -> Result<Self, Failure> {
        let jar = (cookies == Cookies::Keep).then(|| self.shared.jars.open());
        let http_client = self.shared.http.http_client(self.base(), jar.as_ref())?;
        Ok(Self { shared: Arc::clone(&self.shared), http_client, jar, stopping: self.stopping.clone() })
    }

    /// How often the server began another session here. A session cookie that changes is another session.
    pub(crate) fn turn(&self) -> u64 {
        self.jar.as_ref().map_or(0, |jar| jar.turn())
    }

    /// Fails if another session in use was given the cookie of this one: the server takes both for one client.
    pub(crate) fn alone(&self) -> Result<(), Failure> {
        if !self.jar.as_ref().is_some_and(|jar| self.shared.jars.share(jar)) {
            return Ok(());
        }
        let tried = format!("a session with {}", self.base());
        Err(Failure::new(FailureKind::Odd, tried, "two sessions were given one and the same session cookie")
            .hint("sessions are mixed up on the way: look for a proxy that caches or shares cookies between clients"))
    }

    /// The id in the pipeline file.
    pub(crate) fn name(&self) -> &str {
        &self.shared.name
    }

    /// The base URL.
    pub(crate) fn base(&self) -> &Url {
        &self.shared.base
    }

    /// The pace, for asking how much may run at once.
    pub(crate) fn rate_limit(&self) -> &Arc<RateLimit> {
        &self.shared.rate_limit
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
        self.shared.counter.counts()
    }

    /// Counts parts of a batch that are sent again.
    pub(crate) fn count_retried(&self, parts: u64) {
        self.shared.counter.retried(parts);
    }

    /// Counts parts of a batch that were told to slow down.
    pub(crate) fn count_throttled(&self, parts: u64) {
        self.shared.counter.throttled(parts);
    }

    /// Nobody who shares the pace sends before this much time has passed.
    fn hold(&self, time: Duration) {
        // A long wait in silence looks like a hang.
        if self.shared.rate_limit.hold(time) && time >= WORTH_A_WORD {
            tracing::warn!(
                "{} at {} asked for a pause: nothing is sent there for {}, until {}",
                self.shared.name,
                origin(self.base()),
                humantime::format_duration(Duration::from_secs(time.as_secs())),
                humantime::format_rfc3339_seconds(std::time::SystemTime::now() + time)
            );
        }
    }

    /// The pauses of one call, as the `http` entry wants them.
    pub(crate) fn pauses(&self) -> Pauses {
        Pauses::beginning_with(self.shared.http.retry_pause)
    }

    /// Waits before another try of something that this line does not repeat by itself, such as parts of a batch. The pause
    /// that the server asked for holds for everybody on this pace.
    pub(crate) async fn rest(&self, pauses: &mut Pauses, asked: Option<Duration>) -> Pause {
        self.heed(asked);
        let pause = pauses.next(asked);
        match pause {
            Pause::Wait(time) if self.pause(time).await == Woken::Stopped => Pause::Enough,
            pause => pause,
        }
    }

    /// Sleeps before a repetition, unless the run is asked to stop.
    async fn pause(&self, time: Duration) -> Woken {
        tokio::select! {
            biased;
            () = self.stopping.asked() => Woken::Stopped,
            () = self.shared.rate_limit.pause(time).instrument(tracing::trace_span!("pause")) => Woken::Rested,
        }
    }

    /// A read: repeated when the way there broke and on 429, 500, 502, 503, 504 and 509. The last answer is returned
    /// whatever its status.
    pub(crate) async fn read(&self, request: Request) -> Result<Response, Failure> {
        let (tried, cap) = (request.describe(), request.cap);
        self.read_within_cap(request).await?.ok_or_else(|| {
            Failure::new(FailureKind::Odd, tried, format!("the answer is larger than the {cap} bytes that are taken"))
        })
    }

    /// As [`Client::read`]; `None` when the answer is larger than the call's cap.
    pub(crate) async fn read_within_cap(&self, request: Request) -> Result<Option<Response>, Failure> {
        let span = self.span(&request);
        self.read_until_it_is_well(request).instrument(span).await
    }

    async fn read_until_it_is_well(&self, mut request: Request) -> Result<Option<Response>, Failure> {
        let mut pauses = self.pauses();
        let (mut hops, mut failed) = (0, 0);
        loop {
            let (pause, found, silence) = match self.exchange(&request).await {
                Ok(Attempt::TooLarge(_)) => return Ok(None),
                Ok(Attempt::Echo(failure)) => return Err(failure),
                Ok(Attempt::Response(response)) if is_redirect(&response) => {
                    hops += 1;
                    request = self.follow(request, &response, hops)?;
                    continue;
                }
                Ok(Attempt::Response(response))
                    if request.repeats == Repeats::NoAnswer || !retry::is_transient(response.status) =>
                {
                    self.shared.outage.is_over();
                    return Ok(Some(response));
                }
                Ok(Attempt::Response(response)) => {
                    let busy = retry::is_throttled(response.status);
                    let silence = (!busy).then_some(Silence::NoGoodAnswer);
                    match pauses.next(self.heed(retry::retry_after(&response.headers))) {
                        Pause::Wait(time) => (time, response.status.to_string(), silence),
                        Pause::Enough => return Ok(Some(response)),
                        Pause::Blocked => return Err(blocked(&response)),
                    }
                }
                Err(Broken::Ours(failure)) => return Err(failure),
                Err(Broken::Stopped) => return Err(stopped(&request)),
                Err(Broken::Never(found) | Broken::Lost(_, found)) => match pauses.next(None) {
                    Pause::Wait(time) if !hints::is_final(&found) => (time, found, Some(Silence::NoAnswer)),
                    _ => return Err(self.unreachable(&request, &found)),
                },
            };
            repeats_in(pause, &found);
            failed += 1;
            if let Some(silence) = silence {
                self.tell_of_outage(failed, silence, &request, &found);
            }
            if self.pause(pause).await == Woken::Stopped {
                return Err(stopped(&request));
            }
            self.count_retried(1);
        }
    }

    /// A minute of silence looks like a hang.
    fn tell_of_outage(&self, failed: u32, silence: Silence, request: &Request, found: &str) {
        let ClientParts { name, http, outage, .. } = &*self.shared;
        let each = if found.starts_with(NO_ANSWER) { request.patience(http.timeout) } else { Duration::ZERO };
        if let Some(word) = outage.word(failed, silence, http.retry_pause, each) {
            tracing::warn!("{name} at {}: {}: {word}", origin(&request.url), redact(found));
        }
    }

    /// A write: sent once, or again after a plain 429. Follows no redirect.
    pub(crate) async fn write(&self, request: Request) -> Sent {
        let span = self.span(&request);
        self.write_once(request).instrument(span).await
    }

    async fn write_once(&self, request: Request) -> Sent {
        let mut pauses = self.pauses();
        loop {
            let response = match self.exchange(&request).await {
                Ok(Attempt::Response(response)) => response,
                Ok(Attempt::TooLarge(status)) => {
                    return Sent::Lost(fault("answer_too_large", &request, &format!("{status}, a body over the cap")));
                }
                Ok(Attempt::Echo(failure)) => {
                    return Sent::Lost(Fault::new("secret_given_back", failure.to_string()));
                }
                Err(Broken::Ours(failure)) => return Sent::Never(Fault::new("not_sent", failure.to_string())),
                Err(Broken::Stopped) => return Sent::Never(fault("stopped", &request, ASKED)),
                Err(Broken::Never(found)) => return Sent::Never(fault("not_connected", &request, &found)),
                Err(Broken::Lost(code, found)) => return Sent::Lost(fault(code, &request, &found)),
            };
            if response.status != 429 {
                return Sent::Response(response);
            }
            let Pause::Wait(time) = pauses.next(self.heed(retry::retry_after(&response.headers))) else {
                return Sent::Response(response);
            };
            repeats_in(time, "429");
            if self.pause(time).await == Woken::Stopped {
                return Sent::Response(response);
            }
            self.count_retried(1);
        }
    }

    /// Whose lines are logged. The URL is not in it: it may name a person, which only `-vv` does.
    fn span(&self, request: &Request) -> Span {
        tracing::error_span!("request", endpoint = %self.shared.name, method = %request.method)
    }

    /// One request and its answer, in turn and counted.
    async fn exchange(&self, request: &Request) -> Result<Attempt, Broken> {
        self.check(request).map_err(Broken::Ours)?;
        let mut http_request = self.dressed(request).map_err(Broken::Ours)?;
        let stamp = request.stamp.map(|header| (header, uuid::Uuid::new_v4().to_string()));
        if let Some((header, id)) = &stamp {
            http_request = http_request.header(*header, id);
        }
        let _turn = tokio::select! {
            biased;
            () = self.stopping.no_turn() => return Err(Broken::Stopped),
            turn = self.shared.rate_limit.turn(request.units).instrument(tracing::trace_span!("wait")) => turn,
        };
        // At the last moment: a machine may have slept while this waited.
        if !self.stopping.permits() {
            return Err(Broken::Stopped);
        }
        let counter = &self.shared.counter;
        let http_response = match http_request.send().await {
            Ok(http_response) => http_response,
            Err(error) if error.is_connect() || error.is_builder() => return Err(Broken::Never(reason(&error))),
            Err(error) => {
                counter.sent(request.units);
                return Err(self.lost(request, &error));
            }
        };
        counter.sent(request.units);
        let (status, headers) = (http_response.status().as_u16(), http_response.headers().clone());
        let body = take_body(http_response, request.cap).await.map_err(|error| self.lost(request, &error))?;
        let gives_back = gives_a_secret_back(request, status, &headers, body.as_deref().unwrap_or_default());
        // Support of Microsoft asks for exactly these (docs/wire/microsoft-graph.md §6).
        let told = |name: &str| headers.get(name).filter(|_| !gives_back).and_then(|value| value.to_str().ok());
        tracing::debug!(
            status,
            bytes = body.as_ref().map(Bytes::len),
            id = stamp.as_ref().map(|(_, id)| id.as_str()),
            request_id = told("request-id"),
            date = told("date").filter(|_| stamp.is_some()),
            diagnostic = told("x-ms-ags-diagnostic"),
            "{}",
            request.describe()
        );
        let Some(body) = body else { return Ok(Attempt::TooLarge(status)) };
        counter.received(body.len());
        if retry::is_throttled(status) {
            counter.throttled(1);
        } else if let Some(time) = retry::breather(&headers) {
            self.hold(time);
        }
        if gives_back {
            return Ok(Attempt::Echo(echo(request, status, &body)));
        }
        Ok(Attempt::Response(Response::new(status, headers, body, request.describe())))
    }

    fn lost(&self, request: &Request, error: &reqwest::Error) -> Broken {
        if error.is_timeout() {
            let patience = request.patience(self.shared.http.timeout);
            return Broken::Lost("timed_out", format!("{NO_ANSWER} {} s", patience.as_secs_f32()));
        }
        Broken::Lost("connection_lost", reason(error))
    }

    /// The request with the file's own headers, which only the configured server is sent.
    fn dressed(&self, request: &Request) -> Result<RequestBuilder, Failure> {
        let http = &self.shared.http;
        let mut http_request = request.http_request(&self.http_client, http.timeout);
        if !self.same_server(&request.url) {
            return Ok(http_request);
        }
        for (name, secret) in &http.headers {
            let mut value = HeaderValue::from_str(secret.expose()).map_err(|_| {
                let found =
                    format!("the value of the header `{}` holds characters that no header can hold", name.as_str());
                Failure::new(FailureKind::Misconfigured, request.describe(), found)
            })?;
            value.set_sensitive(true);
            http_request = http_request.header(name.as_str(), value);
        }
        Ok(http_request)
    }

    /// Refuses what must not be sent: a credential to another server, or in the clear.
    fn check(&self, request: &Request) -> Result<(), Failure> {
        if let Some(fault) = &request.fault {
            return Err(Failure::new(FailureKind::Misconfigured, request.describe(), redact(fault)));
        }
        let same = self.same_server(&request.url);
        if request.secret && !same {
            let found = format!("that is not {}: no credential is sent there", origin(self.base()));
            return Err(Failure::new(FailureKind::Odd, request.describe(), found));
        }
        let secret = request.secret || (same && !self.shared.http.headers.is_empty());
        if secret && request.url.scheme() != "https" && !is_loopback(&request.url) {
            return Err(Failure::new(FailureKind::Misconfigured, request.describe(), "a credential over plain http")
                .hint("write https:// in the base URL; plain http is for this machine only"));
        }
        Ok(())
    }

    /// Tells everybody on this pace what the server asked for.
    pub(super) fn heed(&self, asked: Option<Duration>) -> Option<Duration> {
        if let Some(time) = asked.filter(|time| *time < retry::BLOCKED && !time.is_zero()) {
            self.hold(time);
        }
        asked
    }

    /// Where a read goes on after a redirect.
    fn follow(&self, request: Request, response: &Response, hops: usize) -> Result<Request, Failure> {
        let location = response.header(LOCATION.as_str()).unwrap_or_default();
        let Ok(url) = request.url.join(location) else {
            return Err(response.failure(FailureKind::Odd, format!("{}, a redirect to nowhere", response.status)));
        };
        let found = format!("{}, a redirect to {}", response.status, safe_url(&url));
        if !self.same_server(&url) {
            return Err(response.failure(FailureKind::Misconfigured, found).hint(self.moved_hint(&request.url, &url)));
        }
        if hops > HOPS {
            return Err(response.failure(FailureKind::Odd, format!("{found}, after {HOPS} others")));
        }
        if request.method != Method::GET && !matches!(response.status, 307 | 308) {
            return Err(response.failure(FailureKind::Odd, found));
        }
        Ok(request.moved(url))
    }

    /// Names the base URL to write, if the other server has the same path; else it is no move but a gateway.
    fn moved_hint(&self, asked: &Url, location: &Url) -> String {
        let below = asked.path().strip_prefix(self.base().path().trim_end_matches('/')).unwrap_or(asked.path());
        match location.path().strip_suffix(below) {
            Some(context) => format!("the base URL redirects to {}{context}: write that one", origin(location)),
            None => format!("{} answers in its place: a sign-in page or a gateway?", origin(location)),
        }
    }

    fn unreachable(&self, request: &Request, found: &str) -> Failure {
        let failure = Failure::new(FailureKind::Unreachable, request.describe(), redact(found));
        if let Some(hint) = hints::hint(found) {
            return failure.hint(hint);
        }
        if found.starts_with(NO_CONNECTION) {
            return failure.hint("is the address right, and does a firewall or proxy let this machine through? else run again when the server is back");
        }
        failure.hint("it was tried again and again: run again when the server is well")
    }
}

fn repeats_in(pause: Duration, found: &str) {
    let pause = Duration::from_millis(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
    tracing::info!(found, "asking again in {}", humantime::format_duration(pause));
}
