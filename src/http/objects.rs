//! The way to an object store: what the `object_store` crate wants to send goes through our own clients.
//!
//! Owns: one client for each server that the crate talks to, and the latest time that a server told.
//! Leaves to others: what is asked (`object_store` makes and signs the requests), what is kept there (`bucket`).
//! A newcomer gets wrong: the crate's own transport is not compiled in, and its repetitions are switched off: a read is
//! repeated here as any other, and a conditional write by whoever can tell whether the first one arrived.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Add as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use http_body_util::{BodyExt as _, Full};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use reqwest::Method;
use url::Url;

use super::client::Route;
use super::retry;
use super::{Client, ClientSettings, Counts, Failure, FailureKind, Request, Response, Sent};
use crate::model::Fault;
use crate::secret::server_message;

/// The largest answer; what is larger is read in parts.
pub(crate) const LARGEST_PART: usize = 8 << 20;

/// Where a machine asks who it is: through no proxy, which would answer for itself.
const METADATA: [&str; 3] = ["169.254.169.254", "169.254.170.2", "metadata.google.internal"];

/// The way to the servers of one store. Clones share clients and time.
#[derive(Clone, Debug)]
pub(crate) struct ObjectsWay(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: ClientSettings,
    clients: Mutex<BTreeMap<String, Client>>,
    told: Mutex<Option<SystemTime>>,
    bytes_sent: AtomicU64,
}

/// What went to and from the servers of one store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// Requests that left, repeated ones included.
    pub(crate) requests: u64,
    /// Of bodies.
    pub(crate) bytes_sent: u64,
    /// Of bodies.
    pub(crate) bytes_received: u64,
}

impl ObjectsWay {
    /// With the pace, trust and proxy of these settings.
    pub(crate) fn new(settings: ClientSettings) -> Self {
        let (clients, told, bytes_sent) = Default::default();
        Self(Arc::new(Shared { settings, clients, told, bytes_sent }))
    }

    /// To whoever issues tokens for the store.
    pub(crate) fn sign_in_client(&self, base: &Url) -> Result<Client, Failure> {
        self.0.settings.sign_in_client(base)
    }

    /// Rests before a repetition, unless the run is asked to stop; whether it may be sent.
    pub(crate) async fn rests(&self, time: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.0.settings.stopping.asked() => false,
            () = tokio::time::sleep(time) => true,
        }
    }

    /// What was sent to all servers of the store so far.
    pub(crate) fn counts(&self) -> Counts {
        lock(&self.0.clients).values().map(Client::counts).fold(Counts::default(), std::ops::Add::add)
    }

    /// The latest time that the store told; ours may be hours off.
    pub(crate) fn server_time(&self) -> Option<SystemTime> {
        *lock(&self.0.told)
    }

    /// What went over the wire so far.
    pub(crate) fn traffic(&self) -> Traffic {
        let counts = lock(&self.0.clients).values().map(Client::counts).fold(Counts::default(), Counts::add);
        Traffic {
            requests: counts.sent,
            bytes_sent: self.0.bytes_sent.load(Ordering::Relaxed),
            bytes_received: counts.bytes_received,
        }
    }

    /// The client of the server that a request is for.
    fn client(&self, url: &Url) -> Result<Client, Failure> {
        let mut base = url.clone();
        base.set_path("/");
        base.set_query(None);
        let mut clients = lock(&self.0.clients);
        if let Some(client) = clients.get(base.as_str()) {
            return Ok(client.clone());
        }
        let mut client = self.0.settings.client(&base)?;
        if base.host_str().is_some_and(|host| METADATA.contains(&host)) {
            client = client.beside(base.clone(), Route::Direct)?;
        }
        clients.insert(base.into(), client.clone());
        Ok(client)
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let (parts, body) = request.into_parts();
        let uri = parts.uri.to_string();
        let url: Url = uri.parse().map_err(|_| Failure::new(FailureKind::Misconfigured, &uri, "it is no URL"))?;
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return Err(Failure::new(FailureKind::Odd, &uri, error.to_string())),
        };
        let client = self.client(&url)?;
        let asks_the_machine = url.host_str().is_some_and(|host| METADATA.contains(&host));
        self.0.bytes_sent.fetch_add(body.len() as u64, Ordering::Relaxed);
        let reads = matches!(parts.method, Method::GET | Method::HEAD);
        let request = Request::as_made(parts.method, url, parts.headers, body).cap(2 * LARGEST_PART);
        let tried = request.describe();
        let response = if reads {
            client.read(request).await.map_err(|failure| match asks_the_machine {
                true => no_credentials(&failure.tried, &failure.found),
                false => failure,
            })?
        } else {
            match client.write(request).await {
                Sent::Response(response) => {
                    // Whoever sends it again waits for that.
                    client.heed(retry::retry_after(&response.headers).filter(|_| retry::is_transient(response.status)));
                    response
                }
                Sent::Lost(Fault { message, .. }) | Sent::Never(Fault { message, .. }) if asks_the_machine => {
                    return Err(no_credentials(&tried, &message));
                }
                Sent::Lost(Fault { message, .. }) | Sent::Never(Fault { message, .. }) => {
                    return Err(Failure::new(FailureKind::Unreachable, tried, message));
                }
            }
        };
        // What it says of too many questions, or of itself, passes.
        if asks_the_machine && (400..500).contains(&response.status) && response.status != 429 {
            return Err(no_credentials(&tried, &response.status.to_string()));
        }
        if let Some(time) = response.server_time() {
            let mut told = lock(&self.0.told);
            *told = (*told).max(Some(time));
        }
        Ok(answer(response))
    }
}

/// For who asked the machine, since nothing else says who we are, and is told nothing.
fn no_credentials(tried: &str, found: &str) -> Failure {
    Failure::new(FailureKind::Misconfigured, format!("find credentials for the bucket: {tried}"), found).hint(
        "neither the pipeline file nor a variable has any, so this machine was asked for its own, and has none: write `credential` beside \
         its URL, or set the variables (of Amazon S3 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)",
    )
}

fn answer(response: Response) -> HttpResponse {
    let body = Full::new(response.body).map_err(|never| match never {});
    let mut answer = HttpResponse::new(HttpResponseBody::new(body));
    *answer.status_mut() = reqwest::StatusCode::from_u16(response.status).unwrap_or_default();
    *answer.headers_mut() = response.headers;
    answer
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl HttpConnector for ObjectsWay {
    fn connect(&self, _: &object_store::ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for ObjectsWay {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.exchange(request).await.map_err(|failure| HttpError::new(HttpErrorKind::Unknown, failure))
    }
}

/// What went wrong with an object, in the words of a failure: our own where it never came to an answer.
pub(crate) fn failure(tried: &str, error: &object_store::Error) -> Failure {
    let mut found = String::new();
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return failure.clone();
        }
        found.clear();
        // The innermost says it; the others only wrap it in the names of types.
        _ = write!(found, "{error}");
        cause = error.source();
    }
    let kind = match error {
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            FailureKind::Refused
        }
        object_store::Error::NotFound { .. }
        | object_store::Error::InvalidPath { .. }
        | object_store::Error::UnknownConfigurationKey { .. } => FailureKind::Misconfigured,
        // It would be so with every write.
        _ if found.contains("ETag") => FailureKind::Misconfigured,
        // A listing that is refused has no kind of its own.
        _ => match status(&found) {
            Some("401" | "403") => FailureKind::Refused,
            Some("404") => FailureKind::Misconfigured,
            _ => FailureKind::Unreachable,
        },
    };
    // Some stores give back all that they were sent.
    Failure::new(kind, tried, server_message(&found))
}

/// The status in what the crate says of an answer.
fn status(found: &str) -> Option<&str> {
    found.split_once("non-2xx status code: ")?.1.get(..3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_credentials_are_told_as_that_through_all_that_wraps_it() {
        let told = no_credentials("GET http://169.254.169.254/latest/meta-data/", "403");
        let source = Box::new(HttpError::new(HttpErrorKind::Unknown, told));
        let told = failure("list s3://avatars/a", &object_store::Error::Generic { store: "S3", source });
        assert_eq!(told.kind, FailureKind::Misconfigured, "exit code 2, and no refusal of the store");
        let words = told.to_string();
        for expected in ["find credentials for the bucket", "403", "AWS_ACCESS_KEY_ID", "`credential`"] {
            assert!(words.contains(expected), "{words}");
        }
    }
}
