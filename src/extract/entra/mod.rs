//! Microsoft Entra ID through Microsoft Graph (docs/wire/microsoft-graph.md).
//!
//! Owns: the listing with its paging and groups, photos by `$batch`, and what Graph's refusals mean.
//! Leaves to others: tokens (`http::sign_in`), who is asked for and when (`run`).
//! A newcomer gets wrong: a 200 on `$batch` says nothing about its parts; each has its own status (§0.9).

mod batch;
mod claims;
mod error;
mod list;
mod photo;

use std::time::Duration;

use async_trait::async_trait;

use super::{Batch, Listing, PhotoResult, Source, UserRules, VersionResult};
use crate::http::{Authorization, Client, Counts, EntraSignIn, Failure, FailureKind, Request, Response, TokenSource};
use crate::model::{Person, PersonId, SignedIn};

/// Sub-requests that Graph takes in one `$batch` (§4).
const BATCH: usize = 20;

/// Photo calls can be slow: the time that the page allows for one batch (§5).
const SLOW: Duration = Duration::from_secs(100);

/// A tenant as a source of people and photos.
#[derive(Debug)]
pub(crate) struct Entra {
    users: UserRules,
    tokens: TokenSource,
    graph: Client,
}

impl Entra {
    /// A source that signs in like this and asks over `graph`.
    pub(crate) fn new(users: UserRules, sign_in: EntraSignIn, graph: Client) -> Self {
        Self { users, tokens: TokenSource::new(sign_in), graph }
    }

    /// A read with the token; a 401 renews the token once.
    async fn ask(&self, request: Request) -> Result<Option<Response>, Failure> {
        // Support asks for exactly this id (§6).
        let request = request.accept("application/json").stamped("client-request-id");
        let token = self.tokens.token().await?;
        let first = self.graph.read_within_cap(request.clone().auth(&Authorization::Bearer(token.clone()))).await?;
        if first.as_ref().is_none_or(|response| response.status != 401) {
            return Ok(first);
        }
        let token = self.tokens.renew(&token).await?;
        self.graph.count_retried(1);
        let second = self.graph.read_within_cap(request.auth(&Authorization::Bearer(token))).await?;
        match second {
            Some(response) if response.status == 401 => Err(error::refused_token(&response)),
            other => Ok(other),
        }
    }

    /// As [`Self::ask`], for answers that have to come whole.
    async fn ask_whole(&self, request: Request) -> Result<Response, Failure> {
        let tried = request.describe();
        let whole = self.ask(request).await?;
        whole.ok_or_else(|| Failure::new(FailureKind::Odd, tried, "the answer is larger than any page can be"))
    }
}

#[async_trait]
impl Source for Entra {
    fn batch(&self) -> Batch {
        Batch { versions: BATCH, fetch: BATCH, requests: 1 }
    }

    async fn whoami(&self) -> Result<SignedIn, Failure> {
        claims::whoami(self).await
    }

    async fn list(&self, page: &mut (dyn FnMut(Vec<Person>) + Send)) -> Result<Listing, Failure> {
        self.list_users(page).await
    }

    async fn versions(&self, people: &[PersonId]) -> Result<Vec<(PersonId, VersionResult)>, Failure> {
        self.ask_each(people).await
    }

    async fn fetch(&self, people: &[PersonId]) -> Result<Vec<(PersonId, PhotoResult)>, Failure> {
        self.ask_each(people).await
    }

    fn remedy(&self) -> Option<String> {
        Some("grant the application permission `User.Read.All` and give admin consent; if it is there, an Exchange policy (EwsApplicationAccessPolicy) blocks us by our User-Agent: add `avatarpipe/*` to its EwsAllowList, or take it off its EwsBlockList".to_owned())
    }

    /// The sign-in counts too: it is a request of this source.
    fn counts(&self) -> Counts {
        self.tokens.counts() + self.graph.counts()
    }
}

#[cfg(any(test, fuzzing))]
pub(crate) use {batch::fuzz as fuzz_batch, list::fuzz as fuzz_answers, photo::fuzz_base64};

#[cfg(test)]
mod tests;
