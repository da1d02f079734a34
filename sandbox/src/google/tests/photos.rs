use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};

use super::{get, message, reason, sandbox, token};
use crate::testing::{Got, TestSandbox, send};

async fn photo(sandbox: &TestSandbox, token: &str, who: &str) -> Got {
    get(sandbox, token, &format!("users/{who}@fabrikam.example/photos/thumbnail")).await
}

#[tokio::test]
async fn a_photo_is_a_jpeg_of_96_by_96_in_web_safe_base64() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    for who in ["radia", "katherine", "tim"] {
        let body = photo(&sandbox, &token, who).await.json();
        let text = body["photoData"].as_str().unwrap();
        assert!(text.starts_with("_9j_") && !text.contains(['/', '+']), "{text}");
        let bytes = URL_SAFE.decode(text).unwrap();
        let picture = image::load_from_memory_with_format(&bytes, image::ImageFormat::Jpeg).unwrap();
        assert_eq!((picture.width(), picture.height()), (96, 96));
        assert_eq!((&body["width"], &body["mimeType"]), (&96.into(), &"image/jpeg".into()));
        let user = get(&sandbox, &token, &format!("users/{who}@fabrikam.example")).await.json();
        assert_eq!(body["etag"], user["thumbnailPhotoEtag"]);
    }
    let got = get(&sandbox, &token, "users/radia@fabrikam.example/photos/thumbnail?fields=photoData,etag").await;
    assert_eq!(got.json().as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn padding_follows_the_switch() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    let mut padded = None;
    for who in ["radia", "katherine", "tim"] {
        let body = photo(&sandbox, &token, who).await.json();
        if body["photoData"].as_str().is_some_and(|text| text.ends_with('=')) {
            padded = Some((who, body["photoData"].as_str().unwrap().to_owned()));
        }
    }
    let (who, text) = padded.expect("one of three pictures has a length that needs padding");
    for (switch, with) in [("dot", "."), ("star", "*"), ("pipe", "|"), ("none", "")] {
        sandbox.running.switch("directory", "photo_padding", switch).unwrap();
        assert_eq!(photo(&sandbox, &token, who).await.json()["photoData"], text.replace('=', with));
    }
}

#[tokio::test]
async fn the_two_kinds_of_404_differ_by_message_alone() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    for (who, says) in [("linus", "Resource Not Found: photo"), ("nobody", "Resource Not Found: userKey")] {
        let got = photo(&sandbox, &token, who).await;
        assert_eq!((got.status, reason(&got).as_str(), message(&got).as_str()), (404, "notFound", says));
    }
    let vanish = json!({ "photo": { "user": "radia@fabrikam.example", "now": { "vanished": {} } } });
    sandbox.running.command("directory", &vanish).unwrap();
    assert_eq!(message(&photo(&sandbox, &token, "radia").await), "Resource Not Found: photo");
    let user = get(&sandbox, &token, "users/radia@fabrikam.example").await.json();
    assert!(user["thumbnailPhotoEtag"].is_string(), "the listing still names it");
    sandbox.running.switch("directory", "suspended_photos", "not_found").unwrap();
    assert_eq!(photo(&sandbox, &token, "tim").await.status, 404);
}

#[tokio::test]
async fn a_conditional_request_is_answered_304_where_that_is_switched_on() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    let etag = photo(&sandbox, &token, "radia").await.json()["etag"].as_str().unwrap().to_owned();
    let url = sandbox.url("directory", "/admin/directory/v1/users/radia@fabrikam.example/photos/thumbnail");
    let ask = || sandbox.http.get(&url).bearer_auth(&token).header("If-None-Match", &etag);
    assert_eq!(send(ask()).await.unwrap().status, 200);
    sandbox.running.switch("directory", "if_none_match", "honoured").unwrap();
    let got = send(ask()).await.unwrap();
    assert_eq!((got.status, got.bytes.len()), (304, 0));
    sandbox.running.command("directory", &json!({ "roll_over": {} })).unwrap();
    assert_eq!(send(ask()).await.unwrap().status, 200, "the whole etag counts");
}

#[tokio::test]
async fn a_person_may_be_given_any_refusal_or_another_photo() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    let give = |now: Value| {
        let command = json!({ "photo": { "user": "radia@fabrikam.example", "now": now } });
        sandbox.running.command("directory", &command)
    };
    for (row, status, wanted) in [("quotaExceeded", 403, "quotaExceeded"), ("backendError", 503, "backendError")] {
        give(json!({ "failure": row })).unwrap();
        let got = photo(&sandbox, &token, "radia").await;
        assert_eq!((got.status, reason(&got).as_str()), (status, wanted));
        assert_eq!(photo(&sandbox, &token, "tim").await.status, 200, "others are not struck");
    }
    assert!(give(json!({ "failure": "nonsense" })).unwrap_err().contains("there are: authError"));
    give(json!({ "file": "pictures/ada.jpg" })).unwrap();
    assert_eq!(photo(&sandbox, &token, "radia").await.status, 200);
    let person = sandbox.running.truth().people.into_iter().find(|p| p.user_name == "radia@fabrikam.example").unwrap();
    let body = photo(&sandbox, &token, "radia").await.json();
    assert_eq!(URL_SAFE.decode(body["photoData"].as_str().unwrap()).unwrap(), person.photo.unwrap().0);
}
