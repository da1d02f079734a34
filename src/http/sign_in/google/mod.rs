//! Google: a service account by key file or by federation, in an administrator's name or in its own
//! (docs/wire/google-directory.md §1).
//!
//! Owns: which of the four ways is taken. Leaves to others: each step (one file a step), keeping the token (`sign_in`).
//! A newcomer gets wrong: without a subject a key file needs no token at all: what the account signs itself is the
//! bearer token (§1.6).

mod api;
mod bearer;
mod external;
mod federated;
mod key;
mod refusal;
mod signer;
mod subject;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use async_trait::async_trait;

use super::{Grant, Granted};
use crate::http::client::Route;
use crate::http::{Client, Counts, Failure, Url};
use crate::settings::{Google, GoogleCredential, GoogleEndpoints, GoogleFederated};
pub(crate) use api::GoogleApi;
use external::External;
#[cfg(feature = "bucket")]
pub(crate) use external::is_of_a_pool;
use federated::{Federation, ServiceAccount};
use key::Key;
use signer::{Signer as _, Wish};
use subject::SubjectToken;

/// Signs a service account in to Google.
#[derive(Debug)]
pub(crate) struct GoogleSignIn {
    /// To `https://oauth2.googleapis.com`.
    pub token: Client,
    /// As whom.
    pub google: Google,
    /// What the token is for.
    pub api: GoogleApi,
    /// What it may do.
    pub scopes: Vec<&'static str>,
}

#[async_trait]
impl Grant for GoogleSignIn {
    async fn ask(&self) -> Result<Granted, Failure> {
        match &self.google.credential {
            GoogleCredential::ServiceAccountFile(file) => {
                let key = Key::read(file)?;
                match &self.google.subject {
                    Some(subject) => bearer::ask(&self.token, &key, &self.wish(subject)).await,
                    None => key.sign_itself_in(self.api, SystemTime::now()),
                }
            }
            GoogleCredential::ExternalAccountFile(file) => {
                let External { source, audience, token_type, service_account } = External::read(file, self.api)?;
                self.federated(&source, &audience, &token_type, service_account.as_deref()).await
            }
            GoogleCredential::Federated(GoogleFederated { from, audience, service_account }) => {
                let source = SubjectToken::Ci(from.clone());
                self.federated(&source, audience, subject::JWT, Some(service_account)).await
            }
        }
    }

    fn who(&self) -> Option<String> {
        let account = match &self.google.credential {
            GoogleCredential::ServiceAccountFile(file) => Key::read(file).ok()?.email().to_owned(),
            GoogleCredential::ExternalAccountFile(file) => External::read(file, self.api).ok()?.service_account?,
            GoogleCredential::Federated(federated) => federated.service_account.clone(),
        };
        Some(match &self.google.subject {
            Some(subject) => format!("{account}, in the name of {subject}"),
            None => format!("{account}, in its own name"),
        })
    }

    fn lasts(&self) -> Option<String> {
        matches!(self.google.credential, GoogleCredential::ServiceAccountFile(_))
            .then(|| "the key file has no end of its own: delete the key in the console to end it".to_owned())
    }

    fn counts(&self) -> Counts {
        self.token.counts()
    }
}

impl GoogleSignIn {
    fn wish<'a>(&'a self, subject: &'a str) -> Wish<'a> {
        Wish { subject, scopes: &self.scopes }
    }

    /// One step as somebody of the pool, two as a service account, three in an administrator's name (§1.1).
    async fn federated(
        &self,
        source: &SubjectToken,
        audience: &str,
        token_type: &str,
        service_account: Option<&str>,
    ) -> Result<Granted, Failure> {
        let near = |endpoint: &Url| self.token.beside(endpoint.clone(), Route::Configured);
        let GoogleEndpoints { sts, iam_credentials, .. } = &self.google.endpoints;
        let (sts, iam) = (near(sts)?, near(iam_credentials)?);
        let federation = Federation { sts: &sts, audience, token_type };
        let granted = federation.enter(source).await?;
        let Some(email) = service_account else { return Ok(granted) };
        let account = ServiceAccount { iam: &iam, email, federated: granted.token };
        match &self.google.subject {
            Some(subject) => bearer::ask(&self.token, &account, &self.wish(subject)).await,
            None => account.own_token(&self.scopes).await,
        }
    }
}
