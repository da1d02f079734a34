use std::time::Duration;

use crate::World;
use crate::entra::world::Tenant;
use crate::testing::{TestSandbox, send};

fn world() -> World {
    let mut tenant = Tenant::new();
    tenant.app.expired_secret = Some("old".into());
    World::builder().tenant(tenant).build().unwrap()
}

const TENANT: &str = "8f3c0f9e-5f5b-4a38-9d53-0d1f6a0b7c11";

#[tokio::test]
async fn a_good_request_gets_a_token_of_60_to_90_minutes() {
    let sandbox = TestSandbox::new(world());
    for tenant in [TENANT, "contoso.example"] {
        let got = sandbox.sign_in(tenant, &sandbox.form()).await;
        let body = got.json();
        assert_eq!((got.status, &body["token_type"]), (200, &"Bearer".into()));
        let lasts = body["expires_in"].as_u64().unwrap();
        assert!((3600..5400).contains(&lasts), "{lasts}");
    }
    sandbox.running.switch("login", "token_seconds", "77").unwrap();
    assert_eq!(sandbox.sign_in(TENANT, &sandbox.form()).await.json()["expires_in"], 77);
}

#[tokio::test]
async fn http_basic_is_accepted_instead_of_a_secret_in_the_form() {
    let sandbox = TestSandbox::new(world());
    let mut form = sandbox.form();
    let (id, secret) = (form.remove("client_id").unwrap(), form.remove("client_secret").unwrap());
    // RFC 6749 §2.3.1: each half is form-encoded before it goes into Basic.
    let secret: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let url = sandbox.url("login", &format!("/{TENANT}/oauth2/v2.0/token"));
    let got = send(sandbox.http.post(url).basic_auth(id, Some(secret)).form(&form)).await.unwrap();
    assert_eq!(got.status, 200);
}

#[tokio::test]
async fn every_refusal_has_its_code() {
    let sandbox = TestSandbox::new(world());
    let set = |key: &'static str, value: &str| vec![(key, Some(value.to_owned()))];
    let assertion = |claims: &str| {
        use base64::Engine as _;
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
        vec![
            ("client_secret", None),
            ("client_assertion_type", Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned())),
            ("client_assertion", Some(format!("e30.{claims}.AA"))),
        ]
    };
    let ours = format!("{{\"iss\":\"{}\"}}", sandbox.form()["client_id"]);
    for (tenant, changes, status, error, code) in [
        (TENANT, set("client_secret", "wrong"), 401, "invalid_client", 7_000_215),
        (TENANT, set("client_secret", "old"), 401, "invalid_client", 7_000_222),
        (TENANT, vec![("client_secret", None)], 401, "invalid_client", 7_000_218),
        (TENANT, assertion(&ours), 401, "invalid_client", 700_027),
        (TENANT, assertion("{\"iss\":\"https://token.actions.githubusercontent.com\"}"), 401, "invalid_client", 70_021),
        (TENANT, set("client_id", "11111111-0000-0000-0000-000000000000"), 400, "unauthorized_client", 700_016),
        (TENANT, set("scope", "User.Read.All"), 400, "invalid_scope", 70_011),
        (TENANT, set("scope", "https://graph.microsoft.com/.default https://x/.default"), 400, "invalid_scope", 28_002),
        (TENANT, set("scope", "https://graph.microsoft.us/.default"), 400, "invalid_resource", 500_011),
        (TENANT, vec![("scope", None)], 400, "invalid_request", 900_144),
        (TENANT, vec![("grant_type", None)], 400, "invalid_request", 900_144),
        (TENANT, set("grant_type", "password"), 400, "unsupported_grant_type", 70_003),
        ("common", vec![], 400, "invalid_request", 9_001_023),
        ("22222222-0000-0000-0000-000000000000", vec![], 400, "invalid_request", 90_002),
    ] {
        let mut form = sandbox.form();
        for (key, value) in changes {
            form.remove(key);
            form.extend(value.map(|value| (key, value)));
        }
        let got = sandbox.sign_in(tenant, &form).await;
        let body = got.json();
        assert_eq!(
            (got.status, &body["error"], &body["error_codes"][0]),
            (status, &error.into(), &code.into()),
            "{body}"
        );
        assert!(body["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{code}: ")), "{body}");
        assert!(body["error_uri"].as_str().unwrap().ends_with(&format!("/error?code={code}")), "{body}");
        assert!(["trace_id", "correlation_id", "timestamp"].iter().all(|k| body[k].is_string()), "{body}");
    }
    sandbox.running.switch("login", "invalid_client_status", "400").unwrap();
    let mut form = sandbox.form();
    form.insert("client_secret", "wrong".into());
    assert_eq!(sandbox.sign_in(TENANT, &form).await.status, 400);
}

#[tokio::test]
async fn a_token_ends_with_its_time_and_when_it_is_revoked() {
    let sandbox = TestSandbox::new(world());
    let token = sandbox.token().await;
    assert_eq!(sandbox.graph(&token, "/v1.0/users").await.status, 200);
    sandbox.running.advance(Duration::from_secs(90 * 60));
    let got = sandbox.graph(&token, "/v1.0/users").await;
    assert_eq!((got.status, got.code().as_str()), (401, "InvalidAuthenticationToken"));
    let token = sandbox.token().await;
    let revoked = sandbox.running.command("graph", &serde_json::json!({ "revoke_tokens": {} })).unwrap();
    assert_eq!(revoked["revoked"], 2);
    assert_eq!(sandbox.graph(&token, "/v1.0/users").await.status, 401);
    assert_eq!(sandbox.graph("nonsense", "/v1.0/users").await.status, 401);
}

mod without_secret {
    use std::collections::BTreeMap;

    use jsonwebtoken::Algorithm;
    use serde_json::{Value, json};

    use crate::World;
    use crate::ci::Platform;
    use crate::entra::world::{Certificate, Federated, ManagedIdentity, Tenant};
    use crate::faults::{Effect, Fault};
    use crate::jwt::{Key, seconds};
    use crate::testing::{Got, TestSandbox, send};

    const JOB: &str = "repo:contoso/avatar-sync:ref:refs/heads/main";
    const AUDIENCE: &str = "api://AzureADTokenExchange";

    fn identity(number: u8) -> ManagedIdentity {
        let [client_id, object_id, resource_id] =
            ["c", "o", "/subscriptions/s/r"].map(|part| format!("{part}{number}"));
        ManagedIdentity { client_id, object_id, resource_id }
    }

    fn sandbox(identities: &[u8]) -> TestSandbox {
        let mut tenant = Tenant::new();
        tenant.app.certificates = vec![Certificate::bundled()];
        let issuer = "https://token.actions.githubusercontent.com".to_owned();
        tenant.app.federated = vec![Federated { issuer, subject: JOB.into(), audience: AUDIENCE.into() }];
        tenant.managed_identities = identities.iter().map(|number| identity(*number)).collect();
        let merged = World::bundled("merged").unwrap();
        TestSandbox::new(World::builder().tenant(tenant).ci(Platform::new(JOB)).pictures_of(&merged).build().unwrap())
    }

    async fn assert_with(sandbox: &TestSandbox, assertion: String) -> Got {
        let mut form: BTreeMap<&'static str, String> = sandbox.form();
        form.remove("client_secret");
        form.insert("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".into());
        form.insert("client_assertion", assertion);
        sandbox.sign_in("contoso.example", &form).await
    }

    fn signed(sandbox: &TestSandbox, algorithm: Algorithm, print: (&str, &str), changes: &Value) -> String {
        let files = Certificate::bundled().key();
        let key = Key::read(&files, &World::bundled("merged").unwrap().pictures).unwrap();
        let client = sandbox.form()["client_id"].clone();
        let now = seconds(std::time::SystemTime::now());
        let mut claims = json!({ "aud": sandbox.url("login", "/contoso.example/oauth2/v2.0/token"), "iss": client,
            "sub": client, "jti": "x", "nbf": now, "iat": now, "exp": now + 300 });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let mut header = json!({ "alg": format!("{algorithm:?}"), "typ": "JWT" });
        header[print.0] = print.1.into();
        key.sign_with(algorithm, &header, &claims)
    }

    #[tokio::test]
    async fn a_certificate_signs_in_and_every_fault_has_its_code() {
        let sandbox = sandbox(&[]);
        let own = Certificate::bundled();
        let (new, old) = (("x5t#S256", own.x5t_s256.as_str()), ("x5t", own.x5t.as_str()));
        let padded = format!("{}=", own.x5t_s256);
        let now = seconds(std::time::SystemTime::now());
        let fractional = json!({ "nbf": null, "iat": now as f64 + 0.5, "exp": now as f64 + 300.5 });
        for (algorithm, print, changes) in [
            (Algorithm::PS256, new, json!({})),
            (Algorithm::RS256, old, json!({})),
            (Algorithm::PS256, ("x5t#S256", padded.as_str()), fractional),
        ] {
            let got = assert_with(&sandbox, signed(&sandbox, algorithm, print, &changes)).await;
            assert_eq!(got.status, 200, "{}", got.json());
            let token = got.json()["access_token"].as_str().unwrap().to_owned();
            assert_eq!(sandbox.graph(&token, "/v1.0/users").await.status, 200);
        }
        for (algorithm, print, changes, code) in [
            (Algorithm::PS256, ("x5t#S256", own.x5t.as_str()), json!({}), 700_027),
            (Algorithm::RS256, ("x5t", own.x5t_s256.as_str()), json!({}), 700_027),
            (Algorithm::PS256, ("kid", own.x5t_s256.as_str()), json!({}), 700_027),
            (Algorithm::RS512, new, json!({}), 50_012),
            (Algorithm::PS256, new, json!({ "exp": now - 301 }), 700_024),
            (Algorithm::PS256, new, json!({ "exp": null }), 700_024),
            (Algorithm::PS256, new, json!({ "nbf": now + 600 }), 700_024),
            (Algorithm::PS256, new, json!({ "aud": "https://graph.microsoft.com" }), 700_023),
            (Algorithm::PS256, new, json!({ "sub": "somebody" }), 700_021),
        ] {
            let got = assert_with(&sandbox, signed(&sandbox, algorithm, print, &changes)).await;
            assert_eq!((got.status, &got.json()["error_codes"][0]), (401, &code.into()), "{changes} {}", got.json());
        }
        sandbox.running.switch("login", "rs256_assertions", "refused").unwrap();
        let got = assert_with(&sandbox, signed(&sandbox, Algorithm::RS256, old, &json!({}))).await;
        assert_eq!(got.json()["error_codes"][0], 50_012);
        assert_eq!(assert_with(&sandbox, "nonsense".into()).await.json()["error_codes"][0], 50_027);
    }

    #[tokio::test]
    async fn a_job_signs_in_with_its_platforms_token() {
        let sandbox = sandbox(&[]);
        let mint = |audience: &str, claims: Value| {
            let minted = sandbox.running.command("ci", &json!({ "mint": { "audience": audience, "claims": claims } }));
            minted.unwrap()["value"].as_str().unwrap().to_owned()
        };
        assert_eq!(assert_with(&sandbox, mint(AUDIENCE, json!({}))).await.status, 200);
        let other = "repo:contoso@123/avatar-sync@456:ref:refs/heads/main";
        let now = seconds(std::time::SystemTime::now());
        let mut forged = mint(AUDIENCE, json!({}));
        forged.truncate(forged.len() - 8);
        for (assertion, code) in [
            (mint("api://Other", json!({})), 70_021),
            (mint(AUDIENCE, json!({ "iss": "https://gitlab.example" })), 70_021),
            (mint(AUDIENCE, json!({ "sub": other })), 700_213),
            (mint(AUDIENCE, json!({ "exp": now - 301 })), 700_024),
            (forged, 50_012),
        ] {
            let got = assert_with(&sandbox, assertion).await;
            assert_eq!((got.status, &got.json()["error_codes"][0]), (401, &code.into()), "{}", got.json());
        }
        sandbox.running.switch("login", "federation_code", "70021").unwrap();
        assert_eq!(
            assert_with(&sandbox, mint(AUDIENCE, json!({ "sub": other }))).await.json()["error_codes"][0],
            70_021
        );
        // A credential that has not spread yet.
        sandbox.running.fault(Fault::new(Effect::Special("70021".into())).at("login").times(1));
        assert_eq!(assert_with(&sandbox, mint(AUDIENCE, json!({}))).await.json()["error_codes"][0], 70_021);
        assert_eq!(assert_with(&sandbox, mint(AUDIENCE, json!({}))).await.status, 200);
        sandbox.running.fault(Fault::new(Effect::Special("90033".into())).at("login").times(1));
        let got = assert_with(&sandbox, mint(AUDIENCE, json!({}))).await;
        assert_eq!((got.status, &got.json()["error"]), (503, &"temporarily_unavailable".into()));
    }

    #[tokio::test]
    async fn a_machine_signs_in_with_its_identity() {
        let sandbox = sandbox(&[1]);
        let path =
            "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fgraph.microsoft.com%2F";
        let url = sandbox.url("metadata", path);
        let got = send(sandbox.http.get(&url)).await.unwrap();
        assert_eq!((got.status, &got.json()["error"]), (400, &"bad_request_102".into()));
        let got = send(sandbox.http.get(&url).header("Metadata", "true")).await.unwrap();
        let body = got.json();
        let texts = ["expires_in", "expires_on", "not_before", "ext_expires_in"];
        assert!(texts.iter().all(|name| body[*name].as_str().is_some_and(|t| t.parse::<u64>().is_ok())), "{body}");
        assert_eq!((&body["refresh_token"], &body["token_type"]), (&"".into(), &"Bearer".into()));
        assert_eq!(sandbox.graph(body["access_token"].as_str().unwrap(), "/v1.0/users").await.status, 200);
        let proxied = sandbox.http.get(&url).header("Metadata", "true").header("X-Forwarded-For", "10.0.0.1");
        assert_eq!(send(proxied).await.unwrap().status, 400);
        for (path, error) in [
            ("/metadata/identity/oauth2/token?api-version=2018-02-01", "invalid_request"),
            ("/metadata/identity/oauth2/token?resource=https://graph.microsoft.com", "invalid_request"),
            ("/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://x", "invalid_resource"),
        ] {
            let got = send(sandbox.http.get(sandbox.url("metadata", path)).header("Metadata", "true")).await.unwrap();
            assert_eq!((got.status, &got.json()["error"]), (400, &error.into()), "{path}");
        }
    }

    #[tokio::test]
    async fn several_identities_must_be_told_apart() {
        let sandbox = sandbox(&[1, 2]);
        let path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://graph.microsoft.com/";
        for (more, status) in [
            ("", 400),
            ("&client_id=c2", 200),
            ("&object_id=o1", 200),
            ("&msi_res_id=/subscriptions/s/r2", 200),
            ("&client_id=c3", 400),
        ] {
            let url = sandbox.url("metadata", &format!("{path}{more}"));
            let got = send(sandbox.http.get(url).header("Metadata", "true")).await.unwrap();
            assert_eq!(got.status, status, "{more}: {}", got.json());
        }
    }
}
