use std::io::Read as _;
use std::time::Duration;

use serde_json::json;

use super::{customer, emails, get, lab_of, message, reason, sandbox, token};
use crate::testing::send;

const ALL: &str = "users?customer=my_customer";

#[tokio::test]
async fn a_listing_goes_on_by_its_token_and_stops_without_one() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    let mut path = format!("{ALL}&maxResults=2&orderBy=email");
    let (mut all, mut pages) = (Vec::new(), 0);
    loop {
        let got = get(&sandbox, &token, &path).await;
        all.extend(emails(&got));
        pages += 1;
        let Some(next) = got.json()["nextPageToken"].as_str().map(str::to_owned) else { break };
        path = format!("{ALL}&maxResults=2&orderBy=email&pageToken={next}");
    }
    assert_eq!(all, ["admin", "katherine", "linus", "radia", "tim"]);
    assert_eq!(pages, 3);
}

#[tokio::test]
async fn a_mask_without_the_token_ends_the_listing() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    let got = get(&sandbox, &token, &format!("{ALL}&maxResults=2&fields=users(id,thumbnailPhotoEtag)")).await;
    let body = got.json();
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["users"]);
    assert!(body["users"][0]["id"].is_string() && body["users"][0]["primaryEmail"].is_null(), "{body}");
    let got = get(&sandbox, &token, &format!("{ALL}&maxResults=2&fields=nextPageToken,users/id")).await;
    assert!(got.json()["nextPageToken"].is_string());
    let got = get(&sandbox, &token, &format!("{ALL}&fields=users(id,photo)")).await;
    assert_eq!((got.status, message(&got).as_str()), (400, "Invalid field selection photo"));
}

#[tokio::test]
async fn a_page_token_belongs_to_its_request_and_lives_three_days() {
    let sandbox = sandbox();
    let bearer = token(&sandbox).await;
    let got = get(&sandbox, &bearer, &format!("{ALL}&maxResults=2")).await;
    let next = got.json()["nextPageToken"].as_str().unwrap().to_owned();
    for path in [
        format!("{ALL}&maxResults=3&pageToken={next}"),
        format!("{ALL}&maxResults=2&orderBy=email&pageToken={next}"),
        format!("{ALL}&maxResults=2&pageToken={next}x"),
    ] {
        let got = get(&sandbox, &bearer, &path).await;
        assert_eq!((got.status, reason(&got).as_str()), (400, "invalid"), "{path}");
    }
    assert_eq!(
        get(&sandbox, &bearer, &format!("{ALL}&maxResults=2&prettyPrint=false&pageToken={next}")).await.status,
        200
    );
    sandbox.running.switch("directory", "page_token_parameters", "free").unwrap();
    assert_eq!(get(&sandbox, &bearer, &format!("{ALL}&maxResults=3&pageToken={next}")).await.status, 200);
    sandbox.running.advance(Duration::from_secs(3 * 24 * 3600 + 1));
    let now = crate::jwt::seconds(std::time::SystemTime::now()) + 3 * 24 * 3600;
    let bearer = super::token_with(&sandbox, json!({ "iat": now, "exp": now + 3600 })).await;
    assert_eq!(get(&sandbox, &bearer, &format!("{ALL}&maxResults=2&pageToken={next}")).await.status, 400);
}

#[tokio::test]
async fn empty_pages_have_no_users() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    for (switch, size, wanted) in [("between", 3, vec![3, 0, 2]), ("trailing", 5, vec![5, 0]), ("none", 5, vec![5])] {
        sandbox.running.switch("directory", "empty_pages", switch).unwrap();
        let (mut counts, mut next) = (Vec::new(), String::new());
        loop {
            let got = get(&sandbox, &token, &format!("{ALL}&maxResults={size}{next}")).await;
            let body = got.json();
            counts.push(emails(&got).len());
            assert_eq!(body["users"].is_null(), counts.last() == Some(&0), "{body}");
            let Some(token) = body["nextPageToken"].as_str() else { break };
            next = format!("&pageToken={token}");
        }
        assert_eq!(counts, wanted, "{switch}");
    }
    sandbox.running.switch("directory", "empty_users", "list").unwrap();
    let none = get(&sandbox, &token, &format!("{ALL}&query=email=nobody@fabrikam.example")).await;
    assert_eq!(none.json()["users"], json!([]));
}

#[tokio::test]
async fn parameters_are_judged() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    for (path, status, wanted) in [
        ("users", 400, "badRequest"),
        ("users?customer=fabrikam.example", 400, "invalid"),
        ("users?customer=C0other", 400, "invalid"),
        ("users?domain=C03az79cb", 400, "invalid"),
        ("users?domain=elsewhere.example", 404, "notFound"),
        ("users?customer=my_customer&maxResults=0", 400, "invalid"),
        ("users?customer=my_customer&maxResults=501", 400, "invalid"),
        ("users?customer=my_customer&orderBy=id", 400, "invalid"),
        ("users?customer=my_customer&projection=custom", 400, "invalid"),
        ("users?customer=my_customer&query=memberOf=staff", 400, "invalid"),
        ("users/nobody@fabrikam.example", 404, "notFound"),
        ("users/gone@fabrikam.example", 404, "notFound"),
        ("groups/nobody@fabrikam.example/members", 404, "notFound"),
    ] {
        let got = get(&sandbox, &token, path).await;
        assert_eq!((got.status, reason(&got).as_str()), (status, wanted), "{path}");
    }
    let got = get(&sandbox, &token, "users?domain=elsewhere.example").await;
    assert!(message(&got).contains("Domain not found"), "{}", got.json());
    assert_eq!(emails(&get(&sandbox, &token, "users?domain=fabrikam.example&maxResults=500").await).len(), 5);
    assert_eq!(emails(&get(&sandbox, &token, &format!("{ALL}&showDeleted=true")).await), ["gone"]);
    let got = get(&sandbox, &token, &format!("{ALL}&orderBy=familyName&sortOrder=DESCENDING")).await;
    assert_eq!(emails(&got), ["linus", "katherine", "admin", "radia", "tim"]);
}

#[tokio::test]
async fn users_without_a_photo_have_no_etag_and_flags_may_be_missing() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    let user = |name: &str| {
        let path = format!("users/{name}@fabrikam.example");
        let (sandbox, token) = (&sandbox, &token);
        async move { get(sandbox, token, &path).await.json() }
    };
    let (linus, tim) = (user("linus").await, user("tim").await);
    assert!(linus["thumbnailPhotoEtag"].is_null() && linus["thumbnailPhotoUrl"].is_null(), "{linus}");
    assert_eq!(
        (&linus["suspended"], &tim["suspended"], &tim["suspensionReason"]),
        (&false.into(), &true.into(), &"ADMIN".into())
    );
    assert_eq!(user("r.castellanos").await["primaryEmail"], "radia@fabrikam.example");
    let etag = tim["thumbnailPhotoEtag"].as_str().unwrap().to_owned();
    let (prefix, suffix) = etag.trim_matches('"').split_once('/').unwrap();
    assert_eq!((prefix.len(), suffix.len(), etag.starts_with('"') && etag.ends_with('"')), (43, 27, true), "{etag}");
    sandbox.running.switch("directory", "false_flags", "absent").unwrap();
    assert!(user("linus").await["suspended"].is_null());
}

#[tokio::test]
async fn a_roll_over_changes_every_prefix_and_no_suffix() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    let etags = || async {
        let body = get(&sandbox, &token, &format!("{ALL}&fields=users/thumbnailPhotoEtag")).await.json();
        let each = body["users"].as_array().unwrap().iter().filter_map(|u| u["thumbnailPhotoEtag"].as_str());
        each.map(|e| e.trim_matches('"').split_once('/').map(|(p, s)| (p.to_owned(), s.to_owned())).unwrap())
            .collect::<Vec<_>>()
    };
    let before = etags().await;
    sandbox.running.command("directory", &json!({ "roll_over": {} })).unwrap();
    let after = etags().await;
    assert!(
        before.len() == 3 && before.iter().zip(&after).all(|(b, a)| b.0 != a.0 && b.1 == a.1),
        "{before:?} {after:?}"
    );
    let same = json!({ "photo": { "user": "radia@fabrikam.example", "now": { "same": {} } } });
    sandbox.running.command("directory", &same).unwrap();
    let again = etags().await;
    assert_eq!(after.iter().zip(&again).filter(|(a, b)| a != b).count(), 1);
}

#[tokio::test]
async fn a_query_is_served_from_an_index_that_lags() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    let find = |query: &'static str| {
        let (sandbox, token) = (&sandbox, &token);
        async move { emails(&get(sandbox, token, &format!("{ALL}&query={query}")).await) }
    };
    assert_eq!(find("orgUnitPath=/Engineering").await, ["radia", "linus"]);
    let suspend = json!({ "suspended": { "user": "radia@fabrikam.example", "now": true } });
    sandbox.running.command("directory", &suspend).unwrap();
    assert_eq!(find("isSuspended=true").await, ["tim"]);
    assert_eq!(get(&sandbox, &token, "users/radia@fabrikam.example").await.json()["suspended"], true);
    sandbox.running.switch("directory", "search_lag_seconds", "0").unwrap();
    assert_eq!(find("isSuspended=true").await, ["radia", "tim"]);
}

#[tokio::test]
async fn groups_inside_are_members_until_derived_ones_are_asked_for() {
    let sandbox = sandbox();
    let token = token(&sandbox).await;
    let list = |path: &'static str| {
        let (sandbox, token) = (&sandbox, &token);
        async move {
            let body = get(sandbox, token, path).await.json();
            let each = body["members"].as_array().unwrap().iter();
            each.map(|m| {
                format!("{} {}", m["type"].as_str().unwrap(), m["email"].as_str().unwrap().split('@').next().unwrap())
            })
            .collect::<Vec<_>>()
        }
    };
    assert_eq!(list("groups/staff@fabrikam.example/members").await, ["GROUP eng", "USER katherine", "USER x"]);
    let derived = list("groups/g1/members?includeDerivedMembership=true").await;
    assert_eq!(derived, ["GROUP eng", "USER radia", "USER katherine", "USER x"], "and the circle ends");
    assert_eq!(get(&sandbox, &token, "groups/g1/members?maxResults=201").await.status, 400);
    let page = get(&sandbox, &token, "groups/g1/members?maxResults=2").await.json();
    assert!(page["nextPageToken"].is_string());
}

#[tokio::test]
async fn compression_needs_both_headers_and_pretty_printing_is_the_default() {
    let sandbox = lab_of(customer());
    let token = token(&sandbox).await;
    let url = sandbox.url("directory", "/admin/directory/v1/users?customer=my_customer&prettyPrint=false");
    // A client that leaves the body as it came.
    let http = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
    for (agent, wanted) in [("avatar-sync/1.0 (gzip)", true), ("avatar-sync/1.0", false)] {
        let request = http.get(&url).bearer_auth(&token).header("Accept-Encoding", "gzip").header("User-Agent", agent);
        let got = send(request).await.unwrap();
        let mut text = String::new();
        if wanted {
            assert_eq!(got.headers["content-encoding"], "gzip");
            flate2::read::GzDecoder::new(&got.bytes[..]).read_to_string(&mut text).unwrap();
        } else {
            assert!(!got.headers.contains_key("content-encoding"));
            text = String::from_utf8(got.bytes).unwrap();
        }
        assert!(text.starts_with("{\"etag\":") && !text.contains('\n'), "{text}");
    }
    let pretty = get(&sandbox, &token, ALL).await;
    assert!(String::from_utf8_lossy(&pretty.bytes).starts_with("{\n  \""));
}
