//! The forms of an answer that are seen in the wild (docs/wire/google-directory.md §4), and those that prove nothing.

use super::*;

/// A batch of two, in one way of writing it.
fn response(newline: &str, ids: [&str; 2]) -> String {
    let lines = [
        "--batch_Qx9",
        "Content-Type: application/http",
        &format!("Content-ID: {}", ids[0]),
        "",
        "HTTP/1.1 200 OK",
        "Content-Type: application/json; charset=UTF-8",
        "",
        "{\"a\":1}",
        "--batch_Qx9",
        "Content-Type: application/http",
        &format!("Content-ID: {}", ids[1]),
        "",
        "HTTP/1.1 429 Too Many Requests",
        "Retry-After: 7",
        "",
        "{\"b\":2}",
        "--batch_Qx9--",
        "",
    ];
    lines.join(newline)
}

/// Id, status and trimmed body of each part.
fn read(text: &str) -> Vec<(Option<String>, u16, String)> {
    let parts = parse(text.as_bytes(), "batch_Qx9");
    parts.into_iter().map(|p| (p.id, p.status, String::from_utf8_lossy(p.body).trim().to_owned())).collect()
}

fn two() -> Vec<(Option<String>, u16, String)> {
    vec![(Some("p0".into()), 200, "{\"a\":1}".into()), (Some("p1".into()), 429, "{\"b\":2}".into())]
}

#[test]
fn every_lenient_form_gives_the_same_parts() {
    let plain = response("\r\n", ["<response-p0>", "<response-p1>"]);
    for (form, text) in [
        ("as documented", plain.clone()),
        ("bare line feeds", response("\n", ["<response-p0>", "<response-p1>"])),
        ("no brackets", response("\r\n", ["response-p0", "response-p1"])),
        ("as it was sent", response("\r\n", ["<p0>", "<p1>"])),
        ("a preamble", format!("This is a multi-part message.\r\n\r\n{plain}")),
        ("an epilogue", format!("{plain}and good-bye\r\n--batch_Qx9 no delimiter\r\n")),
        ("folded", plain.replace("Content-ID: <", "Content-ID:\r\n <")),
        ("folded inside", plain.replace("application/json; charset", "application/json;\r\n\tcharset")),
        ("other case", plain.replace("Content-ID", "content-id")),
        ("white space after the delimiter", plain.replace("--batch_Qx9\r\n", "--batch_Qx9  \r\n")),
        ("HTTP/1.0", plain.replace("HTTP/1.1", "HTTP/1.0")),
        ("without a reason", plain.replace("200 OK", "200")),
        ("a blank line more", plain.replace("\r\n\r\nHTTP", "\r\n\r\n\r\nHTTP")),
    ] {
        assert_eq!(read(&text), two(), "{form}: {text}");
    }
}

#[test]
fn what_names_nobody_or_breaks_off_is_no_answer_of_anybody() {
    let plain = response("\r\n", ["<response-p0>", "<response-p1>"]);
    let (first, second) = (two().remove(0), two().remove(1));
    let nameless = |part: &(Option<String>, u16, String)| (None, part.1, part.2.clone());
    for (form, text, parts) in [
        ("no id", plain.replace("Content-ID: <response-p0>\r\n", ""), vec![nameless(&first), second.clone()]),
        ("an empty id", response("\r\n", ["<>", "<response-p1>"]), vec![nameless(&first), second.clone()]),
        ("no status line", plain.replace("HTTP/1.1 200 OK\r\n", ""), vec![second.clone()]),
        ("cut off", plain.replace("--batch_Qx9--", ""), vec![first.clone()]),
        ("another boundary", plain.replace("batch_Qx9", "batch_Qx99"), vec![]),
        ("empty", String::new(), vec![]),
        ("HTML", "<html>--batch_Qx9</html>".into(), vec![]),
    ] {
        assert_eq!(read(&text), parts, "{form}");
    }
}

#[test]
fn the_headers_of_a_part_are_its_own() {
    let text = response("\r\n", ["<response-p0>", "<response-p1>"])
        .replace("HTTP/1.1 200 OK", "HTTP/1.1 403 Forbidden\r\nWWW-Authenticate: Bearer scope=\"x\"");
    let parts = parse(text.as_bytes(), "batch_Qx9");
    assert_eq!(parts[0].challenge.as_deref(), Some("Bearer scope=\"x\""));
    assert_eq!((parts[0].retry_after.as_deref(), parts[1].retry_after.as_deref()), (None, Some("7")));
}

#[test]
fn the_boundary_is_found_in_every_form() {
    for (content_type, found) in [
        ("multipart/mixed; boundary=batch_Qx9", Some("batch_Qx9")),
        ("Multipart/Mixed;charset=utf-8;Boundary=\"batch Qx9\"", Some("batch Qx9")),
        ("multipart/mixed; boundary=", None),
        ("multipart/mixed", None),
        ("application/json; boundary=x", None),
        ("", None),
    ] {
        assert_eq!(boundary(content_type), found, "{content_type}");
    }
}

#[test]
fn a_body_is_written_as_the_guide_shows() {
    let calls = [("p0", "/a?fields=x,y".to_owned()), ("p1", "/b".to_owned())];
    assert_eq!(
        compose(calls.into_iter()),
        "--avatarpipe-batch\r\nContent-Type: application/http\r\nContent-ID: <p0>\r\n\r\nGET /a?fields=x,y\r\n\r\n\
         --avatarpipe-batch\r\nContent-Type: application/http\r\nContent-ID: <p1>\r\n\r\nGET /b\r\n\r\n\
         --avatarpipe-batch--\r\n"
    );
    assert_eq!(boundary(MIME), Some("avatarpipe-batch"));
}
