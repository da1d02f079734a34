use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::World;
use crate::entra::world::{Group, NoPhoto, Person, Photo, PhotoFailure, PhotoStore, Tenant, Throttled};
use crate::faults::{Answer, Effect, Fault};
use crate::testing::{TestSandbox, send};

const PICTURE: &[u8] = include_bytes!("../../../fixtures/worlds/tiny/pictures/ada.jpg");

fn sandbox(people: impl IntoIterator<Item = Person>) -> TestSandbox {
    let tenant = people.into_iter().fold(Tenant::new(), Tenant::person);
    TestSandbox::new(World::builder().picture("p.jpg", PICTURE).tenant(tenant).build().unwrap())
}

fn ada() -> Person {
    Person::new("ada@contoso.example", "Ada Lovelace").photo("p.jpg")
}

fn people_of(count: usize) -> Vec<Person> {
    (0..count).map(|n| Person::new(&format!("p{n}@contoso.example"), &format!("Person {n}"))).collect()
}

/// Follows next links; the sizes of the pages, and everybody's sign-in name.
async fn pages(sandbox: &TestSandbox, token: &str, path: &str, eventual: bool) -> (Vec<usize>, Vec<String>) {
    let (mut url, mut sizes, mut names) = (sandbox.url("graph", path), Vec::new(), Vec::new());
    loop {
        let mut request = sandbox.http.get(&url).bearer_auth(token);
        if eventual {
            request = request.header("ConsistencyLevel", "eventual");
        }
        let got = send(request).await.unwrap();
        assert_eq!(got.status, 200, "{url}: {}", got.json());
        let body = got.json();
        let values = body["value"].as_array().unwrap();
        sizes.push(values.len());
        names.extend(values.iter().map(|v| v["userPrincipalName"].as_str().unwrap_or_default().to_owned()));
        match body["@odata.nextLink"].as_str() {
            Some(next) => url = next.to_owned(),
            None => return (sizes, names),
        }
    }
}

/// Nobody could tell by the wire which of two worlds keeps its pictures.
#[tokio::test]
async fn a_picture_that_is_made_when_asked_for_is_served_as_one_that_is_kept() {
    let made = World::builder()
        .pictures_by(|name| (name == "p.jpg").then(|| PICTURE.into()))
        .tenant(Tenant::new().person(ada()));
    let (kept, made) = (sandbox([ada()]), TestSandbox::new(made.build().unwrap()));
    for path in ["photo", "photo/$value", "photos/48x48/$value", "photos"] {
        let path = format!("/v1.0/users/ada@contoso.example/{path}");
        let mut told = Vec::new();
        for sandbox in [&kept, &made] {
            let got = sandbox.graph(&sandbox.token().await, &path).await;
            let body = String::from_utf8_lossy(&got.bytes).replace(&sandbox.url("graph", ""), "");
            told.push((got.status, got.headers.get("etag").cloned(), body));
        }
        assert_eq!(told[0], told[1], "{path}");
    }
    let missing = World::builder().pictures_by(|_| None).tenant(Tenant::new().person(ada())).build();
    assert!(missing.is_err(), "a world that cannot make what it names");
}

#[tokio::test]
async fn pages_hold_everybody_once_whatever_the_switches_say() {
    let sandbox = sandbox(people_of(250));
    let token = sandbox.token().await;
    for (switches, path, wanted) in [
        (vec![], "/v1.0/users", vec![100, 100, 50]),
        (vec![], "/v1.0/users?$top=999", vec![250]),
        (vec![], "/v1.0/users?$select=userPrincipalName,id&$top=120", vec![120, 120, 10]),
        (vec![], "/v1.0/users?$top=125", vec![125, 125]),
        (vec![("page_size", "120")], "/v1.0/users?$top=999", vec![120, 120, 10]),
        (vec![("empty_pages", "yes")], "/v1.0/users?$top=999", vec![120, 0, 120, 0, 10]),
        (vec![("user_order", "shuffled")], "/v1.0/users?$top=999", vec![120, 0, 120, 0, 10]),
    ] {
        for (name, value) in switches {
            sandbox.running.switch("graph", name, value).unwrap();
        }
        let (sizes, names) = pages(&sandbox, &token, path, false).await;
        assert_eq!(sizes, wanted, "{path}");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 250, "{path}");
    }
}

#[tokio::test]
async fn a_next_link_is_absolute_and_keeps_the_query() {
    let sandbox = sandbox(people_of(3));
    let token = sandbox.token().await;
    let body = sandbox.graph(&token, "/v1.0/users?$select=id,mail&$top=2").await.json();
    let next = body["@odata.nextLink"].as_str().unwrap();
    let start = format!("{}?$select=id%2cmail&$top=2&$skiptoken=", sandbox.url("graph", "/v1.0/users"));
    assert!(next.starts_with(&start), "{next}");
    // Widespread HTTP stacks upper-case the escapes (docs/wire/microsoft-graph.md §9b).
    let got = send(sandbox.http.get(next.replace("%2c", "%2C")).bearer_auth(&token)).await.unwrap();
    assert_eq!(got.json()["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn queries_that_the_service_refuses() {
    let mut guest = Person::new("bob_x.com#EXT#@contoso.example", "Bob Guest");
    guest.user_type = Some("Guest".into());
    let mut old = Person::new("old@contoso.example", "Old Account");
    (old.user_type, old.enabled) = (None, false);
    let sandbox = sandbox([ada(), guest, old]);
    let token = sandbox.token().await;
    for (query, eventual, wanted) in [
        ("$filter=accountEnabled eq true", false, Ok(2)),
        ("$filter=userType eq 'Member'", false, Ok(1)),
        ("$filter=userType ne 'Guest'", false, Err((400, "Request_UnsupportedQuery"))),
        ("$filter=userType ne 'Guest'&$count=true", false, Err((400, "Request_UnsupportedQuery"))),
        ("$filter=userType ne 'Guest'&$count=true", true, Ok(2)),
        ("$filter=endsWith(mail,'@contoso.example')&$count=true", true, Ok(3)),
        ("$top=1000", false, Err((400, "Request_BadRequest"))),
        ("$top=0", false, Err((400, "Request_BadRequest"))),
        ("$skip=5", false, Err((400, "Request_BadRequest"))),
        ("$skiptoken=nonsense", false, Err((400, "Request_BadRequest"))),
        ("$select=id,photo", false, Ok(3)),
        ("$select=id,skills", false, Err((501, "NotImplemented"))),
        ("$select=id,nonsense", false, Err((400, "BadRequest"))),
    ] {
        let mut request = sandbox.http.get(sandbox.url("graph", &format!("/v1.0/users?{query}"))).bearer_auth(&token);
        if eventual {
            request = request.header("consistencylevel", "eventual");
        }
        let got = send(request).await.unwrap();
        match wanted {
            Ok(count) => assert_eq!(got.json()["value"].as_array().map(Vec::len), Some(count), "{query}"),
            Err((status, code)) => assert_eq!((got.status, got.code().as_str()), (status, code), "{query}"),
        }
    }
}

#[tokio::test]
async fn members_are_transitive_and_ask_for_the_header_on_every_page() {
    let people = people_of(5);
    let id = |n: usize| people[n].id.clone();
    let group = |name: &str, members: Vec<String>, groups: &[&str]| Group {
        id: name.into(),
        name: name.into(),
        members,
        groups: groups.iter().map(|g| (*g).to_owned()).collect(),
    };
    let tenant = people.iter().cloned().fold(Tenant::new(), Tenant::person);
    let tenant = tenant.group(group("outer", vec![id(0), id(1)], &["inner"])).group(group(
        "inner",
        vec![id(1), id(2), id(3)],
        &["outer"],
    ));
    let sandbox = TestSandbox::new(World::builder().tenant(tenant).build().unwrap());
    let token = sandbox.token().await;
    let path = "/v1.0/groups/outer/transitiveMembers/microsoft.graph.user";
    let got = sandbox.graph(&token, &format!("{path}?$count=true")).await;
    assert_eq!((got.status, got.code().as_str()), (400, "Request_UnsupportedQuery"));
    let (sizes, names) = pages(&sandbox, &token, &format!("{path}?$count=true&$top=3"), true).await;
    assert_eq!((sizes, names.len()), (vec![3, 1], 4));
    let got = sandbox.graph(&token, "/v1.0/groups/none/transitiveMembers/microsoft.graph.user?$count=true").await;
    assert_eq!((got.status, got.code().as_str()), (404, "Request_ResourceNotFound"));
}

#[tokio::test]
async fn a_token_without_the_role_is_issued_and_refused_later() {
    let mut tenant = Tenant::new().person(ada());
    tenant.app.roles = vec!["ProfilePhoto.Read.All".into()];
    let id = tenant.people[0].id.clone();
    let sandbox = TestSandbox::new(World::builder().picture("p.jpg", PICTURE).tenant(tenant).build().unwrap());
    let token = sandbox.token().await;
    let got = sandbox.graph(&token, "/v1.0/users").await;
    assert_eq!((got.status, got.code().as_str()), (403, "Authorization_RequestDenied"));
    assert_eq!(sandbox.graph(&token, &format!("/v1.0/users/{id}/photo/$value")).await.bytes, PICTURE);
}

#[tokio::test]
async fn every_row_of_no_photo_and_failure_comes_as_the_reference_says() {
    use Photo::{Failure, None as Absent};
    let rows = [
        (Absent(NoPhoto::ImageNotFound), 404, "ImageNotFound"),
        (Absent(NoPhoto::ItemNotFound), 404, "ErrorItemNotFound"),
        (Absent(NoPhoto::EntityNotFound), 404, "ErrorEntityNotFound"),
        (Failure(PhotoFailure::OtherEntity), 404, "ErrorEntityNotFound"),
        (Failure(PhotoFailure::InvalidUser), 404, "ErrorInvalidUser"),
        (Failure(PhotoFailure::UserUnresolved), 404, "UnknownError"),
        (Failure(PhotoFailure::UserGone), 404, "Request_ResourceNotFound"),
        (Failure(PhotoFailure::ResourceNotFound), 404, "ResourceNotFound"),
        (Failure(PhotoFailure::NoMailbox), 404, "ErrorNonExistentMailbox"),
        (Failure(PhotoFailure::AuthenticationError), 400, "AuthenticationError"),
        (Failure(PhotoFailure::MailboxNotHosted), 404, "MailboxNotHostedInExchangeOnline"),
        (Failure(PhotoFailure::UnknownError), 404, "UnknownError"),
        (Failure(PhotoFailure::AccessDenied), 403, "ErrorAccessDenied"),
        (Failure(PhotoFailure::StoreError), 500, "ErrorStoreInternalServerError"),
        (Failure(PhotoFailure::ExtensionError), 500, "extensionError"),
    ];
    let people =
        people_of(rows.len()).into_iter().zip(&rows).map(|(person, row)| Person { photo: row.0.clone(), ..person });
    let people: Vec<Person> = people.collect();
    let pixel = Person { photo: Absent(NoPhoto::OnePixel), ..Person::new("pixel@contoso.example", "Pixel") };
    let sandbox = sandbox(people.iter().cloned().chain([pixel.clone()]));
    let token = sandbox.token().await;
    for (person, (_, status, code)) in people.iter().zip(&rows) {
        for end in ["photo", "photo/$value"] {
            let got = sandbox.graph(&token, &format!("/v1.0/users/{}/{end}", person.id)).await;
            assert_eq!((got.status, got.code().as_str()), (*status, *code), "{end}");
        }
    }
    let meta = sandbox.graph(&token, &format!("/v1.0/users/{}/photo", pixel.id)).await.json();
    assert_eq!(
        (&meta["@odata.mediaContentType"], &meta["@odata.mediaEtag"], &meta["id"], &meta["width"]),
        (&json!("image/gif"), &json!(""), &json!("1x1"), &json!(1))
    );
    let value = sandbox.graph(&token, &format!("/v1.0/users/{}/photo/$value", pixel.id)).await;
    assert_eq!((value.status, value.headers.get("etag")), (200, None));
    assert!(image::load_from_memory(&value.bytes).is_ok_and(|i| (i.width(), i.height()) == (1, 1)));
}

#[tokio::test]
async fn sizes_up_to_the_photo_exist_in_a_mailbox_and_none_in_the_directory() {
    let mut other = Person::new("dir@contoso.example", "Directory Only").photo("p.jpg");
    other.store = PhotoStore::Directory;
    let sandbox = sandbox([ada(), other.clone()]);
    let token = sandbox.token().await;
    let id = ada().id;
    let all = sandbox.graph(&token, &format!("/v1.0/users/{id}/photos")).await.json();
    let sizes: Vec<&str> = all["value"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap()).collect();
    assert_eq!(sizes.join(" "), "48x48 64x64 96x96 120x120 240x240 360x360 432x432 504x504 648x648");
    let got = sandbox.graph(&token, &format!("/v1.0/users/{id}/photos/96X96/$value")).await;
    assert_eq!(image::load_from_memory(&got.bytes).unwrap().width(), 96);
    for (id, size) in [(&id, "50x50"), (&other.id, "96x96")] {
        let got = sandbox.graph(&token, &format!("/v1.0/users/{id}/photos/{size}")).await;
        assert_eq!((got.status, got.code().as_str()), (404, "ImageNotFound"));
    }
}

#[tokio::test]
async fn change_markers_take_every_form_and_a_new_upload_of_the_same_bytes_gets_a_new_one() {
    let sandbox = sandbox([ada()]);
    let token = sandbox.token().await;
    let photo = format!("/v1.0/users/{}/photo", ada().id);
    let both = async |media: &str, value: &str| {
        sandbox.running.switch("graph", "media_etag", media).unwrap();
        sandbox.running.switch("graph", "value_etag", value).unwrap();
        let meta = sandbox.graph(&token, &photo).await.json();
        let value = sandbox.graph(&token, &format!("{photo}/$value")).await;
        (meta["@odata.mediaEtag"].clone(), value.headers.get("etag").cloned())
    };
    let (weak, header) = both("weak", "same").await;
    let weak = weak.as_str().unwrap().to_owned();
    assert!(weak.starts_with("W/\"") && header.as_ref() == Some(&weak), "{weak} {header:?}");
    let strong = weak.replace("W/", "");
    assert_eq!(both("strong", "weak").await, (json!(strong), Some(weak.clone())));
    assert_eq!(both("empty", "same").await, (json!(""), None));
    assert_eq!(both("null", "strong").await, (Value::Null, Some(strong)));
    assert_ne!(both("weak", "other").await.1, Some(weak.clone()));

    let same = json!({ "photo": { "person": "ada@contoso.example", "now": { "same": {} } } });
    sandbox.running.command("graph", &same).unwrap();
    let (again, _) = both("weak", "same").await;
    assert_ne!(again, json!(weak));

    let conditional = || {
        let request = sandbox.http.get(sandbox.url("graph", &format!("{photo}/$value"))).bearer_auth(&token);
        send(request.header("If-None-Match", again.as_str().unwrap()))
    };
    assert_eq!(conditional().await.unwrap().status, 200);
    sandbox.running.switch("graph", "if_none_match", "honoured").unwrap();
    let got = conditional().await.unwrap();
    assert_eq!((got.status, got.bytes.len()), (304, 0));
}

fn get(id: &str, url: &str) -> Value {
    json!({ "id": id, "method": "GET", "url": url })
}

#[tokio::test]
async fn what_fails_a_whole_batch() {
    let sandbox = sandbox([ada()]);
    let token = sandbox.token().await;
    let photo = format!("/users/{}/photo", ada().id);
    let many = |count: usize| (0..count).map(|n| get(&n.to_string(), &photo)).collect::<Vec<_>>();
    for (requests, status) in [
        (json!(many(20)), 200),
        (json!(many(21)), 400),
        (json!([]), 400),
        (json!([get("a", &photo), get("A", &photo)]), 400),
        (json!([get("a", "https://graph.microsoft.com/v1.0/users")]), 400),
        (json!([{ "method": "GET", "url": photo }]), 400),
        (json!([{ "id": 1, "method": "GET", "url": photo }]), 400),
        (json!([{ "id": "a", "method": "POST", "url": photo, "body": {} }]), 400),
        (json!([{ "id": "a", "method": "GET", "url": photo, "dependsOn": ["b"] }]), 400),
        (json!([{ "id": "a", "method": "GET", "url": photo, "dependsOn": ["a"] }]), 400),
        (json!([{ "id": "a", "method": "GET", "url": photo, "depends_on": ["b"] }]), 200),
    ] {
        let got = sandbox.batch(&token, requests.clone()).await;
        assert_eq!(got.status, status, "{requests}");
    }
    let got = sandbox.http.post(sandbox.url("graph", "/v1.0/$batch")).bearer_auth(&token).body("{}");
    assert_eq!(send(got).await.unwrap().status, 400, "no content type");
    assert_eq!(sandbox.batch("nonsense", json!(many(1))).await.status, 401);
}

#[tokio::test]
async fn parts_have_their_own_status_and_binary_ones_are_base64() {
    let none = Person::new("none@contoso.example", "None");
    let mut slow = Person::new("slow@contoso.example", "Slow").photo("p.jpg");
    slow.throttled = Some(Throttled { times: 1, retry_after: Some("0.249".into()) });
    let sandbox = sandbox([ada(), none.clone(), slow.clone()]);
    let token = sandbox.token().await;
    let value = |p: &Person| format!("/users/{}/photo/$value", p.id);
    let mut child = get("4", "/users");
    child["dependsOn"] = json!(["1"]);
    let requests = json!([
        get("0", &value(&ada())),
        get("1", &value(&none)),
        get("2", &value(&slow)),
        get("3", &format!("/users/{}/photo", ada().id)),
        child,
    ]);
    let part = |body: &Value, id: &str| {
        body["responses"].as_array().unwrap().iter().find(|r| r["id"] == id).cloned().unwrap_or_default()
    };
    let body = sandbox.batch(&token, requests.clone()).await.json();
    let statuses = ["0", "1", "2", "3", "4"].map(|id| part(&body, id)["status"].as_u64().unwrap());
    assert_eq!(statuses, [200, 404, 429, 200, 424]);
    assert_eq!(STANDARD.decode(part(&body, "0")["body"].as_str().unwrap()).unwrap(), PICTURE);
    assert_eq!(part(&body, "0")["headers"]["ETag"], part(&body, "3")["body"]["@odata.mediaEtag"]);
    assert_eq!(part(&body, "1")["body"]["error"]["code"], "ImageNotFound");
    assert_eq!(part(&body, "2")["headers"]["Retry-After"], "0.249");

    for (name, value) in [("batch_base64", "url"), ("batch_headers", "lower"), ("batch_throttled_status", "424")] {
        sandbox.running.switch("graph", name, value).unwrap();
    }
    let throttle = json!({ "throttle": { "person": slow.id, "times": 1 } });
    sandbox.running.command("graph", &throttle).unwrap();
    let got = sandbox.batch(&token, requests).await;
    let body = got.json();
    assert_eq!(got.status, 424);
    let text = part(&body, "0")["body"].as_str().unwrap().to_owned();
    assert!(!text.contains(['+', '/', '=']) && part(&body, "0")["headers"]["etag"].is_string());
    let entry = sandbox.running.requests().entries().pop().unwrap();
    assert_eq!((entry.parts.len(), entry.units), (5, 4), "the part whose parent failed costs nothing");
}

#[tokio::test]
async fn faults_strike_single_parts() {
    let sandbox = sandbox([ada()]);
    let token = sandbox.token().await;
    let url = format!("/users/{}/photo/$value", ada().id);
    let requests = json!([get("0", &url), get("1", "/users")]);
    let fault = |effect| Fault::new(effect).at("graph").about(&ada().id).in_parts().times(1);
    sandbox.running.fault(fault(Effect::Answer(Answer::retry_after(503, "7"))));
    sandbox.running.fault(fault(Effect::Drop {}).after(1));
    let first = sandbox.batch(&token, requests.clone()).await.json();
    let struck = first["responses"].as_array().unwrap().iter().find(|r| r["id"] == "0").unwrap();
    assert_eq!((&struck["status"], &struck["headers"]["Retry-After"]), (&json!(503), &json!("7")));
    let second = sandbox.batch(&token, requests.clone()).await.json();
    assert_eq!(second["responses"].as_array().unwrap().len(), 1, "the lost part is missing");
    let third = sandbox.batch(&token, requests).await.json();
    assert!(third["responses"].as_array().unwrap().iter().all(|r| r["status"] == 200));
}

#[tokio::test]
async fn the_quota_counts_every_part_and_says_when_to_come_back() {
    let sandbox = sandbox([ada()]);
    sandbox.running.switch("graph", "quota_units_per_10s", "10").unwrap();
    let token = sandbox.token().await;
    let url = format!("/users/{}/photo", ada().id);
    let requests: Vec<Value> = (0..12).map(|n| get(&n.to_string(), &url)).collect();
    let body = sandbox.batch(&token, json!(requests)).await.json();
    let statuses = |status: u64| body["responses"].as_array().unwrap().iter().filter(|r| r["status"] == status).count();
    assert_eq!((statuses(200), statuses(429)), (10, 2));
    let got = sandbox.graph(&token, "/v1.0/users").await;
    assert_eq!((got.status, got.code().as_str()), (429, "TooManyRequests"));
    let wait: u64 = got.headers["retry-after"].parse().unwrap();
    assert!(got.headers.contains_key("x-ms-throttle-scope"));
    sandbox.running.advance(std::time::Duration::from_secs(wait));
    let got = sandbox.graph(&token, "/v1.0/users").await;
    assert_eq!((got.status, got.headers["x-ms-resource-unit"].as_str()), (200, "2"));
    assert!(got.headers.contains_key("x-ms-throttle-limit-percentage"));
}

#[tokio::test]
async fn answers_can_be_traced() {
    let sandbox = sandbox([]);
    let token = sandbox.token().await;
    let request = sandbox.http.get(sandbox.url("graph", "/v1.0/users/nobody")).bearer_auth(token);
    let got = send(request.header("client-request-id", "e70c5c1b-0000-0000-0000-000000000000")).await.unwrap();
    assert_eq!(got.headers["client-request-id"], "e70c5c1b-0000-0000-0000-000000000000");
    let inner = &got.json()["error"]["innerError"];
    assert_eq!(inner["request-id"].as_str(), got.headers.get("request-id").map(String::as_str));
    assert_eq!(inner["client-request-id"], "e70c5c1b-0000-0000-0000-000000000000");
}
