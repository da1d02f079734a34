//! Whom a write is about, and what an answer to it means, whichever way it went.
//!
//! Owns: what is no yes of either way. Leaves to others: what is one (`remote_api.rs`, `endpoint.rs`).
//! A newcomer gets wrong: neither way answers 401 for one person, but a login that still holds elsewhere is no dead login.

use crate::http::{Request, Response, Sent};
use crate::load::WriteError;
use crate::load::atlassian::client::{fault, refused};
use crate::model::{AccountId, Fault, Intent};

use super::client::ConfluenceClient;

/// Answers of either way are small.
pub(super) const CAP: usize = 256 * 1024;
/// The code of a fault that stands for a picture that is not the one we saw.
pub(super) const CHANGED: &str = "changed";

/// Whom a write is about: by the name that the calls want, and by the key that never changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whom<'a> {
    pub name: &'a str,
    pub key: &'a AccountId,
}

impl<'a> Whom<'a> {
    /// The account of an intent.
    pub(super) fn of(intent: &'a Intent) -> Self {
        Self { name: &intent.account_name, key: &intent.account }
    }
}

/// A write, sent once.
pub(super) async fn sent(client: &ConfluenceClient, request: Request) -> Result<Response, WriteError> {
    match client.atlassian().send(request).await? {
        Sent::Response(response) => Ok(response),
        Sent::Lost(fault) => Err(WriteError::Unknown(fault)),
        Sent::Never(fault) => Err(WriteError::Refused(fault)),
    }
}

/// What an answer means that is no yes.
pub(super) async fn judged(client: &ConfluenceClient, response: &Response) -> WriteError {
    match response.status {
        200..=299 => WriteError::Unknown(fault("answer_odd", response)),
        401 => match client.current().await {
            Ok(_) => refused(response),
            Err(failure) => WriteError::Stop(failure),
        },
        _ => refused(response),
    }
}

/// A success that does not say what it did.
pub(super) fn unsaid(response: &Response) -> WriteError {
    WriteError::Unknown(Fault::new("answer_odd", format!("{}: {}", response.tried(), response.excerpt())))
}
