//! Entra ID: the client-credentials grant by secret, certificate or CI token, and the managed identity of a machine
//! (docs/wire/microsoft-graph.md §1).
//!
//! Owns: the token request. Leaves to others: keeping the token (`sign_in`), the words for errors (`refusal.rs`).
//! A newcomer gets wrong: what is done depends on `error`; the AADSTS numbers choose the hint, since the vendor says
//! that clients must not depend on them (§1.6). The two that ask for another assertion are the exception.

mod assertion;
mod machine;
mod refusal;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;

use super::{Grant, Granted, TokenFrom};
use crate::http::client::Route;
use crate::http::key_pair::KeyPair;
use crate::http::{Client, Counts, Failure, Pause, Pauses, Request, Response, Url};
use crate::secret::Secret;
use refusal::{Judged, Remedy};

/// How the app proves itself.
#[derive(Clone, Debug)]
pub(crate) enum EntraCredential {
    /// The value of a secret of the app registration, not its id.
    ClientSecret(Secret),
    /// A certificate of the app registration and its key.
    Certificate {
        /// PEM or PKCS#12.
        file: PathBuf,
        /// Opens a PKCS#12 file.
        password: Option<Secret>,
    },
    /// A token of the CI platform.
    Federated {
        /// Where it comes from.
        from: TokenFrom,
        /// Who it is for: `api://AzureADTokenExchange` (§1.3).
        audience: String,
    },
    /// The identity of the virtual machine that runs the job.
    ManagedIdentity {
        /// Of a user-assigned identity; `None`: the machine's only one.
        client_id: Option<String>,
    },
}

/// Signs an app in to Entra.
#[derive(Debug)]
pub(crate) struct EntraSignIn {
    /// To the login host.
    pub login: Client,
    /// The metadata service of the machine, which is asked through no proxy.
    pub imds: Url,
    /// The login host as an audience: `https://login.microsoftonline.com`, wherever `login` points
    /// (docs/architecture.md, "Where tokens may go").
    pub authority: String,
    /// The tenant's id, or one of its verified domains.
    pub tenant: String,
    /// The app's id.
    pub client_id: String,
    /// How it proves itself.
    pub credential: EntraCredential,
    /// `https://graph.microsoft.com/.default`.
    pub scope: String,
}

#[derive(Deserialize)]
struct Token {
    access_token: Secret,
    #[serde(default)]
    expires_in: Value,
}

/// What the login host takes as a proof.
#[derive(Clone, Copy)]
enum Prover<'a> {
    Secret(&'a Secret),
    Certificate(&'a Path, Option<&'a Secret>),
    CiToken(&'a TokenFrom, &'a str),
}

#[async_trait]
impl Grant for EntraSignIn {
    async fn ask(&self) -> Result<Granted, Failure> {
        match &self.credential {
            EntraCredential::ManagedIdentity { client_id } => {
                let imds = self.login.beside(self.imds.clone(), Route::Direct)?;
                machine::ask(&imds, self.scope.trim_end_matches(".default"), client_id.as_deref()).await
            }
            EntraCredential::ClientSecret(secret) => self.ask_login(Prover::Secret(secret)).await,
            EntraCredential::Certificate { file, password } => {
                self.ask_login(Prover::Certificate(file, password.as_ref())).await
            }
            EntraCredential::Federated { from, audience } => self.ask_login(Prover::CiToken(from, audience)).await,
        }
    }

    fn who(&self) -> Option<String> {
        (!self.client_id.is_empty()).then(|| format!("app {} of tenant {}", self.client_id, self.tenant))
    }

    fn ends(&self) -> Option<(String, u64)> {
        let EntraCredential::Certificate { file, password } = &self.credential else { return None };
        let pair = KeyPair::read("reading the certificate", file, password.as_ref()).ok()?;
        Some(("certificate".to_owned(), pair.ends()?))
    }

    fn lasts(&self) -> Option<String> {
        matches!(self.credential, EntraCredential::ClientSecret(_)).then(|| {
            "when the client secret expires is told in the portal alone: App registrations, Certificates & secrets"
                .to_owned()
        })
    }

    fn counts(&self) -> Counts {
        self.login.counts()
    }
}

impl EntraSignIn {
    async fn ask_login(&self, prover: Prover<'_>) -> Result<Granted, Failure> {
        let by_assertion = !matches!(prover, Prover::Secret(_));
        let mut pauses = self.login.pauses();
        let (mut now, mut renewed) = (SystemTime::now(), false);
        loop {
            let response = self.login.read(self.proven(prover, now).await?).await?;
            if response.status == 200 {
                return granted(&response);
            }
            let Judged { failure, remedy } = refusal::judge(&response);
            let again = match remedy {
                Remedy::None => false,
                Remedy::Wait => self.rests(&mut pauses).await,
                // A new federated credential takes minutes to spread (§1.3).
                Remedy::WaitForCredential => by_assertion && self.rests(&mut pauses).await,
                Remedy::NewAssertion => by_assertion && !std::mem::replace(&mut renewed, true),
            };
            if !again {
                let stale = remedy == Remedy::NewAssertion && matches!(prover, Prover::CiToken(..));
                return Err(if stale { failure.hint(refusal::STALE) } else { failure });
            }
            // Once an assertion was outside its time, the server's clock is the better one.
            now = super::clock::of_server(&response).filter(|_| renewed).unwrap_or_else(SystemTime::now);
            self.login.count_retried(1);
        }
    }

    async fn rests(&self, pauses: &mut Pauses) -> bool {
        matches!(self.login.rest(pauses, None).await, Pause::Wait(_))
    }

    /// The request with a fresh proof.
    async fn proven(&self, prover: Prover<'_>, now: SystemTime) -> Result<Request, Failure> {
        let path = format!("{}/oauth2/v2.0/token", self.tenant);
        let request = Request::post(self.login.url(&path)).returns_secrets().accept("application/json").form(&[
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("scope", &self.scope),
        ]);
        let assertion = match prover {
            Prover::Secret(secret) => return Ok(request.secret_form(&[("client_secret", secret)])),
            Prover::CiToken(from, audience) => from.token(&self.login, audience).await?,
            Prover::Certificate(file, password) => {
                let audience = format!("{}/{path}", self.authority.trim_end_matches('/'));
                assertion::sign(file, password, &audience, &self.client_id, now)?
            }
        };
        Ok(request
            .form(&[("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")])
            .secret_form(&[("client_assertion", &assertion)]))
    }
}

fn granted(response: &Response) -> Result<Granted, Failure> {
    let token: Token = response.json()?;
    Ok(Granted { token: token.access_token, expires_in: super::clock::life(&token.expires_in) })
}
