//! The reads of Confluence: one person, one file, who we are.
//!
//! Owns: the addresses, and the failure of a read. Leaves to others: writing (`remote.rs`), the listing (`survey.rs`).
//! A newcomer gets wrong: a name is only an address and can pass to somebody else. What became of an account is read by its
//! key, which never changes; before a write it is read by the name that the write will use, and its key is compared.

use std::sync::Arc;

use bytes::Bytes;
use url::Url;

use crate::http::{Client as HttpClient, Failure, FailureKind, Response};
use crate::load::atlassian::client::{AtlassianClient, fault, with_query};
use crate::load::atlassian::manifest;
use crate::model::{AccountId, Fault, PictureRef};

use super::connection::ConfluenceConnection;
use super::picture::{self, ConfluencePicture, STOCK};
use super::wire::ConfluenceUser;

/// The code of a fault that stands for an account that is not there any more.
pub(super) const GONE: &str = "account_gone";

/// A file of somebody's personal information.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct File<'a> {
    pub content: &'a str,
    pub file: &'a PictureRef,
}

/// What is served for a file.
#[derive(Clone, Debug)]
pub(super) enum ServedFile {
    Picture(Bytes),
    /// There is no such file.
    Missing,
    /// The server does not say: a login page, a gateway.
    Unclear,
}

/// One way to the server.
#[derive(Clone)]
pub(super) struct ConfluenceClient {
    atlassian: AtlassianClient,
    shared: Arc<ConfluenceConnection>,
}

/// What one account says now.
#[derive(Clone, Debug)]
pub(super) struct Now {
    pub key: AccountId,
    pub name: String,
    pub picture: ConfluencePicture,
}

impl ConfluenceClient {
    pub(super) fn new(atlassian: AtlassianClient, shared: Arc<ConfluenceConnection>) -> Self {
        Self { atlassian, shared }
    }

    /// Another way to the same server, with a server session of its own.
    pub(super) fn beside(&self, http: &HttpClient) -> Result<Self, Failure> {
        Ok(Self::new(self.shared.way_in(http)?, Arc::clone(&self.shared)))
    }

    pub(super) fn atlassian(&self) -> &AtlassianClient {
        &self.atlassian
    }

    pub(super) fn shared(&self) -> &ConfluenceConnection {
        &self.shared
    }

    /// `rest/api/…` with these parameters, every value percent-encoded.
    pub(super) fn api(&self, path: &str, query: &[(&str, &str)]) -> Url {
        with_query(self.atlassian.http().url(&format!("rest/api/{path}")), query)
    }

    /// A file of somebody's personal information; `None` if it can have no address.
    pub(super) fn attachment(&self, which: File<'_>) -> Option<Url> {
        let file = picture::is_id(which.content).then(|| segment(which.file.as_str()))??;
        Some(self.atlassian.http().url(&format!("download/attachments/{}/{file}", which.content)))
    }

    /// A picture that people choose from; `None` if it can have no address.
    pub(super) fn stock(&self, file: &PictureRef) -> Option<Url> {
        Some(self.atlassian.http().url(&format!("{}{}", STOCK.trim_start_matches('/'), segment(file.as_str())?)))
    }

    /// What an unsuccessful answer to a read means for the target.
    pub(super) fn failed(&self, response: &Response) -> Failure {
        self.atlassian.failed(response, "the account needs to be a Confluence administrator")
    }

    /// Who we are. Cannot be fooled: an anonymous answer says so in its type.
    pub(super) async fn current(&self) -> Result<String, Failure> {
        Ok(self.own().await?.0)
    }

    /// The key of our own account.
    pub(super) async fn own_key(&self) -> Result<AccountId, Failure> {
        match self.own().await? {
            (_, Some(key)) => Ok(AccountId::new(key)),
            (name, None) => {
                let tried = format!("GET {}", self.api("user/current", &[]));
                Err(Failure::new(FailureKind::Odd, tried, format!("`{name}` without a user key")))
            }
        }
    }

    async fn own(&self) -> Result<(String, Option<String>), Failure> {
        let response = self.atlassian.read(self.api("user/current", &[])).await?;
        if response.status != 200 {
            return Err(self.failed(&response));
        }
        let person: ConfluenceUser = response.json()?;
        match (person.kind.as_deref(), person.username) {
            (Some("anonymous"), _) | (_, None) => Err(self.atlassian.circuit_breaker().trip(
                response
                    .failure(FailureKind::Refused, "200, but as nobody: the server does not know the credential")
                    .hint("the token may have expired or been revoked; no picture was touched with it"),
            )),
            (_, Some(name)) => Ok((name, person.user_key)),
        }
    }

    /// One account as it is now. The inner fault is this person's alone.
    pub(super) async fn now(&self, account: &AccountId) -> Result<Result<Now, Fault>, Failure> {
        self.person(("key", account.as_str()), |now| now.key == *account).await
    }

    /// Who carries this name now, and what that account shows. The inner fault is this person's alone.
    pub(super) async fn named(&self, name: &str) -> Result<Result<Now, Fault>, Failure> {
        // Names compare in any case (docs/wire/atlassian.md §8); Confluence stores them in lower case.
        self.person(("username", name), |now| now.name.to_lowercase() == name.to_lowercase()).await
    }

    async fn person(
        &self,
        wanted: (&str, &str),
        is_wanted: impl FnOnce(&Now) -> bool,
    ) -> Result<Result<Now, Fault>, Failure> {
        let response = self.atlassian.read(self.api("user", &[wanted])).await?;
        match response.status {
            200 => {}
            401 => return Err(self.failed(&response)),
            // A server that is starting answers 404 to everything.
            404 => {
                self.current().await?;
                return Ok(Err(fault(GONE, &response)));
            }
            // Every repetition was used up: the next person would fare no better.
            429 | 502 | 503 | 504 => return Err(self.failed(&response)),
            _ => return Ok(Err(fault("account_unread", &response))),
        }
        let person: ConfluenceUser = match response.json() {
            Ok(person) => person,
            Err(odd) => return Ok(Err(Fault::new("account_odd", odd.to_string()))),
        };
        let picture = person
            .picture(self.atlassian.http().base())
            .unwrap_or_else(|| ConfluencePicture::unknown("its user shows no profile picture"));
        let now = match (person.user_key, person.username) {
            (Some(key), Some(name)) => Some(Now { key: AccountId::new(key), name, picture }).filter(is_wanted),
            _ => None,
        };
        Ok(now.ok_or_else(|| fault("account_mixed_up", &response)))
    }

    /// What is served for a file; `beside` is one that is there. A 404 may be that of a gateway, or of a server that is
    /// only starting: it counts if the server says so again, and in between knows us and serves the file beside. Where
    /// there is none, it has to say which server it is.
    pub(super) async fn file(&self, which: File<'_>, beside: Option<File<'_>>) -> Result<ServedFile, Failure> {
        let first = self.serve(which).await?;
        if !matches!(first, ServedFile::Missing) {
            return Ok(first);
        }
        self.current().await?;
        let answers = match beside.filter(|beside| *beside != which) {
            Some(beside) => matches!(self.serve(beside).await?, ServedFile::Picture(_)),
            None => self.is_the_same_server().await?,
        };
        if answers { self.serve(which).await } else { Ok(ServedFile::Unclear) }
    }

    async fn serve(&self, which: File<'_>) -> Result<ServedFile, Failure> {
        let Some(url) = self.attachment(which) else { return Ok(ServedFile::Unclear) };
        match self.atlassian.file(url).await {
            Ok(response) if response.status == 200 && !response.is_html() && !response.body.is_empty() => {
                Ok(ServedFile::Picture(response.body))
            }
            Ok(response) if response.status == 404 => Ok(ServedFile::Missing),
            Ok(_) => Ok(ServedFile::Unclear),
            // A redirect to a sign-in page elsewhere.
            Err(failure) if matches!(failure.kind, FailureKind::Odd | FailureKind::Misconfigured) => {
                Ok(ServedFile::Unclear)
            }
            Err(failure) => Err(failure),
        }
    }

    async fn is_the_same_server(&self) -> Result<bool, Failure> {
        let known = self.shared.known().server;
        match manifest::server_id(&self.atlassian, "Confluence", &["confluence"], None, None).await {
            Ok(id) => Ok(!id.is_address() && known == Some(id)),
            Err(failure) if matches!(failure.kind, FailureKind::Odd | FailureKind::Misconfigured) => Ok(false),
            Err(failure) => Err(failure),
        }
    }
}

/// One part of a path, encoded; `None` for what would shorten the path or end in another place.
pub(super) fn segment(text: &str) -> Option<String> {
    let encoded = url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
    (!matches!(text, "" | "." | "..") && !text.contains(['/', '\\'])).then_some(encoded)
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn a_part_of_a_path_stays_one_part() {
        for (text, encoded) in [
            ("user-avatar", Some("user-avatar")),
            ("my face+.png", Some("my%20face%2B.png")),
            ("a;b?c#d%2e", Some("a%3Bb%3Fc%23d%252e")),
            ("..png", Some("..png")),
            ("..", None),
            (".", None),
            ("", None),
            ("a/b", None),
            ("a\\b", None),
        ] {
            assert_eq!(segment(text).as_deref(), encoded, "{text}");
        }
    }
}
