//! The contract of `pipelines/confluence-endpoint.groovy`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use super::{ADA, ADMIN, As, Set, TestSandbox};
use crate::testing::send;

const INSTALLED: Set = &[("endpoint", "installed")];

async fn ask(sandbox: &TestSandbox, method: Method, query: &str, body: Option<&Value>) -> (u16, Value) {
    let path = format!("/rest/scriptrunner/latest/custom/avatarpipe{query}");
    let request = sandbox.ask(method, &path, ADMIN);
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    let got = send(request).await.expect("an answer");
    (got.status, got.json())
}

fn picture(text: &str) -> Value {
    json!({"type": "image/png", "picture": text})
}

#[tokio::test]
async fn it_tells_who_asks_and_answers_administrators_only() {
    let path = "/rest/scriptrunner/latest/custom/avatarpipe";
    let sandbox = TestSandbox::new("9.2.0", INSTALLED);
    let about = sandbox.get(path, ADMIN).await.json();
    let wanted = json!({"endpoint": "avatarpipe", "version": 1, "user": "svc", "admin": true, "prefix": "avatarpipe-",
                        "confluence": "9.2.0"});
    assert_eq!(about, wanted);
    let (helper, outside) = (As::Basic("helper", "pw"), As::Basic("boss", "pw"));
    let table = [(As::Nobody, 401, None), (ADA, 403, None), (outside, 403, None), (helper, 403, Some("not_admin"))];
    for (who, status, word) in table {
        let got = sandbox.get(path, who).await;
        assert_eq!((got.status, got.json()["error"].as_str()), (status, word), "{who:?}");
    }
    assert_eq!(TestSandbox::new("9.2.0", &[]).get(path, ADMIN).await.status, 404, "not installed");
}

#[tokio::test]
async fn it_stores_selects_reverts_and_removes() {
    let sandbox =
        TestSandbox::new("10.0.0", &[("endpoint", "installed"), ("basic_auth", "on"), ("remote_api", "gone")]);
    let seen = "/images/icons/profilepics/default.svg";
    let (status, answer) =
        ask(&sandbox, Method::POST, &format!("?user=IDLE&name=avatarpipe-1.png&seen={seen}"), Some(&picture("bmV3")))
            .await;
    let path = format!("/download/attachments/{}/avatarpipe-1.png", sandbox.content_of("idle"));
    assert_eq!((status, &answer["path"], &answer["default"]), (200, &json!(path), &json!(false)));
    assert_eq!(sandbox.get(&path, ADMIN).await.bytes, b"new");
    let (status, answer) = ask(&sandbox, Method::DELETE, "?user=idle&name=avatarpipe-1.png", None).await;
    assert_eq!((status, &answer["error"], &answer["path"]), (409, &json!("shown"), &json!(path)));
    let (status, answer) = ask(&sandbox, Method::POST, &format!("?user=idle&action=default&seen={path}"), None).await;
    assert_eq!((status, &answer["default"], &answer["file"]), (200, &json!(true), &json!(null)));
    for removed in [true, false] {
        let (status, answer) = ask(&sandbox, Method::DELETE, "?user=idle&name=avatarpipe-1.png", None).await;
        assert_eq!((status, &answer["removed"]), (200, &json!(removed)));
    }
    assert!(sandbox.violations().is_empty());
}

#[tokio::test]
async fn every_refusal_has_its_word_and_writes_nothing() {
    let sandbox = TestSandbox::new("9.2.0", INSTALLED);
    let good = picture("bmV3");
    let large = picture(&"A".repeat(5 * 1024 * 1024 * 4 / 3 + 8));
    // Java's decoder takes no half of a padding, and 5 MiB and one byte are as long in base64 as 5 MiB.
    let (half, by_one) = (picture("QQ="), picture(&STANDARD.encode(vec![b'a'; 5 * 1024 * 1024 + 1])));
    let (post, delete) = (Method::POST, Method::DELETE);
    let table = [
        (&post, "?name=avatarpipe-1.png", Some(&good), 400, "bad_request"),
        (&post, "?user=alan", Some(&good), 400, "bad_request"),
        (&post, "?user=alan&name=user-avatar", Some(&good), 400, "bad_request"),
        (&post, "?user=alan&name=avatarpipe-/x", Some(&good), 400, "bad_request"),
        (&post, "?user=alan&name=avatarpipe-1.png", None, 400, "bad_request"),
        (&post, "?user=alan&name=avatarpipe-1.png", Some(&picture("*")), 400, "bad_request"),
        (&post, "?user=alan&name=avatarpipe-1.png", Some(&json!([1])), 400, "bad_request"),
        (&post, "?user=alan&name=avatarpipe-1.png", Some(&half), 400, "bad_request"),
        (&post, "?user=alan&name=avatarpipe-1.png", Some(&by_one), 413, "too_large"),
        (&post, "?user=alan&name=avatarpipe-1.png", Some(&large), 413, "too_large"),
        (&post, "?user=alan&action=drop", None, 400, "bad_request"),
        (&post, "?user=alan&action=default&path=/x", None, 400, "bad_request"),
        (&post, "?user=nobody&action=default", None, 404, "no_user"),
        (&post, "?user=alan&action=default&seen=/other", None, 409, "changed"),
        (&post, "?user=alan&action=default&key=4028ada", None, 409, "changed"),
        (&post, "?user=alan&name=avatarpipe-1.png&key=4028ada", Some(&good), 409, "changed"),
        (&delete, "?user=ada&name=avatarpipe-1.png&key=4028other", None, 409, "changed"),
        (&post, "?user=alan&action=default&seen=", None, 409, "changed"),
        (&post, "?user=alan&name=avatarpipe-1.png&seen=/other", Some(&good), 409, "changed"),
        (&delete, "?user=ada&name=user-avatar", None, 400, "bad_request"),
        (&delete, "?user=grace&name=avatarpipe-0.png", None, 409, "shown"),
    ];
    for (method, query, body, status, word) in table {
        let (found, answer) = ask(&sandbox, method.clone(), query, body).await;
        assert_eq!((found, answer["error"].as_str()), (status, Some(word)), "{method} {query}");
    }
    assert!(sandbox.running.truth().writes.is_empty());
}
