//! The client of one product: headers, encoding, the circuit breaker of the login, and what the status of an answer says everywhere.
//!
//! Owns: the credential on every call, the circuit breaker behind it, done, refused and unknown of a write by its status
//! (docs/write-protocols.md), the server's own words.
//! Leaves to others: what a 401, a 403 or the body of a success means in one product (its `client.rs`).
//! A newcomer gets wrong: clones share the circuit breaker. One refused login trips it for every worker of the target.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use url::Url;

use crate::http::{Authorization, Client as HttpClient, Failure, FailureKind, Request, Response, Sent};
use crate::load::WriteError;
use crate::model::Fault;
use crate::secret::server_message;
use crate::settings::AtlassianCredential;

use super::login::{Anonymous, CircuitBreaker, CredentialKind, contains};

const JSON: &str = "application/json";
/// The code of a fault that stands for 404.
pub(crate) const NOT_FOUND: &str = "not_found";
/// The code of a fault that stands for 405.
pub(crate) const WRONG_METHOD: &str = "wrong_method";
/// The code of a fault that stands for 415.
pub(crate) const WRONG_TYPE: &str = "wrong_type";
/// The code of a fault that stands for 500.
pub(crate) const INTERNAL_ERROR: &str = "internal_error";

/// A credential, and whether the server refused it.
pub(crate) struct Login {
    authorization: Authorization,
    circuit_breaker: CircuitBreaker,
}

impl Login {
    /// With nothing refused yet.
    pub(crate) fn new(credential: &AtlassianCredential) -> Arc<Self> {
        let kind = if credential.is_token() { CredentialKind::Token } else { CredentialKind::Password };
        Arc::new(Self { authorization: authorization(credential), circuit_breaker: CircuitBreaker::new(kind) })
    }
}

fn authorization(credential: &AtlassianCredential) -> Authorization {
    match credential {
        AtlassianCredential::Token(token) => Authorization::Bearer(token.clone()),
        AtlassianCredential::Password { username, password } => {
            Authorization::Basic { user: username.clone(), password: password.clone() }
        }
    }
}

/// One way to the server: with cookies of its own, or without any.
#[derive(Clone)]
pub(crate) struct AtlassianClient {
    http: HttpClient,
    login: Arc<Login>,
}

impl AtlassianClient {
    pub(crate) fn new(http: HttpClient, login: Arc<Login>) -> Self {
        login.circuit_breaker.doubt();
        Self { http, login }
    }

    pub(crate) fn http(&self) -> &HttpClient {
        &self.http
    }

    /// For who must trip it.
    pub(crate) fn circuit_breaker(&self) -> &CircuitBreaker {
        &self.login.circuit_breaker
    }

    /// A read; the answer has passed the login check and nothing else.
    pub(crate) async fn read(&self, url: Url) -> Result<Response, Failure> {
        self.ask(Request::get(url).accept(JSON), Anonymous::Refused).await
    }

    /// A call that changes nothing, with any method.
    pub(crate) async fn ask(&self, request: Request, anonymous: Anonymous) -> Result<Response, Failure> {
        let _alone = self.circuit_breaker().enter().await?;
        let response = self.http.read(request.auth(&self.login.authorization)).await?;
        self.circuit_breaker().check(&response, anonymous)?;
        Ok(response)
    }

    /// The bytes of a picture; `None` where the server sent something else, such as a login page.
    pub(crate) async fn picture(&self, url: Url) -> Result<Option<Bytes>, Failure> {
        let response = match self.file(url).await {
            Ok(response) => response,
            // A redirect to a sign-in page elsewhere.
            Err(failure) if matches!(failure.kind, FailureKind::Odd | FailureKind::Misconfigured) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        Ok((response.status == 200 && !response.is_html() && !response.body.is_empty()).then_some(response.body))
    }

    /// What the web server answers for a file. It need not know a token (JRASERVER-72378).
    pub(crate) async fn file(&self, url: Url) -> Result<Response, Failure> {
        self.ask(Request::get(url).accept("image/*"), Anonymous::Allowed).await
    }

    /// What an unsuccessful answer to a read means for the target. `permission` says what a 403 lacks.
    pub(crate) fn failed(&self, response: &Response, permission: &str) -> Failure {
        let found = found(response);
        match response.status {
            401 => self.circuit_breaker().trip(
                response
                    .failure(FailureKind::Refused, found)
                    .hint("the credential is not accepted: check `credential`"),
            ),
            403 => response.failure(FailureKind::Refused, found).hint(permission),
            400 | 404 | 405 | 410 => response.failure(FailureKind::Odd, found),
            status if status < 400 => response.failure(FailureKind::Odd, found),
            _ => response
                .failure(FailureKind::Unreachable, found)
                .hint("the server is in trouble: run again when it is well"),
        }
    }

    /// A write, sent once; nothing of the answer is judged.
    pub(crate) async fn send(&self, request: Request) -> Result<Sent, Failure> {
        let _alone = self.circuit_breaker().enter().await?;
        let request = request.auth(&self.login.authorization).accept(JSON).header("X-Atlassian-Token", "no-check");
        let sent = self.http.write(request).await;
        if let Sent::Response(response) = &sent {
            self.circuit_breaker().note(response);
        }
        Ok(sent)
    }
}

/// What the status of an unsuccessful answer to a write says, whoever the product is.
pub(crate) fn refused(response: &Response) -> WriteError {
    match response.status {
        300..=399 => WriteError::Stop(redirected(response)),
        403 if contains(&response.body, "XSRF") => WriteError::Stop(
            response
                .failure(FailureKind::Odd, found(response))
                .hint("a proxy strips `X-Atlassian-Token` or rewrites `User-Agent`: let it pass both unchanged"),
        ),
        400 => WriteError::Refused(fault("refused", response)),
        401 => WriteError::Refused(fault("unauthorized", response)),
        403 => WriteError::Refused(fault("forbidden", response)),
        404 => WriteError::Refused(fault(NOT_FOUND, response)),
        413 => WriteError::Refused(fault("too_large", response)),
        415 => WriteError::Refused(fault(WRONG_TYPE, response)),
        429 => WriteError::Refused(fault("throttled", response)),
        405 => WriteError::Unknown(fault(WRONG_METHOD, response)),
        500 => WriteError::Unknown(fault(INTERNAL_ERROR, response)),
        _ => WriteError::Unknown(fault("server_error", response)),
    }
}

fn redirected(response: &Response) -> Failure {
    let location = response.header("location").unwrap_or("nowhere");
    let location = location.split(['?', '#']).next().unwrap_or(location);
    response
        .failure(FailureKind::Misconfigured, format!("{}, a redirect to {location}", response.status))
        .hint("a redirect turns a write into a read: write the address that the server uses itself as `base_url`")
}

/// The status, the server's own words, and the request's id.
pub(crate) fn found(response: &Response) -> String {
    response.with_request_id(match words(&response.body) {
        Some(words) => format!("{}: {words}", response.status),
        None if response.is_html() => format!("{}, an HTML page", response.status),
        None => response.status.to_string(),
    })
}

/// A fault of one person with everything that an answer says.
pub(crate) fn fault(code: &str, response: &Response) -> Fault {
    Fault::new(code, format!("{}: {}", response.tried(), found(response)))
}

/// Every value percent-encoded: a literal `+` becomes `%2B`, and a space `%20`, which no server takes for a `+`.
pub(crate) fn with_query(mut url: Url, query: &[(&str, &str)]) -> Url {
    let encode =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
    let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    url.set_query((!pairs.is_empty()).then(|| pairs.join("&")).as_deref());
    url
}

/// The error body of all three products. The words are localised: only the status decides.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Errors {
    #[serde(default)]
    error_messages: Vec<String>,
    #[serde(default)]
    errors: Details,
    message: Option<String>,
}

/// Jira names fields, Bitbucket lists exceptions.
#[derive(Deserialize)]
#[serde(untagged)]
enum Details {
    Fields(BTreeMap<String, String>),
    Exceptions(Vec<Exception>),
}

impl Default for Details {
    fn default() -> Self {
        Self::Exceptions(Vec::new())
    }
}

#[derive(Deserialize)]
struct Exception {
    message: Option<String>,
}

/// The server's own words, if the body has any.
fn words(body: &[u8]) -> Option<String> {
    let errors: Errors = serde_json::from_slice(body).ok()?;
    let details: Vec<String> = match errors.errors {
        Details::Fields(fields) => fields.into_values().collect(),
        Details::Exceptions(list) => list.into_iter().filter_map(|exception| exception.message).collect(),
    };
    let words: Vec<String> = errors.error_messages.into_iter().chain(details).chain(errors.message).collect();
    (!words.is_empty()).then(|| server_message(&words.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_value_is_encoded() {
        let base = Url::parse("https://jira.ex.org/jira/rest/api/2/user/avatars").unwrap();
        for (name, encoded) in [
            ("a+b", "a%2Bb"),
            ("a b", "a%20b"),
            ("ada@ex.org", "ada%40ex.org"),
            ("EX\\ada", "EX%5Cada"),
            ("x&y=z", "x%26y%3Dz"),
            ("zoë", "zo%C3%AB"),
            ("50%", "50%25"),
        ] {
            let url = with_query(base.clone(), &[("username", name)]);
            assert_eq!(url.query(), Some(format!("username={encoded}").as_str()));
        }
        assert_eq!(with_query(base.clone(), &[]), base);
    }

    #[test]
    fn the_words_of_every_product_are_found() {
        for (body, expected) in [
            (r#"{"errorMessages":["no user"],"errors":{"name":"blank"}}"#, Some("no user; blank")),
            (r#"{"errors":[{"context":null,"message":"no user","exceptionName":"x"}]}"#, Some("no user")),
            (r#"{"statusCode":404,"message":"No user found"}"#, Some("No user found")),
            (r#"{"errorMessages":[],"errors":{}}"#, None),
            ("<html>", None),
        ] {
            assert_eq!(words(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }
}
