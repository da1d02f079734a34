//! Photos, many in one call and one by one.

use super::*;
use crate::extract::Batch;

#[tokio::test]
async fn a_batch_is_one_request_and_its_parts_go_to_their_own_people() {
    let customer = Customer::of(|_, asked| {
        batch(asked, |user| {
            Some(match user {
                "none" => refusal(404, "notFound", "Resource Not Found: photo"),
                "gone" => refusal(404, "notFound", "Resource Not Found: userKey"),
                "secret" => refusal(403, "forbidden", "Not Authorized to access this resource/api"),
                user => photo(user),
            })
        })
    })
    .await;
    let looked = customer.google.fetch(&ids(&["ada", "none", "bob", "gone", "secret"])).await.unwrap();
    assert_eq!((code(&looked, "ada").as_str(), code(&looked, "bob").as_str()), ("\u{ff}ada", "\u{ff}bob"));
    assert_eq!(code(&looked, "none"), format!("{:?}", Absence::NotListed));
    assert_eq!((code(&looked, "gone").as_str(), code(&looked, "secret").as_str()), ("user_gone", "access_denied"));
    let asked = &customer.directory.asked()[0];
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/batch"));
    assert_eq!(asked.header("content-type"), "multipart/mixed; boundary=avatarpipe-batch");
    let counts = customer.google.counts();
    assert_eq!((counts.sent, counts.units, counts.retried), (2, 6, 0), "the sign-in is one, five calls are five units");

    let versions = customer.google.versions(&ids(&["ada", "none"])).await.unwrap();
    let probed = |id: &str| versions.iter().find(|(person, _)| person.as_str() == id).unwrap().1.clone();
    assert_eq!(probed("ada"), VersionResult::Version(Some("suf".into())));
    assert_eq!(probed("none"), VersionResult::Absent(Absence::NotListed));
    assert!(customer.google.fetch(&[]).await.unwrap().is_empty());
    assert_eq!(customer.directory.asked().len(), 2);
}

#[tokio::test]
async fn whoever_is_answered_twice_is_unknown_and_nobody_else() {
    let none = || refusal(404, "notFound", "Resource Not Found: photo");
    for (first, second) in [(photo("ada"), none()), (none(), photo("ada")), (photo("ada"), photo("ada"))] {
        let customer = Customer::of(move |_, asked| {
            let mut body = String::new();
            let named = parts(asked);
            let ada = named.iter().find(|(_, user)| user == "ada").unwrap();
            let bob = named.iter().find(|(_, user)| user == "bob").unwrap();
            for ((id, _), (status, json)) in [(ada, &first), (bob, &photo("bob")), (ada, &second)] {
                body.push_str(&format!(
                    "--b\r\nContent-ID: <response-{id}>\r\n\r\nHTTP/1.1 {status} X\r\n\r\n{json}\r\n"
                ));
            }
            reply(200, &[("content-type", "multipart/mixed; boundary=b")], body + "--b--\r\n")
        })
        .await;
        let looked = customer.google.fetch(&ids(&["ada", "bob"])).await.unwrap();
        assert_eq!((code(&looked, "ada").as_str(), code(&looked, "bob").as_str()), ("odd_answer", "\u{ff}bob"));
        assert_eq!((looked.len(), customer.directory.asked().len()), (2, 1));
    }
}

#[tokio::test]
async fn the_answer_of_another_call_is_nobodys() {
    let none = || Some(refusal(404, "notFound", "Resource Not Found: photo"));
    let first = Customer::of(move |_, asked| batch(asked, |_| none())).await;
    first.google.fetch(&ids(&["ada", "bob"])).await.unwrap();
    let former = first.directory.asked()[0].clone();
    // What another call asked, of the same number of people and of one; and an answer that names no part at all.
    for (people, nameless) in [(ids(&["cyd", "dan"]), false), (ids(&["cyd"]), false), (ids(&["cyd"]), true)] {
        let former = former.clone();
        let mixing = Customer::of(move |number, asked| match (number, nameless) {
            (0, false) => batch(&former, |_| none()),
            (0, true) => {
                let (status, json) = none().unwrap();
                let body = format!("--b\r\n\r\nHTTP/1.1 {status} X\r\n\r\n{json}\r\n--b--\r\n");
                reply(200, &[("content-type", "multipart/mixed; boundary=b")], body)
            }
            _ => batch(asked, |user| Some(photo(user))),
        })
        .await;
        let told = mixing.google.fetch(&people).await.unwrap();
        assert_eq!((code(&told, "cyd").as_str(), told.len()), ("\u{ff}cyd", people.len()));
        assert_eq!(mixing.directory.asked().len(), 2, "asked again, since no part is of this call");
    }
    first.google.fetch(&ids(&["ada", "bob"])).await.unwrap();
    let asked = first.directory.asked();
    let named: std::collections::BTreeSet<String> = asked.iter().flat_map(parts).map(|(id, _)| id).collect();
    assert_eq!(named.len(), 4, "{named:?}");
}

#[tokio::test]
async fn a_swapped_part_is_nobodys_photo() {
    let customer =
        Customer::of(|_, asked| batch(asked, |user| Some(photo(if user == "ada" { "bob" } else { user })))).await;
    let looked = customer.google.fetch(&ids(&["ada", "bob"])).await.unwrap();
    assert_eq!((code(&looked, "ada").as_str(), code(&looked, "bob").as_str()), ("wrong_person", "\u{ff}bob"));
}

#[tokio::test]
async fn only_the_parts_that_may_be_better_are_sent_again() {
    let customer = Customer::of(|number, asked| {
        batch(asked, |user| match (number, user) {
            (0, "lost") => None,
            (0, "slow") => Some(refusal(403, "userRateLimitExceeded", "x")),
            (0 | 1, "slower") => Some(refusal(429, "rateLimitExceeded", "x")),
            (_, "down") => Some(refusal(503, "backendError", "x")),
            (_, user) => Some(photo(user)),
        })
    })
    .await;
    let looked = customer.google.fetch(&ids(&["ada", "lost", "slow", "slower", "down"])).await.unwrap();
    for name in ["ada", "lost", "slow", "slower"] {
        assert_eq!(code(&looked, name), format!("\u{ff}{name}"));
    }
    assert_eq!(code(&looked, "down"), "server_error");
    let sizes: Vec<usize> = customer.directory.asked().iter().map(|asked| parts(asked).len()).collect();
    assert_eq!(sizes, [5, 4, 2, 1, 1, 1]);
    let counts = customer.google.counts();
    assert_eq!((counts.retried, counts.throttled), (9, 3));
}

#[tokio::test]
async fn an_inner_401_renews_the_token_once() {
    let customer = Customer::of(|_, asked| {
        let fresh = asked.header("authorization") == "Bearer google-token-1";
        batch(asked, |user| Some(if fresh || user == "ada" { photo(user) } else { refusal(401, "authError", "x") }))
    })
    .await;
    let looked = customer.google.fetch(&ids(&["ada", "bob"])).await.unwrap();
    assert_eq!((code(&looked, "ada").as_str(), code(&looked, "bob").as_str()), ("\u{ff}ada", "\u{ff}bob"));
    assert_eq!((customer.login.asked().len(), customer.directory.asked().len()), (2, 2));

    let never = Customer::of(|_, asked| batch(asked, |_| Some(refusal(401, "authError", "x")))).await;
    let failure = never.google.fetch(&ids(&["ada", "bob"])).await.unwrap_err();
    assert_eq!((failure.kind, never.directory.asked().len()), (FailureKind::Refused, 2), "{failure}");

    let one = Customer::of(|_, asked| {
        batch(asked, |user| Some(if user == "ada" { photo(user) } else { refusal(401, "x", "x") }))
    })
    .await;
    assert_eq!(code(&one.google.fetch(&ids(&["ada", "bob"])).await.unwrap(), "bob"), "unauthorized");
}

#[tokio::test]
async fn what_is_refused_for_the_app_fails_the_source_and_for_a_person_that_one() {
    for (reason, message, words) in [
        ("insufficientPermissions", "Insufficient Permission", "add the scope"),
        ("accessNotConfigured", "not used", "enable the Admin SDK API"),
        ("domainCannotUseApis", "Domain cannot use apis.", "use APIs"),
    ] {
        let customer = Customer::of(move |_, asked| {
            batch(asked, |user| Some(if user == "ada" { photo(user) } else { refusal(403, reason, message) }))
        })
        .await;
        let failure = customer.google.fetch(&ids(&["ada", "bob"])).await.unwrap_err();
        assert!(failure.kind == FailureKind::Refused && failure.to_string().contains(words), "{failure}");
    }
    let forbidden =
        |_: usize, asked: &ReceivedRequest| batch(asked, |_| Some(refusal(403, "forbidden", "Not Authorized")));
    let customer = Customer::of(forbidden).await;
    let looked = customer.google.fetch(&ids(&["ada", "bob"])).await.unwrap();
    assert_eq!((code(&looked, "ada").as_str(), code(&looked, "bob").as_str()), (DENIED, DENIED));
    assert!(customer.google.remedy().unwrap().contains("Users, Read"));
}

#[tokio::test]
async fn a_batch_that_fails_as_a_whole_is_a_failure_of_the_source() {
    let throttled = refusal(403, "rateLimitExceeded", "x").1.to_string();
    let forbidden = refusal(403, "forbidden", "Not Authorized").1.to_string();
    for (status, body, kind, tries) in [
        (503, "busy".to_owned(), FailureKind::Unreachable, 6),
        (429, String::new(), FailureKind::Unreachable, 6),
        (403, throttled, FailureKind::Unreachable, 6),
        (403, forbidden, FailureKind::Refused, 1),
        (200, "<html>Log in</html>".to_owned(), FailureKind::Odd, 1),
        (200, "{}".to_owned(), FailureKind::Odd, 1),
    ] {
        let customer = Customer::of(move |_, _| reply(status, &[], body.clone())).await;
        let failure = customer.google.fetch(&ids(&["ada", "bob"])).await.unwrap_err();
        assert_eq!((failure.kind, customer.directory.asked().len()), (kind, tries), "{failure}");
    }
}

#[tokio::test]
async fn a_batch_that_is_put_off_as_a_whole_holds_up_everybody() {
    let slower = refusal(403, "rateLimitExceeded", "x").1.to_string();
    for (status, body) in [(429, String::new()), (403, slower)] {
        let customer = Customer::of(move |number, asked| match number {
            0 => reply(status, &[("retry-after", "7")], body.clone()),
            _ => batch(asked, |user| Some(photo(user))),
        })
        .await;
        customer.google.fetch(&ids(&["ada"])).await.unwrap();
        assert_eq!(customer.rate_limit.rests(), [7, 7], "{status}: held for all, slept by this one");
    }
}

#[tokio::test]
async fn where_there_is_no_batch_photos_are_asked_for_one_by_one() {
    for (status, body) in [(404, "<html>Not Found"), (400, "{}"), (405, "")] {
        let customer = Customer::of(move |number, asked| {
            if asked.path == "/batch" {
                return reply(status, &[("content-type", "text/html")], body);
            }
            let user = asked.path.strip_prefix("/admin/directory/v1/users/").unwrap().split('/').next().unwrap();
            let (status, body) = match (number, user) {
                (_, "none") => refusal(404, "notFound", "Resource Not Found: photo"),
                (0..=3, "slow") => refusal(429, "rateLimitExceeded", "x"),
                (_, user) => photo(user),
            };
            reply_json(status, &body)
        })
        .await;
        assert_eq!(customer.google.batch(), Batch { versions: 100, fetch: 100, requests: 1 });
        let looked = customer.google.fetch(&ids(&["ada", "none", "slow"])).await.unwrap();
        assert_eq!((code(&looked, "ada").as_str(), code(&looked, "none").as_str()), ("\u{ff}ada", "NotListed"));
        assert_eq!(code(&looked, "slow"), "\u{ff}slow");
        assert_eq!(customer.google.batch(), Batch { versions: 1, fetch: 1, requests: 1 });
        let paths = customer.paths();
        assert_eq!(paths[1], "/admin/directory/v1/users/ada/photos/thumbnail?fields=id,etag,photoData");
        assert_eq!((paths.len(), customer.google.counts().throttled), (5, 1), "{paths:?}");
        customer.google.fetch(&ids(&["ada"])).await.unwrap();
        assert_eq!(customer.paths().iter().filter(|path| *path == "/batch").count(), 1, "it is not tried again");
    }
}
