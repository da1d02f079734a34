//! The grants against servers that answer what docs/wire/microsoft-graph.md shows.

use std::path::PathBuf;

use serde_json::json;

use super::*;
use crate::http::FailureKind;
use crate::http::loopback::{Loopback, ReceivedRequest, reply, reply_json};
use crate::settings::{Certificate, Cloud, EntraEndpoints, TokenFrom};

fn grant(server: &Loopback) -> EntraSignIn {
    signing_in(server, app(AppProof::ClientSecret(Secret::new("entra~secret+/1"))))
}

fn signing_in(server: &Loopback, credential: EntraCredential) -> EntraSignIn {
    let url = || server.url.clone();
    EntraSignIn {
        login: server.client().0,
        entra: Entra {
            cloud: Cloud::Global,
            tenant: "contoso.example".into(),
            credential,
            endpoints: EntraEndpoints { login: url(), graph: url(), imds: url() },
        },
        api: Cloud::Global.graph().to_owned(),
    }
}

fn app(proof: AppProof) -> EntraCredential {
    EntraCredential::App { client_id: "app-1".into(), proof }
}

fn refusal(error: &str, code: u64) -> serde_json::Value {
    json!({ "error": error, "error_codes": [code], "trace_id": "0c9d", "correlation_id": "5f21",
        "error_description": format!("AADSTS{code}: Told so for 'app-1'. Trace ID: 0c9d Correlation ID: 5f21") })
}

#[tokio::test]
async fn the_request_is_as_documented_and_the_token_is_taken() {
    let server = Loopback::start(|_, _| {
        reply_json(
            200,
            &json!({ "token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 9, "access_token": "eyJ-1" }),
        )
    })
    .await;
    let granted = grant(&server).ask().await.unwrap();
    assert_eq!((granted.token.expose(), granted.expires_in.as_secs()), ("eyJ-1", 3599));
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/contoso.example/oauth2/v2.0/token"));
    assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&asked.body).into_owned().collect();
    let sent: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        sent,
        [
            ("grant_type", "client_credentials"),
            ("client_id", "app-1"),
            ("scope", "https://graph.microsoft.com/.default"),
            ("client_secret", "entra~secret+/1"),
        ]
    );
}

#[tokio::test]
async fn refusals_are_told_with_their_ids_and_what_to_do() {
    for (status, error, code, kind, words, tries) in [
        (401, "invalid_client", 7_000_215, FailureKind::Refused, "not its id", 1),
        (400, "invalid_client", 7_000_222, FailureKind::Refused, "has expired", 1),
        (400, "unauthorized_client", 700_016, FailureKind::Refused, "check `client_id` and `tenant`", 1),
        (400, "invalid_request", 90_002, FailureKind::Refused, "check `tenant` and `cloud`", 1),
        // An unknown number changes the hint only.
        (400, "invalid_client", 1, FailureKind::Refused, "check `client_id` and the client secret", 1),
        // A transient number under a lasting error is lasting.
        (400, "invalid_client", 90_033, FailureKind::Refused, "in trouble", 1),
        (400, "temporarily_unavailable", 90_033, FailureKind::Unreachable, "in trouble", 6),
    ] {
        let server = Loopback::start(move |_, _| reply_json(status, &refusal(error, code))).await;
        let failure = grant(&server).ask().await.unwrap_err();
        let shown = failure.to_string();
        assert_eq!((failure.kind, server.asked().len()), (kind, tries), "{shown}");
        assert!(shown.contains(words) && shown.contains("trace 0c9d, correlation 5f21"), "{shown}");
    }
}

#[tokio::test]
async fn of_a_refusal_that_quotes_the_secret_nothing_is_told() {
    for quoted in ["entra~secret+/1", "ZW50cmF+c2VjcmV0Ky8x", "entra~secret%2B%2F1"] {
        let words = format!("AADSTS7000215: you sent {quoted}.");
        let body = json!({ "error": "temporarily_unavailable", "error_description": words });
        let server = Loopback::start(move |_, _| reply_json(400, &body)).await;
        let failure = grant(&server).ask().await.unwrap_err();
        let shown = failure.to_string();
        assert_eq!((failure.kind, server.asked().len()), (FailureKind::Refused, 1), "{shown}");
        assert!(shown.contains("the answer holds a secret") && !shown.contains("you sent"), "{shown}");
    }
}

#[tokio::test]
async fn a_transient_refusal_passes() {
    let server = Loopback::start(|number, _| match number {
        0 => reply(503, &[], "busy"),
        1 => reply_json(400, &refusal("temporarily_unavailable", 90_006)),
        // Numbers may come as text, as other endpoints of the vendor send them (§1.4).
        _ => reply_json(200, &json!({ "expires_in": "10", "access_token": "eyJ-2" })),
    })
    .await;
    assert_eq!(grant(&server).ask().await.unwrap().token.expose(), "eyJ-2");
}

#[tokio::test]
async fn a_page_in_place_of_the_endpoint_is_odd_and_a_misshaped_token_is_not_quoted() {
    let page = Loopback::start(|_, _| reply(404, &[("content-type", "text/html")], "<html>no")).await;
    assert_eq!(grant(&page).ask().await.unwrap_err().kind, FailureKind::Odd);
    let slower = Loopback::start(|_, _| reply(429, &[], "")).await;
    let failure = grant(&slower).ask().await.unwrap_err();
    assert!(failure.kind == FailureKind::Unreachable && failure.to_string().contains("run again later"), "{failure}");
    let odd = Loopback::start(|_, _| {
        reply(200, &[("content-type", "application/json")], r#"{"access_token":"eyJ-odd","access_token":7}"#)
    })
    .await;
    let shown = grant(&odd).ask().await.unwrap_err().to_string();
    assert!(!shown.contains("eyJ-odd"), "{shown}");
}

fn key_file(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/test_keys")).join(name)
}

fn certificate(name: &str, password: Option<&str>) -> EntraCredential {
    app(AppProof::Certificate(Certificate { file: key_file(name), password: password.map(Secret::new) }))
}

fn field(asked: &ReceivedRequest, name: &str) -> String {
    let found =
        url::form_urlencoded::parse(&asked.body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    found.unwrap_or_default()
}

fn token() -> serde_json::Value {
    json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": "eyJ-granted" })
}

#[derive(serde::Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    sub: String,
    jti: String,
    nbf: u64,
    iat: u64,
    exp: u64,
}

/// The claims of an assertion, its signature verified.
fn verified(assertion: &str) -> Claims {
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::PS256);
    rules.validate_aud = false;
    rules.validate_exp = false;
    let key = jsonwebtoken::DecodingKey::from_rsa_pem(include_bytes!("../../test_keys/public.pem")).unwrap();
    jsonwebtoken::decode::<Claims>(assertion, &key, &rules).unwrap().claims
}

#[tokio::test]
async fn a_certificate_signs_a_fresh_assertion_from_every_kind_of_file() {
    for (file, password) in [
        ("pair.pem", None),
        ("encrypted.pem", Some("open-sesame")),
        ("pkcs1.pem", None),
        ("pair.p12", Some("open-sesame")),
        ("legacy.p12", Some("open-sesame")),
        ("no-password.p12", None),
    ] {
        let server = Loopback::start(|_, _| reply_json(200, &token())).await;
        let grant = signing_in(&server, certificate(file, password));
        // openssl x509 -enddate: 30 October 2126, 12:14:29.
        assert_eq!(grant.ends(), Some(("certificate".to_owned(), 4_949_036_069)), "{file}");
        grant.ask().await.unwrap();
        grant.ask().await.unwrap();
        let asked = server.asked();
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        assert_eq!(
            (field(&asked[0], "client_assertion_type").as_str(), field(&asked[0], "client_secret").as_str()),
            (kind, "")
        );
        let assertion = field(&asked[0], "client_assertion");
        let header = jsonwebtoken::decode_header(&assertion).unwrap();
        // openssl x509 -outform der | openssl dgst -sha256 -binary | base64, web-safe and unpadded.
        assert_eq!(header.x5t_s256.as_deref(), Some("-F3r9pXI5En34Kdm3NvfbHQ_VH1xyLCgLlVi5iO4uP4"), "{file}");
        assert_eq!((header.typ.as_deref(), header.x5t), (Some("JWT"), None));
        let claims = verified(&assertion);
        assert_eq!(
            claims.aud, "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token",
            "not the endpoint's"
        );
        assert_eq!((claims.iss.as_str(), claims.sub.as_str(), claims.nbf), ("app-1", "app-1", claims.iat));
        assert!(claims.exp - claims.nbf <= 600);
        assert_ne!(claims.jti, verified(&field(&asked[1], "client_assertion")).jti);
    }
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_told_without_a_request() {
    let server = Loopback::start(|_, _| reply_json(200, &token())).await;
    for (file, password, words) in [
        ("missing.pem", None, "No such file"),
        ("README.md", None, "neither PEM nor PKCS#12"),
        ("public.pem", None, "holds no private key"),
        ("ec.pem", None, "not an RSA key"),
        ("encrypted.pem", Some("wrong-one"), "check `password`"),
        ("encrypted.pem", None, "write the `password`"),
        ("encrypted-old.pem", Some("open-sesame"), "openssl pkcs8 -topk8 -v2 aes-256-cbc"),
        ("pair.p12", Some("wrong-one"), "check `file` and `password`"),
        ("pair.p12", None, "check `file` and `password`"),
    ] {
        let failure = signing_in(&server, certificate(file, password)).ask().await.unwrap_err();
        let shown = failure.to_string();
        assert_eq!(failure.kind, FailureKind::Misconfigured);
        assert!(shown.contains(words) && shown.contains(file) && !shown.contains("wrong-one"), "{shown}");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn an_assertion_outside_its_time_is_made_again_once_by_the_servers_clock() {
    let response = |refusals: usize| {
        move |number: usize, _: &ReceivedRequest| {
            if number >= refusals {
                return reply_json(200, &token());
            }
            let refusal = refusal("invalid_client", 700_024).to_string();
            reply(401, &[("date", "Thu, 01 Jan 2032 00:00:00 GMT")], refusal)
        }
    };
    let server = Loopback::start(response(1)).await;
    signing_in(&server, certificate("pair.pem", None)).ask().await.unwrap();
    let issued: Vec<u64> = server.asked().iter().map(|asked| verified(&field(asked, "client_assertion")).iat).collect();
    assert_eq!(issued[1], 1_956_528_000 - 30);
    assert!(issued[0] < issued[1]);

    let never = Loopback::start(response(9)).await;
    let failure = signing_in(&never, certificate("pair.pem", None)).ask().await.unwrap_err();
    assert_eq!((failure.kind, never.asked().len()), (FailureKind::Refused, 2));
}

#[tokio::test]
async fn a_ci_token_is_the_assertion_wherever_it_comes_from() {
    let github = Loopback::start(|number, asked| {
        assert_eq!(asked.header("authorization"), "Bearer request-token");
        reply_json(200, &json!({ "count": 1, "value": format!("ci-token-{number}") }))
    })
    .await;
    let url = github.url.join("/idtoken?api-version=2.0&x=a%20b").unwrap();
    let azure = Loopback::start(|number, asked| {
        assert_eq!((asked.method.as_str(), asked.header("authorization")), ("POST", "Bearer access-token"));
        reply_json(200, &json!({ "oidcToken": format!("ci-token-{number}") }))
    })
    .await;
    let of_connection = azure.url.join("/plans/p/oidctoken?api-version=7.1&serviceConnectionId=s").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "ci-token-0\n").unwrap();
    for from in [
        TokenFrom::Github { url, token: Secret::new("request-token") },
        TokenFrom::AzureDevops { url: of_connection, token: Secret::new("access-token") },
        TokenFrom::Env { name: "AZURE_TOKEN".into(), token: Secret::new("ci-token-0\n") },
        TokenFrom::File { path },
    ] {
        let server = Loopback::start(|_, _| reply_json(200, &token())).await;
        let credential = app(AppProof::Federated(from));
        signing_in(&server, credential).ask().await.unwrap();
        assert_eq!(field(&server.asked()[0], "client_assertion"), "ci-token-0");
    }
    assert_eq!(github.asked()[0].path, "/idtoken?api-version=2.0&x=a%20b&audience=api%3A%2F%2FAzureADTokenExchange");
}

#[tokio::test]
async fn a_new_federated_credential_is_waited_for_with_a_new_token_each_time() {
    let github = Loopback::start(|number, _| reply_json(200, &json!({ "value": format!("ci-token-{number}") }))).await;
    let server = Loopback::start(|number, _| match number {
        0 | 1 => reply_json(400, &refusal("invalid_request", 70_021)),
        _ => reply_json(200, &token()),
    })
    .await;
    let from = TokenFrom::Github { url: github.url.join("/id?a=1").unwrap(), token: Secret::new("request-token") };
    let grant = signing_in(&server, app(AppProof::Federated(from)));
    grant.ask().await.unwrap();
    let sent: Vec<String> = server.asked().iter().map(|asked| field(asked, "client_assertion")).collect();
    assert_eq!(sent, ["ci-token-0", "ci-token-1", "ci-token-2"]);
    assert_eq!(grant.counts().sent, 6, "GitHub's answers are requests of this source too");
}

#[tokio::test]
async fn a_ci_token_that_is_not_given_is_told() {
    let server = Loopback::start(|_, _| reply_json(200, &token())).await;
    let github = Loopback::start(|_, _| reply(403, &[], "no")).await;
    for (from, kind, words) in [
        (
            TokenFrom::Github { url: github.url.clone(), token: Secret::new("request-token") },
            FailureKind::Refused,
            "id-token: write",
        ),
        (
            TokenFrom::AzureDevops { url: github.url.clone(), token: Secret::new("access-token") },
            FailureKind::Refused,
            "System.AccessToken",
        ),
        (
            TokenFrom::Env { name: "AZURE_TOKEN".into(), token: Secret::new(" ") },
            FailureKind::Misconfigured,
            "`AZURE_TOKEN`: it is empty",
        ),
        (TokenFrom::File { path: "/nowhere/token".into() }, FailureKind::Misconfigured, "/nowhere/token: No such file"),
    ] {
        let credential = app(AppProof::Federated(from));
        let failure = signing_in(&server, credential).ask().await.unwrap_err();
        assert!(failure.kind == kind && failure.to_string().contains(words), "{failure}");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_machines_identity_is_asked_as_documented() {
    let imds = Loopback::start(|_, _| {
        reply_json(200, &json!({ "access_token": "eyJ-machine", "refresh_token": "", "expires_in": "3599", "expires_on": "1506484173" }))
    })
    .await;
    let of = |client_id: Option<&str>| EntraCredential::ManagedIdentity { client_id: client_id.map(str::to_owned) };
    let granted = signing_in(&imds, of(None)).ask().await.unwrap();
    assert_eq!((granted.token.expose(), granted.expires_in.as_secs()), ("eyJ-machine", 3599));
    signing_in(&imds, of(Some("uai-1"))).ask().await.unwrap();
    let asked = imds.asked();
    let path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fgraph.microsoft.com%2F";
    assert_eq!((asked[0].method.as_str(), asked[0].path.as_str(), asked[0].header("metadata")), ("GET", path, "true"));
    assert_eq!(asked[1].path, format!("{path}&client_id=uai-1"));
}

#[tokio::test]
async fn the_metadata_service_is_waited_for_as_its_vendor_says() {
    for (status, kind, tries, rests) in [
        (404, FailureKind::Refused, 6, vec![0, 2, 6, 14, 30]),
        (429, FailureKind::Unreachable, 6, vec![0, 2, 6, 14, 30]),
        (503, FailureKind::Unreachable, 6, vec![0, 2, 6, 14, 30]),
        (410, FailureKind::Unreachable, 6, vec![70; 5]),
        (400, FailureKind::Refused, 1, vec![]),
        (403, FailureKind::Refused, 1, vec![]),
    ] {
        let imds = Loopback::start(move |_, _| {
            reply_json(status, &json!({ "error": "invalid_request", "error_description": "Identity not found" }))
        })
        .await;
        let (client, rate_limit) = imds.client();
        let grant =
            EntraSignIn { login: client, ..signing_in(&imds, EntraCredential::ManagedIdentity { client_id: None }) };
        let failure = grant.ask().await.unwrap_err();
        assert_eq!((failure.kind, imds.asked().len(), rate_limit.rests()), (kind, tries, rests), "{status} {failure}");
        assert!(failure.found.contains("Identity not found"), "{failure}");
    }
}
