//! Every request to Jira passes here: headers, encoding, the circuit breaker, and what the answer to a write means.
//!
//! Owns: yes, no and maybe of a write (docs/write-protocols.md), and the failure of a read.
//! Leaves to others: what is asked (`survey.rs`, `session.rs`, `observe.rs`).
//! A newcomer gets wrong: 401 for a write can be one person's refusal; only `/myself` tells it from a dead login.

use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use url::Url;

use crate::http::{Client as HttpClient, Failure, FailureKind, Request, Response, Sent};
use crate::load::WriteError;
use crate::load::atlassian::client::{AtlassianClient, fault, found, refused, with_query};
use crate::load::atlassian::login::{Anonymous, CircuitBreaker, contains};
use crate::model::{AccountId, Fault, PictureRef};

use super::avatar::Avatars;
use super::connection::JiraConnection;
use super::wire::{AvatarLists, Myself, Permissions, User};

/// The code of a fault that stands for an account which is not there.
pub(super) const GONE: &str = "account_gone";

/// What the server gives for a picture that is to be looked at.
pub(super) enum ServedPicture {
    Picture(Bytes),
    /// A page, a redirect, a refusal: it does not serve this picture to us (JRASERVER-72378).
    Nothing,
    /// It cannot say now.
    NotNow(Fault),
}

/// Whom a name leads to.
pub(super) enum Led {
    /// The account that was meant, with its avatars.
    Here(Avatars),
    /// Another one, to which the name has passed.
    Elsewhere,
}

/// One way to the server: with cookies of its own, or without any.
#[derive(Clone)]
pub(super) struct JiraClient {
    atlassian: AtlassianClient,
    /// Asked whether the login still holds. Not the line itself where that one carries the cookies of a token's
    /// session: they may be dead while the token lives (docs/wire/atlassian.md §2.1).
    witness: AtlassianClient,
    shared: Arc<JiraConnection>,
}

impl JiraClient {
    pub(super) fn new(http: HttpClient, witness: HttpClient, shared: Arc<JiraConnection>) -> Self {
        let atlassian = |http| AtlassianClient::new(http, Arc::clone(&shared.login));
        Self { atlassian: atlassian(http), witness: atlassian(witness), shared }
    }

    /// `rest/api/2/…` with these parameters, every value percent-encoded.
    pub(super) fn api(&self, path: &str, query: &[(&str, &str)]) -> Url {
        with_query(self.atlassian.http().url(&format!("rest/api/2/{path}")), query)
    }

    /// The way in, for what all products share.
    pub(super) fn atlassian(&self) -> &AtlassianClient {
        &self.atlassian
    }

    /// The same, for another session and for what was sent.
    pub(super) fn http(&self) -> &HttpClient {
        self.atlassian.http()
    }

    /// What is shared with everybody who goes there.
    pub(super) fn shared(&self) -> &Arc<JiraConnection> {
        &self.shared
    }

    /// For who must trip it.
    pub(super) fn circuit_breaker(&self) -> &CircuitBreaker {
        self.atlassian.circuit_breaker()
    }

    /// A read; the answer has passed the login check and nothing else.
    pub(super) async fn read(&self, url: Url) -> Result<Response, Failure> {
        self.atlassian.read(url).await
    }

    /// What an unsuccessful answer to a read means for the target.
    pub(super) fn failed(&self, response: &Response) -> Failure {
        self.atlassian.failed(response, "the account needs the global permissions Jira Administrators and Browse Users")
    }

    /// The same while we are known: the login is not what was refused.
    pub(super) fn failed_once(&self, response: &Response) -> Failure {
        response.failure(FailureKind::Refused, found(response))
    }

    /// Who we are. Cannot be fooled: 401 when anonymous (§2.2).
    pub(super) async fn myself(&self) -> Result<Myself, Failure> {
        let response = self.witness.read(self.api("myself", &[])).await?;
        match response.status {
            200 => response.json(),
            _ => Err(self.failed(&response)),
        }
    }

    /// The avatars of an account. The inner fault is this person's alone.
    pub(super) async fn avatars(&self, name: &str) -> Result<Result<Avatars, Fault>, Failure> {
        let url = self.api("user/avatars", &[("username", name)]);
        let lists = self.of_one::<AvatarLists>(url, "avatars").await?;
        Ok(lists.and_then(|lists| match lists.numbered() {
            true => Ok(lists.into()),
            false => Err(Fault::new("avatars_odd", format!("the avatars of {name} have ids that are no numbers"))),
        }))
    }

    /// A user by `username` or by `key`. The inner fault is this person's alone.
    pub(super) async fn user(&self, by: &str, value: &str) -> Result<Result<User, Fault>, Failure> {
        self.of_one(self.api("user", &[(by, value)]), "user").await
    }

    /// The avatars behind a name, and whether it leads to this account. The list names the owners of uploads (§3.4):
    /// where it has none, the user's own bean says whose name it is.
    pub(super) async fn led(&self, name: &str, account: &AccountId) -> Result<Result<Led, Fault>, Failure> {
        let avatars = match self.avatars(name).await? {
            Ok(avatars) => avatars,
            Err(unread) => return Ok(Err(unread)),
        };
        let here = match avatars.custom.is_empty() {
            false => avatars.all_of(account),
            true => match self.user("username", name).await? {
                Ok(user) => user.key.as_deref() == Some(account.as_str()),
                Err(unread) => return Ok(Err(unread)),
            },
        };
        Ok(Ok(if here { Led::Here(avatars) } else { Led::Elsewhere }))
    }

    /// What is read of one person: a refusal of it concerns nobody else.
    async fn of_one<T: DeserializeOwned>(&self, url: Url, what: &str) -> Result<Result<T, Fault>, Failure> {
        let response = self.read(url).await?;
        match response.status {
            200 => Ok(response.json().map_err(|odd| Fault::new(format!("{what}_odd"), odd.to_string()))),
            401 => {
                self.myself().await?;
                Ok(Err(fault(&format!("{what}_refused"), &response)))
            }
            // A server that is starting answers 404 to everything.
            404 => {
                self.myself().await?;
                Ok(Err(fault(GONE, &response)))
            }
            // Every repetition was used up: the next person would fare no better.
            429 | 502 | 503 | 504 => Err(self.failed(&response)),
            _ => Ok(Err(fault(&format!("{what}_unread"), &response))),
        }
    }

    /// The same, told apart from a server in trouble.
    pub(super) async fn served(&self, owner: &AccountId, mark: &PictureRef) -> Result<ServedPicture, Failure> {
        let response = match self.atlassian.file(self.portrait(Some(owner), mark)).await {
            Ok(response) => response,
            // A redirect to a sign-in page elsewhere.
            Err(failure) if matches!(failure.kind, FailureKind::Odd | FailureKind::Misconfigured) => {
                return Ok(ServedPicture::Nothing);
            }
            Err(failure) => return Err(failure),
        };
        Ok(match response.status {
            200 if !response.is_html() && !response.body.is_empty() => ServedPicture::Picture(response.body),
            429 | 500.. => ServedPicture::NotNow(fault("picture_unread", &response)),
            _ => ServedPicture::Nothing,
        })
    }

    /// The bytes of a picture; `None` where the server sent something else, such as a login page.
    pub(super) async fn picture(&self, owner: Option<&AccountId>, mark: &PictureRef) -> Result<Option<Bytes>, Failure> {
        self.atlassian.picture(self.portrait(owner, mark)).await
    }

    fn portrait(&self, owner: Option<&AccountId>, mark: &PictureRef) -> Url {
        let another = mark.another();
        let (owner, mark) = another.as_ref().map_or((owner, mark), |(owner, mark)| (Some(owner), mark));
        let mut query = vec![("avatarId", mark.as_str()), ("size", "xxxlarge@2x")];
        query.extend(owner.map(|owner| ("ownerId", owner.as_str())));
        with_query(self.atlassian.http().url("secure/useravatar"), &query)
    }

    /// A write, sent once.
    pub(super) async fn write(&self, request: Request) -> Result<Response, WriteError> {
        match self.atlassian.send(request).await? {
            Sent::Response(response) => self.judge(response).await,
            Sent::Lost(fault) => Err(WriteError::Unknown(fault)),
            Sent::Never(fault) => Err(WriteError::Refused(fault)),
        }
    }

    /// Yes, no or maybe (docs/write-protocols.md).
    async fn judge(&self, response: Response) -> Result<Response, WriteError> {
        // Cookies of a token's dead session earn 401 while the token is fine: `/myself` decides (§2.1).
        if response.status != 401 || !self.shared.is_token() {
            self.circuit_breaker().check(&response, Anonymous::Refused)?;
        }
        Err(match response.status {
            // The multipart variant answers as HTML on purpose; any other page is a gateway's.
            200..=299 if response.is_html() && !contains(&response.body, "<textarea>") => {
                WriteError::Unknown(fault("answer_is_a_page", &response))
            }
            200..=299 => return Ok(response),
            401 => match self.myself().await {
                Ok(_) => WriteError::Refused(fault("unauthorized", &response)),
                Err(refused) => WriteError::Stop(refused),
            },
            403 if contains(&response.body, "XSRF") => refused(&response),
            403 => match self.may_administer().await {
                Ok(true) => WriteError::Refused(fault("forbidden", &response)),
                Ok(false) => WriteError::Stop(
                    response
                        .failure(FailureKind::Refused, found(&response))
                        .hint("give the account the global permission Jira Administrators"),
                ),
                Err(failure) => WriteError::Stop(failure),
            },
            _ => refused(&response),
        })
    }

    /// What we may do on the whole instance.
    pub(super) async fn permissions(&self) -> Result<Permissions, Failure> {
        let response = self.witness.read(self.api("mypermissions", &[])).await?;
        if response.status == 200 { response.json() } else { Err(self.failed(&response)) }
    }

    /// Whether the account may write for others at all; asked once, after the first 403.
    async fn may_administer(&self) -> Result<bool, Failure> {
        if let Some(known) = self.shared.administers.get() {
            return Ok(*known);
        }
        let response = self.witness.read(self.api("mypermissions", &[])).await?;
        let may = response.json::<Permissions>().map_or(true, |list| {
            list.permissions.get("ADMINISTER").is_none_or(|administer| administer.have_permission)
        });
        Ok(*self.shared.administers.get_or_init(|| may))
    }
}
