//! The reads of Confluence: one person, one file, who we are.
//!
//! Owns: the addresses, and the failure of a read. Leaves to others: writing (`remote.rs`), the listing (`survey.rs`).
//! A newcomer gets wrong: people are read by their key, which never changes, and named by their name in every write; so
//! a read tells whether the name still leads to the same person.

use std::sync::Arc;

use url::Url;

use crate::http::{Answer, Failure, FailureKind};
use crate::load::atlassian::door::{Door, fault, with_query};
use crate::model::{AccountId, Fault, Mark};

use super::Shared;
use super::picture::{Picture, STOCK};
use super::wire::Person;

/// The code of a fault that stands for an account that is not there any more.
pub(super) const GONE: &str = "account_gone";

/// One way to the server.
#[derive(Clone)]
pub(super) struct Desk {
    door: Door,
    shared: Arc<Shared>,
}

/// What one account says now.
#[derive(Clone, Debug)]
pub(super) struct Now {
    pub name: String,
    pub picture: Picture,
}

impl Desk {
    pub fn new(door: Door, shared: Arc<Shared>) -> Self {
        Self { door, shared }
    }

    pub fn door(&self) -> &Door {
        &self.door
    }

    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// `rest/api/…` with these parameters, every value percent-encoded.
    pub fn api(&self, path: &str, query: &[(&str, &str)]) -> Url {
        with_query(self.door.line().url(&format!("rest/api/{path}")), query)
    }

    /// A file of somebody's personal information.
    pub fn attachment(&self, content: &str, file: &Mark) -> Url {
        let mut url = self.door.line().url("download/attachments");
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(content).push(file.as_str());
        }
        url
    }

    /// A picture that people choose from.
    pub fn stock(&self, file: &Mark) -> Url {
        let mut url = self.door.line().url(STOCK.trim_end_matches('/'));
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(file.as_str());
        }
        url
    }

    /// What an unsuccessful answer to a read means for the target.
    pub fn failed(&self, answer: &Answer) -> Failure {
        self.door.failed(answer, "the account needs to be a Confluence administrator")
    }

    /// Who we are. Cannot be fooled: an anonymous answer says so in its type.
    pub async fn current(&self) -> Result<String, Failure> {
        Ok(self.own().await?.0)
    }

    /// The key of our own account.
    pub async fn own_key(&self) -> Result<AccountId, Failure> {
        match self.own().await? {
            (_, Some(key)) => Ok(AccountId::new(key)),
            (name, None) => {
                let tried = format!("GET {}", self.api("user/current", &[]));
                Err(Failure::new(FailureKind::Odd, tried, format!("`{name}` without a user key")))
            }
        }
    }

    async fn own(&self) -> Result<(String, Option<String>), Failure> {
        let answer = self.door.read(self.api("user/current", &[])).await?;
        if answer.status != 200 {
            return Err(self.failed(&answer));
        }
        let person: Person = answer.json()?;
        match (person.kind.as_deref(), person.username) {
            (Some("anonymous"), _) | (_, None) => Err(self.door.gate().close(
                answer
                    .failure(FailureKind::Refused, "200, but as nobody: the server does not know the credential")
                    .hint("the token may have expired or been revoked; no picture was touched with it"),
            )),
            (_, Some(name)) => Ok((name, person.user_key)),
        }
    }

    /// One account as it is now. The inner fault is this person's alone.
    pub async fn now(&self, account: &AccountId) -> Result<Result<Now, Fault>, Failure> {
        let answer = self.door.read(self.api("user", &[("key", account.as_str())])).await?;
        match answer.status {
            200 => {}
            401 => return Err(self.failed(&answer)),
            // A server that is starting answers 404 to everything.
            404 => {
                self.current().await?;
                return Ok(Err(fault(GONE, &answer)));
            }
            // Every repetition was used up: the next person would fare no better.
            429 | 502 | 503 | 504 => return Err(self.failed(&answer)),
            _ => return Ok(Err(fault("account_unread", &answer))),
        }
        let person: Person = match answer.json() {
            Ok(person) => person,
            Err(odd) => return Ok(Err(Fault::new("account_odd", odd.to_string()))),
        };
        let picture = person
            .picture(self.door.line().base())
            .unwrap_or_else(|| Picture::unknown("its user shows no profile picture"));
        match (person.user_key, person.username) {
            (Some(key), Some(name)) if key == account.as_str() => Ok(Ok(Now { name, picture })),
            _ => Ok(Err(fault("account_mixed_up", &answer))),
        }
    }

    /// Whether a file is there; `None` if the server does not say. One 404 may be that of a proxy, or of a server that is
    /// only starting: it counts if the server knows us and says so again.
    pub async fn has(&self, content: &str, file: &Mark) -> Result<Option<bool>, Failure> {
        Ok(match self.status_of(content, file).await? {
            Some(404) => {
                self.current().await?;
                (self.status_of(content, file).await? == Some(404)).then_some(false)
            }
            Some(200) => Some(true),
            _ => None,
        })
    }

    /// What is answered for a file; `None` for anything that is no file, such as a login page.
    async fn status_of(&self, content: &str, file: &Mark) -> Result<Option<u16>, Failure> {
        match self.door.file(self.attachment(content, file)).await {
            Ok(answer) if answer.status == 200 && answer.is_html() => Ok(None),
            Ok(answer) => Ok(Some(answer.status)),
            Err(failure) if matches!(failure.kind, FailureKind::Odd | FailureKind::Misconfigured) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}
