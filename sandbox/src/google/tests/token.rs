use std::time::Duration;

use serde_json::json;

use super::{ACCOUNT, CLOUD, READ, claims, customer, get, grant, key, lab_of, reason, sandbox, token, token_with};
use crate::Secret;
use crate::faults::{Effect, Fault};
use crate::jwt::seconds;
use crate::testing::send;

#[tokio::test]
async fn a_good_assertion_gets_a_token_of_3599_seconds() {
    let sandbox = sandbox();
    let got = grant(&sandbox, &key("google").sign(&claims(json!({})))).await;
    let body = got.json();
    assert_eq!((got.status, &body["expires_in"], &body["token_type"]), (200, &3599.into(), &"Bearer".into()));
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(get(&sandbox, token, "users?customer=my_customer").await.status, 200);
    sandbox.running.switch("token", "expires_in", "text").unwrap();
    assert_eq!(grant(&sandbox, &key("google").sign(&claims(json!({})))).await.json()["expires_in"], "3599");
}

#[tokio::test]
async fn every_row_of_the_table_has_its_cause() {
    let mut customer = customer();
    let mut deleted = customer.service_accounts[0].clone();
    (deleted.email, deleted.client_id, deleted.deleted) = ("old@p.iam.gserviceaccount.com".into(), "9".into(), true);
    customer.service_accounts.push(deleted);
    let sandbox = lab_of(customer);
    let now = seconds(std::time::SystemTime::now());
    let hour = "Invalid JWT: Token must be a short-lived token (60 minutes)";
    for (changes, status, error, says) in [
        (json!({ "scope": "https://www.googleapis.com/auth/drive.readonly" }), 401, "unauthorized_client", "Client is"),
        (json!({ "sub": "x@elsewhere.example" }), 401, "unauthorized_client", "Client is unauthorized"),
        (json!({ "iat": now - 30, "exp": now + 3571 }), 400, "invalid_grant", hour),
        (json!({ "iat": now - 7200, "exp": now - 3600 }), 400, "invalid_grant", hour),
        (json!({ "iat": now + 600, "exp": now + 900 }), 400, "invalid_grant", hour),
        (json!({ "iat": null }), 400, "invalid_grant", hour),
        (json!({ "exp": null }), 400, "invalid_grant", hour),
        (json!({ "sub": "nobody@fabrikam.example" }), 400, "invalid_grant", "Invalid email or User ID"),
        (json!({ "sub": "tim@fabrikam.example" }), 400, "invalid_grant", "Invalid email or User ID"),
        (json!({ "sub": "gone@fabrikam.example" }), 400, "invalid_grant", "The account has been deleted"),
        (json!({ "sub": "admin@fabrikam" }), 400, "invalid_grant", "Not a valid email"),
        (json!({ "sub": "admin" }), 400, "invalid_request", "Invalid impersonation \"sub\" field"),
        (
            json!({ "iss": "nobody@p.iam.gserviceaccount.com" }),
            400,
            "invalid_grant",
            "Invalid grant: account not found",
        ),
        (json!({ "iss": "old@p.iam.gserviceaccount.com" }), 400, "invalid_grant", "Invalid grant: account not found"),
        (
            json!({ "aud": "https://www.googleapis.com/oauth2/v4/token" }),
            400,
            "invalid_grant",
            "Invalid JWT: Failed aud",
        ),
        (json!({ "scope": "" }), 400, "invalid_scope", "Invalid OAuth scope or ID token audience provided."),
        // The order of the checks: time before scope, scope before audience.
        (json!({ "exp": null, "scope": "" }), 400, "invalid_grant", hour),
        (json!({ "scope": "", "aud": "x" }), 400, "invalid_scope", "Invalid OAuth scope"),
    ] {
        let got = grant(&sandbox, &key("google").sign(&claims(changes.clone()))).await;
        let body = got.json();
        assert_eq!((got.status, &body["error"]), (status, &error.into()), "{changes}: {body}");
        assert!(body["error_description"].as_str().unwrap().starts_with(says), "{changes}: {body}");
    }
    for (assertion, error, says) in [
        ("nonsense".to_owned(), "invalid_request", "Bad Request"),
        (key("google-managed").sign(&claims(json!({}))).replace('.', ".x"), "invalid_request", "Bad Request"),
        (key("ci").sign(&claims(json!({}))), "invalid_grant", "Invalid JWT Signature."),
        (key("ci").sign(&claims(json!({ "exp": null }))), "invalid_grant", "Invalid JWT Signature."),
    ] {
        let got = grant(&sandbox, &assertion).await;
        let body = got.json();
        assert_eq!(
            (got.status, &body["error"], &body["error_description"]),
            (400, &error.into(), &says.into()),
            "{body}"
        );
    }
    let header = json!({ "alg": "PS256", "typ": "JWT" });
    let pss = key("google").sign_with(jsonwebtoken::Algorithm::PS256, &header, &claims(json!({})));
    assert_eq!(grant(&sandbox, &pss).await.json()["error_description"], "Invalid JWT Signature.");
    assert_eq!(grant(&sandbox, "").await.status, 400);
}

#[tokio::test]
async fn clocks_may_be_a_little_off() {
    let sandbox = sandbox();
    let now = seconds(std::time::SystemTime::now());
    for (iat, exp) in [(now + 290, now + 3800), (now - 3600, now)] {
        let got = grant(&sandbox, &key("google").sign(&claims(json!({ "iat": iat, "exp": exp })))).await;
        assert_eq!(got.status, 200, "{}", got.json());
    }
}

#[tokio::test]
async fn a_misspelt_scope_is_answered_200_without_an_access_token() {
    let sandbox = sandbox();
    let scope = format!("{READ} https://www.googleapis.com/auth/admin.directory.users.readonly");
    let got = grant(&sandbox, &key("google").sign(&claims(json!({ "scope": scope })))).await;
    let body = got.json();
    assert_eq!((got.status, body["id_token"].is_string(), body.as_object().unwrap().len()), (200, true, 1), "{body}");
    sandbox.running.switch("token", "misspelt_scope", "unauthorized_client").unwrap();
    assert_eq!(grant(&sandbox, &key("google").sign(&claims(json!({ "scope": scope })))).await.status, 401);
}

#[tokio::test]
async fn rows_without_a_cause_are_dialled_in() {
    let sandbox = sandbox();
    for (word, status) in [
        ("access_denied", 403),
        ("invalid_account", 400),
        ("disabled_client", 401),
        ("deleted_client", 401),
        ("internal_failure", 500),
        ("server_error", 500),
        ("temporarily_unavailable", 503),
    ] {
        sandbox.running.fault(Fault::new(Effect::Special(word.into())).at("token").times(1));
        let got = grant(&sandbox, "x").await;
        assert_eq!((got.status, &got.json()["error"]), (status, &word.into()));
    }
}

#[tokio::test]
async fn a_token_ends_with_its_time_its_revocation_and_its_key() {
    let sandbox = sandbox();
    let first = token(&sandbox).await;
    sandbox.running.advance(Duration::from_secs(3600));
    let got = get(&sandbox, &first, "users?customer=my_customer").await;
    assert_eq!((got.status, reason(&got).as_str()), (401, "authError"));
    let now = seconds(std::time::SystemTime::now()) + 3600;
    let second = token_with(&sandbox, json!({ "iat": now, "exp": now + 3600 })).await;
    sandbox.running.command("token", &json!({ "revoke_tokens": {} })).unwrap();
    assert_eq!(get(&sandbox, &second, "users?customer=my_customer").await.status, 401);
    sandbox.running.command("token", &json!({ "revoke_key": { "account": ACCOUNT } })).unwrap();
    let got = grant(&sandbox, &key("google").sign(&claims(json!({ "iat": now, "exp": now + 3600 })))).await;
    assert_eq!(got.json()["error_description"], "Invalid JWT Signature.");
}

#[tokio::test]
async fn an_account_may_act_in_its_own_name() {
    let mut customer = customer();
    customer.service_accounts[0].role = super::Role::ReadUsers;
    let sandbox = lab_of(customer);
    let now = seconds(std::time::SystemTime::now());
    let own = |aud: &str, sub: &str| {
        key("google").sign(&json!({ "iss": ACCOUNT, "sub": sub, "aud": aud, "iat": now, "exp": now + 3600 }))
    };
    let api = "https://admin.googleapis.com/";
    let good = own(api, ACCOUNT);
    assert_eq!(get(&sandbox, &good, "users?customer=C03az79cb").await.status, 200);
    let got = get(&sandbox, &good, "users?customer=my_customer").await;
    assert_eq!((got.status, super::message(&got).as_str()), (400, "Invalid Input"));
    for bad in [own("https://admin.googleapis.com", ACCOUNT), own(api, "admin@fabrikam.example")] {
        let got = get(&sandbox, &bad, "users?customer=C03az79cb").await;
        assert_eq!((got.status, reason(&got).as_str()), (401, "authError"));
    }
    // The same account with a token of the endpoint, without a subject: no delegation is asked for.
    let bare = token_with(&sandbox, json!({ "sub": null, "scope": READ })).await;
    assert_eq!(get(&sandbox, &bare, "users?customer=C03az79cb").await.status, 200);
}

#[tokio::test]
async fn scopes_and_roles_are_two_things() {
    let sandbox = sandbox();
    let cloud = token_with(&sandbox, json!({ "scope": CLOUD })).await;
    assert_eq!(get(&sandbox, &cloud, "users?customer=my_customer").await.status, 200);
    for path in ["users/radia@fabrikam.example", "users/radia@fabrikam.example/photos/thumbnail", "groups/g1/members"] {
        let got = get(&sandbox, &cloud, path).await;
        assert_eq!((got.status, reason(&got).as_str()), (403, "insufficientPermissions"), "{path}");
        assert!(got.headers["www-authenticate"].contains("insufficient_scope"), "{:?}", got.headers);
    }
    let plain = token_with(&sandbox, json!({ "sub": "linus@fabrikam.example" })).await;
    let got = get(&sandbox, &plain, "users?customer=my_customer").await;
    assert_eq!((got.status, reason(&got).as_str()), (403, "forbidden"));
    assert_eq!(super::message(&got), "Not Authorized to access this resource/api");
    assert_eq!(get(&sandbox, &plain, "users?customer=my_customer&viewType=domain_public").await.status, 200);
    let bare = token_with(&sandbox, json!({ "sub": null })).await;
    assert_eq!(reason(&get(&sandbox, &bare, "users?customer=C03az79cb").await), "forbidden");
    sandbox.running.switch("directory", "bare_account", "backendError").unwrap();
    assert_eq!(get(&sandbox, &bare, "users?customer=C03az79cb").await.status, 503);
}

#[tokio::test]
async fn the_key_file_points_to_the_simulator() {
    let sandbox = sandbox();
    let credential = sandbox.running.credentials().into_iter().find(|c| c.simulator == "token").unwrap();
    let Secret::ServiceAccount { key_file, subject, customer } = credential.secret else { panic!("no key file") };
    assert_eq!((subject.as_deref(), customer.as_str()), (Some("admin@fabrikam.example"), "C03az79cb"));
    assert!(key_file["private_key"].as_str().unwrap().starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let url = key_file["token_uri"].as_str().unwrap();
    let form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", "x")];
    assert_eq!(send(sandbox.http.post(url).form(&form)).await.unwrap().json()["error"], "invalid_request");
}
