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

use std::time::SystemTime;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;

use super::{Grant, Granted, ci_token};
use crate::http::client::Route;
use crate::http::{Client, Counts, Failure, Pause, Pauses, Request, Response, certificate_ends};
use crate::secret::Secret;
use crate::settings::{AppProof, Entra, EntraCredential};
use refusal::{EntraRefusal, EntraRemedy};

/// Signs us in to Entra.
#[derive(Debug)]
pub(crate) struct EntraSignIn {
    /// To the login host.
    pub login: Client,
    /// As whom, and to which cloud.
    pub entra: Entra,
    /// The API that the token is for, by its base URL without a slash at its end.
    pub api: String,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: Secret,
    #[serde(default)]
    expires_in: Value,
}

#[async_trait]
impl Grant for EntraSignIn {
    async fn ask(&self) -> Result<Granted, Failure> {
        match &self.entra.credential {
            EntraCredential::ManagedIdentity { client_id } => {
                // It is asked through no proxy.
                let imds = self.login.beside(self.entra.endpoints.imds.clone(), Route::Direct)?;
                machine::ask(&imds, &format!("{}/", self.api), client_id.as_deref()).await
            }
            EntraCredential::App { client_id, proof } => self.ask_login(client_id, proof).await,
        }
    }

    fn who(&self) -> Option<String> {
        let EntraCredential::App { client_id, .. } = &self.entra.credential else { return None };
        Some(format!("app {client_id} of tenant {}", self.entra.tenant))
    }

    fn ends(&self) -> Option<(String, u64)> {
        Some(("certificate".to_owned(), certificate_ends(self.entra.credential.certificate()?)?))
    }

    fn lasts(&self) -> Option<String> {
        matches!(self.proof(), Some(AppProof::ClientSecret(_))).then(|| {
            "Microsoft shows the end of the client secret in the portal only: App registrations, Certificates & secrets"
                .to_owned()
        })
    }

    fn counts(&self) -> Counts {
        self.login.counts()
    }
}

impl EntraSignIn {
    fn proof(&self) -> Option<&AppProof> {
        match &self.entra.credential {
            EntraCredential::App { proof, .. } => Some(proof),
            EntraCredential::ManagedIdentity { .. } => None,
        }
    }

    async fn ask_login(&self, client_id: &str, proof: &AppProof) -> Result<Granted, Failure> {
        let by_assertion = !matches!(proof, AppProof::ClientSecret(_));
        let mut pauses = self.login.pauses();
        let (mut now, mut renewed) = (SystemTime::now(), false);
        loop {
            let response = self.login.read(self.proven(client_id, proof, now).await?).await?;
            if response.status == 200 {
                return granted(&response);
            }
            let EntraRefusal { failure, remedy } = refusal::judge(&response);
            let again = match remedy {
                EntraRemedy::None => false,
                EntraRemedy::Wait => self.rests(&mut pauses).await,
                // A new federated credential takes minutes to spread (§1.3).
                EntraRemedy::WaitForCredential => by_assertion && self.rests(&mut pauses).await,
                EntraRemedy::NewAssertion => by_assertion && !std::mem::replace(&mut renewed, true),
            };
            if !again {
                let stale = remedy == EntraRemedy::NewAssertion && matches!(proof, AppProof::Federated(_));
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
    async fn proven(&self, client_id: &str, proof: &AppProof, now: SystemTime) -> Result<Request, Failure> {
        let Entra { cloud, tenant, .. } = &self.entra;
        let path = format!("{tenant}/oauth2/v2.0/token");
        let request = Request::post(self.login.url(&path)).returns_secrets().accept("application/json").form(&[
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("scope", &format!("{}/.default", self.api)),
        ]);
        let assertion = match proof {
            AppProof::ClientSecret(secret) => return Ok(request.secret_form(&[("client_secret", secret)])),
            AppProof::Federated(from) => ci_token::token(from, &self.login, cloud.federation_audience()).await?,
            AppProof::Certificate(certificate) => {
                assertion::sign(certificate, &format!("{}/{path}", cloud.login()), client_id, now)?
            }
        };
        Ok(request
            .form(&[("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")])
            .secret_form(&[("client_assertion", &assertion)]))
    }
}

fn granted(response: &Response) -> Result<Granted, Failure> {
    let token: TokenResponse = response.json()?;
    Ok(Granted { token: token.access_token, expires_in: super::clock::life(&token.expires_in) })
}
