//! Every row of docs/wire/google-directory.md §5 as the answer for one person, and the odd forms of §2.3 and §3.1.

use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};

use super::*;

fn judge<T: PhotoQuery>(status: u16, body: &[u8]) -> PartOutcome<T> {
    MimePart { id: None, status, retry_after: None, challenge: None, taken_back: false, body }
        .judge("105", std::time::SystemTime::now())
}

fn refusal(status: u16, reason: &str, message: &str) -> Vec<u8> {
    let errors = json!([{ "message": message, "domain": "global", "reason": reason }]);
    json!({ "error": { "code": status, "message": message, "errors": errors } }).to_string().into_bytes()
}

/// The google.rpc shape.
fn rpc(status: u16, word: &str, reason: Value, message: &str) -> Vec<u8> {
    let details = json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason }]);
    json!({ "error": { "code": status, "message": message, "status": word, "details": details } })
        .to_string()
        .into_bytes()
}

/// What a row of the table means, in one word.
fn meaning<T: PhotoQuery + std::fmt::Debug>(judged: PartOutcome<T>, told: impl Fn(&T) -> String) -> String {
    match judged {
        PartOutcome::Final(response) => told(&response),
        PartOutcome::Again { fault, .. } => format!("again: {}", fault.code),
        PartOutcome::Denied(_, class) => format!("denied: {class:?}"),
        PartOutcome::Unauthorized(_) => "unauthorized".into(),
    }
}

fn looked(judged: PartOutcome<PhotoResult>) -> String {
    meaning(judged, |response| match response {
        PhotoResult::Photo { .. } => "photo".into(),
        PhotoResult::Absent(proof) => format!("{proof:?}"),
        PhotoResult::Unknown(fault) => format!("unknown: {}", fault.code),
    })
}

fn probed(judged: PartOutcome<VersionResult>) -> String {
    meaning(judged, |response| match response {
        VersionResult::Version(_) => "photo".into(),
        VersionResult::Absent(proof) => format!("{proof:?}"),
        VersionResult::Unknown(fault) => format!("unknown: {}", fault.code),
    })
}

#[test]
fn the_table_of_refusals_for_one_person() {
    let two = |second: &str| {
        let errors = json!([{ "reason": "notFound" }, { "reason": second }]);
        let body = json!({ "error": { "code": 404, "message": "Resource Not Found: photo", "errors": errors } });
        body.to_string().into_bytes()
    };
    let table = [
        (401, refusal(401, "authError", "Invalid Credentials"), "unauthorized"),
        (401, refusal(401, "required", "Login Required"), "unauthorized"),
        (401, b"no JSON".to_vec(), "unauthorized"),
        (403, refusal(403, "forbidden", "Not Authorized to access this resource/api"), "unknown: access_denied"),
        (403, refusal(403, "insufficientPermissions", "Insufficient Permission"), "denied: Scope"),
        (403, refusal(403, "forbidden", "Request had insufficient authentication scopes."), "denied: Scope"),
        (403, rpc(403, "PERMISSION_DENIED", json!("ACCESS_TOKEN_SCOPE_INSUFFICIENT"), "x"), "denied: Scope"),
        (403, refusal(403, "accessNotConfigured", "has not been used in project 7"), "denied: Api"),
        (403, rpc(403, "PERMISSION_DENIED", json!("SERVICE_DISABLED"), "x"), "denied: Api"),
        (403, refusal(403, "domainCannotUseApis", "Domain cannot use apis."), "denied: Domain"),
        (403, refusal(403, "dailyLimitExceeded", "Daily Limit Exceeded"), "denied: Spent"),
        (403, refusal(403, "userRateLimitExceeded", "x"), "again: throttled"),
        (403, refusal(403, "rateLimitExceeded", "x"), "again: throttled"),
        (403, refusal(403, "quotaExceeded", "x"), "again: throttled"),
        (403, b"Request rate higher than configured.".to_vec(), "again: throttled"),
        (403, b"<html>forbidden".to_vec(), "unknown: access_denied"),
        (429, refusal(429, "rateLimitExceeded", "x"), "again: throttled"),
        (429, b"Quota exceeded for quota metric".to_vec(), "again: throttled"),
        (429, Vec::new(), "again: throttled"),
        (503, b"Quota exceeded for the current request".to_vec(), "again: throttled"),
        // The two that look alike: only the first proves an absence.
        (404, refusal(404, "notFound", "Resource Not Found: photo"), "NotListed"),
        (404, rpc(404, "NOT_FOUND", Value::Null, "Resource Not Found: photo"), "NotListed"),
        (404, refusal(404, "notFound", "Resource Not Found: userKey"), "unknown: user_gone"),
        (404, refusal(404, "notFound", "Resource Not Found: userKey photo"), "unknown: user_gone"),
        (404, refusal(404, "notFound", "Resource Not Found: domain"), "unknown: not_found_unexplained"),
        (404, refusal(404, "notFound", "Domain not found"), "unknown: not_found_unexplained"),
        (404, refusal(404, "other", "Resource Not Found: photo"), "unknown: not_found_unexplained"),
        // Another error stands beside it.
        (
            404,
            rpc(404, "NOT_FOUND", json!("backendError"), "Resource Not Found: photo"),
            "unknown: not_found_unexplained",
        ),
        (404, two("backendError"), "unknown: not_found_unexplained"),
        (404, two("notFound"), "NotListed"),
        (
            404,
            refusal(404, "notFound", "photo: Service unavailable. Please try again"),
            "unknown: not_found_unexplained",
        ),
        (404, b"<html>photo not found".to_vec(), "unknown: not_found_unexplained"),
        (404, Vec::new(), "unknown: not_found_unexplained"),
        (400, refusal(400, "invalid", "Invalid Input: userKey"), "unknown: odd_answer"),
        (400, refusal(400, "badRequest", "Bad Request"), "unknown: odd_answer"),
        (400, refusal(400, "notFound", "Resource Not Found: photo"), "unknown: odd_answer"),
        (412, refusal(412, "conditionNotMet", "x"), "unknown: odd_answer"),
        (304, Vec::new(), "unknown: odd_answer"),
        (204, Vec::new(), "unknown: odd_answer"),
        (500, refusal(500, "internalError", "x"), "again: server_error"),
        (500, refusal(500, "backendError", "x"), "again: server_error"),
        (500, refusal(500, "unknownError", "x"), "again: server_error"),
        (502, Vec::new(), "again: server_error"),
        (503, refusal(503, "backendError", "Backend Error"), "again: server_error"),
        (503, refusal(503, "notFound", "Resource Not Found: photo"), "again: server_error"),
        (504, b"<html>".to_vec(), "again: server_error"),
    ];
    for (status, body, means) in table {
        let shown = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(looked(judge(status, &body)), means, "photo: {status} {shown}");
        assert_eq!(probed(judge(status, &body)), means, "version: {status} {shown}");
    }
}

#[test]
fn bytes_are_read_in_every_form_of_padding_and_alphabet() {
    // Both alphabets differ on this one, and it needs padding.
    let photo: &[u8] = b"\xFF\xD8\xFF\xFB\xFF\xBE\x3E\x01";
    let web = URL_SAFE.encode(photo);
    assert!(web.contains('_') && web.contains('-') && web.ends_with('='), "{web}");
    let bare = web.trim_end_matches('=');
    let ends_in_e = bare.strip_suffix('E').unwrap();
    for text in [
        web.clone(),
        bare.to_owned(),
        format!("{bare}*"),
        format!("{bare}."),
        format!("{bare}|\r\n"),
        format!("{bare}== "),
        web.replace('-', "+").replace('_', "/"),
        format!("{}\n{}", &web[..4], &web[4..]),
        // Other bits behind the last byte.
        format!("{ends_in_e}F="),
    ] {
        assert_eq!(decode(&text).as_deref(), Some(photo), "{text}");
    }
    for text in ["_9j!", "_9*j_4AA", "=_9j_4AA", "A", "_9j\u{e9}"] {
        assert_eq!(decode(text), None, "{text}");
    }
}

#[test]
fn a_photo_is_taken_only_whole_and_only_of_the_person_who_was_asked_for() {
    let photo = |change: Value| {
        let mut body = json!({ "id": "105", "etag": "\"pre/suf\"", "photoData": URL_SAFE.encode(b"\xFF\xD8\xFFada") });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        judge::<PhotoResult>(200, body.to_string().as_bytes())
    };
    let told = PhotoResult::Photo { version: Some("suf".into()), bytes: Bytes::from_static(b"\xFF\xD8\xFFada") };
    assert_eq!(photo(json!({})), PartOutcome::Final(told));
    for (change, means) in [
        (json!({ "id": "" }), "photo"),
        (json!({ "id": "106" }), "unknown: wrong_person"),
        (json!({ "photoData": null }), "unknown: odd_body"),
        (json!({ "photoData": "!" }), "unknown: odd_body"),
        (json!({ "photoData": URL_SAFE.encode(vec![0; LARGEST + 1]) }), "unknown: photo_too_large"),
        (json!({ "etag": null }), "photo"),
    ] {
        assert_eq!(looked(photo(change)), means);
    }
    for body in ["", "[]", "<html>", "{\"id\": 7}"] {
        assert_eq!(looked(judge(200, body.as_bytes())), "unknown: odd_body", "{body}");
    }
    let etag = judge::<VersionResult>(200, br#"{"id":"105","etag":"\"pre/suf\""}"#);
    assert_eq!(etag, PartOutcome::Final(VersionResult::Version(Some("suf".into()))));
    assert_eq!(probed(judge(200, br#"{"id":"106","etag":"\"pre/suf\""}"#)), "unknown: wrong_person");
}

#[test]
fn only_what_follows_the_last_slash_of_an_etag_counts() {
    for (etag, suffix) in [
        ("\"mQ3cA0tq/N1PyGgsBk3THNCCW1wWzejBUlz0\"", Some("N1PyGgsBk3THNCCW1wWzejBUlz0")),
        ("\"_ZVRqe/N1PyGgsBk3THNCCW1wWzejBUlz0\"", Some("N1PyGgsBk3THNCCW1wWzejBUlz0")),
        ("a/b/c", Some("c")),
        ("W/\"pre/suf\"", Some("suf")),
        ("\"whole\"", Some("whole")),
        ("\"pre/\"", None),
        ("\"\"", None),
        ("", None),
    ] {
        assert_eq!(version_of(etag), suffix.map(Version::from), "{etag}");
    }
}
