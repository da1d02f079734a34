//! Step 1 and 2: checks, crops, creation at once, the multipart variant.

use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method};
use serde_json::{Value, json};

use super::{ADMIN, As, Heard, Set, TestSandbox, client, colour, corners, grey, quarters};

const PATH: &str = "/rest/api/2/user/avatar/temporary?username=alan";

#[tokio::test]
async fn what_step_one_takes() {
    let fine = quarters(64, 64);
    let n = fine.len();
    // query, type, body, switches → status
    let table: &[(String, &str, &[u8], Set, u16)] = &[
        (format!("&filename=a.png&size={n}"), "image/png", &fine, &[], 201),
        ("&filename=a.png".into(), "image/png", &fine, &[], 201),
        (format!("&filename=a.png&size={n}"), "image/x-png", &fine, &[], 201),
        (format!("&filename=a.png&size={n}"), "image/png; charset=binary", &fine, &[], 201),
        (format!("&filename=a.png&size={}", n + 1), "image/png", &fine, &[], 400),
        (format!("&filename=a.png&size={n}x"), "image/png", &fine, &[], 400),
        (format!("&size={n}"), "image/png", &fine, &[], 400),
        (format!("&filename=%20&size={n}"), "image/png", &fine, &[], 400),
        (format!("&filename=a%2Fb.png&size={n}"), "image/png", &fine, &[], 400),
        (format!("&filename=a%24.png&size={n}"), "image/png", &fine, &[], 400),
        (format!("&filename=a.png&size={n}"), "image/webp", &fine, &[], 400),
        (format!("&filename=a.png&size={n}"), "application/json", &fine, &[], 400),
        ("&filename=a.png".into(), "image/png", b"<html></html>", &[], 400),
        ("&filename=a.png".into(), "image/png", &fine[..n / 2], &[], 400),
        (format!("&filename=a.png&size={n}"), "image/png", &fine, &[("attachment_limit", "50")], 400),
        (format!("&filename=a.png&size={n}"), "image/png", &fine, &[("megapixels", "0")], 400),
        (format!("&filename=a.png&size={n}"), "image/png", &fine, &[("raw_upload", "404")], 404),
        (format!("&filename=a.png&size={n}"), "image/png", &fine, &[("raw_upload", "405")], 405),
        (format!("&filename=a.png&size={n}"), "image/png", &fine, &[("raw_upload", "415")], 415),
    ];
    for (query, mime, body, switches, status) in table {
        let sandbox = TestSandbox::new("9.12.5", switches);
        let request = sandbox.ask(Method::POST, &format!("{PATH}{query}"), ADMIN).header("Content-Type", *mime);
        let heard = Heard::from(request.body(body.to_vec())).await;
        assert_eq!(heard.status, *status, "{query} {mime} {switches:?}: {}", heard.text());
        if *status == 400 {
            assert_eq!(heard.json()["errorMessages"].as_array().map(Vec::len), Some(1));
            assert_eq!(heard.json()["errors"], json!({}));
        }
    }
}

#[tokio::test]
async fn a_chunked_body_needs_the_size() {
    let sandbox = TestSandbox::new("9.12.5", &[]);
    let picture = quarters(64, 64);
    let size = format!("&size={}", picture.len());
    for (query, status) in [("", 400), (size.as_str(), 201)] {
        let pieces = futures::stream::iter([Ok::<_, std::io::Error>(picture.clone())]);
        let request = sandbox.ask(Method::POST, &format!("{PATH}&filename=a.png{query}"), ADMIN);
        let request = request.header("Content-Type", "image/png").body(Body::wrap_stream(pieces));
        assert_eq!(Heard::from(request).await.status, status, "{query:?}");
    }
}

#[tokio::test]
async fn the_crop_decides_what_is_shown() {
    let sandbox = TestSandbox::new("9.12.5", &[]);
    // uploaded size, crop (x, y, side) or the suggestion → corners, and the colour a little beyond the middle
    let table = [
        ((256, 256), Some([0, 0, 256]), "rgbw", 'w'),
        ((256, 256), Some([128, 0, 128]), "gggg", 'g'),
        ((256, 256), None, "rgbw", 'r'),
        ((1000, 1000), Some([0, 0, 500]), "rgbw", 'w'),
        ((1000, 1000), None, "rgbw", 'r'),
        ((300, 200), Some([50, 0, 200]), "rgbw", 'w'),
    ];
    for ((width, height), crop, expected, beyond) in table {
        let session = client(true);
        let first = sandbox.upload(&session, ADMIN, "alan", quarters(width, height)).await.json();
        assert_eq!(first["needsCropping"], true);
        let suggested = ["cropperOffsetX", "cropperOffsetY", "cropperWidth"]
            .map(|name| first[name].as_u64().and_then(|number| u32::try_from(number).ok()).expect("a number"));
        let made = sandbox.confirm(&session, ADMIN, "alan", crop.unwrap_or(suggested)).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let (id, key) = (made.id(), made.json()["owner"].as_str().unwrap_or_default().to_owned());
        for (size, side) in [("xsmall", 16), ("large", 48), ("xxlarge", 96), ("xxxlarge@2x", 256)] {
            let path = format!("/secure/useravatar?ownerId={key}&avatarId={id}&size={size}");
            let served = sandbox.get(&path, ADMIN).await;
            assert_eq!(served.header("content-type"), "image/png");
            let picture = image::load_from_memory(&served.body).expect("a picture");
            assert_eq!((picture.width(), picture.height()), (side, side));
            let found = (corners(&served.body), colour(&served.body, 0.62));
            // The suggested crop is off-centre: the middle of the upload moves to the lower right.
            assert_eq!(found, (expected.to_owned(), beyond), "{width}x{height} {crop:?} {size}");
        }
    }
}

#[tokio::test]
async fn crop_numbers_that_are_refused() {
    let sandbox = TestSandbox::new("9.12.5", &[]);
    let whole = json!({"cropperOffsetX": 0, "cropperOffsetY": 0, "cropperWidth": 64, "needsCropping": true});
    // body, type → status
    let table = [
        (whole.to_string(), "application/json", 201),
        (
            json!({"cropperOffsetX": "0", "cropperOffsetY": "0", "cropperWidth": "64"}).to_string(),
            "application/json",
            201,
        ),
        (whole.to_string(), "text/xml", 415),
        (json!({"cropperOffsetX": 453, "cropperOffsetY": 0, "cropperWidth": 1}).to_string(), "application/json", 400),
        (json!({"cropperOffsetX": -1, "cropperOffsetY": 0, "cropperWidth": 1}).to_string(), "application/json", 400),
        (json!({"cropperOffsetX": 0, "cropperOffsetY": 0, "cropperWidth": 65}).to_string(), "application/json", 400),
        (json!({"cropperOffsetX": 0, "cropperWidth": 64}).to_string(), "application/json", 400),
        ("nonsense".to_owned(), "application/json", 400),
    ];
    for (body, mime, status) in table {
        let session = client(true);
        assert_eq!(sandbox.upload(&session, ADMIN, "alan", quarters(64, 64)).await.status, 201);
        let request = sandbox.ask_by(&session, Method::POST, "/rest/api/2/user/avatar?username=alan", ADMIN);
        let heard = Heard::from(request.header("Content-Type", mime).body(body.clone())).await;
        assert_eq!(heard.status, status, "{body}: {}", heard.text());
    }
}

#[tokio::test]
async fn the_session_has_one_temporary_avatar_and_forgets_whose() {
    let sandbox = TestSandbox::new("9.12.5", &[]);
    let session = client(true);
    sandbox.upload(&session, ADMIN, "alan", quarters(64, 64)).await;
    sandbox.upload(&session, ADMIN, "grace", grey(64)).await;
    let made = sandbox.confirm(&session, ADMIN, "alan", [0, 0, 64]).await;
    assert_eq!(made.status, 201, "grace's picture becomes alan's");
    let path =
        format!("/secure/useravatar?ownerId={}&avatarId={}", made.json()["owner"].as_str().unwrap_or(""), made.id());
    assert_eq!(corners(&sandbox.get(&path, ADMIN).await.body), "????");
    let again = sandbox.confirm(&session, ADMIN, "alan", [0, 0, 64]).await;
    assert_eq!(again.status, 500, "the confirmation takes it out of the session");
    assert_eq!(sandbox.running.truth().violations.len(), 2, "{:?}", sandbox.running.truth().violations);
}

#[tokio::test]
async fn small_squares_are_created_at_once() {
    // width, height, switch, → an id at once
    let table = [
        (48, 48, "on", true),
        (20, 20, "on", true),
        (49, 49, "on", false),
        (48, 40, "on", false),
        (48, 48, "off", false),
    ];
    for (width, height, switch, at_once) in table {
        let sandbox = TestSandbox::new("11.0.0", &[("one_step", switch)]);
        let before = sandbox.running.truth().avatars.len();
        let heard = sandbox.upload(&sandbox.client, As::Token("tok"), "ada", quarters(width, height)).await;
        let bean = heard.json();
        assert_eq!(heard.status, 201);
        assert_eq!(
            (bean["id"].is_string(), bean["needsCropping"] == true),
            (at_once, !at_once),
            "{width}x{height} {switch}"
        );
        let truth = sandbox.running.truth();
        assert_eq!(truth.avatars.len() - before, usize::from(at_once));
        if at_once {
            assert_eq!((&bean["owner"], &bean["isSelected"]), (&json!("ada.contractor"), &json!(false)));
            let made = truth.avatars.iter().find(|a| bean["id"] == a.id).expect("it is there");
            assert_eq!((made.creator.as_str(), made.selected, corners(&made.bytes)), ("svc", false, "rgbw".to_owned()));
        }
    }
}

#[tokio::test]
async fn the_multipart_variant_answers_html_and_its_errors_are_200() {
    // side, type, file name → status, field that must be there
    let table = [
        (64, "image/png", "a.png", 201, "isCroppingNeeded"),
        (48, "image/png", "a.png", 201, "id"),
        (64, "image/bmp", "a.png", 200, "errorMessages"),
        (64, "image/png", " ", 200, "errorMessages"),
    ];
    for (side, mime, name, status, field) in table {
        let sandbox = TestSandbox::new("9.12.5", &[]);
        let part = Part::bytes(quarters(side, side)).file_name(name).mime_str(mime).expect("a type");
        let heard =
            Heard::from(sandbox.ask(Method::POST, PATH, ADMIN).multipart(Form::new().part("avatar", part))).await;
        assert_eq!((heard.status, heard.header("content-type")), (status, "text/html;charset=UTF-8"));
        let text = heard.text();
        let inner =
            text.split_once("<textarea>").and_then(|(_, rest)| rest.split_once("</textarea>")).expect("a textarea");
        let value: Value = serde_json::from_str(inner.0).expect("JSON inside");
        assert!(!value[field].is_null(), "{side} {mime} {name:?}: {value}");
        if field == "isCroppingNeeded" {
            assert_eq!((&value[field], value["cropperWidth"].is_string()), (&json!("true"), true));
        }
    }
    let sandbox = TestSandbox::new("9.12.5", &[("multipart_upload", "off")]);
    let form = Form::new().part("avatar", Part::bytes(quarters(64, 64)).file_name("a.png"));
    assert_eq!(Heard::from(sandbox.ask(Method::POST, PATH, ADMIN).multipart(form)).await.status, 415);
}
