//! The grants against servers that answer what docs/wire/google-directory.md shows.

use std::path::PathBuf;

use axum::response::Response;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use super::*;
use crate::http::FailureKind;
use crate::http::loopback::{Loopback, ReceivedRequest, reply, reply_json};
use crate::secret::Secret;
use crate::settings::TokenFrom;

const SCOPE: &str = "https://www.googleapis.com/auth/admin.directory.user.readonly";
const EMAIL: &str = "sync@p.iam.gserviceaccount.com";
const PROVIDER: &str = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/providers/github";

fn key() -> Value {
    json!({ "type": "service_account", "client_email": EMAIL, "client_id": "104000000000000000001",
        "private_key_id": "9b1c", "private_key": include_str!("../../test_keys/pair.pem"),
        "token_uri": "https://evil.example/token", "universe_domain": "googleapis.com" })
}

/// A file that lives as long as the folder.
fn file(content: &Value) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credential.json");
    std::fs::write(&path, content.to_string()).unwrap();
    (folder, path)
}

fn signing_in(server: &Loopback, credential: GoogleCredential, subject: Option<&str>) -> GoogleSignIn {
    let url = || server.url.clone();
    let google = Google {
        customer: "my_customer".into(),
        subject: subject.map(str::to_owned),
        credential,
        endpoints: GoogleEndpoints { token: url(), directory: url(), sts: url(), iam_credentials: url() },
    };
    GoogleSignIn { token: server.client().0, google, api: GoogleApi::Directory, scopes: vec![SCOPE] }
}

fn token() -> Value {
    json!({ "access_token": "ya29.granted", "expires_in": 3599, "token_type": "Bearer" })
}

fn field(asked: &ReceivedRequest, name: &str) -> String {
    url::form_urlencoded::parse(&asked.body)
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// The claims of a token, its signature verified.
fn verified(token: &str) -> Value {
    let mut rules = Validation::new(Algorithm::RS256);
    rules.validate_aud = false;
    rules.validate_exp = false;
    let key = DecodingKey::from_rsa_pem(include_bytes!("../../test_keys/public.pem")).unwrap();
    jsonwebtoken::decode::<Value>(token, &key, &rules).unwrap().claims
}

#[tokio::test]
async fn a_key_signs_a_wish_in_an_administrators_name() {
    let server = Loopback::start(|_, _| reply_json(200, &token())).await;
    let (_folder, path) = file(&key());
    let grant = signing_in(&server, GoogleCredential::ServiceAccountFile(path), Some("admin@example.com"));
    let granted = grant.ask().await.unwrap();
    assert_eq!((granted.token.expose(), granted.expires_in.as_secs()), ("ya29.granted", 3599));
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/token"));
    assert_eq!(field(asked, "grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let assertion = field(asked, "assertion");
    let header = jsonwebtoken::decode_header(&assertion).unwrap();
    assert_eq!(
        (header.alg, header.kid.as_deref(), header.typ.as_deref()),
        (Algorithm::RS256, Some("9b1c"), Some("JWT"))
    );
    let claims = verified(&assertion);
    assert_eq!((claims["iss"].as_str(), claims["sub"].as_str()), (Some(EMAIL), Some("admin@example.com")));
    assert_eq!(claims["scope"], SCOPE);
    assert_eq!(claims["aud"], "https://oauth2.googleapis.com/token", "neither the endpoint nor `token_uri`");
    let (iat, exp) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
    let now = crate::http::sign_in::clock::seconds(SystemTime::now());
    assert!(exp - iat == 3600 && (25..=60).contains(&(now - iat)), "{iat} {exp} {now}");
    assert_eq!(grant.counts().sent, 1);
}

#[tokio::test]
async fn without_a_subject_the_key_signs_itself_in_without_a_request() {
    let server = Loopback::start(|_, _| reply_json(200, &token())).await;
    let (_folder, path) = file(&key());
    let granted = signing_in(&server, GoogleCredential::ServiceAccountFile(path), None).ask().await.unwrap();
    let claims = verified(granted.token.expose());
    assert_eq!((claims["iss"].as_str(), claims["sub"].as_str()), (Some(EMAIL), Some(EMAIL)));
    assert_eq!((claims["aud"].as_str(), claims.get("scope")), (Some("https://admin.googleapis.com/"), None));
    assert!(granted.expires_in.as_secs() <= 3570 && server.asked().is_empty());
}

#[tokio::test]
async fn every_row_of_the_token_errors_says_what_to_change() {
    use FailureKind::{Odd, Refused, Unreachable};
    let told = |error: &str, description: &str| json!({ "error": error, "error_description": description }).to_string();
    let skew = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.";
    let table = [
        (
            401,
            told("unauthorized_client", "Client is unauthorized"),
            Refused,
            1,
            "Domain-wide delegation: enter 104000000000000000001 with the scopes https://www.googleapis.com/auth/admin.directory.user.readonly",
        ),
        (400, told("invalid_grant", skew), Refused, 2, "clock"),
        (400, told("invalid_grant", "Invalid email or User ID"), Refused, 1, "`subject` is admin@example.com"),
        (400, told("invalid_grant", "Not a valid email"), Refused, 1, "`subject` is admin@example.com"),
        (400, told("invalid_grant", "The account has been deleted"), Refused, 1, "`subject` is admin@example.com"),
        (400, told("invalid_grant", "Invalid JWT Signature."), Refused, 1, "the key is revoked"),
        (400, told("invalid_grant", "Invalid grant: account not found"), Refused, 1, "not there any more"),
        (400, told("invalid_grant", "Invalid JWT: Failed audience check."), Refused, 1, "check `endpoints.token`"),
        (400, told("invalid_scope", "Invalid OAuth scope or ID token audience provided."), Refused, 1, "our fault"),
        (400, told("invalid_request", "Invalid impersonation \"sub\" field"), Refused, 1, "is it an e-mail address?"),
        (403, told("access_denied", "x"), Refused, 1, "App access control"),
        (403, told("invalid_account", "x"), Refused, 1, "is it suspended?"),
        (401, told("disabled_client", "x"), Refused, 1, "enable it"),
        (401, told("deleted_client", "x"), Refused, 1, "enable it"),
        (400, told("brand_new", "x"), Refused, 1, "check the key"),
        (400, told("internal_failure", ""), Unreachable, 6, "run again later"),
        (400, told("server_error", ""), Unreachable, 6, "run again later"),
        (400, told("temporarily_unavailable", ""), Unreachable, 6, "run again later"),
        (408, told("invalid_request", ""), Unreachable, 6, "run again later"),
        (429, told("rate_limit_exceeded", ""), Unreachable, 6, "run again later"),
        (500, told("internal_failure", ""), Unreachable, 6, "run again later"),
        (503, "busy".to_owned(), Unreachable, 6, "check `endpoints`"),
        (404, "<html>Not Found".to_owned(), Odd, 1, "check `endpoints`"),
        (200, json!({ "id_token": "eyJ-id" }).to_string(), Refused, 1, "does not know one of the scopes"),
        (200, json!({ "access_token": 7, "expires_in": 1 }).to_string(), Odd, 1, "another shape"),
    ];
    let (_folder, path) = file(&key());
    for (status, body, kind, tries, words) in table {
        let sent = body.clone();
        let server = Loopback::start(move |_, _| reply(status, &[], sent.clone())).await;
        let grant = signing_in(&server, GoogleCredential::ServiceAccountFile(path.clone()), Some("admin@example.com"));
        let failure = grant.ask().await.unwrap_err();
        let shown = failure.to_string();
        assert_eq!((failure.kind, server.asked().len()), (kind, tries), "{status} {body}: {shown}");
        assert!(shown.contains(words) && !shown.contains("eyJ-id"), "{status} {body}: {shown}");
    }
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_once_by_the_servers() {
    let server = Loopback::start(|number, _| match number {
        0 => {
            let body = json!({ "error": "invalid_grant", "error_description": "… in a reasonable timeframe" });
            reply(400, &[("date", "Thu, 01 Jan 2032 00:00:00 GMT")], body.to_string())
        }
        _ => reply_json(200, &token()),
    })
    .await;
    let (_folder, path) = file(&key());
    signing_in(&server, GoogleCredential::ServiceAccountFile(path), Some("admin@example.com")).ask().await.unwrap();
    assert_eq!(verified(&field(&server.asked()[1], "assertion"))["iat"], 1_956_528_000 - 30);
}

#[tokio::test]
async fn a_key_file_that_cannot_be_used_is_told_and_not_quoted() {
    let server = Loopback::start(|_, _| reply_json(200, &token())).await;
    let with = |name: &str, value: Value| {
        let mut key = key();
        key[name] = value;
        key
    };
    for (content, words) in [
        (json!("-----BEGIN PRIVATE KEY-----"), "not the JSON of a key"),
        (with("type", json!("authorized_user")), "`authorized_user`, not `service_account`"),
        (with("type", json!("external_account")), "`external_account_file` in place"),
        (with("client_email", Value::Null), "lacks `client_email`"),
        (with("private_key", json!("top-secret-nonsense")), "not an RSA key"),
        (with("universe_domain", json!("other.example")), "universe `other.example`"),
    ] {
        let (_folder, path) = file(&content);
        let failure = signing_in(&server, GoogleCredential::ServiceAccountFile(path), Some("a@b.example"))
            .ask()
            .await
            .unwrap_err();
        let shown = failure.to_string();
        assert!(failure.kind == FailureKind::Misconfigured && shown.contains(words), "{shown}");
        assert!(!shown.contains("top-secret") && !shown.contains("BEGIN"), "{shown}");
    }
    assert!(server.asked().is_empty());
}

/// STS, IAM and the token endpoint in one.
fn federation(_: usize, asked: &ReceivedRequest) -> Response {
    match asked.path.as_str() {
        "/v1/token" => reply_json(200, &json!({ "access_token": "ya29.federated", "token_type": "Bearer" })),
        "/token" => reply_json(200, &token()),
        path if path.ends_with(":signJwt") => reply_json(200, &json!({ "keyId": "5f2c", "signedJwt": "eyJ-signed" })),
        path if path.ends_with(":generateAccessToken") => reply(
            200,
            &[("date", "Mon, 23 Nov 2026 08:00:00 GMT")],
            json!({ "accessToken": "ya29.own", "expireTime": "2026-11-23T09:00:00Z" }).to_string(),
        ),
        "/ci?x=1&audience=https%3A%2F%2Fiam.googleapis.com%2Fprojects%2F1%2Flocations%2Fglobal%2FworkloadIdentityPools%2Fci%2Fproviders%2Fgithub" => {
            reply_json(200, &json!({ "value": "ci-token" }))
        }
        "/metadata" => reply_json(200, &json!({ "value": "ci-token" })),
        _ => reply(418, &[], ""),
    }
}

fn ci(from: TokenFrom, audience: &str) -> GoogleCredential {
    let (audience, service_account) = (audience.to_owned(), EMAIL.to_owned());
    GoogleCredential::Federated(GoogleFederated { from, audience, service_account })
}

fn of_env() -> TokenFrom {
    TokenFrom::Env { name: "GOOGLE_ID_TOKEN".into(), token: Secret::new("ci-token") }
}

#[tokio::test]
async fn a_ci_token_becomes_an_administrators_in_three_steps() {
    let server = Loopback::start(federation).await;
    let from = TokenFrom::Github { url: server.url.join("/ci?x=1").unwrap(), token: Secret::new("request-token") };
    // Either spelling of the provider does.
    let grant = signing_in(&server, ci(from, &format!("https:{PROVIDER}")), Some("admin@example.com"));
    assert_eq!(grant.ask().await.unwrap().token.expose(), "ya29.granted");
    let asked = server.asked();
    assert_eq!((asked.len(), asked[0].header("authorization")), (4, "Bearer request-token"));
    assert_eq!(asked[1].header("authorization"), "", "it can make the exchange fail");
    assert_eq!(
        asked[1].json(),
        json!({ "audience": PROVIDER, "grantType": "urn:ietf:params:oauth:grant-type:token-exchange",
            "requestedTokenType": "urn:ietf:params:oauth:token-type:access_token",
            "scope": "https://www.googleapis.com/auth/cloud-platform",
            "subjectTokenType": "urn:ietf:params:oauth:token-type:jwt", "subjectToken": "ci-token" })
    );
    assert_eq!(asked[2].path, format!("/v1/projects/-/serviceAccounts/{EMAIL}:signJwt"));
    assert_eq!(asked[2].header("authorization"), "Bearer ya29.federated");
    let payload: Value = serde_json::from_str(asked[2].json()["payload"].as_str().unwrap()).unwrap();
    assert_eq!((payload["iss"].as_str(), payload["sub"].as_str()), (Some(EMAIL), Some("admin@example.com")));
    assert!(payload["exp"].is_u64() && payload["aud"] == "https://oauth2.googleapis.com/token");
    assert_eq!(field(&asked[3], "assertion"), "eyJ-signed");
    assert_eq!(grant.counts().sent, 4);
}

#[tokio::test]
async fn without_a_subject_two_steps_do() {
    let server = Loopback::start(federation).await;
    let granted = signing_in(&server, ci(of_env(), PROVIDER), None).ask().await.unwrap();
    assert_eq!((granted.token.expose(), granted.expires_in.as_secs()), ("ya29.own", 3600));
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].json(), json!({ "scope": [SCOPE], "lifetime": "3600s" }));
}

fn external(source: Value) -> Value {
    json!({ "type": "external_account", "audience": PROVIDER, "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://evil.example/v1/token", "credential_source": source,
        "service_account_impersonation_url": format!("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{EMAIL}:generateAccessToken") })
}

#[tokio::test]
async fn a_credential_file_leads_the_same_way() {
    let server = Loopback::start(federation).await;
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("token");
    std::fs::write(&plain, "ci-token\n").unwrap();
    let json_file = folder.path().join("token.json");
    std::fs::write(&json_file, r#"{"t":"ci-token"}"#).unwrap();
    let format = |field: &str| json!({ "type": "json", "subject_token_field_name": field });
    for source in [
        json!({ "url": server.url.join("/metadata").unwrap(), "headers": { "Authorization": "Bearer r" }, "format": format("value") }),
        json!({ "file": plain }),
        json!({ "file": json_file, "format": format("t") }),
    ] {
        let before = server.asked().len();
        let (_folder, path) = file(&external(source.clone()));
        let grant = signing_in(&server, GoogleCredential::ExternalAccountFile(path), Some("admin@example.com"));
        assert_eq!(grant.ask().await.unwrap().token.expose(), "ya29.granted");
        let asked = server.asked().split_off(before);
        let exchange = asked.iter().find(|asked| asked.path == "/v1/token").unwrap();
        assert_eq!(exchange.json()["subjectToken"], "ci-token", "{source}");
        assert!(asked.iter().any(|asked| asked.path == format!("/v1/projects/-/serviceAccounts/{EMAIL}:signJwt")));
    }
}

#[tokio::test]
async fn a_credential_file_that_cannot_be_used_is_told() {
    let server = Loopback::start(federation).await;
    let with = |name: &str, value: Value| {
        let mut external = external(json!({ "file": "/nowhere/token" }));
        external[name] = value;
        external
    };
    for (content, words) in [
        (json!([]), "not the JSON of a credential"),
        (key(), "`service_account_file` in place"),
        (with("audience", json!("")), "has no `audience`"),
        (with("service_account_impersonation_url", Value::Null), "names no service account"),
        (
            with("service_account_impersonation_url", json!("https://x/serviceAccounts/a/b:generateAccessToken")),
            "names no service account",
        ),
        (with("credential_source", json!({ "environment_id": "aws1" })), "neither `url` nor `file`"),
        (with("type", json!("external_account")), "/nowhere/token: No such file"),
    ] {
        let (_folder, path) = file(&content);
        let failure = signing_in(&server, GoogleCredential::ExternalAccountFile(path), None).ask().await.unwrap_err();
        assert!(failure.kind == FailureKind::Misconfigured && failure.to_string().contains(words), "{failure}");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn every_refusal_on_the_federated_way_says_what_to_change() {
    use FailureKind::{Odd, Refused, Unreachable};
    let oauth = |error: &str| json!({ "error": error, "error_description": "told" });
    let iam = |status: &str, message: &str| json!({ "error": { "code": 403, "message": message, "status": status } });
    let disabled = json!({ "error": { "code": 403, "message": "x", "status": "PERMISSION_DENIED", "details": [{ "reason": "SERVICE_DISABLED" }] } });
    for (step, status, body, kind, words) in [
        ("/v1/token", 400, oauth("invalid_request"), Refused, "`audience` is //iam.googleapis.com"),
        ("/v1/token", 400, oauth("invalid_target"), Refused, "is not there, or is disabled"),
        ("/v1/token", 400, oauth("invalid_grant"), Refused, "its audience must be https://iam.googleapis.com"),
        ("/v1/token", 401, oauth("unauthorized_client"), Refused, "attribute condition"),
        ("/v1/token", 503, oauth("temporarily_unavailable"), Unreachable, "temporarily_unavailable"),
        ("/v1/token", 404, json!("<html>"), Odd, "check `endpoints`"),
        (
            "signJwt",
            403,
            iam("PERMISSION_DENIED", "Permission 'iam.serviceAccounts.signJwt' denied"),
            Refused,
            "roles/iam.serviceAccountTokenCreator",
        ),
        (
            "signJwt",
            403,
            iam("PERMISSION_DENIED", "API has not been used in project 7"),
            Refused,
            "enable iamcredentials.googleapis.com",
        ),
        ("signJwt", 403, disabled, Refused, "enable iamcredentials.googleapis.com"),
        ("signJwt", 404, iam("NOT_FOUND", "x"), Refused, "is not there"),
        ("signJwt", 401, iam("UNAUTHENTICATED", "x"), Refused, "endpoints.iam_credentials"),
        ("signJwt", 503, iam("UNAVAILABLE", "x"), Unreachable, "run again later"),
        ("signJwt", 400, iam("INVALID_ARGUMENT", "x"), Refused, "check the service account"),
    ] {
        let server = Loopback::start(move |number, asked| {
            if asked.path.ends_with(step) { reply_json(status, &body) } else { federation(number, asked) }
        })
        .await;
        let failure = signing_in(&server, ci(of_env(), PROVIDER), Some("a@b.example")).ask().await.unwrap_err();
        let shown = failure.to_string();
        assert!(failure.kind == kind && shown.contains(words), "{step} {status}: {shown}");
        assert!(!shown.contains("ci-token") && !shown.contains("ya29"), "{shown}");
    }
}
