//! Every row of docs/wire/microsoft-graph.md §3.5, and the odd forms of §3.6 and §4.

use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::*;

const ONE_PIXEL: &[u8] = b"GIF87a\x01\x00\x01\x00\x81\x00\x00\xff\xff\xff;";

fn part(status: u16, headers: Value, body: Value) -> String {
    json!({ "id": "0", "status": status, "headers": headers, "body": body }).to_string()
}

fn judge<T: PhotoQuery>(part: &str) -> PartOutcome<T> {
    serde_json::from_str::<PartResponse<'_>>(part).unwrap().judge(std::time::SystemTime::now())
}

fn error(code: &str) -> Value {
    json!({ "error": { "code": code, "message": "The object was not found.", "innerError": { "request-id": "b1d9" } } })
}

/// What a row of the table means, in one word.
#[derive(Debug, PartialEq)]
enum Means {
    Absent(Absence),
    Unknown(String),
    Again(String),
    Unauthorized,
    Present,
}

fn meaning_of_probe(judged: PartOutcome<VersionResult>) -> Means {
    match judged {
        PartOutcome::Final(VersionResult::Absent(proof)) => Means::Absent(proof),
        PartOutcome::Final(VersionResult::Unknown(fault)) => Means::Unknown(fault.code),
        PartOutcome::Final(VersionResult::Version(_)) => Means::Present,
        PartOutcome::Again { fault, .. } => Means::Again(fault.code),
        PartOutcome::Unauthorized(_) => Means::Unauthorized,
    }
}

fn meaning_of_look(judged: PartOutcome<PhotoResult>) -> Means {
    match judged {
        PartOutcome::Final(PhotoResult::Absent(proof)) => Means::Absent(proof),
        PartOutcome::Final(PhotoResult::Unknown(fault)) => Means::Unknown(fault.code),
        PartOutcome::Final(PhotoResult::Photo { .. }) => Means::Present,
        PartOutcome::Again { fault, .. } => Means::Again(fault.code),
        PartOutcome::Unauthorized(_) => Means::Unauthorized,
    }
}

#[test]
fn the_no_photo_table() {
    let unknown = |code: &str| Means::Unknown(code.to_owned());
    let again = |code: &str| Means::Again(code.to_owned());
    let absent = || Means::Absent(Absence::NotFound);
    let wrapped = json!({ "error": { "code": "UnknownError",
        "message": r#"{"error":{"code":"OrganizationFromTenantGuidNotFound","message":"x"}}"# } });
    let within = |outer: &str, inner: &str| json!({ "error": { "code": outer, "innerError": { "code": inner } } });
    let beside = |name: &str, value: Value| {
        let mut body = error("ErrorItemNotFound");
        body["error"][name] = value;
        body
    };
    let mut two = error("ImageNotFound");
    two["errors"] = json!([{ "code": "ServiceUnavailable" }]);
    let entity = |message: &str| json!({ "error": { "code": "ErrorEntityNotFound", "message": message } });
    let image = "Exception of type 'Microsoft.Fast.Profile.Core.Exception.ImageNotFoundException' was thrown.";
    let inner = |code: &str| json!({ "error": { "code": code, "message": "m" } }).to_string();
    let around = |code: &str| json!({ "error": { "code": "UnknownError", "message": inner(code) } });
    let gone = "ErrorUserResolutionFailedUserDoesNotExist";
    let table = [
        // The rows of §12.
        (404, entity(image), absent()),
        (404, entity("The requested user was not found."), unknown("not_found_unexplained")),
        (404, entity("NoImageNotFoundExceptionAtAll"), unknown("not_found_unexplained")),
        (404, entity(""), unknown("not_found_unexplained")),
        (404, error("ErrorEntityNotFound"), unknown("not_found_unexplained")),
        (400, entity(image), unknown("odd_answer")),
        (500, entity(image), again("server_error")),
        (404, around(gone), unknown("user_gone")),
        (400, around(gone), unknown("user_gone")),
        (500, around(gone), unknown("user_gone")),
        (404, json!({ "error": { "code": "NewError", "message": inner(gone) } }), unknown("not_found_unexplained")),
        (404, around("ImageNotFound"), unknown("unknown_error")),
        (404, error("ErrorInvalidUser"), unknown("user_gone")),
        // The rows of §3.5, in their order; the 200 is below.
        (404, error("ImageNotFound"), absent()),
        (404, within("TooManyRequests", "ImageNotFound"), unknown("not_found_unexplained")),
        (404, within("Authorization_RequestDenied", "ImageNotFound"), unknown("not_found_unexplained")),
        (404, within("UnknownError", "ErrorItemNotFound"), unknown("not_found_unexplained")),
        (404, within("NotFound", "ImageNotFound"), absent()),
        // Another error stands beside it, known or not.
        (404, within("ImageNotFound", "MailboxNotEnabledForRESTAPI"), unknown("not_found_unexplained")),
        (404, within("NewError", "ImageNotFound"), unknown("not_found_unexplained")),
        (404, beside("details", json!([{ "code": "ErrorServerBusy" }])), unknown("not_found_unexplained")),
        (
            404,
            beside("innerError", json!({ "innerError": { "code": "ErrorServerBusy" } })),
            unknown("not_found_unexplained"),
        ),
        (404, beside("message", json!("Service unavailable")), unknown("not_found_unexplained")),
        (404, beside("message", json!("The mailbox database is offline")), unknown("not_found_unexplained")),
        (404, two, unknown("not_found_unexplained")),
        (404, error("ErrorItemNotFound"), absent()),
        (404, error("Request_ResourceNotFound"), unknown("user_gone")),
        (404, error("ResourceNotFound"), unknown("mailbox_missing")),
        (404, error("ErrorNonExistentMailbox"), unknown("mailbox_missing")),
        (400, error("ErrorNonExistentMailbox"), unknown("mailbox_missing")),
        (500, error("ErrorNonExistentMailbox"), unknown("mailbox_missing")),
        (400, error("AuthenticationError"), unknown("mailbox_missing")),
        (404, error("MailboxNotHostedInExchangeOnline"), unknown("mailbox_elsewhere")),
        (503, error("MailboxNotHostedInExchangeOnline"), unknown("mailbox_elsewhere")),
        (404, wrapped.clone(), unknown("unknown_error")),
        (400, wrapped.clone(), unknown("unknown_error")),
        (500, wrapped, again("server_error")),
        (403, error("ErrorAccessDenied"), unknown(DENIED)),
        (403, error("Authorization_RequestDenied"), unknown(DENIED)),
        (500, error("ErrorStoreInternalServerError"), again("server_error")),
        (503, error("ErrorStoreInternalServerError"), again("server_error")),
        (400, error("extensionError"), unknown("extension_error")),
        // What is like a row, and is none.
        (404, error("NewCode"), unknown("not_found_unexplained")),
        (404, error(""), unknown("not_found_unexplained")),
        (404, Value::Null, unknown("not_found_unexplained")),
        (404, json!("ImageNotFound"), unknown("not_found_unexplained")),
        (400, error("ImageNotFound"), unknown("odd_answer")),
        (410, error("ImageNotFound"), unknown("odd_answer")),
        (403, error("ImageNotFound"), unknown("forbidden")),
        (500, error("ImageNotFound"), again("server_error")),
        (401, error("InvalidAuthenticationToken"), Means::Unauthorized),
        (401, error("ImageNotFound"), Means::Unauthorized),
        // §5 and §6.
        (429, error("TooManyRequests"), again("throttled")),
        (429, error("ErrorNonExistentMailbox"), again("throttled")),
        (509, Value::Null, again("throttled")),
        (502, Value::Null, again("server_error")),
        (504, json!("<html>"), again("server_error")),
        (424, error("FailedDependency"), again("server_error")),
        (501, error("NotImplemented"), unknown("odd_answer")),
        (204, Value::Null, unknown("odd_answer")),
        (302, Value::Null, unknown("odd_answer")),
    ];
    for (status, body, means) in table {
        let part = part(status, json!({}), body);
        assert_eq!(meaning_of_probe(judge(&part)), means, "version: {part}");
        assert_eq!(meaning_of_look(judge(&part)), means, "photo: {part}");
    }
}

#[test]
fn metadata_is_absent_only_as_the_one_pixel_picture_without_an_etag() {
    let version = |word: &str| PartOutcome::Final(VersionResult::Version(Some(word.into())));
    let silent = || PartOutcome::Final(VersionResult::Version(None));
    let absent = || PartOutcome::Final(VersionResult::Absent(Absence::OnePixel));
    let metadata = |mime: &str, etag: Value, id: &str, side: u32| json!({ "@odata.mediaContentType": mime, "@odata.mediaEtag": etag, "id": id, "width": side, "height": side });
    for (body, judged) in [
        (metadata("image/gif", json!(""), "1x1", 1), absent()),
        (metadata("image/gif", Value::Null, "1X1", 1), absent()),
        (metadata("image/gif", json!("\"\""), "1x1", 1), absent()),
        (metadata("image/gif", json!("W/\"ab\""), "1x1", 1), version("ab")),
        (metadata("image/jpeg", json!(""), "1x1", 1), silent()),
        (metadata("image/gif", json!(""), "648x648", 648), silent()),
        (metadata("image/jpeg", json!("W/\"5d2c\""), "648x648", 648), version("5d2c")),
        (metadata("image/jpeg", json!("\"BA09D118\""), "240X240", 240), version("BA09D118")),
        (metadata("image/jpeg", json!("BA09D118"), "240X240", 240), version("BA09D118")),
        (metadata("image/jpeg", Value::Null, "648x648", 648), silent()),
    ] {
        assert_eq!(judge::<VersionResult>(&part(200, json!({}), body.clone())), judged, "{body}");
    }
    for body in [json!("text"), json!([]), Value::Null] {
        let means = meaning_of_probe(judge(&part(200, json!({}), body)));
        assert_eq!(means, Means::Unknown("odd_body".into()));
    }
}

#[test]
fn metadata_that_comes_as_text_is_read_too() {
    let text = json!({ "@odata.mediaEtag": "ab" }).to_string();
    let told = PartOutcome::Final(VersionResult::Version(Some("ab".into())));
    assert_eq!(judge::<VersionResult>(&part(200, json!({}), json!(text))), told);
    assert_eq!(judge::<VersionResult>(&part(200, json!({}), json!(STANDARD.encode(text)))), told);
}

#[test]
fn bytes_are_read_in_every_form_of_base64() {
    // Both alphabets differ on this one, and it needs padding.
    let photo: &[u8] = b"\xFF\xD8\xFF\xFB\xFF\xBE\x3E\x01";
    let (standard, url_safe) = (STANDARD.encode(photo), URL_SAFE_NO_PAD.encode(photo));
    assert!(standard.contains(['+', '/']) && url_safe.contains(['-', '_']) && standard.ends_with('='));
    let broken_lines = format!("{}\r\n {}", &standard[..4], &standard[4..]);
    for text in [standard.as_str(), standard.trim_end_matches('='), &url_safe, &broken_lines] {
        let judged = judge::<PhotoResult>(&part(200, json!({ "eTag": "W/\"5d2c\"" }), json!(text)));
        let bytes = Bytes::from_static(b"\xFF\xD8\xFF\xFB\xFF\xBE\x3E\x01");
        assert_eq!(judged, PartOutcome::Final(PhotoResult::Photo { version: Some("5d2c".into()), bytes }), "{text}");
    }
    let escaped = format!(r#"{{"id":"0","status":200,"body":"{}"}}"#, standard.replace('/', "\\/"));
    assert_eq!(meaning_of_look(judge(&escaped)), Means::Present);
}

#[test]
fn bytes_that_are_no_photo_are_told_apart() {
    let text = |bytes: &[u8]| json!(STANDARD.encode(bytes));
    for (body, means) in [
        (text(b"\xFF\xD8\xFFrest"), Means::Present),
        (text(b"\x89PNG\r\n\x1a\n"), Means::Present),
        (text(b"GIF89a\x02\x00\x01\x00"), Means::Present),
        (text(b"RIFF\0\0\0\0WEBPVP8 "), Means::Present),
        (text(ONE_PIXEL), Means::Absent(Absence::OnePixel)),
        // A sign-in page is an answer in the provider's place, and is asked for again.
        (text(b"<!doctype html>"), Means::Unknown("sign_in_page".into())),
        (text(b"\xEF\xBB\xBF \n<HTML><body>"), Means::Unknown("sign_in_page".into())),
        // Whether other bytes are a picture at all is the renderer's to say, so that the answer is kept under their version.
        (text(b"<svg/>"), Means::Present),
        (text(b""), Means::Present),
        (json!("not base64!"), Means::Unknown("odd_body".into())),
        (json!({ "error": { "code": "ImageNotFound" } }), Means::Unknown("odd_body".into())),
        (Value::Null, Means::Unknown("odd_body".into())),
        (text(&[0xFF; LARGEST + 1]), Means::Unknown("photo_too_large".into())),
    ] {
        assert_eq!(meaning_of_look(judge(&part(200, json!({}), body))), means);
    }
    let missing = r#"{"id":"0","status":200}"#;
    assert_eq!(meaning_of_look(judge(missing)), Means::Unknown("odd_body".into()));
}

#[test]
fn retry_after_is_found_in_any_case_and_form() {
    for (headers, asked) in [
        (json!({ "Retry-After": "7" }), Some(7)),
        (json!({ "retry-after": 7 }), Some(7)),
        (json!({ "RETRY-AFTER": "0.249" }), Some(1)),
        (json!({}), None),
        (json!({ "Retry-After": null }), None),
    ] {
        let PartOutcome::Again { asked: got, .. } = judge::<PhotoResult>(&part(429, headers.clone(), Value::Null))
        else {
            panic!("again: {headers}");
        };
        assert_eq!(got, asked.map(Duration::from_secs), "{headers}");
    }
}

/// One part's oddity is no other's: a whole answer must not be thrown away for it.
#[test]
fn a_status_may_be_a_text_and_an_odd_one_is_that_parts_failure() {
    for (status, means) in [
        (json!("404"), Means::Absent(Absence::NotFound)),
        (json!(404), Means::Absent(Absence::NotFound)),
        (json!("Not Found"), Means::Unknown("odd_answer".to_owned())),
        (json!(null), Means::Unknown("odd_answer".to_owned())),
        (json!(70_404), Means::Unknown("odd_answer".to_owned())),
    ] {
        let part = json!({ "id": "0", "status": status, "body": error("ImageNotFound") }).to_string();
        assert_eq!(meaning_of_look(judge(&part)), means, "{part}");
    }
}

#[test]
fn an_answer_that_is_old_or_asks_to_come_later_proves_nothing() {
    use base64::Engine as _;
    let body = error("ImageNotFound");
    let gif = json!(STANDARD.encode(ONE_PIXEL));
    for (headers, proof) in [
        (json!({ "Content-Type": "application/json", "Cache-Control": "private" }), true),
        (json!({ "X-Cache": "MISS" }), true),
        (json!({ "Retry-After": "120" }), false),
        (json!({ "retry-after": 120 }), false),
        (json!({ "Warning": "110 - \"Response is Stale\"" }), false),
        (json!({ "Age": "86400" }), false),
        (json!({ "X-Cache": "HIT" }), false),
    ] {
        let missing = meaning_of_look(judge(&part(404, headers.clone(), body.clone())));
        assert_eq!(matches!(missing, Means::Absent(_)), proof, "{headers}");
        let pixel = meaning_of_look(judge(&part(200, headers.clone(), gif.clone())));
        assert_eq!(matches!(pixel, Means::Absent(_)), proof, "{headers}");
    }
    let marked = meaning_of_look(judge(&part(200, json!({ "ETag": "\"a\"" }), gif)));
    assert_eq!(marked, Means::Unknown("contradicted".to_owned()));
}
