//! Requests to the Directory API with a token that is good.
//!
//! Owns: another token after a 401, once; rest after a refusal for the rate, which comes as 403. Leaves to others: what is
//! asked for (`list`, `batch`).
//! A newcomer gets wrong: whether photos are asked for one by one is known only once a batch was tried.

use std::sync::atomic::{AtomicBool, Ordering};

use super::error::{self, Asker};
use crate::http::{
    Authorization, Client, ClientSettings, Failure, FailureKind, GoogleApi, GoogleSignIn, Pause, Pauses, Request,
    Response, TokenSource, retry_after,
};
use crate::settings::{self, Users};

/// Calls in one batch. The vendor takes 1000; with as many, the rate of a minute goes out at once and parts are
/// throttled (docs/wire/google-directory.md §4).
pub(super) const BATCH: usize = 100;

/// Google packs answers only for clients whose name says `gzip` (§2.1).
const USER_AGENT: &str = concat!("avatarpipe/", env!("CARGO_PKG_VERSION"), " (gzip)");

/// Lists users and reads their photos; all that is needed without groups (§1.4).
const USER_SCOPE: &str = "https://www.googleapis.com/auth/admin.directory.user.readonly";

/// Reads who is in a group. Asked for only where groups are named: one scope that is not granted breaks the sign-in.
const MEMBER_SCOPE: &str = "https://www.googleapis.com/auth/admin.directory.group.member.readonly";

/// What the sign-in has to ask for.
pub(super) fn scopes(users: &Users) -> Vec<&'static str> {
    if users.named_groups().is_empty() { vec![USER_SCOPE] } else { vec![USER_SCOPE, MEMBER_SCOPE] }
}

/// A customer of Google as a source of people and photos.
#[derive(Debug)]
pub(crate) struct Google {
    pub(super) users: Users,
    pub(super) asker: Asker,
    pub(super) tokens: TokenSource,
    pub(super) directory: Client,
    /// The batch endpoint is not there: photos are asked for one by one.
    pub(super) singly: AtomicBool,
}

impl Google {
    /// The customer that the file means.
    pub(crate) fn connect(google: &settings::Google, users: Users, way: &ClientSettings) -> Result<Self, Failure> {
        let endpoints = &google.endpoints;
        Ok(Self::new(google, users, way.sign_in_client(&endpoints.token)?, way.client(&endpoints.directory)?))
    }

    /// A source that asks for tokens over `token` and for everything else over `directory`.
    pub(super) fn new(google: &settings::Google, users: Users, token: Client, directory: Client) -> Self {
        let scopes = scopes(&users);
        let asker =
            Asker { subject: google.subject.clone(), customer: google.customer.clone(), scopes: scopes.clone() };
        let tokens =
            TokenSource::new(GoogleSignIn { token, google: google.clone(), api: GoogleApi::Directory, scopes });
        Self { users, asker, tokens, directory, singly: AtomicBool::new(false) }
    }

    /// A read with the token; a 401 renews the token once.
    pub(super) async fn ask(&self, request: Request) -> Result<Option<Response>, Failure> {
        let request = request.accept("application/json").header("User-Agent", USER_AGENT);
        let token = self.tokens.token().await?;
        let first = self.directory.read_within_cap(request.clone().auth(&Authorization::Bearer(token.clone()))).await?;
        if first.as_ref().is_none_or(|response| response.status != 401) {
            return Ok(first);
        }
        let token = self.tokens.renew(&token).await?;
        self.directory.count_retried(1);
        let second = self.directory.read_within_cap(request.auth(&Authorization::Bearer(token))).await?;
        match second {
            Some(response) if response.status == 401 => Err(self.asker.failure(&response)),
            other => Ok(other),
        }
    }

    /// As [`Self::ask`], for answers that have to come whole; a 403 that only means "slower" is asked again (§5).
    pub(super) async fn ask_whole(&self, request: Request) -> Result<Response, Failure> {
        let tried = request.describe();
        let mut pauses = self.directory.pauses();
        loop {
            let Some(response) = self.ask(request.clone()).await? else {
                return Err(Failure::new(FailureKind::Odd, tried, "the answer is larger than any page can be"));
            };
            if response.status != 403 || !error::is_rate(&response) {
                return Ok(response);
            }
            self.directory.count_throttled(1);
            if !self.rests(&mut pauses, &response).await {
                return Ok(response);
            }
            self.directory.count_retried(1);
        }
    }

    /// Waits before another try, if there is one.
    pub(super) async fn rests(&self, pauses: &mut Pauses, response: &Response) -> bool {
        matches!(self.directory.rest(pauses, retry_after(&response.headers)).await, Pause::Wait(_))
    }

    pub(super) fn is_singly(&self) -> bool {
        self.singly.load(Ordering::Relaxed)
    }
}
