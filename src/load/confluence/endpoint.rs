//! The script that we ship, as one of the two ways to set another person's picture (`pipelines/confluence-endpoint.groovy`).
//!
//! Owns: its calls, what to do where it is missing or closed, yes and no of each answer.
//! Leaves to others: the other way (`remote_api.rs`), what is recorded around a call (`session.rs`).
//! A newcomer gets wrong: it stores and selects in one transaction, so it never leaves a picture behind that is not shown.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use url::Url;

use crate::http::{Failure, FailureKind, Request, Response};
use crate::load::WriteError;
use crate::load::atlassian::client::{found, with_query};
use crate::load::atlassian::login::{Anonymous, contains};
use crate::model::{Fault, PictureRef, Rendition};
use crate::secret::server_message;

use super::answer::{CAP, CHANGED, Whom, judged, sent, unsaid};
use super::client::ConfluenceClient;
use super::wire::Endpoint;

/// What it takes.
pub(super) const BYTES: usize = 5 * 1024 * 1024;
/// The version of its contract that is spoken here.
const CONTRACT: u32 = 1;
const INSTALL: &str = "install `pipelines/confluence-endpoint.groovy` in ScriptRunner as it says at its top, or write \
    `upload: xmlrpc`";

/// Asks whether it is there and lets us in.
pub(super) async fn probe(client: &ConfluenceClient, path: &str) -> Result<(), Failure> {
    let response = client.atlassian().read(client.atlassian().http().url(path)).await?;
    let said: Endpoint = serde_json::from_slice(&response.body).unwrap_or_default();
    match (response.status, said.version) {
        (200, Some(CONTRACT)) if said.endpoint.as_deref() == Some("avatarpipe") => Ok(()),
        (200, Some(version)) => {
            let found = format!("version {version} of the endpoint's contract, not {CONTRACT}");
            Err(response.failure(FailureKind::Misconfigured, found).hint(INSTALL))
        }
        (200, None) => Err(response.failure(FailureKind::Odd, response.excerpt()).hint(INSTALL)),
        _ => Err(not_let_in(&response, &said).unwrap_or_else(|| client.failed(&response))),
    }
}

/// The failure of a server whose endpoint is missing, or open to others only.
fn not_let_in(response: &Response, said: &Endpoint) -> Option<Failure> {
    match (response.status, said.error.as_deref()) {
        (403, word) => {
            let words = said.message.as_deref().or(word).map_or_else(|| found(response), server_message);
            Some(response.failure(FailureKind::Refused, format!("403: {words}")).hint(
                "put the account into the group that the script names in `GROUPS`, and make it a Confluence administrator",
            ))
        }
        (404 | 405, None) => {
            let found = format!("{}, the endpoint is not installed", response.status);
            Some(response.failure(FailureKind::Refused, found).hint(INSTALL))
        }
        _ => None,
    }
}

/// Stores the picture under this name with the person, and shows it. `seen` is the path that is shown now.
pub(super) async fn add(
    client: &ConfluenceClient,
    path: &str,
    whom: Whom<'_>,
    file: &PictureRef,
    rendition: &Rendition,
    seen: Option<&str>,
) -> Result<(), WriteError> {
    let mut more = vec![("name", file.as_str())];
    more.extend(seen.map(|path| ("seen", path)));
    let body = json!({ "type": rendition.media_type.word(), "picture": STANDARD.encode(&rendition.bytes) });
    let request = Request::post(url(client, path, whom, &more)).json(&body);
    let (response, said) = post(client, whom, request).await?;
    let shown = said.is_default == Some(false) && said.file.as_deref() == Some(file.as_str());
    if shown { Ok(()) } else { Err(unsaid(&response)) }
}

/// Shows the default; no file is removed. `seen` is the path that is shown now.
pub(super) async fn reset(
    client: &ConfluenceClient,
    path: &str,
    whom: Whom<'_>,
    default: &str,
    seen: Option<&str>,
) -> Result<(), WriteError> {
    let mut more = vec![("action", "default"), ("path", default)];
    more.extend(seen.map(|path| ("seen", path)));
    let (response, said) = post(client, whom, Request::post(url(client, path, whom, &more))).await?;
    if said.is_default == Some(true) { Ok(()) } else { Err(unsaid(&response)) }
}

/// Takes a file away; one that is gone already is as good.
pub(super) async fn remove(
    client: &ConfluenceClient,
    path: &str,
    whom: Whom<'_>,
    file: &PictureRef,
) -> Result<(), WriteError> {
    let request = Request::delete(url(client, path, whom, &[("name", file.as_str())]));
    let (response, said) = post(client, whom, request).await?;
    if said.removed.is_some() { Ok(()) } else { Err(unsaid(&response)) }
}

/// It compares both name and key.
fn url(client: &ConfluenceClient, path: &str, whom: Whom<'_>, more: &[(&str, &str)]) -> Url {
    let who = [("user", whom.name), ("key", whom.key.as_str())];
    with_query(client.atlassian().http().url(path), &[&who, more].concat())
}

/// A call of the endpoint that changes something, sent once.
async fn post(client: &ConfluenceClient, whom: Whom<'_>, request: Request) -> Result<(Response, Endpoint), WriteError> {
    let response = sent(client, request.cap(CAP)).await?;
    client.atlassian().circuit_breaker().check(&response, Anonymous::Refused)?;
    let said: Endpoint = serde_json::from_slice(&response.body).unwrap_or_default();
    if response.status == 200 {
        return match said.key.as_deref() {
            // A script that does not compare keys wrote to whoever had the name by then.
            Some(key) if key != whom.key.as_str() => {
                let words =
                    format!("{}: it was done to another account, of the key {}", response.tried(), server_message(key));
                Err(WriteError::Unknown(Fault::new("wrong_account", words)))
            }
            _ => Ok((response, said)),
        };
    }
    if let Some(failure) = not_let_in(&response, &said).filter(|_| !contains(&response.body, "XSRF")) {
        return Err(WriteError::Stop(failure));
    }
    let words = said.message.as_deref().map_or_else(|| found(&response), server_message);
    Err(match (response.status, said.error.as_deref()) {
        (409, Some(CHANGED)) => WriteError::Refused(Fault::new(CHANGED, words)),
        (409, Some(word)) => WriteError::Refused(Fault::new(server_message(word), words)),
        _ => judged(client, &response).await,
    })
}
