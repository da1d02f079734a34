//! The source against a server that answers what docs/wire/microsoft-graph.md shows.

mod batches;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Entra;
use crate::extract::rules::{by_groups, by_patterns, named};
use crate::extract::{DENIED, Listing, PhotoResult, Source as _, VersionResult};
use crate::http::loopback::{Loopback, ReceivedRequest, reply, reply_json};
use crate::http::{Counts, EntraSignIn, Failure, FailureKind, RateLimit};
use crate::model::{Absence, Person, PersonId, PersonKey, PhotoHint, Standing};
use crate::secret::Secret;
use crate::settings::{self, AppProof, Cloud, EntraCredential, EntraEndpoints, UserType, Users};

/// A tenant: signs in by itself, and answers Graph's calls, counted from 0, as the test says.
struct Tenant {
    login: Loopback,
    graph: Loopback,
    entra: Entra,
    rate_limit: Arc<RateLimit>,
}

impl Tenant {
    async fn start(
        users: Users,
        response: impl Fn(usize, &ReceivedRequest) -> Response + Send + Sync + 'static,
    ) -> Self {
        let login = Loopback::start(|number, _| {
            reply_json(200, &json!({ "access_token": format!("graph-token-{number}"), "expires_in": 3599 }))
        })
        .await;
        let graph = Loopback::start(response).await;
        let sign_in = EntraSignIn {
            login: login.client().0,
            entra: settings::Entra {
                cloud: Cloud::Global,
                tenant: "contoso.example".into(),
                credential: EntraCredential::App {
                    client_id: "app".into(),
                    proof: AppProof::ClientSecret(Secret::new("tenant-secret")),
                },
                endpoints: EntraEndpoints {
                    login: login.url.clone(),
                    graph: graph.url.clone(),
                    imds: login.url.clone(),
                },
            },
            api: Cloud::Global.graph().to_owned(),
        };
        let (client, rate_limit) = graph.client();
        let entra = Entra::new(users, sign_in, client);
        Self { login, graph, entra, rate_limit }
    }

    async fn list(&self) -> Result<(Vec<Person>, Listing), Failure> {
        let mut people = Vec::new();
        let listing = self.entra.list(&mut |page| people.extend(page)).await?;
        Ok((people, listing))
    }

    fn paths(&self) -> Vec<String> {
        self.graph.asked().into_iter().map(|asked| asked.path).collect()
    }
}

fn user(id: &str) -> Value {
    json!({ "id": id, "userPrincipalName": format!("{id}@corp.example"), "mail": format!("{id}@example.com"),
        "displayName": id, "accountEnabled": true, "userType": "Member" })
}

fn ids(names: &[&str]) -> Vec<PersonId> {
    names.iter().map(|name| PersonId::from(*name)).collect()
}

/// The ids of the parts of a batch, each with its person.
fn parts(asked: &ReceivedRequest) -> Vec<(String, String)> {
    let body = asked.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    body["requests"].as_array().unwrap().iter().map(|part| (text(&part["id"]), text(&part["url"]))).collect()
}

/// Answers each part of a batch by its URL.
fn batch(asked: &ReceivedRequest, response: impl Fn(&str) -> Value) -> Response {
    let told = parts(asked).into_iter().rev().map(|(id, url)| {
        let mut part = response(&url);
        part["id"] = json!(id);
        part
    });
    reply_json(200, &json!({ "responses": told.collect::<Vec<_>>() }))
}

fn photo() -> Value {
    json!({ "status": 200, "headers": { "ETag": "W/\"e1\"" }, "body": STANDARD.encode(b"\xFF\xD8\xFFada") })
}

fn refused(status: u16, code: &str) -> Value {
    json!({ "status": status, "headers": {}, "body": { "error": { "code": code, "message": "not found" } } })
}

fn throttled(seconds: &str) -> Value {
    json!({ "status": 429, "headers": { "Retry-After": seconds }, "body": { "error": { "code": "TooManyRequests" } } })
}

fn code(looked: &[(PersonId, PhotoResult)], id: &str) -> String {
    match &looked.iter().find(|(person, _)| person.as_str() == id).expect("an answer for each").1 {
        PhotoResult::Photo { .. } => "photo".into(),
        PhotoResult::Absent(proof) => format!("{proof:?}"),
        PhotoResult::Unknown(fault) => fault.code.clone(),
    }
}

#[tokio::test]
async fn everybody_is_listed_page_by_page_with_all_keys() {
    let tenant = Tenant::start(Users::default(), |number, asked| {
        let next = format!("http://{}/v1.0/users?$select=id%2cmail&$skiptoken=T{number}", asked.header("host"));
        match number {
            0 => {
                let mut ada = user("ada");
                ada["onPremisesSamAccountName"] = json!("ADA");
                ada["employeeId"] = json!("0042");
                ada["proxyAddresses"] =
                    json!(["SMTP:ada@example.com", "smtp:Lovelace@Example.com", "sip:x@y", "x500:/o"]);
                let bare = json!({ "id": "bare", "userPrincipalName": null, "mail": null, "displayName": null,
                    "accountEnabled": true, "userType": null, "onPremisesSamAccountName": null, "employeeId": null });
                reply_json(200, &json!({ "value": [ada, bare], "@odata.nextLink": next }))
            }
            1 => reply_json(200, &json!({ "value": [], "@odata.nextLink": next })),
            _ => reply_json(200, &json!({ "value": [user("bob")] })),
        }
    })
    .await;
    let (people, listing) = tenant.list().await.unwrap();
    assert_eq!(people.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["ada", "bare", "bob"]);
    assert_eq!(listing, Listing { people: 3, ..Listing::default() });
    let values = |key| people[0].values(key).collect::<Vec<_>>();
    assert_eq!(values(PersonKey::Email), ["ada@example.com", "lovelace@example.com"]);
    assert_eq!(values(PersonKey::EmailLocal), ["ada"]);
    assert_eq!(values(PersonKey::Upn), ["ada@corp.example"]);
    assert_eq!((values(PersonKey::Sam), values(PersonKey::EmployeeId)), (vec!["ada"], vec!["0042"]));
    let paths = tenant.paths();
    assert!(paths[0].starts_with("/v1.0/users?$select=id,userPrincipalName,") && paths[0].ends_with("&$top=999"));
    assert_eq!(paths[1], "/v1.0/users?$select=id%2cmail&$skiptoken=T0", "followed as it is");
    assert_eq!(paths[2], "/v1.0/users?$select=id%2cmail&$skiptoken=T1");
    assert_eq!(tenant.entra.counts().sent, 4, "the sign-in and three pages");
    assert!(tenant.graph.asked().iter().all(|asked| asked.header("authorization") == "Bearer graph-token-0"));
    assert!(tenant.graph.asked().iter().all(|asked| asked.header("client-request-id").len() == 36));
}

#[tokio::test]
async fn a_next_link_to_another_host_gets_no_token() {
    let other = Loopback::start(|_, _| reply(200, &[], "")).await;
    let link = other.url.join("/v1.0/users?$skiptoken=SECRET1").unwrap().to_string();
    let tenant = Tenant::start(Users::default(), move |_, _| {
        reply_json(200, &json!({ "value": [user("ada")], "@odata.nextLink": link }))
    })
    .await;
    let failure = tenant.list().await.unwrap_err();
    assert!(failure.kind == FailureKind::Odd && failure.found.contains("another host"), "{failure}");
    assert!(!failure.to_string().contains("SECRET1") && other.asked().is_empty(), "{failure}");
}

#[tokio::test]
async fn a_listing_that_does_not_end_well_is_a_failure() {
    for (response, kind, words) in [
        (json!({ "status": 403, "code": "Authorization_RequestDenied" }), FailureKind::Refused, "User.Read.All"),
        (json!({ "status": 500, "code": "generalException" }), FailureKind::Unreachable, "generalException"),
        (json!({ "status": 501, "code": "NotImplemented" }), FailureKind::Odd, "NotImplemented"),
        (json!({ "status": 200, "code": "x" }), FailureKind::Odd, "another shape"),
    ] {
        let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
        let code = response["code"].clone();
        let tenant = Tenant::start(Users::default(), move |number, asked| {
            let next = format!("http://{}/v1.0/users?$skiptoken=2", asked.header("host"));
            match number {
                0 => reply_json(200, &json!({ "value": [user("ada")], "@odata.nextLink": next })),
                _ => reply_json(status, &json!({ "error": { "code": code, "message": "m" } })),
            }
        })
        .await;
        let failure = tenant.list().await.unwrap_err();
        assert!(failure.kind == kind && failure.to_string().contains(words), "{failure}");
    }
    let circle = Tenant::start(Users::default(), |number, asked| {
        let next = format!("http://{}/v1.0/users?$skiptoken={}", asked.header("host"), number % 2);
        reply_json(200, &json!({ "value": [user("ada")], "@odata.nextLink": next }))
    })
    .await;
    assert!(circle.list().await.unwrap_err().found.contains("in a circle"));
    for groups in [&[][..], &["g-1"]] {
        let endless = Tenant::start(in_groups(groups), |number, asked| {
            let next = format!("http://{}/v1.0/more?$skiptoken={number}", asked.header("host"));
            let members = if groups.is_empty() { json!([]) } else { json!([{ "id": "ada" }]) };
            reply_json(200, &json!({ "value": members, "@odata.nextLink": next }))
        })
        .await;
        let failure = endless.list().await.unwrap_err();
        assert!(failure.kind == FailureKind::Odd && failure.found.contains("brings nobody new"), "{failure}");
    }
}

/// One odd record is at most that person's matter (§12).
#[tokio::test]
async fn an_odd_record_costs_nobody_else() {
    let with = |name: &str, value: Value| {
        let mut user = user("odd");
        user[name] = value;
        user
    };
    let mut bare = user("odd");
    bare.as_object_mut().unwrap().remove("accountEnabled");
    for (record, hint, standing) in [
        (with("proxyAddresses", Value::Null), None, Standing::InScope),
        (with("proxyAddresses", json!([null, "smtp:odd@example.com"])), None, Standing::InScope),
        (with("displayName", json!(7)), None, Standing::InScope),
        (with("proxyAddresses", json!("smtp:a@b")), Some("`proxyAddresses` is not a list"), Standing::InScope),
        (with("proxyAddresses", json!(["smtp:a@b", 7])), Some("`proxyAddresses` is not a text"), Standing::InScope),
        (with("employeeId", json!(42)), Some("`employeeId` is not a text"), Standing::InScope),
        (with("mail", json!({ "address": "x" })), Some("`mail` is not a text"), Standing::InScope),
        (with("userPrincipalName", json!(1.5)), Some("`userPrincipalName`"), Standing::InScope),
        (with("onPremisesSamAccountName", json!(true)), Some("`onPremisesSamAccountName`"), Standing::InScope),
        (with("userType", json!(1)), Some("`userType`"), Standing::InScope),
        (with("accountEnabled", json!("false")), Some("`accountEnabled` is neither"), Standing::InScope),
        (bare, Some("`accountEnabled` is not told"), Standing::InScope),
        // What is asked for by the person holds by any key that can be read.
        (with("mail", json!("shy@example.com")), None, Standing::OptedOut),
        (with("onPremisesSamAccountName", json!("shy.d")), None, Standing::OptedOut),
        (with("userType", json!({ "x": "shy@example.com" })), Some("`userType`"), Standing::InScope),
    ] {
        let rules = Users { opted_out: by_patterns(&["shy@*", "shy.d"]), ..Users::default() };
        let page = json!({ "value": [user("ada"), record.clone(), user("bob")] });
        let tenant = Tenant::start(rules, move |_, _| reply_json(200, &page)).await;
        let (people, _) = tenant.list().await.unwrap();
        assert_eq!(people.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["ada", "odd", "bob"], "{record}");
        match (&people[1].hint, hint) {
            (PhotoHint::Silent, None) => {}
            (PhotoHint::Odd(words), Some(hint)) => assert!(words.contains(hint), "{record}: {words}"),
            (told, _) => panic!("{record}: {told:?}"),
        }
        assert_eq!(people[1].standing, standing, "{record}");
        assert!(people[0].hint == PhotoHint::Silent && people[2].hint == PhotoHint::Silent);
    }
}

#[tokio::test]
async fn a_record_without_an_id_is_counted_and_a_page_with_it_is_read() {
    for odd in [json!(null), json!(7), json!("x"), json!([]), json!({}), json!({ "id": null }), json!({ "id": 7 })] {
        let page = json!({ "value": [user("ada"), odd, user("bob")] });
        let tenant = Tenant::start(Users::default(), move |_, _| reply_json(200, &page)).await;
        let (people, listing) = tenant.list().await.unwrap();
        assert_eq!((people.len(), listing.people, listing.nameless), (2, 2, 1));
        assert!(listing.notes[0].contains("1 listed record has no id"), "{:?}", listing.notes);
    }
    // Half a surrogate pair, as programs leave it that cut names.
    let body = json!({ "value": [user("ada"), user("bob")] })
        .to_string()
        .replace("\"displayName\":\"ada\"", r#""displayName":"A\ud83d""#);
    let tenant = Tenant::start(Users::default(), move |_, _| reply(200, &[], body.clone())).await;
    let (people, _) = tenant.list().await.unwrap();
    assert_eq!((people.len(), people[0].display_name.as_str()), (2, "A\u{fffd}"));
}

/// A wish to show no photo must not be lost; a selection may lose one that names nobody.
#[tokio::test]
async fn a_member_without_an_id_is_a_failure_only_where_a_wish_could_be_lost() {
    let group = || by_groups(&["g-1"]);
    for (rules, fails) in [
        (in_groups(&["g-1"]), false),
        (Users { opted_out: group(), ..Users::default() }, true),
        (Users { exclude: group(), ..Users::default() }, true),
    ] {
        let tenant = Tenant::start(rules, |_, asked| match asked.path.contains("/groups/") {
            true => reply_json(200, &json!({ "value": [{ "id": "ada" }, { "id": 7 }] })),
            false => reply_json(200, &json!({ "value": [user("ada")] })),
        })
        .await;
        let listed = tenant.list().await;
        assert_eq!(listed.is_err(), fails);
        assert!(listed.is_ok() || listed.unwrap_err().found.contains("a member of the group `g-1` has no id"));
    }
}

#[tokio::test]
async fn a_refused_page_size_is_dropped_and_noted() {
    let tenant = Tenant::start(Users::default(), |_, asked| {
        if asked.path.contains("$top") {
            let message = "Invalid page size specified: '999'. Must be between 1 and 120 inclusive.";
            return reply_json(400, &json!({ "error": { "code": "Request_BadRequest", "message": message } }));
        }
        reply_json(200, &json!({ "value": [user("ada")] }))
    })
    .await;
    let (people, listing) = tenant.list().await.unwrap();
    assert_eq!((people.len(), tenant.paths().len()), (1, 2));
    assert!(listing.notes[0].contains("Invalid page size"), "{:?}", listing.notes);
}

#[tokio::test]
async fn an_app_that_sees_nobodys_state_is_told_the_permission() {
    let blind = |_: usize, _: &ReceivedRequest| reply_json(200, &json!({ "value": [{ "id": "ada" }] }));
    let failure = Tenant::start(Users::default(), blind).await.list().await.unwrap_err();
    assert!(failure.kind == FailureKind::Refused && failure.to_string().contains("User.Read.All"), "{failure}");
    let any = Users { active: false, ..Users::default() };
    assert_eq!(Tenant::start(any, blind).await.list().await.unwrap().0.len(), 1);
}

#[tokio::test]
async fn standing_comes_from_the_users_rules() {
    let rules = Users {
        types: vec![UserType::Member],
        exclude: by_patterns(&["svc-*"]),
        opted_out: by_patterns(&["ALIAS@example.com"]),
        ..Users::default()
    };
    let tenant = Tenant::start(rules, |_, _| {
        let with = |id: &str, name: &str, value: Value| {
            let mut user = user(id);
            user[name] = value;
            user
        };
        reply_json(
            200,
            &json!({ "value": [
            user("ada"), with("off", "accountEnabled", json!(false)), with("unsaid", "accountEnabled", Value::Null),
            with("guest", "userType", json!("Guest")), with("old", "userType", Value::Null), user("svc-backup"),
            with("shy", "proxyAddresses", json!(["smtp:alias@example.com"])),
        ] }),
        )
    })
    .await;
    let (people, _) = tenant.list().await.unwrap();
    let standings: Vec<(&str, Standing)> = people.iter().map(|p| (p.id.as_str(), p.standing)).collect();
    use Standing::{InScope, Inactive, OptedOut, OutOfScope};
    assert_eq!(
        standings,
        [
            ("ada", InScope),
            ("off", Inactive),
            // Not told: nothing follows from it.
            ("unsaid", InScope),
            ("guest", OutOfScope),
            ("old", InScope),
            ("svc-backup", OutOfScope),
            ("shy", OptedOut),
        ]
    );
}

fn in_groups(groups: &[&str]) -> Users {
    Users { groups: named(groups), ..Users::default() }
}

#[tokio::test]
async fn members_of_any_group_are_in_scope_and_the_header_goes_with_every_page() {
    let tenant = Tenant::start(in_groups(&["g-1", "g-2"]), |_, asked| {
        let next = format!("http://{}/more-of-g-1", asked.header("host"));
        match asked.path.as_str() {
            path if path.starts_with("/v1.0/groups/g-1/transitiveMembers/microsoft.graph.user?") => {
                reply_json(200, &json!({ "value": [{ "id": "ada" }], "@odata.nextLink": next }))
            }
            "/more-of-g-1" => reply_json(200, &json!({ "value": [{ "id": "bob" }] })),
            path if path.starts_with("/v1.0/groups/g-2/") => reply_json(200, &json!({ "value": [{ "id": "bob" }] })),
            _ => reply_json(200, &json!({ "value": [user("ada"), user("bob"), user("eve")] })),
        }
    })
    .await;
    let (people, _) = tenant.list().await.unwrap();
    let standings: Vec<Standing> = people.iter().map(|p| p.standing).collect();
    assert_eq!(standings, [Standing::InScope, Standing::InScope, Standing::OutOfScope]);
    let asked = tenant.graph.asked();
    assert!(asked[..3].iter().all(|asked| asked.header("consistencylevel") == "eventual"));
    assert_eq!(asked[3].header("consistencylevel"), "");
    assert!(asked[0].path.contains("$count=true"));
}

/// The same id in letters of another case is the same person: a wish must not be lost by it.
#[tokio::test]
async fn a_member_is_found_whatever_the_case_of_the_id() {
    const ADA: &str = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
    for (listed, member, standing) in [
        (ADA.to_owned(), ADA.to_uppercase(), Standing::OptedOut),
        (ADA.to_uppercase(), ADA.to_owned(), Standing::OptedOut),
        ("ada".to_owned(), "ADA".to_owned(), Standing::InScope),
    ] {
        let users = Users { opted_out: by_groups(&["g-1"]), ..Users::default() };
        let tenant = Tenant::start(users, move |_, asked| match asked.path.contains("/groups/") {
            true => reply_json(200, &json!({ "@odata.count": 1, "value": [{ "id": member }] })),
            false => reply_json(200, &json!({ "value": [user(&listed)] })),
        })
        .await;
        let (people, _) = tenant.list().await.unwrap();
        assert_eq!(people[0].standing, standing);
    }
}

/// Replication, or a hidden membership that may not be read any more: 200, and a list that is not whole.
#[tokio::test]
async fn a_group_whose_answer_contradicts_itself_cannot_be_read() {
    let (own, other) = ("11111111-2222-4333-8444-000000000001", "11111111-2222-4333-8444-000000000002");
    let context =
        |group: &str| format!("https://graph.microsoft.com/v1.0/$metadata#groups('{group}')/transitiveMembers");
    for (members, fits) in [
        (json!({ "@odata.count": 1, "value": [{ "id": "ada" }] }), true),
        (json!({ "@odata.count": 0, "value": [] }), true),
        (json!({ "@odata.count": 1, "@odata.context": context(own), "value": [{ "id": "ada" }] }), true),
        (
            json!({ "@odata.count": 1, "@odata.context": "https://g/v1.0/$metadata#users(id)", "value": [{ "id": "ada" }] }),
            true,
        ),
        (json!({ "@odata.count": 2, "value": [] }), false),
        (json!({ "@odata.count": 2, "value": [{ "id": "ada" }] }), false),
        (json!({ "@odata.count": 2, "value": [{ "id": "ada" }, { "id": "ada" }] }), false),
        (json!({ "@odata.count": 1, "@odata.context": context(other), "value": [{ "id": "ada" }] }), false),
    ] {
        let opted_out = Users { opted_out: by_groups(&[own]), ..Users::default() };
        for users in [in_groups(&[own]), opted_out] {
            let told = members.clone();
            let tenant = Tenant::start(users, move |_, asked| match asked.path.contains("/groups/") {
                true => reply_json(200, &told),
                false => reply_json(200, &json!({ "value": [user("ada")] })),
            })
            .await;
            match tenant.list().await {
                Ok(_) => assert!(fits, "{members}"),
                Err(failure) => assert_eq!((failure.kind, fits), (FailureKind::Odd, false), "{members}: {failure}"),
            }
        }
    }
}

#[tokio::test]
async fn a_group_that_refuses_large_pages_is_asked_without() {
    let tenant = Tenant::start(in_groups(&["g-1"]), |_, asked| {
        let group = asked.path.contains("/groups/");
        if group && asked.path.contains("$top") {
            let message = "Invalid page size specified: '999'. Must be between 1 and 500 inclusive.";
            return reply_json(400, &json!({ "error": { "code": "Request_BadRequest", "message": message } }));
        }
        reply_json(200, &json!({ "value": [if group { json!({ "id": "ada" }) } else { user("ada") }] }))
    })
    .await;
    let (people, _) = tenant.list().await.unwrap();
    assert_eq!((people[0].standing, tenant.paths().len()), (Standing::InScope, 3));
    let never = Tenant::start(in_groups(&["g-1"]), |_, _| {
        reply_json(400, &json!({ "error": { "code": "Request_UnsupportedQuery", "message": "m" } }))
    })
    .await;
    assert!(never.list().await.unwrap_err().found.contains("Request_UnsupportedQuery"));
    assert_eq!(never.paths().len(), 2);
}

#[tokio::test]
async fn whoever_signs_in_is_asked_for_the_named_groups() {
    for (status, code, missing, fails) in [
        (200, "", 0, None),
        (403, "Authorization_RequestDenied", 1, None),
        (404, "Request_ResourceNotFound", 0, Some(FailureKind::Misconfigured)),
    ] {
        let tenant = Tenant::start(in_groups(&["g-1"]), move |_, asked| match asked.path.contains("/groups/g-1/") {
            true => reply_json(status, &json!({ "value": [], "error": { "code": code, "message": "m" } })),
            false => reply_json(200, &json!({ "value": [user("ada")] })),
        })
        .await;
        let told = tenant.entra.whoami().await;
        assert_eq!(told.as_ref().err().map(|failure| failure.kind), fails);
        assert!(told.is_err() || told.unwrap().missing.len() == missing, "{status}");
        assert!(tenant.paths()[1].ends_with("&$top=1"), "{:?}", tenant.paths());
    }
}

#[tokio::test]
async fn a_group_that_cannot_be_read_says_what_to_do() {
    for (group, status, code, kind, words) in [
        ("g-1", 403, "Authorization_RequestDenied", FailureKind::Refused, "GroupMember.Read.All"),
        ("g-1", 404, "Request_ResourceNotFound", FailureKind::Misconfigured, "`users` names the group `g-1`"),
        ("All staff", 200, "", FailureKind::Misconfigured, "`All staff` is not an object id"),
    ] {
        let tenant = Tenant::start(in_groups(&[group]), move |_, _| {
            reply_json(status, &json!({ "error": { "code": code, "message": "m" } }))
        })
        .await;
        let failure = tenant.list().await.unwrap_err();
        assert!(failure.kind == kind && failure.to_string().contains(words), "{failure}");
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_then_told() {
    let tenant = Tenant::start(Users::default(), |_, asked| match asked.header("authorization") {
        "Bearer graph-token-1" => reply_json(200, &json!({ "value": [user("ada")] })),
        _ => reply_json(401, &json!({ "error": { "code": "InvalidAuthenticationToken", "message": "m" } })),
    })
    .await;
    assert_eq!(tenant.list().await.unwrap().0.len(), 1);
    assert_eq!((tenant.login.asked().len(), tenant.graph.asked().len()), (2, 2));

    let never = Tenant::start(Users::default(), |_, _| reply_json(401, &json!({}))).await;
    let failure = never.list().await.unwrap_err();
    assert_eq!((failure.kind, never.graph.asked().len()), (FailureKind::Refused, 2));
}
