//! The rules of docs/wire/atlassian.md over real loopback HTTP, one table for each group.
//!
//! Owns: the desk that asks, the world it asks about, and the tables.
//! Leaves to others: logins, sessions and rate limits, which Jira's tests cover (`jira::tests::login`).
//! A newcomer gets wrong: these requests are written by hand from that page; no client of this crate is used.

use std::io::Cursor;

use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, RequestBuilder, redirect};
use serde_json::{Value, json};

use super::world::Instance;
use crate::testing::{Got, send};
use crate::truth::ShownKind;
use crate::{Options, Running, Sandbox, World};

const ACCOUNTS: &str = "
accounts:
  - { name: svc, role: admin, password: pw, tokens: [tok], groups: [staff] }
  - { name: root, role: system_admin, password: pw, groups: [staff] }
  - { name: Ada@ex.org, display_name: Ada Lovelace, email: ada@ex.org, password: pw, groups: [staff], picture: one.png }
  - { name: alan, email: alan@ex.org }
  - { name: idle, standing: inactive }
  - { name: key, kind: service }
";
const ADMIN: &str = "svc";
const ADA: &str = "ada_ex.org";

type Set<'a> = &'a [(&'a str, &'a str)];

struct TestSandbox {
    running: Running,
    base: String,
    client: Client,
}

impl TestSandbox {
    fn new(switches: Set) -> TestSandbox {
        let instance: Instance =
            serde_yaml::from_str(&format!("version: 8.19.1\nbase_path: /git\n{ACCOUNTS}")).expect("an instance");
        let built = World::builder().bitbucket(instance).picture("one.png", png(64, 64));
        let built = switches.iter().fold(built, |built, (name, value)| built.switch("bitbucket", name, value));
        let running = Sandbox::start(built.build().expect("a world"), Options::default()).expect("a sandbox");
        let base = running.endpoint("bitbucket").expect("a Bitbucket").to_owned();
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().pool_max_idle_per_host(0);
        let client = client.tls_certs_only(Vec::new()).user_agent("desk/1").build().expect("a client");
        TestSandbox { running, base, client }
    }

    fn ask(&self, method: Method, path: &str, who: &str) -> RequestBuilder {
        let request =
            self.client.request(method, format!("{}{path}", self.base)).header("X-Atlassian-Token", "no-check");
        match who {
            "" => request,
            "tok" | "dead" => request.bearer_auth(who),
            name => request.basic_auth(name, Some("pw")),
        }
    }

    async fn get(&self, path: &str, who: &str) -> Got {
        send(self.ask(Method::GET, path, who)).await.expect("an answer")
    }

    async fn upload(&self, slug: &str, who: &str, bytes: Vec<u8>) -> Got {
        let part = Part::bytes(bytes).file_name("avatar.png").mime_str("image/png").expect("a type");
        let path = format!("/rest/api/latest/users/{slug}/avatar.png");
        let request = self.ask(Method::POST, &path, who).multipart(Form::new().part("avatar", part));
        send(request).await.expect("an answer")
    }

    async fn remove(&self, slug: &str, who: &str) -> Got {
        let path = format!("/rest/api/latest/users/{slug}/avatar.png");
        send(self.client.delete(format!("{}{path}", self.base)).basic_auth(who, Some("pw"))).await.expect("an answer")
    }

    async fn avatar_url(&self, slug: &str) -> String {
        let user = self.get(&format!("/rest/api/latest/users/{slug}?avatarSize=64"), ADMIN).await.json();
        user["avatarUrl"].as_str().unwrap_or_default().to_owned()
    }
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(width, height, image::Rgb([255, 0, 0]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).expect("a picture is encodable");
    bytes.into_inner()
}

#[tokio::test]
async fn the_listing_goes_on_where_it_says_and_nowhere_else() {
    for (switch, second) in [("gaps", 6), ("sum", 2)] {
        let sandbox = TestSandbox::new(&[("page_cap", "2"), ("next_page", switch)]);
        let (mut start, mut names) = (json!(0), Vec::<String>::new());
        while !start.is_null() {
            let path = format!("/rest/api/1.0/users?start={start}&limit=1000&avatarSize=64");
            let page = sandbox.get(&path, ADMIN).await.json();
            assert_eq!((&page["limit"], page["isLastPage"] == true), (&json!(2), page["nextPageStart"].is_null()));
            names.extend(page["values"].as_array().expect("values").iter().map(|user| user["name"].to_string()));
            if start == 0 {
                assert_eq!(page["nextPageStart"], second);
            }
            start = page["nextPageStart"].clone();
        }
        assert_eq!(names.len(), 6, "{names:?}");
    }
    let sandbox = TestSandbox::new(&[]);
    for (query, count) in [("?filter=ada", 1), ("?group=staff", 3), ("?group=none", 0), ("", 6)] {
        assert_eq!(
            sandbox.get(&format!("/rest/api/latest/users{query}"), ADMIN).await.json()["size"],
            count,
            "{query}"
        );
    }
    let users = sandbox.get("/rest/api/latest/users", ADMIN).await.json();
    assert_eq!((&users["values"][2]["slug"], &users["values"][5]["type"]), (&json!(ADA), &json!("SERVICE")));
    assert!(users["values"][2]["avatarUrl"].is_null(), "only with avatarSize");
    let admin = sandbox.get("/rest/api/latest/admin/users", ADMIN).await.json();
    assert!(admin["values"][0]["directoryName"].is_string());
}

#[tokio::test]
async fn the_avatar_url_in_all_its_forms() {
    let table: &[(Set, &str, &str)] = &[
        (&[], ADA, "/git/users/ada_ex.org/avatar.png?s=64&v=1"),
        (&[("avatar_versions", "off")], ADA, "/git/users/ada_ex.org/avatar.png?s=64"),
        (&[("gravatar", "on")], ADA, "/git/users/ada_ex.org/avatar.png?s=64&v=1"),
        (&[], "alan", "/git/users/alan/avatar.png?s=64"),
        (&[("gravatar", "on")], "alan", "https://secure.gravatar.com/avatar/"),
        (&[("avatar_urls", "off")], ADA, ""),
    ];
    for (switches, slug, wanted) in table {
        let url = TestSandbox::new(switches).avatar_url(slug).await;
        assert!(url.starts_with(wanted) && url.contains("&v=") == wanted.contains("&v="), "{switches:?} {slug}: {url}");
        assert_eq!(url.is_empty(), wanted.is_empty(), "{switches:?} {slug}");
    }
}

#[tokio::test]
async fn who_may_change_whose_picture() {
    let table: &[(Set, &str, &str, u16)] = &[
        (&[], ADMIN, "alan", 201),
        (&[], ADMIN, "svc", 201),
        (&[], ADMIN, "root", 401),
        (&[], "root", "root", 201),
        (&[], "root", "alan", 201),
        (&[], "Ada@ex.org", ADA, 201),
        (&[], "Ada@ex.org", "alan", 401),
        (&[], "", "alan", 401),
        (&[], "dead", "alan", 401),
        (&[], "tok", "svc", 201),
        (&[], "tok", "alan", 401),
        (&[("token_rights", "admin")], "tok", "alan", 201),
        (&[], ADMIN, "nobody", 404),
    ];
    for (switches, who, slug, status) in table {
        let sandbox = TestSandbox::new(switches);
        let got = sandbox.upload(slug, who, png(8, 8)).await;
        assert_eq!(got.status, *status, "{switches:?} {who} {slug}");
        assert_eq!(sandbox.running.truth().writes.len(), usize::from(*status == 201));
    }
    let sandbox = TestSandbox::new(&[]);
    let refused = sandbox.upload("root", ADMIN, png(8, 8)).await;
    let exception = refused.json()["errors"][0]["exceptionName"].to_string();
    assert!(exception.contains("AuthorisationException"), "{exception}");
    assert_eq!(refused.headers["x-ausername"], "svc", "the login itself works");
    assert!(!sandbox.get("/rest/api/latest/users", "").await.headers.contains_key("x-ausername"));
}

#[tokio::test]
async fn an_upload_is_shown_and_a_removal_is_idempotent() {
    let sandbox = TestSandbox::new(&[]);
    let got = sandbox.upload("alan", ADMIN, png(300, 300)).await;
    assert_eq!(
        (got.status, got.headers["location"].as_str()),
        (201, format!("{}/users/alan/avatar.png", sandbox.base).as_str())
    );
    assert!(sandbox.avatar_url("alan").await.contains("&v="));
    let shown = sandbox.get("/users/alan/avatar.png?s=256", "").await;
    let picture = image::load_from_memory(&shown.bytes).expect("a picture").to_rgb8();
    assert_eq!((picture.dimensions(), picture.get_pixel(9, 9).0), ((256, 256), [255, 0, 0]));
    let kind = |sandbox: &TestSandbox| sandbox.running.truth().account("bitbucket", "alan").expect("alan").now.kind;
    assert_eq!(kind(&sandbox), ShownKind::Custom);
    for _ in 0..2 {
        let gone = sandbox.remove("alan", ADMIN).await;
        assert_eq!((gone.status, gone.json()["href"].is_string()), (200, true));
    }
    assert_eq!((kind(&sandbox), sandbox.running.truth().writes.len()), (ShownKind::Default, 2));
    assert!(sandbox.running.truth().violations.is_empty());
    sandbox.remove(ADA, ADMIN).await;
    let words = sandbox.running.truth().violations;
    assert_eq!(words, ["bitbucket: the picture of Ada@ex.org, uploaded by world, was removed by svc"]);
}

#[tokio::test]
async fn pictures_over_a_limit_and_odd_bodies_are_refused() {
    let noise: Vec<u8> = png(8, 8).into_iter().chain(std::iter::repeat_n(0, 1 << 20)).collect();
    let table = [
        ("400", png(1025, 8), 400),
        ("413", png(8, 1025), 413),
        ("400", noise.clone(), 400),
        ("413", noise, 413),
        ("400", b"<html>".to_vec(), 400),
        ("400", png(1024, 1024), 201),
    ];
    for (switch, bytes, status) in table {
        let sandbox = TestSandbox::new(&[("limit_status", switch)]);
        let length = bytes.len();
        assert_eq!(sandbox.upload("alan", ADMIN, bytes).await.status, status, "{switch} {length}");
    }
    let sandbox = TestSandbox::new(&[]);
    let path = "/rest/api/latest/users/alan/avatar.png";
    let other = Form::new().part("picture", Part::bytes(png(8, 8)).file_name("a.png"));
    let got = send(sandbox.ask(Method::POST, path, ADMIN).multipart(other)).await.expect("an answer");
    assert_eq!(got.status, 400, "the part must be named avatar");
    let part = Form::new().part("avatar", Part::bytes(png(8, 8)).file_name("a.png"));
    let forged = sandbox.client.post(format!("{}{path}", sandbox.base)).basic_auth("svc", Some("pw")).multipart(part);
    assert_eq!(send(forged).await.expect("an answer").status, 403, "no X-Atlassian-Token");
}

#[tokio::test]
async fn who_am_i_and_what_is_this() {
    let sandbox = TestSandbox::new(&[]);
    for (who, name) in [("", ""), (ADMIN, "svc"), ("tok", "svc"), ("Ada@ex.org", "Ada@ex.org")] {
        assert_eq!(sandbox.get("/plugins/servlet/applinks/whoami", who).await.bytes, name.as_bytes(), "{who}");
    }
    let properties: Value = sandbox.get("/rest/api/latest/application-properties", "").await.json();
    assert_eq!((&properties["version"], &properties["displayName"]), (&json!("8.19.1"), &json!("Bitbucket")));
    let manifest =
        send(sandbox.ask(Method::GET, "/rest/applinks/1.0/manifest", "").header("Accept", "application/json"));
    assert_eq!(manifest.await.expect("an answer").json()["typeId"], "stash");
}

#[tokio::test]
async fn what_people_do_by_hand() {
    let sandbox = TestSandbox::new(&[]);
    let done = sandbox.running.command("bitbucket", &json!({"upload": {"name": "alan", "picture": "one.png"}}));
    let version = done.expect("a command")["version"].to_string();
    assert!(sandbox.avatar_url("alan").await.ends_with(&format!("&v={version}")));
    sandbox.running.command("bitbucket", &json!({"delete": {"name": "ada@EX.org"}})).expect("a command");
    assert_eq!(sandbox.avatar_url(ADA).await, "/git/users/ada_ex.org/avatar.png?s=64");
    assert!(sandbox.running.truth().writes.is_empty());
}
