use serde_json::json;

use super::{get, message, reason, sandbox, token};
use crate::faults::{Effect, Fault};
use crate::google::errors;
use crate::testing::send;

const ALL: &str = "users?customer=my_customer";

#[tokio::test]
async fn every_row_can_be_dialled_in() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    for name in errors::names().split(", ") {
        let row = errors::row(name).unwrap();
        sandbox.running.fault(Fault::new(Effect::Special(name.into())).at("directory").about("radia").times(1));
        let got = get(&sandbox, &token, "users/radia@fabrikam.example/photos/thumbnail").await;
        assert_eq!(got.status, row.status, "{name}");
        let json = got.headers["content-type"].starts_with("application/json");
        assert_eq!(json, row.shape == errors::Shape::Api, "{name}");
        if json {
            assert_eq!((reason(&got).as_str(), message(&got).as_str()), (row.reason, row.message));
        }
    }
}

#[tokio::test]
async fn nobody_and_a_wrong_token_are_told_apart() {
    let sandbox = sandbox();
    let url = sandbox.url("directory", "/admin/directory/v1/users?customer=my_customer");
    let got = send(sandbox.http.get(&url)).await.unwrap();
    assert_eq!((got.status, reason(&got).as_str()), (401, "required"));
    let got = send(sandbox.http.get(&url).bearer_auth("wrong")).await.unwrap();
    assert_eq!((got.status, reason(&got).as_str()), (401, "authError"));
    assert!(got.headers.contains_key("www-authenticate"));
}

#[tokio::test]
async fn the_api_may_be_off_in_project_or_domain() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    for row in ["accessNotConfigured", "domainCannotUseApis"] {
        sandbox.running.switch("directory", "api", row).unwrap();
        let got = get(&sandbox, &token, ALL).await;
        assert_eq!((got.status, reason(&got).as_str()), (403, row));
    }
}

#[tokio::test]
async fn the_envelope_follows_switch_and_parameter() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    for (switch, parameter, errors, status) in [
        ("v1", "", true, false),
        ("both", "", true, true),
        ("rpc", "", false, true),
        ("v1", "?$.xgafv=2", false, true),
        ("rpc", "?$.xgafv=1", true, false),
    ] {
        sandbox.running.switch("directory", "error_envelope", switch).unwrap();
        let error =
            get(&sandbox, &token, &format!("users/nobody@fabrikam.example{parameter}")).await.json()["error"].clone();
        assert_eq!((error["errors"].is_array(), error["status"].is_string()), (errors, status), "{switch}{parameter}");
        assert_eq!((&error["code"], &error["message"]), (&404.into(), &"Resource Not Found: userKey".into()));
    }
}

#[tokio::test]
async fn beyond_the_quota_each_reason_can_be_given() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    sandbox.running.switch("directory", "quota_per_minute", "1").unwrap();
    for (row, status) in [
        ("userRateLimitExceeded", 403),
        ("rateLimitExceeded", 403),
        ("quotaExceeded", 403),
        ("tooManyRequests", 429),
        ("quotaText", 429),
        ("requestRateText", 403),
        ("quotaCurrentText", 503),
    ] {
        sandbox.running.switch("directory", "quota_row", row).unwrap();
        sandbox.running.switch("directory", "retry_after", "seconds").unwrap();
        // A new minute: one call passes, the next does not.
        sandbox.running.advance(std::time::Duration::from_secs(60));
        let first = get(&sandbox, &token, ALL).await;
        let second = get(&sandbox, &token, ALL).await;
        // The minute may end between the two; then the third is beyond.
        let beyond = if second.status == 200 { get(&sandbox, &token, ALL).await } else { second };
        assert_eq!((first.status, beyond.status), (200, status), "{row}");
        assert!(beyond.headers.contains_key("retry-after"));
    }
}

#[tokio::test]
async fn other_paths_are_web_pages_and_no_method_writes() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    for path in ["/batch/directory/v1", "/admin/directory/v2/users", "/"] {
        let got =
            send(sandbox.http.post(sandbox.url("directory", path)).bearer_auth(&token).json(&json!({}))).await.unwrap();
        assert_eq!((got.status, got.headers["content-type"].as_str()), (404, "text/html; charset=UTF-8"), "{path}");
    }
    let url = sandbox.url("directory", "/admin/directory/v1/users/radia@fabrikam.example/photos/thumbnail");
    assert_eq!(send(sandbox.http.delete(url).bearer_auth(&token)).await.unwrap().status, 404);
}
