//! Every call to Bitbucket: addresses, one person as it is now, the two writes and what their answers mean.
//!
//! Owns: yes, no and maybe of a write (docs/write-protocols.md), and the failure of a read.
//! Leaves to others: what is recorded around a write (`session.rs`), the listing (`survey.rs`).
//! A newcomer gets wrong: a permission that is missing answers 401. While "who am I" still works it is that person's
//! refusal, such as a system administrator's picture, and no dead login.

use std::sync::Arc;

use bytes::Bytes;
use url::Url;

use crate::http::{Client as HttpClient, Failure, FailureKind, Request, Response, Sent};
use crate::load::WriteError;
use crate::load::atlassian::client::{AtlassianClient, fault, found, refused, with_query};
use crate::load::atlassian::login::{self, Anonymous};
use crate::model::{AccountId, Fault, Luma, Rendition, Shown};

use super::connection::{BitbucketConnection, Sight};
use super::mark;
use super::slug::Slug;
use super::wire::{DeleteAnswer, User, UserPage};

/// What is asked for in one page; the server may give less.
pub(super) const PAGE: u64 = 1000;

/// The side of the picture that the listing links to, which also makes it link at all (docs/wire/atlassian.md §5).
pub(super) const LINKED: &str = "64";
/// The side of a picture that is looked at, in pixels.
pub(super) const LOOKED_AT: u32 = 256;
/// Why a token will not do, and what will (§13).
pub(super) const TOKENS: &str = "an HTTP access token cannot carry the global permission ADMIN, so it sets no other \
    person's picture: write `credential: { username: …, password: … }`";
/// What else is odd about a token.
pub(super) const TOKEN_IMAGES: &str = "to a token Bitbucket may serve the default picture in place of everybody's, so looking at a picture does not tell what stands there";
/// Pages of people whose names hold the one that is asked for.
const NAMESAKES: usize = 20;

/// One way to the server.
#[derive(Clone)]
pub(super) struct BitbucketClient {
    atlassian: AtlassianClient,
    shared: Arc<BitbucketConnection>,
}

impl BitbucketClient {
    pub(super) fn new(atlassian: AtlassianClient, shared: Arc<BitbucketConnection>) -> Self {
        Self { atlassian, shared }
    }

    /// Another way to the same server, with a server session of its own.
    pub(super) fn beside(&self, http: &HttpClient) -> Result<Self, Failure> {
        Ok(Self::new(self.shared.way_in(http)?, Arc::clone(&self.shared)))
    }

    pub(super) fn shared(&self) -> &BitbucketConnection {
        &self.shared
    }

    pub(super) fn atlassian(&self) -> &AtlassianClient {
        &self.atlassian
    }

    /// `rest/api/…/…` with these parameters, every value percent-encoded.
    pub(super) fn api(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let root = self.shared.known().root.unwrap_or("latest");
        with_query(self.atlassian.http().url(&format!("rest/api/{root}/{path}")), query)
    }

    fn avatar(&self, slug: &Slug) -> Url {
        self.api(&format!("users/{}/avatar.png", slug.segment()), &[])
    }

    /// What an unsuccessful answer to a read means for the target.
    pub(super) fn failed(&self, response: &Response) -> Failure {
        self.atlassian.failed(response, "the account needs a licence and the global permission ADMIN")
    }

    /// A page of users. `start` and `filter` as given, everything else as the survey asks.
    pub(super) async fn users(&self, start: u64, limit: u64, more: &[(&str, &str)]) -> Result<Response, Failure> {
        let (start, limit) = (start.to_string(), limit.to_string());
        let mut query = vec![("start", start.as_str()), ("limit", &limit), ("avatarSize", LINKED)];
        query.extend_from_slice(more);
        self.atlassian.read(self.api("users", &query)).await
    }

    /// The name of our own account, where the server says it; whether the login still holds, too: only who is signed in and licensed
    /// may list.
    pub(super) async fn who(&self) -> Result<Option<String>, Failure> {
        let response = self.users(0, 1, &[]).await?;
        if response.status != 200 {
            return Err(self.failed(&response));
        }
        let name = login::user(&response);
        if self.shared.known().named && name.is_none() {
            return Err(self.atlassian.circuit_breaker().trip(
                response
                    .failure(FailureKind::Refused, "200, but without X-AUSERNAME: the server does not know us any more")
                    .hint("the token may have expired or been revoked; no picture was touched with it"),
            ));
        }
        Ok(name)
    }

    /// Who we are, for people.
    pub(super) async fn whoami(&self) -> Result<String, Failure> {
        Ok(self.who().await?.unwrap_or_else(|| "somebody whom the server does not name".to_owned()))
    }

    /// Whether the account administers Bitbucket; a permission that is missing answers 401 or 403. Whoever is licensed
    /// may ask for `admin/users` (§13).
    pub(super) async fn administers(&self) -> Result<bool, Failure> {
        let response = self.atlassian.read(self.api("admin/permissions/users", &[("limit", "1")])).await?;
        match response.status {
            200 => Ok(true),
            401 | 403 => Ok(false),
            _ => Err(self.failed(&response)),
        }
    }

    /// What the account shows now, read by its slug right before a write (docs/write-protocols.md); `None` if the slug
    /// leads to another account by now, or to none. The inner fault is this person's alone.
    pub(super) async fn stands(
        &self,
        account: &AccountId,
        name: &str,
        slug: &Slug,
    ) -> Result<Result<Option<Shown>, Fault>, Failure> {
        let url = self.api(&format!("users/{}", slug.segment()), &[("avatarSize", LINKED)]);
        let response = self.atlassian.read(url).await?;
        let user: User = match response.status {
            200 => response.json()?,
            404 => return Ok(Ok(None)),
            400 | 500 => return Ok(Err(fault("account_unread", &response))),
            _ => return Err(self.failed(&response)),
        };
        if !user.is(account) {
            return Ok(Ok(None));
        }
        if user.avatar_url.is_some() || self.shared.known().sight == Sight::Nothing {
            return Ok(Ok(Some(self.shown(&user))));
        }
        // Only listings link to pictures there.
        let listed = self.namesake(name, &|user: &User| user.is(account)).await?;
        Ok(listed.map(|user| user.map(|user| self.shown(&user))))
    }

    /// The account as a listing shows it now, wherever its slug leads. The inner fault is this person's alone.
    pub(super) async fn now(&self, account: &AccountId, name: &str) -> Result<Result<Option<User>, Fault>, Failure> {
        self.namesake(name, &|user: &User| user.is(account)).await
    }

    /// What a user shows.
    pub(super) fn shown(&self, user: &User) -> Shown {
        self.shown_by(user, self.shared.known().sight)
    }

    /// What a user shows, as far as links tell.
    pub(super) fn shown_by(&self, user: &User, sight: Sight) -> Shown {
        let (link, base) = (user.avatar_url.as_deref(), self.atlassian.http().base());
        let shown = mark::shown(link, base);
        if sight == Sight::Versions { shown } else { mark::unseen(shown, link, base) }
    }

    /// The user who is meant, of all whose names hold this one. The inner fault is this person's alone.
    pub(super) async fn namesake(
        &self,
        name: &str,
        is_it: &(dyn Fn(&User) -> bool + Sync),
    ) -> Result<Result<Option<User>, Fault>, Failure> {
        let mut start = 0;
        for _ in 0..NAMESAKES {
            let response = self.users(start, PAGE, &[("filter", name)]).await?;
            match response.status {
                200 => {}
                400 | 404 => return Ok(Err(fault("account_unread", &response))),
                _ => return Err(self.failed(&response)),
            }
            let page: UserPage = response.json()?;
            if let Some(found) = page.values.into_iter().find(is_it) {
                return Ok(Ok(Some(found)));
            }
            match page.next_page_start {
                Some(next) if page.is_last_page == Some(false) && next > start => start = next,
                _ => break,
            }
        }
        Ok(Ok(None))
    }

    /// The bytes of the picture that is shown, at this size; `None` where the server sent something else.
    pub(super) async fn picture(&self, slug: &Slug, side: u32) -> Result<Option<Bytes>, Failure> {
        let url = self.atlassian.http().url(&format!("users/{}/avatar.png", slug.segment()));
        self.atlassian.picture(with_query(url, &[("s", &side.to_string())])).await
    }

    /// What the picture that is shown looks like; `None` where the server sent something else.
    pub(super) async fn looks(&self, slug: &Slug) -> Result<Option<Luma>, Failure> {
        Ok(self.picture(slug, LOOKED_AT).await?.and_then(|bytes| self.shared.looks.luma(&bytes)))
    }

    /// Whether we sign in with a token.
    pub(super) fn is_by_token(&self) -> bool {
        self.shared.credential.is_token()
    }

    /// Sends a picture. The answer is a complete success.
    pub(super) async fn post(&self, slug: &Slug, rendition: &Rendition) -> Result<Response, WriteError> {
        let (file, media_type) = (format!("avatar.{}", rendition.media_type.ending()), rendition.media_type.word());
        let request = Request::post(self.avatar(slug)).multipart("avatar", &file, media_type, rendition.bytes.clone());
        let response = self.write(request).await?;
        if response.status != 201 {
            return Err(WriteError::Unknown(fault("answer_odd", &response)));
        }
        self.shared.learn(|known| known.posted += 1);
        Ok(response)
    }

    /// Takes the picture away; that there was none is as good.
    pub(super) async fn delete(&self, slug: &Slug) -> Result<(), WriteError> {
        let response = self.write(Request::delete(self.avatar(slug))).await?;
        match response.status {
            204 => Ok(()),
            _ if response.json::<DeleteAnswer>().is_ok() => Ok(()),
            _ => Err(WriteError::Unknown(fault("answer_odd", &response))),
        }
    }

    /// A write, sent once: any 2xx, or what else it means.
    async fn write(&self, request: Request) -> Result<Response, WriteError> {
        let response = match self.atlassian.send(request).await? {
            Sent::Response(response) => response,
            Sent::Lost(fault) => return Err(WriteError::Unknown(fault)),
            Sent::Never(fault) => return Err(WriteError::Refused(fault)),
        };
        self.atlassian.circuit_breaker().check(&response, Anonymous::Refused)?;
        match response.status {
            200..=299 => Ok(response),
            401 => Err(match self.who().await {
                Ok(_) if self.is_by_token() => {
                    // Nobody else's picture can be set with it either (§13).
                    let failure = self
                        .atlassian
                        .circuit_breaker()
                        .trip(response.failure(FailureKind::Refused, found(&response)).hint(TOKENS));
                    WriteError::Refused(Fault::new("unauthorized", failure.to_string()))
                }
                Ok(_) => WriteError::Refused(Fault::new(
                    "unauthorized",
                    format!(
                        "{}: {}: this picture needs a permission that the account lacks (ADMIN; SYS_ADMIN for a system \
                         administrator's)",
                        response.tried(),
                        found(&response)
                    ),
                )),
                Err(failure) => WriteError::Stop(failure),
            }),
            _ => Err(refused(&response)),
        }
    }
}
