//! The source against a server that answers what docs/wire/google-directory.md shows.

mod batches;

use std::path::PathBuf;
use std::sync::Arc;

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};

use super::Google;
use super::client::scopes;
use crate::extract::rules::{by_groups, by_patterns, named};
use crate::extract::{DENIED, Listing, PhotoResult, Source as _, VersionResult};
use crate::http::loopback::{Loopback, ReceivedRequest, reply, reply_json};
use crate::http::{Failure, FailureKind, RateLimit};
use crate::model::{Absence, Person, PersonId, PersonKey, PhotoHint, Standing};
use crate::settings::{self, GoogleCredential, GoogleEndpoints, Placed, Users};

/// A customer whose sign-in always succeeds, and whose Directory answers as the test says.
struct Customer {
    login: Loopback,
    directory: Loopback,
    google: Google,
    rate_limit: Arc<RateLimit>,
    _key: tempfile::TempDir,
}

/// As most tests want it.
#[derive(Default)]
struct Setup {
    users: Users,
    org_units: Vec<Placed<String>>,
    alone: bool,
}

impl Customer {
    async fn start(
        setup: Setup,
        response: impl Fn(usize, &ReceivedRequest) -> Response + Send + Sync + 'static,
    ) -> Self {
        let login = Loopback::start(|number, _| {
            reply_json(200, &json!({ "access_token": format!("google-token-{number}"), "expires_in": 3599 }))
        })
        .await;
        let directory = Loopback::start(response).await;
        let (folder, file) = key_file();
        let Setup { users, org_units, alone } = setup;
        let settings = settings::Google {
            customer: "my_customer".into(),
            subject: (!alone).then(|| "admin@example.com".to_owned()),
            credential: GoogleCredential::ServiceAccountFile(file),
            endpoints: GoogleEndpoints {
                token: login.url.clone(),
                directory: directory.url.clone(),
                sts: login.url.clone(),
                iam_credentials: login.url.clone(),
            },
        };
        let users = Users { org_units, ..users };
        let (client, rate_limit) = directory.client();
        let google = Google::new(&settings, users, login.client().0, client);
        Self { login, directory, google, rate_limit, _key: folder }
    }

    async fn of(response: impl Fn(usize, &ReceivedRequest) -> Response + Send + Sync + 'static) -> Self {
        Self::start(Setup::default(), response).await
    }

    async fn list(&self) -> Result<(Vec<Person>, Listing), Failure> {
        let mut people = Vec::new();
        let listing = self.google.list(&mut |page| people.extend(page)).await?;
        Ok((people, listing))
    }

    fn paths(&self) -> Vec<String> {
        self.directory.asked().into_iter().map(|asked| asked.path).collect()
    }
}

fn key_file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.json");
    let key = json!({ "type": "service_account", "client_email": "sync@p.iam.gserviceaccount.com", "client_id": "104",
        "private_key_id": "9b1c", "private_key": include_str!("../../http/test_keys/pair.pem") });
    std::fs::write(&file, key.to_string()).unwrap();
    (folder, file)
}

fn query(asked: &ReceivedRequest) -> Vec<(String, String)> {
    let (_, query) = asked.path.split_once('?').unwrap();
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn value(asked: &ReceivedRequest, name: &str) -> String {
    query(asked).into_iter().find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default()
}

fn user(id: &str) -> Value {
    json!({ "id": id, "primaryEmail": format!("{id}@example.com"), "thumbnailPhotoEtag": format!("\"pre/{id}\"") })
}

fn ids(names: &[&str]) -> Vec<PersonId> {
    names.iter().map(|name| PersonId::from(*name)).collect()
}

fn refusal(status: u16, reason: &str, message: &str) -> (u16, Value) {
    (
        status,
        json!({ "error": { "code": status, "message": message, "errors": [{ "reason": reason, "message": message }] } }),
    )
}

fn photo(id: &str) -> (u16, Value) {
    (200, json!({ "id": id, "etag": "\"pre/suf\"", "photoData": URL_SAFE.encode(format!("\u{ff}{id}")) }))
}

/// Content-ID and user of each part of a batch.
fn parts(asked: &ReceivedRequest) -> Vec<(String, String)> {
    let body = String::from_utf8(asked.body.to_vec()).unwrap();
    let after =
        |text: &str, start: &str, end: char| text.split_once(start).unwrap().1.split(end).next().unwrap().to_owned();
    body.split("--avatarpipe-batch\r\n")
        .skip(1)
        .map(|part| (after(part, "Content-ID: <", '>'), after(part, "/users/", '/')))
        .collect()
}

/// Answers each part of a batch by its user, in another order than asked; `None`: leaves it out.
fn batch(asked: &ReceivedRequest, response: impl Fn(&str) -> Option<(u16, Value)>) -> Response {
    let mut body = String::new();
    for (id, user) in parts(asked).into_iter().rev() {
        let Some((status, json)) = response(&user) else { continue };
        body.push_str(&format!(
            "--batch_Qx9\r\nContent-Type: application/http\r\nContent-ID: <response-{id}>\r\n\r\nHTTP/1.1 {status} X\r\nContent-Type: application/json\r\n\r\n{json}\r\n"
        ));
    }
    body.push_str("--batch_Qx9--\r\n");
    reply(200, &[("content-type", "multipart/mixed; boundary=batch_Qx9")], body)
}

fn code(looked: &[(PersonId, PhotoResult)], id: &str) -> String {
    match &looked.iter().find(|(person, _)| person.as_str() == id).expect("an answer for each").1 {
        PhotoResult::Photo { bytes, .. } => String::from_utf8_lossy(bytes).into_owned(),
        PhotoResult::Absent(proof) => format!("{proof:?}"),
        PhotoResult::Unknown(fault) => fault.code.clone(),
    }
}

#[tokio::test]
async fn everybody_is_listed_page_by_page_with_keys_and_hints() {
    let customer = Customer::of(|number, _| match number {
        0 => {
            let mut ada = user("ada");
            ada["aliases"] = json!(["A.Lovelace@example.com"]);
            ada["nonEditableAliases"] = json!(["ada@example.com.test-google-a.com"]);
            ada["name"] = json!({ "fullName": "Ada Lovelace" });
            reply_json(200, &json!({ "users": [ada], "nextPageToken": "T/1=" }))
        }
        1 => reply_json(200, &json!({ "kind": "admin#directory#users", "nextPageToken": "T2" })),
        _ => reply_json(200, &json!({ "users": [{ "id": "bot", "primaryEmail": "bot@example.com" }] })),
    })
    .await;
    let (people, listing) = customer.list().await.unwrap();
    assert_eq!(listing, Listing { people: 2, marked: 1, ..Listing::default() });
    let values = |key| people[0].values(key).collect::<Vec<_>>();
    assert_eq!(values(PersonKey::Email), ["ada@example.com", "a.lovelace@example.com"]);
    assert_eq!((values(PersonKey::EmailLocal), values(PersonKey::Id)), (vec!["ada"], vec!["ada"]));
    assert_eq!((values(PersonKey::Upn).len(), people[0].display_name.as_str()), (0, "Ada Lovelace"));
    assert_eq!(people[0].hint, PhotoHint::Version("ada".into()));
    assert_eq!((people[1].hint.clone(), people[1].display_name.as_str()), (PhotoHint::Unmarked, "bot@example.com"));

    let asked = customer.directory.asked();
    let without_token =
        |asked: &ReceivedRequest| query(asked).into_iter().filter(|(key, _)| key != "pageToken").collect::<Vec<_>>();
    assert!(asked.iter().all(|one| without_token(one) == query(&asked[0])), "all else stays the same");
    assert_eq!(asked.iter().map(|one| value(one, "pageToken")).collect::<Vec<_>>(), ["", "T/1=", "T2"]);
    for (name, wanted) in
        [("customer", "my_customer"), ("maxResults", "500"), ("orderBy", "email"), ("projection", "basic")]
    {
        assert_eq!(value(&asked[0], name), wanted, "{name}");
    }
    let fields = value(&asked[0], "fields");
    assert!(fields.starts_with("nextPageToken,users(") && fields.contains("thumbnailPhotoEtag"), "{fields}");
    assert!(asked[0].header("user-agent").contains("gzip") && asked[0].header("accept-encoding").contains("gzip"));
    assert!(asked.iter().all(|one| one.header("authorization") == "Bearer google-token-0"));
    assert_eq!(customer.google.counts().sent, 4, "the sign-in and three pages");
}

#[tokio::test]
async fn standing_comes_from_the_users_rules_and_the_units() {
    let users = Users { exclude: by_patterns(&["svc-*"]), opted_out: by_patterns(&["shy@*"]), ..Users::default() };
    let setup = Setup { users, org_units: named(&["/Corp"]), ..Setup::default() };
    let customer = Customer::start(setup, |_, _| {
        let with = |id: &str, unit: Value, change: Value| {
            let mut user = user(id);
            user["orgUnitPath"] = unit;
            user.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            user
        };
        let corp = || json!("/Corp/Sales");
        reply_json(
            200,
            &json!({ "users": [
            with("ada", corp(), json!({})), with("off", corp(), json!({ "suspended": true })),
            with("old", corp(), json!({ "archived": true })), with("svc-backup", corp(), json!({})),
            with("other", json!("/Corporation"), json!({})), with("nowhere", Value::Null, json!({})),
            with("shy", json!("/Other"), json!({})), with("gone", json!("/Other"), json!({ "suspended": true })),
        ] }),
        )
    })
    .await;
    let (people, _) = customer.list().await.unwrap();
    let standings: Vec<(&str, Standing)> = people.iter().map(|p| (p.id.as_str(), p.standing)).collect();
    use Standing::{InScope, Inactive, OptedOut, OutOfScope};
    assert_eq!(
        standings,
        [
            ("ada", InScope),
            ("off", Inactive),
            ("old", Inactive),
            ("svc-backup", OutOfScope),
            ("other", OutOfScope),
            ("nowhere", OutOfScope),
            ("shy", OptedOut),
            ("gone", Inactive),
        ]
    );
}

fn in_groups(groups: &[&str]) -> Setup {
    let groups = named(groups);
    Setup { users: Users { groups, ..Users::default() }, ..Setup::default() }
}

#[tokio::test]
async fn members_of_any_group_are_in_scope_and_a_scope_more_is_asked_for() {
    let response = |everybody: bool| {
        move |_: usize, asked: &ReceivedRequest| match (
            asked.path.split('?').next().unwrap(),
            value(asked, "pageToken").as_str(),
        ) {
            ("/admin/directory/v1/groups/all%40example.com/members", "") => reply_json(
                200,
                &json!({ "members": [{ "id": "ada", "type": "USER" }, { "id": "sub", "type": "GROUP" }], "nextPageToken": "2" }),
            ),
            ("/admin/directory/v1/groups/all%40example.com/members", _) if everybody => {
                reply_json(200, &json!({ "members": [{ "id": "C01", "type": "CUSTOMER" }] }))
            }
            ("/admin/directory/v1/groups/all%40example.com/members", _) => reply_json(200, &json!({})),
            _ => reply_json(200, &json!({ "users": [user("ada"), user("sub")] })),
        }
    };
    for (everybody, standing) in [(false, Standing::OutOfScope), (true, Standing::InScope)] {
        let customer = Customer::start(in_groups(&["all@example.com"]), response(everybody)).await;
        let (people, _) = customer.list().await.unwrap();
        assert_eq!((people[0].standing, people[1].standing), (Standing::InScope, standing));
        let first = &customer.directory.asked()[0];
        assert_eq!(
            (value(first, "includeDerivedMembership"), value(first, "maxResults")),
            ("true".into(), "200".into())
        );
        assert_eq!(customer.paths().len(), 3);
    }
    let asked_for = |groups: &[&str]| scopes(&in_groups(groups).users).len();
    assert_eq!((asked_for(&[]), asked_for(&["x"])), (1, 2));

    let gone = Customer::start(in_groups(&["no@example.com"]), |_, _| {
        let (status, body) = refusal(404, "notFound", "Resource Not Found: groupKey");
        reply_json(status, &body)
    })
    .await;
    let failure = gone.list().await.unwrap_err();
    assert!(failure.kind == FailureKind::Misconfigured && failure.to_string().contains("no@example.com"), "{failure}");
}

#[tokio::test]
async fn every_row_of_the_error_table_names_what_to_change() {
    use FailureKind::{Misconfigured, Odd, Refused, Unreachable};
    let status = |status: u16, message: &str| {
        (status, json!({ "error": { "code": status, "message": message, "status": "PERMISSION_DENIED" } }))
    };
    let table = [
        (refusal(401, "authError", "Invalid Credentials"), Refused, 2, "endpoints"),
        (refusal(401, "required", "Login Required"), Refused, 2, "endpoints"),
        (
            refusal(403, "forbidden", "Not Authorized to access this resource/api"),
            Refused,
            1,
            "Admin roles: give admin@example.com",
        ),
        (
            refusal(403, "insufficientPermissions", "Insufficient Permission"),
            Refused,
            1,
            "Domain-wide delegation: add the scope https://www.googleapis.com/auth/admin.directory.user.readonly",
        ),
        (
            refusal(403, "forbidden", "Request had insufficient authentication scopes."),
            Refused,
            1,
            "Domain-wide delegation",
        ),
        (
            refusal(
                403,
                "accessNotConfigured",
                "Admin SDK API has not been used in project 7 before or it is disabled.",
            ),
            Refused,
            1,
            "enable the Admin SDK API",
        ),
        (refusal(403, "domainCannotUseApis", "Domain cannot use apis."), Refused, 1, "let the domain use APIs"),
        (refusal(403, "dailyLimitExceeded", "Daily Limit Exceeded"), Unreachable, 1, "tomorrow"),
        (refusal(403, "userRateLimitExceeded", "x"), Unreachable, 6, "lower `units`"),
        (refusal(403, "rateLimitExceeded", "x"), Unreachable, 6, "lower `units`"),
        (refusal(403, "quotaExceeded", "x"), Unreachable, 6, "lower `units`"),
        (refusal(429, "rateLimitExceeded", "x"), Unreachable, 6, "lower `units`"),
        ((403, json!("Request rate higher than configured")), Unreachable, 6, "lower `units`"),
        (refusal(404, "notFound", "Domain not found"), Misconfigured, 1, "`customer` is my_customer"),
        (refusal(400, "invalid", "Invalid Input: pageToken"), Misconfigured, 1, "`customer` is my_customer"),
        (refusal(400, "badRequest", "Bad Request"), Misconfigured, 1, "`customer` is my_customer"),
        (refusal(412, "conditionNotMet", "x"), Odd, 1, "412"),
        (refusal(500, "internalError", "x"), Unreachable, 6, "run again later"),
        (refusal(503, "backendError", "Backend Error"), Unreachable, 6, "run again later"),
        // The format of google.rpc, without a reason.
        (status(403, "Not Authorized to access this resource/api"), Refused, 1, "Admin roles: give admin@example.com"),
        (status(403, "Request had insufficient authentication scopes."), Refused, 1, "Domain-wide delegation"),
        (status(403, "Insufficient Permission"), Refused, 1, "Domain-wide delegation"),
        (
            status(403, "Admin SDK API has not been used in project 7 before or it is disabled."),
            Refused,
            1,
            "enable the Admin SDK API",
        ),
        (status(403, "Domain cannot use apis."), Refused, 1, "let the domain use APIs"),
        (status(403, "Daily Limit Exceeded"), Unreachable, 1, "tomorrow"),
        (status(403, "Quota exceeded for quota metric 'Queries'"), Unreachable, 6, "lower `units`"),
        (status(403, "User Rate Limit Exceeded"), Unreachable, 6, "lower `units`"),
        ((403, json!("<html>User Rate Limit Exceeded</html>")), Unreachable, 6, "lower `units`"),
        ((404, json!("<html>Not Found</html>")), Misconfigured, 1, "`endpoints.directory`"),
        ((502, json!("Bad Gateway")), Unreachable, 6, "run again later"),
        ((504, json!("")), Unreachable, 6, "run again later"),
        ((200, json!([])), Odd, 1, "another shape"),
    ];
    for ((status, body), kind, tries, words) in table {
        let sent = match &body {
            // Gateways answer in plain text.
            Value::String(text) => text.clone(),
            body => body.to_string(),
        };
        let customer = Customer::of(move |_, _| reply(status, &[], sent.clone())).await;
        let failure = customer.list().await.unwrap_err();
        assert_eq!((failure.kind, customer.directory.asked().len()), (kind, tries), "{body}: {failure}");
        assert!(failure.to_string().contains(words), "{body}: {failure}");
    }
}

#[tokio::test]
async fn without_a_subject_the_hints_say_so() {
    for ((status, body), words) in [
        (refusal(403, "forbidden", "Not Authorized"), "name an administrator in `subject`"),
        (refusal(400, "invalid", "Invalid Input"), "`my_customer` means nothing without `subject`"),
        (refusal(503, "backendError", "Backend Error"), "assign one, or name an administrator in `subject`"),
    ] {
        let customer =
            Customer::start(Setup { alone: true, ..Setup::default() }, move |_, _| reply_json(status, &body)).await;
        let failure = customer.list().await.unwrap_err();
        assert!(failure.to_string().contains(words), "{failure}");
        assert!(customer.login.asked().is_empty(), "what it signs itself is the token");
    }
}

#[tokio::test]
async fn the_wanted_scope_is_named() {
    let challenge =
        "Bearer realm=\"https://accounts.google.com/\", error=insufficient_scope, scope=\"https://x/wanted\"";
    let (_, body) = refusal(403, "insufficientPermissions", "Insufficient Permission");
    let customer = Customer::of(move |_, _| reply(403, &[("www-authenticate", challenge)], body.to_string())).await;
    let failure = customer.list().await.unwrap_err();
    assert!(failure.to_string().contains("add the scope https://x/wanted"), "{failure}");
}

#[tokio::test]
async fn a_throttled_page_and_a_refused_token_are_asked_again() {
    let customer = Customer::of(|number, asked| match number {
        0 => reply_json(403, &refusal(403, "quotaExceeded", "x").1),
        _ if asked.header("authorization") == "Bearer google-token-0" => {
            reply_json(401, &refusal(401, "authError", "x").1)
        }
        _ => reply_json(200, &json!({ "users": [user("ada")] })),
    })
    .await;
    assert_eq!(customer.list().await.unwrap().0.len(), 1);
    assert_eq!((customer.login.asked().len(), customer.directory.asked().len()), (2, 3));
    let counts = customer.google.counts();
    assert_eq!((counts.retried, counts.throttled), (2, 1));

    let circle = Customer::of(|_, _| reply_json(200, &json!({ "users": [user("ada")], "nextPageToken": "T" }))).await;
    let failure = circle.list().await.unwrap_err();
    assert!(failure.found.contains("in a circle") && circle.paths().len() == 2, "{failure}");
}

#[tokio::test]
async fn a_listing_that_brings_nobody_new_ends() {
    for (users, page) in [
        (Users::default(), json!({})),
        (in_group("staff@example.com"), json!({ "members": [{ "id": "ada", "type": "USER" }] })),
    ] {
        let endless = Customer::start(Setup { users, ..Setup::default() }, move |number, _| {
            let mut page = page.clone();
            page["nextPageToken"] = json!(format!("T{number}"));
            reply_json(200, &page)
        })
        .await;
        let failure = endless.list().await.unwrap_err();
        assert!(failure.kind == FailureKind::Odd && failure.found.contains("brings nobody new"), "{failure}");
    }
}

fn in_group(group: &str) -> Users {
    Users { groups: named(&[group]), ..Users::default() }
}

/// One odd record is at most that person's matter; and only a marker that is left out says that there is no photo.
#[tokio::test]
async fn an_odd_record_costs_nobody_else() {
    let silent = PhotoHint::Silent;
    let odd = |words: &str| PhotoHint::Odd(words.to_owned());
    let etag = |id: &str| PhotoHint::Version(id.into());
    for (name, value, hint) in [
        ("aliases", Value::Null, etag("odd")),
        ("aliases", json!(["a@b", null]), etag("odd")),
        ("aliases", json!("a@b"), odd("`aliases` is not a list")),
        ("aliases", json!([7]), odd("`aliases` is not a text")),
        ("name", json!("Ada"), etag("odd")),
        ("name", Value::Null, etag("odd")),
        ("primaryEmail", json!(7), odd("`primaryEmail` is not a text")),
        ("suspended", json!("true"), odd("`suspended` is neither `true` nor `false`")),
        ("archived", json!(1), odd("`archived` is neither `true` nor `false`")),
        ("thumbnailPhotoEtag", json!(7), odd("`thumbnailPhotoEtag` is not a text")),
        ("thumbnailPhotoEtag", Value::Null, silent.clone()),
        ("thumbnailPhotoEtag", json!(""), silent),
    ] {
        let mut record = user("odd");
        record[name] = value.clone();
        let page = json!({ "users": [user("ada"), record, user("bob")] });
        let customer = Customer::of(move |_, _| reply_json(200, &page)).await;
        let (people, _) = customer.list().await.unwrap();
        assert_eq!(people.len(), 3, "{name} {value}");
        assert_eq!((&people[1].hint, people[1].standing), (&hint, Standing::InScope), "{name} {value}");
        assert!(people[0].hint == etag("ada") && people[2].hint == etag("bob"), "{name} {value}");
    }
    let records = json!([user("ada"), null, "x", 7, { "primaryEmail": "x@y" }, { "id": 105 }, user("bob")]);
    let customer = Customer::of(move |_, _| reply_json(200, &json!({ "users": records }))).await;
    let (people, listing) = customer.list().await.unwrap();
    assert_eq!((people.len(), listing.people, listing.nameless), (2, 2, 5));
}

#[tokio::test]
async fn a_member_without_an_id_that_can_be_read_is_a_failure_only_where_a_wish_could_be_lost() {
    let group = || by_groups(&["g@x"]);
    let wishes = || Users { opted_out: group(), ..Users::default() };
    for (users, odd, fails) in [
        (in_group("g@x"), json!({ "id": 7, "type": "USER" }), false),
        (wishes(), json!({ "id": 7, "type": "USER" }), true),
        (wishes(), json!("x"), true),
        // Members from outside the customer have no id.
        (wishes(), json!({ "type": "USER" }), false),
        (wishes(), json!({ "id": 7, "type": "CUSTOMER" }), false),
    ] {
        let customer = Customer::start(Setup { users, ..Setup::default() }, move |_, asked| {
            match asked.path.contains("/groups/") {
                true => reply_json(200, &json!({ "members": [{ "id": "ada", "type": "USER" }, odd] })),
                false => reply_json(200, &json!({ "users": [user("ada")] })),
            }
        })
        .await;
        assert_eq!(customer.list().await.is_err(), fails);
    }
}
