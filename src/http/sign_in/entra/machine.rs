//! The managed identity of an Azure machine (docs/wire/microsoft-graph.md §1.4).
//!
//! Owns: the request to the metadata service, and its own pauses. Leaves to others: keeping the token (`sign_in`).
//! A newcomer gets wrong: it speaks plain http on purpose and is never asked through a proxy; every number in its
//! answer is a string.

use std::time::Duration;

use serde::Deserialize;

use crate::http::sign_in::Granted;
use crate::http::{Client, Failure, FailureKind, Request, Response, is_transient};
use crate::secret::Secret;

/// The vendor's pauses between tries, in seconds.
const PAUSES: [u64; 5] = [0, 2, 6, 14, 30];

/// The service is being updated, and back within this time.
const UPDATING: Duration = Duration::from_secs(70);

#[derive(Deserialize)]
struct MachineToken {
    access_token: Secret,
    expires_in: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MetadataError {
    error: String,
    error_description: String,
}

/// Asks the metadata service for a token; `client` leads there directly.
pub(super) async fn ask(client: &Client, resource: &str, client_id: Option<&str>) -> Result<Granted, Failure> {
    let mut url = client.url("metadata/identity/oauth2/token");
    url.query_pairs_mut().append_pair("api-version", "2018-02-01").append_pair("resource", resource);
    if let Some(id) = client_id {
        url.query_pairs_mut().append_pair("client_id", id);
    }
    let request = Request::get(url).returns_secrets().header("Metadata", "true").judged_by_caller();
    let mut pauses = PAUSES.into_iter().map(Duration::from_secs);
    loop {
        let response = client.read(request.clone()).await.map_err(not_here)?;
        if response.status == 200 {
            return granted(&response);
        }
        let waits = response.status == 404 || response.status == 410 || is_transient(response.status);
        match pauses.next().filter(|_| waits) {
            Some(pause) => {
                client.count_retried(1);
                client.rate_limit().pause(if response.status == 410 { UPDATING } else { pause }).await;
            }
            None => return Err(refused(&response)),
        }
    }
}

fn granted(response: &Response) -> Result<Granted, Failure> {
    let token: MachineToken = response.json()?;
    let seconds = token
        .expires_in
        .trim()
        .parse()
        .map_err(|_| response.failure(FailureKind::Odd, "a token whose `expires_in` is not a number of seconds"))?;
    Ok(Granted { token: token.access_token, expires_in: Duration::from_secs(seconds) })
}

fn not_here(failure: Failure) -> Failure {
    match failure.kind {
        FailureKind::Unreachable => failure.hint(
            "only an Azure machine has this service: does the job run on one? elsewhere take another `credential`",
        ),
        _ => failure,
    }
}

fn refused(response: &Response) -> Failure {
    let refusal: MetadataError = serde_json::from_slice(&response.body).unwrap_or_default();
    let found = match refusal.error.as_str() {
        "" => response.excerpt(),
        error => format!("{} {error}: {}", response.status, refusal.error_description),
    };
    match response.status {
        429 | 410 | 500.. => response.failure(FailureKind::Unreachable, found).hint("the machine's metadata service is in trouble: run again later"),
        _ => response.failure(FailureKind::Refused, found).hint(
            "assign a managed identity to this machine and give it `User.Read.All`; if it has several, name one in `managed_identity: { client_id: … }`",
        ),
    }
}
