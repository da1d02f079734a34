use std::fmt::Write as _;

use super::{customer, lab_of, message, sandbox, token};
use crate::faults::{Effect, Fault};
use crate::testing::{Got, TestSandbox, send};

fn part(id: &str, target: &str) -> String {
    format!("--b7\r\nContent-Type: application/http\r\nContent-ID: <{id}>\r\n\r\nGET {target}\r\n\r\n")
}

fn photo(who: &str) -> String {
    format!("/admin/directory/v1/users/{who}@fabrikam.example/photos/thumbnail?fields=width")
}

async fn post(sandbox: &TestSandbox, token: &str, path: &str, body: String) -> Got {
    let request =
        sandbox.http.post(sandbox.url("directory", path)).header("Content-Type", "multipart/mixed; boundary=b7");
    let request = if token.is_empty() { request } else { request.bearer_auth(token) };
    send(request.body(body)).await.unwrap()
}

/// Content-ID and status of every part.
fn parts(got: &Got) -> Vec<(String, u16)> {
    let text = String::from_utf8(got.bytes.clone()).unwrap();
    let each = text.split("Content-ID: <").skip(1).map(|part| {
        let (id, rest) = part.split_once(">\r\n\r\nHTTP/1.1 ").unwrap();
        (id.to_owned(), rest[..3].parse().unwrap())
    });
    each.collect()
}

#[tokio::test]
async fn a_batch_is_answered_byte_for_byte_as_documented() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    let body = part("u0", &photo("radia")) + &part("u1", &photo("linus")) + "--b7--";
    for path in ["/batch", "/batch/admin/directory_v1"] {
        let got = post(&sandbox, &token, path, body.clone()).await;
        let boundary = got.headers["content-type"].strip_prefix("multipart/mixed; boundary=").unwrap().to_owned();
        assert!(got.status == 200 && boundary.starts_with("batch_"), "{boundary}");
        let text = String::from_utf8(got.bytes).unwrap();
        let begins = format!(
            "--{boundary}\r\nContent-Type: application/http\r\nContent-ID: <response-u0>\r\n\r\nHTTP/1.1 200 OK\r\n\
             Content-Type: application/json; charset=UTF-8\r\nETag: \""
        );
        assert!(text.starts_with(&begins), "{text}");
        assert!(text.contains("\r\n\r\n{\n  \"width\": 96\n}\n\r\n"), "{text}");
        assert!(text.contains("Content-ID: <response-u1>\r\n\r\nHTTP/1.1 404 Not Found\r\n"), "{text}");
        assert!(text.ends_with(&format!("\r\n--{boundary}--\r\n")), "{text}");
    }
    let log = sandbox.running.requests().entries().pop().unwrap();
    assert_eq!((log.units, log.parts[1].1, log.who.as_deref()), (2, 404, Some("admin@fabrikam.example")));
}

#[tokio::test]
async fn outer_headers_apply_and_a_part_may_have_its_own() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    let own = format!(
        "--b7\nContent-Type: application/http\nContent-ID: <own>\n\nGET {} HTTP/1.1\nAuthorization: Bearer {token}\n\n\n",
        photo("radia")
    );
    let body = part("bare", &photo("radia")) + &own + "--b7--";
    let got = post(&sandbox, "", "/batch", body).await;
    assert_eq!(parts(&got), [("response-bare".into(), 401), ("response-own".into(), 200)]);
    let got = post(&sandbox, &token, "/batch", part("bare", &photo("radia")) + "--b7--").await;
    assert_eq!(parts(&got), [("response-bare".into(), 200)]);
}

#[tokio::test]
async fn parts_fail_alone_in_any_order_or_get_lost() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    let fault =
        |effect, who: &str| sandbox.running.fault(Fault::new(effect).at("directory").about(who).in_parts().times(1));
    fault(Effect::Special("tooManyRequests".into()), "radia");
    fault(Effect::Drop {}, "tim");
    sandbox.running.switch("directory", "batch_order", "reversed").unwrap();
    let body = ["radia", "tim", "katherine"].map(|who| part(who, &photo(who))).concat() + "--b7--";
    let got = post(&sandbox, &token, "/batch", body.clone()).await;
    assert_eq!(parts(&got), [("response-katherine".into(), 200), ("response-radia".into(), 429)]);
    assert_eq!(parts(&post(&sandbox, &token, "/batch", body).await).len(), 3);
}

#[tokio::test]
async fn the_rules_of_a_batch_fail_it_as_a_whole() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    let absolute = part("a", "https://admin.googleapis.com/admin/directory/v1/users/x");
    for (body, says) in [
        (String::new(), "a boundary is missing"),
        (part("a", &photo("radia")), "a boundary is missing"),
        ("--b7--".to_owned(), "there is no part in it"),
        ("--b7\r\nContent-Type: text/plain\r\n\r\nGET /\r\n--b7--".to_owned(), "no HTTP request of its own"),
        (absolute.clone() + "--b7--", "without scheme and host"),
    ] {
        let got = post(&sandbox, &token, "/batch", body).await;
        assert!(got.status == 400 && message(&got).contains(says), "{}", got.json());
    }
    sandbox.running.switch("directory", "batch_absolute_url", "part").unwrap();
    let got = post(&sandbox, &token, "/batch", absolute + &part("b", &photo("radia")) + "--b7--").await;
    assert_eq!(parts(&got), [("response-a".into(), 400), ("response-b".into(), 200)]);
    let foreign = part("a", "/gmail/v1/users/me") + "--b7--";
    assert_eq!(parts(&post(&sandbox, &token, "/batch", foreign).await), [("response-a".into(), 404)]);
}

#[tokio::test]
async fn a_thousand_parts_are_the_most_and_each_is_a_unit() {
    let sandbox = lab_of(customer());
    let token = token(&sandbox).await;
    let many = |n: usize| {
        let mut body = String::new();
        for i in 0..n {
            write!(body, "{}", part(&format!("u{i}"), &photo("linus"))).unwrap();
        }
        body + "--b7--"
    };
    let got = post(&sandbox, &token, "/batch", many(1001)).await;
    assert!(got.status == 400 && message(&got).contains("at most 1000"), "{}", got.json());
    assert_eq!(parts(&post(&sandbox, &token, "/batch", many(1000)).await).len(), 1000);
    sandbox.running.switch("directory", "quota_per_minute", "1").unwrap();
    let statuses: Vec<u16> = parts(&post(&sandbox, &token, "/batch", many(3)).await).into_iter().map(|p| p.1).collect();
    assert!(statuses.iter().filter(|s| **s == 403).count() >= 2, "{statuses:?}");
}
