//! Workload identity federation: a CI token becomes a federated token, and that signs for a service account
//! (docs/wire/google-directory.md §1.5).
//!
//! Owns: the token exchange, `signJwt`, `generateAccessToken`. Leaves to others: the last step in an administrator's
//! name (`bearer.rs`).
//! A newcomer gets wrong: the token exchange takes no `Authorization` header; and `generateAccessToken` knows no
//! subject, which is why an administrator's name needs `signJwt`.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

use super::refusal;
use super::signer::{JwtClaims, LIFE, Signer};
use super::subject::{SubjectToken, of_file, of_url};
use crate::http::sign_in::{Granted, ci_token, clock};
use crate::http::{Authorization, Client, Failure, FailureKind, Request, Response};
use crate::secret::Secret;

/// What is needed to become somebody of a pool.
#[derive(Clone, Copy)]
pub(super) struct Federation<'a> {
    pub(super) sts: &'a Client,
    pub(super) audience: &'a str,
    pub(super) token_type: &'a str,
}

/// A service account that a federated token speaks for.
pub(super) struct ServiceAccount<'a> {
    pub(super) iam: &'a Client,
    pub(super) email: &'a str,
    pub(super) federated: Secret,
}

#[derive(Deserialize)]
struct Exchanged {
    access_token: Secret,
    #[serde(default)]
    expires_in: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signed {
    signed_jwt: Secret,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Generated {
    access_token: Secret,
    expire_time: String,
}

impl Federation<'_> {
    /// Exchanges the subject token.
    pub(super) async fn enter(&self, source: &SubjectToken) -> Result<Granted, Failure> {
        // The exchange names the provider without a scheme, the CI token with one (§1.5).
        let provider = self.audience.strip_prefix("https:").unwrap_or(self.audience);
        let subject = match source {
            SubjectToken::Ci(from) => ci_token::token(from, self.sts, &format!("https:{provider}")).await?,
            SubjectToken::Url { url, headers, format } => of_url(self.sts, url, headers, format).await?,
            SubjectToken::File { path, format } => of_file(path, format)?,
        };
        let request = Request::post(self.sts.url("v1/token"))
            .returns_secrets()
            .accept("application/json")
            .json(&json!({
                "audience": provider,
                "grantType": "urn:ietf:params:oauth:grant-type:token-exchange",
                "requestedTokenType": "urn:ietf:params:oauth:token-type:access_token",
                "scope": "https://www.googleapis.com/auth/cloud-platform",
                "subjectTokenType": self.token_type,
                "subjectToken": subject.expose(),
            }))
            .secret();
        let response = self.sts.read(request).await?;
        if response.status != 200 {
            return Err(refusal::of_exchange(&response, provider));
        }
        let Exchanged { access_token, expires_in } = response.json()?;
        Ok(Granted { token: access_token, expires_in: clock::life(&expires_in) })
    }
}

impl ServiceAccount<'_> {
    /// A token in the account's own name.
    pub(super) async fn own_token(&self, scopes: &[&'static str]) -> Result<Granted, Failure> {
        let wish = json!({ "scope": scopes, "lifetime": format!("{LIFE}s") });
        let response = self.request("generateAccessToken", &wish).await?;
        let Generated { access_token, expire_time } = response.json()?;
        let until = humantime::parse_rfc3339_weak(&expire_time)
            .map_err(|_| response.failure(FailureKind::Odd, "a token whose `expireTime` is not a time"))?;
        let now = clock::of_server(&response).unwrap_or_else(SystemTime::now);
        let expires_in = until.duration_since(now).unwrap_or(Duration::ZERO);
        Ok(Granted { token: access_token, expires_in })
    }

    async fn request(&self, method: &str, body: &serde_json::Value) -> Result<Response, Failure> {
        // The `-` in place of the project is the documented form.
        let url = self.iam.url(&format!("v1/projects/-/serviceAccounts/{}:{method}", self.email));
        let request = Request::post(url)
            .returns_secrets()
            .accept("application/json")
            .auth(&Authorization::Bearer(self.federated.clone()))
            .json(body);
        let response = self.iam.read(request).await?;
        if response.status == 200 { Ok(response) } else { Err(refusal::of_iam(&response, self.email)) }
    }
}

#[async_trait]
impl Signer for ServiceAccount<'_> {
    fn email(&self) -> &str {
        self.email
    }

    fn client_id(&self) -> Option<&str> {
        None
    }

    async fn sign(&self, claims: &JwtClaims<'_>) -> Result<Secret, Failure> {
        // The payload is text that holds JSON.
        let payload = serde_json::to_string(claims)
            .map_err(|error| Failure::new(FailureKind::Odd, "writing the claims of a token", error.to_string()))?;
        let response = self.request("signJwt", &json!({ "payload": payload })).await?;
        Ok(response.json::<Signed>()?.signed_jwt)
    }
}
