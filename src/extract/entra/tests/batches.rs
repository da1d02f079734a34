//! Photos, twenty in one call.

use super::*;

#[tokio::test]
async fn one_batch_asks_for_all_and_parts_are_matched_by_id() {
    let tenant = Tenant::start(Users::default(), |_, asked| {
        batch(asked, |url| match url {
            "/users/ada/photo/$value" => photo(),
            "/users/bob/photo/$value" => refused(404, "ImageNotFound"),
            "/users/e%2Fve/photo/$value" => refused(404, "ErrorNonExistentMailbox"),
            other => panic!("{other}"),
        })
    })
    .await;
    let looked = tenant.entra.fetch(&ids(&["ada", "bob", "e/ve"])).await.unwrap();
    assert_eq!(looked.len(), 3);
    assert_eq!((code(&looked, "ada"), code(&looked, "bob")), ("photo".into(), "NotFound".into()));
    assert_eq!(code(&looked, "e/ve"), "mailbox_missing");
    let asked = tenant.graph.asked();
    assert_eq!((asked[0].method.as_str(), asked[0].path.as_str(), asked.len()), ("POST", "/v1.0/$batch", 1));
    let counts = tenant.entra.counts();
    assert_eq!((counts.sent, counts.units, counts.retried), (2, 4, 0), "the sign-in, and one batch of three units");
}

#[tokio::test]
async fn whoever_is_answered_twice_is_unknown_and_nobody_else() {
    let absent = || refused(404, "ImageNotFound");
    for twice in [[photo(), photo()], [absent(), photo()], [photo(), absent()], [absent(), absent()]] {
        let tenant = Tenant::start(Users::default(), move |_, asked| {
            let named = parts(asked);
            let of = |place: usize, mut part: Value| {
                part["id"] = json!(named[place].0);
                part
            };
            let [first, second] = twice.clone();
            let told = [of(0, first), of(1, photo()), of(0, second)];
            reply_json(200, &json!({ "responses": told }))
        })
        .await;
        let looked = tenant.entra.fetch(&ids(&["ada", "bob"])).await.unwrap();
        assert_eq!((code(&looked, "ada"), code(&looked, "bob")), ("odd_answer".into(), "photo".into()));
        assert_eq!((looked.len(), tenant.graph.asked().len()), (2, 1));
    }
}

/// A gateway that mixes answers up: each answer is that of the call before, as a replayed or late one is.
#[tokio::test]
async fn the_answer_of_another_call_is_nobodys() {
    let tenant = Tenant::start(Users::default(), |number, asked| match number {
        0 => batch(asked, |url| if url.contains("ada") { photo() } else { refused(404, "ImageNotFound") }),
        _ => reply_json(503, &json!({})),
    })
    .await;
    tenant.entra.fetch(&ids(&["ada", "bob"])).await.unwrap();
    let former = Arc::new(tenant.graph.asked()[0].clone());
    for (asks_versions, other) in [(false, "cyd"), (true, "dan")] {
        let former = Arc::clone(&former);
        let mixing = Tenant::start(Users::default(), move |number, asked| match number {
            // What another call asked: the same in number, and about others.
            0 => batch(&former, |url| if url.contains("ada") { photo() } else { refused(404, "ImageNotFound") }),
            _ => batch(asked, |_| refused(404, "ErrorItemNotFound")),
        })
        .await;
        let people = ids(&[other, "eve"]);
        if asks_versions {
            let told = mixing.entra.versions(&people).await.unwrap();
            assert!(told.iter().all(|(_, told)| *told == VersionResult::Absent(Absence::NotFound)), "{told:?}");
        } else {
            let told = mixing.entra.fetch(&people).await.unwrap();
            assert_eq!((code(&told, other), code(&told, "eve")), ("NotFound".into(), "NotFound".into()));
        }
        assert_eq!(mixing.graph.asked().len(), 2, "asked again, since no part is of this call");
    }
}

#[tokio::test]
async fn ids_of_parts_are_in_no_other_call_and_any_case_fits() {
    let tenant = Tenant::start(Users::default(), |_, asked| {
        let told = parts(asked).into_iter().map(|(id, _)| {
            let mut part = photo();
            part["id"] = json!(id.to_uppercase());
            part
        });
        reply_json(200, &json!({ "responses": told.collect::<Vec<_>>() }))
    })
    .await;
    for _ in 0..3 {
        let looked = tenant.entra.fetch(&ids(&["ada", "bob"])).await.unwrap();
        assert_eq!((code(&looked, "ada"), code(&looked, "bob")), ("photo".into(), "photo".into()));
    }
    let asked = tenant.graph.asked();
    let named: std::collections::BTreeSet<String> = asked.iter().flat_map(parts).map(|(id, _)| id).collect();
    assert_eq!(named.len(), 6, "{named:?}");
    assert!(named.iter().all(|id| id.len() < 40 && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')));
}

#[tokio::test]
async fn metadata_that_name_another_user_are_nobodys() {
    let (ada, bob) = ("b1f0c5a2-0d6e-4a3b-8a51-6f2d9a7c1e01", "c2e1d6b3-1e7f-4b4c-9b62-7f3eab8d2f02");
    for (named, fits) in
        [(ada, true), ("B1F0C5A2-0D6E-4A3B-8A51-6F2D9A7C1E01", true), ("ada%40x.example", true), (bob, false)]
    {
        let tenant = Tenant::start(Users::default(), move |_, asked| {
            let context = format!("https://graph.microsoft.com/v1.0/$metadata#users('{named}')/photo/$entity");
            batch(asked, |_| {
                json!({ "status": 200, "body": { "@odata.context": context, "@odata.mediaEtag": "e1", "id": "648x648" } })
            })
        })
        .await;
        let told = tenant.entra.versions(&ids(&[ada])).await.unwrap();
        match &told[0].1 {
            VersionResult::Version(Some(_)) => assert!(fits, "{named}"),
            VersionResult::Unknown(fault) => assert_eq!((fault.code.as_str(), fits), ("wrong_person", false)),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn versions_ask_for_metadata_only() {
    let tenant = Tenant::start(Users::default(), |_, asked| {
        batch(asked, |url| match url {
            "/users/ada/photo" => json!({ "status": 200, "body": { "@odata.mediaEtag": "W/\"e1\"", "id": "648x648" } }),
            _ => refused(404, "ErrorItemNotFound"),
        })
    })
    .await;
    let mut probed = tenant.entra.versions(&ids(&["ada", "bob"])).await.unwrap();
    probed.sort_by_key(|(id, _)| id.clone());
    let [(_, ada), (_, bob)] = &probed[..] else { panic!("two answers") };
    assert_eq!(*ada, VersionResult::Version(Some("e1".into())), "the same word as the etag of the bytes");
    assert_eq!(*bob, VersionResult::Absent(Absence::NotFound));
}

#[tokio::test]
async fn only_the_parts_that_failed_are_sent_again_after_the_longest_wait() {
    let tenant = Tenant::start(Users::default(), |number, asked| {
        batch(asked, |url| match (number, url.split('/').nth(2).unwrap()) {
            (0, "ada") => photo(),
            (0, "bob") => throttled("7"),
            (0, "cyd") => throttled("0.249"),
            (0, "dan") => refused(503, "ErrorStoreInternalServerError"),
            (1, "dan") => refused(503, "ErrorStoreInternalServerError"),
            _ => photo(),
        })
    })
    .await;
    let looked = tenant.entra.fetch(&ids(&["ada", "bob", "cyd", "dan"])).await.unwrap();
    assert!(looked.iter().all(|(_, looked)| matches!(looked, PhotoResult::Photo { .. })) && looked.len() == 4);
    let people =
        |asked: &ReceivedRequest| parts(asked).iter().map(|(_, url)| url[7..10].to_owned()).collect::<Vec<_>>();
    let mut rounds: Vec<Vec<String>> = tenant.graph.asked().iter().map(people).collect();
    rounds.iter_mut().for_each(|round| round.sort());
    assert_eq!(rounds, [vec!["ada", "bob", "cyd", "dan"], vec!["bob", "cyd", "dan"], vec!["dan"]]);
    assert_eq!(tenant.rate_limit.rests()[..2], [7, 7], "held for all, slept by this one");
    let counts = tenant.entra.counts();
    assert_eq!((counts.retried, counts.throttled, counts.units), (4, 2, 9));
}

#[tokio::test]
async fn parts_that_stay_bad_are_unknown_after_six_tries() {
    let tenant = Tenant::start(Users::default(), |_, asked| {
        batch(asked, |url| if url.contains("ada") { photo() } else { refused(500, "UnknownError") })
    })
    .await;
    let looked = tenant.entra.fetch(&ids(&["ada", "bob"])).await.unwrap();
    assert_eq!((code(&looked, "ada"), code(&looked, "bob")), ("photo".into(), "server_error".into()));
    assert_eq!(tenant.graph.asked().len(), 6);
}

#[tokio::test]
async fn a_missing_part_is_asked_for_again_and_a_strange_one_ignored() {
    let tenant = Tenant::start(Users::default(), |number, asked| {
        let first = &parts(asked)[0].0;
        let mut responses = vec![json!({ "id": first, "status": 200, "headers": {}, "body": photo()["body"] })];
        if number == 0 {
            responses.push(json!({ "id": "1", "status": 404, "body": { "error": { "code": "ImageNotFound" } } }));
            responses.push(json!({ "id": first, "status": 404, "body": { "error": { "code": "ImageNotFound" } } }));
        } else {
            responses = vec![json!({ "id": parts(asked)[0].0, "status": 404, "headers": {},
                "body": { "error": { "code": "ImageNotFound" } } })];
        }
        reply_json(200, &json!({ "responses": responses }))
    })
    .await;
    let looked = tenant.entra.fetch(&ids(&["ada", "bob"])).await.unwrap();
    // Ada was answered twice.
    assert_eq!((code(&looked, "ada"), code(&looked, "bob")), ("odd_answer".into(), "NotFound".into()));
    assert_eq!(tenant.graph.asked().len(), 2);
}

#[tokio::test]
async fn a_whole_batch_that_is_put_off_is_sent_again_unless_it_holds_answers() {
    for status in [424, 429] {
        let tenant = Tenant::start(Users::default(), move |number, asked| match number {
            // Without parts: all of it again.
            0 => reply(status, &[("retry-after", "3")], ""),
            // With parts: only the failed one again.
            1 => {
                let [(first, _), (second, _)] = &parts(asked)[..] else { panic!("two parts") };
                let mut done = photo();
                done["id"] = json!(first);
                let mut put_off = throttled("5");
                put_off["id"] = json!(second);
                reply_json(status, &json!({ "responses": [put_off, done] }))
            }
            _ => batch(asked, |_| photo()),
        })
        .await;
        let looked = tenant.entra.fetch(&ids(&["ada", "bob"])).await.unwrap();
        assert!(looked.iter().all(|(_, looked)| matches!(looked, PhotoResult::Photo { .. })), "{looked:?}");
        let sizes: Vec<usize> = tenant.graph.asked().iter().map(|asked| parts(asked).len()).collect();
        assert_eq!(sizes, [2, 2, 1], "{status}");
        assert_eq!(tenant.entra.counts().retried, 3);
    }
}

#[tokio::test]
async fn a_batch_that_fails_as_a_whole_is_a_failure_of_the_source() {
    for (status, body, kind, tries) in [
        (503, "busy", FailureKind::Unreachable, 6),
        (403, r#"{"error":{"code":"Authorization_RequestDenied"}}"#, FailureKind::Refused, 1),
        (400, r#"{"error":{"code":"BadRequest","message":"Invalid batch payload format."}}"#, FailureKind::Odd, 1),
        (200, "<html>Log in</html>", FailureKind::Odd, 1),
        (200, r#"{"value":[]}"#, FailureKind::Odd, 1),
    ] {
        let tenant = Tenant::start(Users::default(), move |_, _| reply(status, &[], body)).await;
        let failure = tenant.entra.fetch(&ids(&["ada", "bob"])).await.unwrap_err();
        assert_eq!((failure.kind, tenant.graph.asked().len()), (kind, tries), "{failure}");
        // Every request, a repeated one too, has an id of its own (docs/wire/microsoft-graph.md §6).
        let asked = tenant.graph.asked();
        let own: std::collections::BTreeSet<_> = asked.iter().map(|asked| asked.header("client-request-id")).collect();
        assert_eq!(own.len(), tries);
    }
}

#[tokio::test]
async fn an_inner_401_for_all_renews_the_token_once() {
    let tenant = Tenant::start(Users::default(), |_, asked| {
        let fresh = asked.header("authorization") == "Bearer graph-token-1";
        batch(asked, |_| if fresh { photo() } else { refused(401, "InvalidAuthenticationToken") })
    })
    .await;
    let looked = tenant.entra.fetch(&ids(&["ada", "bob"])).await.unwrap();
    assert!(looked.iter().all(|(_, looked)| matches!(looked, PhotoResult::Photo { .. })));
    assert_eq!((tenant.login.asked().len(), tenant.graph.asked().len()), (2, 2));

    let never = Tenant::start(Users::default(), |_, asked| batch(asked, |_| refused(401, "x"))).await;
    let failure = never.entra.fetch(&ids(&["ada", "bob"])).await.unwrap_err();
    assert_eq!((failure.kind, never.graph.asked().len()), (FailureKind::Refused, 2));

    let one = Tenant::start(Users::default(), |_, asked| {
        batch(asked, |url| if url.contains("ada") { photo() } else { refused(401, "x") })
    })
    .await;
    let looked = one.entra.fetch(&ids(&["ada", "bob"])).await.unwrap();
    assert_eq!((code(&looked, "bob").as_str(), one.login.asked().len()), ("unauthorized", 2));
}

#[tokio::test]
async fn a_token_that_ends_between_two_parts_is_renewed_for_the_rest() {
    let tenant = Tenant::start(Users::default(), |_, asked| {
        let fresh = asked.header("authorization") == "Bearer graph-token-1";
        batch(asked, |url| match url {
            "/users/ada/photo/$value" => photo(),
            "/users/bob/photo/$value" if fresh => photo(),
            "/users/bob/photo/$value" => refused(401, "InvalidAuthenticationToken"),
            _ if fresh => photo(),
            _ => refused(503, "serviceNotAvailable"),
        })
    })
    .await;
    let looked = tenant.entra.fetch(&ids(&["ada", "bob", "cyd"])).await.unwrap();
    assert!(looked.iter().all(|(_, looked)| matches!(looked, PhotoResult::Photo { .. })), "{looked:?}");
    assert_eq!((tenant.login.asked().len(), tenant.graph.asked().len()), (2, 2));
}

#[tokio::test]
async fn access_denied_is_told_of_each_person() {
    let denied = |_: usize, asked: &ReceivedRequest| batch(asked, |_| refused(403, "ErrorAccessDenied"));
    let tenant = Tenant::start(Users::default(), denied).await;
    let looked = tenant.entra.fetch(&ids(&["ada", "bob"])).await.unwrap();
    assert_eq!((code(&looked, "ada").as_str(), code(&looked, "bob").as_str()), (DENIED, DENIED));
    assert!(tenant.entra.remedy().unwrap().contains("User.Read.All"));

    let mixed = Tenant::start(Users::default(), |_, asked| {
        batch(asked, |url| if url.contains("ada") { photo() } else { refused(403, "ErrorAccessDenied") })
    })
    .await;
    let looked = mixed.entra.fetch(&ids(&["ada", "bob", "cyd"])).await.unwrap();
    assert_eq!((code(&looked, "ada"), code(&looked, "cyd")), ("photo".into(), "access_denied".into()));
}

#[tokio::test]
async fn a_batch_over_the_cap_is_asked_for_one_by_one() {
    let largest = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&largest);
    let tenant = Tenant::start(Users::default(), move |_, asked| {
        let parts = parts(asked);
        seen.fetch_max(parts.len(), Ordering::Relaxed);
        let too_much = parts.len() > 1 || parts[0].1.contains("bob");
        // Only the announced length is needed to see that it is too much.
        if too_much { reply(200, &[], vec![b' '; 64 * 1024 * 1024 + 1]) } else { batch(asked, |_| photo()) }
    })
    .await;
    let looked = tenant.entra.fetch(&ids(&["ada", "bob"])).await.unwrap();
    assert_eq!((code(&looked, "ada"), code(&looked, "bob")), ("photo".into(), "photo_too_large".into()));
    assert_eq!((largest.load(Ordering::Relaxed), tenant.graph.asked().len()), (2, 3));
}

#[tokio::test]
async fn nobody_asked_for_is_no_request() {
    let tenant = Tenant::start(Users::default(), |_, _| reply(500, &[], "")).await;
    assert!(tenant.entra.fetch(&[]).await.unwrap().is_empty());
    assert_eq!(tenant.entra.counts(), Counts::default());
}
