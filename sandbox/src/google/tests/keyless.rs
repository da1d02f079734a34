use serde_json::{Map, Value, json};

use super::{ACCOUNT, JOB, READ, claims, customer, get, grant, lab_of, sandbox};
use crate::Secret;
use crate::testing::{Got, TestSandbox, send};

const PROVIDER: &str =
    "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci/providers/github";
const CLOUD: &str = "https://www.googleapis.com/auth/cloud-platform";

fn mint(sandbox: &TestSandbox, audience: &str, more: Value) -> String {
    let minted = sandbox.running.command("ci", &json!({ "mint": { "audience": audience, "claims": more } })).unwrap();
    minted["value"].as_str().unwrap().to_owned()
}

fn exchange(subject_token: &str) -> Value {
    json!({ "audience": PROVIDER, "grantType": "urn:ietf:params:oauth:grant-type:token-exchange",
        "requestedTokenType": "urn:ietf:params:oauth:token-type:access_token", "scope": CLOUD,
        "subjectTokenType": "urn:ietf:params:oauth:token-type:jwt", "subjectToken": subject_token })
}

async fn sts(sandbox: &TestSandbox, body: &Value) -> Got {
    send(sandbox.http.post(sandbox.url("sts", "/v1/token")).json(body)).await.unwrap()
}

async fn iam(sandbox: &TestSandbox, token: &str, project: &str, verb: &str, body: &Value) -> Got {
    let url = sandbox.url("iamcredentials", &format!("/v1/projects/{project}/serviceAccounts/{ACCOUNT}:{verb}"));
    send(sandbox.http.post(url).bearer_auth(token).json(body)).await.unwrap()
}

#[tokio::test]
async fn a_job_gets_to_the_directory_without_a_key() {
    let sandbox = sandbox();
    let job = sandbox.running.credentials().into_iter().find(|c| c.simulator == "ci").unwrap();
    let Secret::Job { request_url, request_token } = job.secret else { panic!("no job") };
    let url = format!("{request_url}&audience=https%3A{}", PROVIDER.replace('/', "%2F"));
    assert_eq!(send(sandbox.http.get(&url).bearer_auth("wrong")).await.unwrap().status, 401);
    let got = send(sandbox.http.get(&url).bearer_auth(request_token)).await.unwrap();
    let oidc = got.json()["value"].as_str().unwrap().to_owned();

    let got = sts(&sandbox, &exchange(&oidc)).await;
    let body = got.json();
    assert_eq!((got.status, &body["expires_in"], &body["token_type"]), (200, &3599.into(), &"Bearer".into()), "{body}");
    let federated = body["access_token"].as_str().unwrap().to_owned();

    let payload = json!({ "payload": claims(json!({})).to_string() });
    let got = iam(&sandbox, &federated, "-", "signJwt", &payload).await;
    assert_eq!(got.status, 200, "{}", got.json());
    let token = grant(&sandbox, got.json()["signedJwt"].as_str().unwrap()).await.json();
    let token = token["access_token"].as_str().unwrap();
    assert_eq!(get(&sandbox, token, "users?customer=my_customer").await.status, 200);

    let got =
        iam(&sandbox, &federated, "-", "generateAccessToken", &json!({ "scope": [READ], "lifetime": "3600s" })).await;
    assert!(got.json()["accessToken"].is_string() && got.json()["expireTime"].is_string(), "{}", got.json());
}

#[tokio::test]
async fn both_spellings_of_the_exchange_are_taken() {
    let sandbox = sandbox();
    let oidc = mint(&sandbox, &format!("https:{PROVIDER}"), json!({}));
    let form = [
        ("audience", PROVIDER),
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("scope", CLOUD),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("subject_token", &oidc),
    ];
    assert_eq!(send(sandbox.http.post(sandbox.url("sts", "/v1/token")).form(&form)).await.unwrap().status, 200);
    let refused = send(sandbox.http.post(sandbox.url("sts", "/v1/token")).bearer_auth("x").form(&form)).await.unwrap();
    assert_eq!((refused.status, &refused.json()["error"]), (401, &"invalid_client".into()));
    sandbox.running.switch("sts", "expires_in", "absent").unwrap();
    assert!(sts(&sandbox, &exchange(&oidc)).await.json()["expires_in"].is_null());
}

#[tokio::test]
async fn the_exchange_is_refused_by_its_cause() {
    let mut customer = customer();
    let mut off = customer.providers[0].clone();
    (off.name, off.disabled) = (off.name.replace("github", "off"), true);
    customer.providers.push(off);
    let sandbox = lab_of(customer);
    let audience = format!("https:{PROVIDER}");
    let good = mint(&sandbox, &audience, json!({}));
    let now = crate::jwt::seconds(std::time::SystemTime::now());
    let with = |name: &str, value: &str| {
        let mut body = exchange(&good);
        body[name] = value.into();
        body
    };
    let of = |token: String| exchange(&token);
    let long = format!("repo:{}", "x".repeat(130));
    for (body, error) in [
        (with("audience", &audience), "invalid_request"),
        (with("audience", "//iam.googleapis.com/projects/x"), "invalid_request"),
        (with("audience", &PROVIDER.replace("github", "gitlab")), "invalid_target"),
        (with("audience", &PROVIDER.replace("github", "off")), "invalid_target"),
        (with("grantType", "client_credentials"), "invalid_request"),
        (with("subjectTokenType", "x"), "invalid_request"),
        (with("subjectToken", "x"), "invalid_request"),
        (of(mint(&sandbox, "https://github.com/fabrikam", json!({}))), "invalid_grant"),
        (of(mint(&sandbox, &audience, json!({ "iss": "https://gitlab.example" }))), "invalid_grant"),
        (of(mint(&sandbox, &audience, json!({ "iat": now + 600 }))), "invalid_grant"),
        (of(mint(&sandbox, &audience, json!({ "iat": now - 90_000 }))), "invalid_grant"),
        (of(mint(&sandbox, &audience, json!({ "exp": now - 1 }))), "invalid_grant"),
        (of(mint(&sandbox, &audience, json!({ "sub": long }))), "invalid_grant"),
        (
            of(super::key("google").sign(&json!({ "iss": "https://token.actions.githubusercontent.com", "sub": JOB,
            "aud": audience, "iat": now, "exp": now + 300 }))),
            "invalid_grant",
        ),
    ] {
        let got = sts(&sandbox, &body).await;
        assert_eq!((got.status, &got.json()["error"]), (400, &error.into()), "{} for {body}", got.json());
    }
    assert_eq!(sts(&sandbox, &exchange(&good)).await.status, 200);
    assert_eq!(sts(&sandbox, &of(mint(&sandbox, PROVIDER, json!(Map::new())))).await.status, 200, "without https, too");
}

#[tokio::test]
async fn signing_needs_more_than_acting() {
    let sandbox = sandbox();
    let oidc = mint(&sandbox, PROVIDER, json!({}));
    let federated = sts(&sandbox, &exchange(&oidc)).await.json()["access_token"].as_str().unwrap().to_owned();
    let payload = json!({ "payload": claims(json!({})).to_string() });
    let far = claims(json!({ "exp": crate::jwt::seconds(std::time::SystemTime::now()) + 50_000 }));
    for (token, project, body, status, code) in [
        ("x", "-", payload.clone(), 401, "UNAUTHENTICATED"),
        (federated.as_str(), "avatar-sync", payload.clone(), 400, "INVALID_ARGUMENT"),
        (&federated, "-", json!({ "payload": claims(json!({})) }), 400, "INVALID_ARGUMENT"),
        (&federated, "-", json!({ "payload": far.to_string() }), 400, "INVALID_ARGUMENT"),
    ] {
        let got = iam(&sandbox, token, project, "signJwt", &body).await;
        assert_eq!((got.status, &got.json()["error"]["status"]), (status, &code.into()), "{body}");
    }
    sandbox.running.switch("iamcredentials", "token_creator", "missing").unwrap();
    let got = iam(&sandbox, &federated, "-", "signJwt", &payload).await;
    assert_eq!((got.status, &got.json()["error"]["status"]), (403, &"PERMISSION_DENIED".into()));
    sandbox.running.switch("iamcredentials", "api", "disabled").unwrap();
    let got = iam(&sandbox, &federated, "-", "signJwt", &payload).await;
    assert_eq!(got.json()["error"]["details"][0]["reason"], "SERVICE_DISABLED");
    // A federated token is nobody in the directory, and has no scope there but cloud-platform.
    assert_eq!(get(&sandbox, &federated, "users?customer=C03az79cb").await.status, 403);
}
