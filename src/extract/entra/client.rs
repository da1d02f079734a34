//! Requests to Graph with a token that is good.
//!
//! Owns: another token after a 401, once. Leaves to others: what is asked for (`list`, `batch`, `claims`).
//! A newcomer gets wrong: an answer that is larger than its cap is no failure here; a batch is then asked for in parts.

use std::time::Duration;

use super::error;
use crate::http::{
    Authorization, Client, ClientSettings, EntraSignIn, Failure, FailureKind, Request, Response, TokenSource,
};
use crate::settings::{self, Users};

/// Sub-requests that Graph takes in one `$batch` (docs/wire/microsoft-graph.md §4).
pub(super) const BATCH: usize = 20;

/// Photo calls can be slow: the time that the page allows for one batch (§5).
pub(super) const SLOW: Duration = Duration::from_secs(100);

/// A tenant as a source of people and photos.
#[derive(Debug)]
pub(crate) struct Entra {
    pub(super) users: Users,
    pub(super) tokens: TokenSource,
    pub(super) graph: Client,
}

impl Entra {
    /// The tenant that the file means.
    pub(crate) fn connect(entra: &settings::Entra, users: Users, way: &ClientSettings) -> Result<Self, Failure> {
        let login = way.sign_in_client(&entra.endpoints.login)?;
        let sign_in = EntraSignIn { login, entra: entra.clone(), api: entra.cloud.graph().to_owned() };
        Ok(Self::new(users, sign_in, way.client(&entra.endpoints.graph)?))
    }

    /// A source that signs in like this and asks over `graph`.
    pub(super) fn new(users: Users, sign_in: EntraSignIn, graph: Client) -> Self {
        Self { users, tokens: TokenSource::new(sign_in), graph }
    }

    /// A read with the token; a 401 renews the token once.
    pub(super) async fn ask(&self, request: Request) -> Result<Option<Response>, Failure> {
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
    pub(super) async fn ask_whole(&self, request: Request) -> Result<Response, Failure> {
        let tried = request.describe();
        let whole = self.ask(request).await?;
        whole.ok_or_else(|| Failure::new(FailureKind::Odd, tried, "the answer is larger than any page can be"))
    }
}
