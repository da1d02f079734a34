//! The rules of docs/wire/atlassian.md over real loopback HTTP, one table for each group.
//!
//! Owns: the desk that asks, and the world it asks about.
//! Leaves to others: the tables, one file for each group of rules.
//! A newcomer gets wrong: these requests are written by hand from that page; no client of this crate is used.

mod endpoint;
mod reads;
mod writes;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Method, RequestBuilder, redirect};
use serde_json::{Value, json};

use super::world::Instance;
use crate::testing::{Got, send};
use crate::{Options, Running, Sandbox, World};

/// An administrator who asks, a plain user, and the odd ones.
const ACCOUNTS: &str = "
accounts:
  - { name: svc, role: admin, password: pw, tokens: [tok], email: svc@ex.org, groups: [staff, confluence-administrators], picture: one.png }
  - { name: ada, key: 4028ada, display_name: Ada Lovelace, email: ada@ex.org, password: pw, groups: [staff], picture: one.png }
  - { name: grace, display_name: Grace Hopper, groups: [staff], files: { avatarpipe-0.png: two.png }, shows: { file: avatarpipe-0.png } }
  - { name: alan, groups: [staff], shows: { stock: 1 } }
  - { name: lost, groups: [staff], shows: { file: gone.png } }
  - { name: idle, standing: inactive, groups: [staff] }
  - { name: gone, key: 4028gone, standing: deleted }
  - { name: helper, password: pw, groups: [confluence-administrators] }
  - { name: boss, role: admin, password: pw }
";

/// Switches that do not stand on their default.
type Set<'a> = &'a [(&'a str, &'a str)];

/// How a request signs in.
#[derive(Clone, Copy, Debug)]
enum As {
    Nobody,
    Token(&'static str),
    Basic(&'static str, &'static str),
}

const ADMIN: As = As::Basic("svc", "pw");
const ADA: As = As::Basic("ada", "pw");

/// One running Confluence and a plain client without cookies.
struct TestSandbox {
    running: Running,
    base: String,
    client: Client,
}

impl TestSandbox {
    fn new(version: &str, switches: Set) -> TestSandbox {
        let yaml = format!("version: {version}\nbase_path: /wiki\n{ACCOUNTS}");
        let instance: Instance = serde_yaml::from_str(&yaml).expect("an instance");
        let built = World::builder().confluence(instance).picture("one.png", "one").picture("two.png", "two");
        let built = switches.iter().fold(built, |built, (name, value)| built.switch("confluence", name, value));
        let running = Sandbox::start(built.build().expect("a world"), Options::default()).expect("a sandbox");
        let base = running.endpoint("confluence").expect("a Confluence").to_owned();
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().pool_max_idle_per_host(0);
        let client = client.tls_certs_only(Vec::new()).user_agent("desk/1").build().expect("a client");
        TestSandbox { running, base, client }
    }

    fn ask(&self, method: Method, path: &str, who: As) -> RequestBuilder {
        let request =
            self.client.request(method, format!("{}{path}", self.base)).header("X-Atlassian-Token", "no-check");
        match who {
            As::Nobody => request,
            As::Token(token) => request.bearer_auth(token),
            As::Basic(name, password) => request.basic_auth(name, Some(password)),
        }
    }

    async fn get(&self, path: &str, who: As) -> Got {
        send(self.ask(Method::GET, path, who)).await.expect("an answer")
    }

    async fn xml(&self, path: &str, who: As, method: &str, params: &str) -> Got {
        let body = format!(
            "<?xml version=\"1.0\"?><methodCall><methodName>confluence2.{method}</methodName><params>{params}</params></methodCall>"
        );
        let request = self.ask(Method::POST, path, who).header("Content-Type", "text/xml").body(body);
        send(request).await.expect("an answer")
    }

    /// A call over XML-RPC with the login of the request: what stands in the answer.
    async fn rpc(&self, who: As, method: &str, params: &[&str]) -> String {
        let params = format!("{}{}", text(""), params.iter().map(|param| (*param).to_owned()).collect::<String>());
        let got = self.xml("/rpc/xmlrpc?os_authType=basic", who, method, &params).await;
        assert_eq!(got.status, 200, "a failure is 200 too");
        String::from_utf8(got.bytes).expect("text")
    }

    async fn add(&self, who: As, name: &str, file: &str, picture: &str) -> String {
        self.rpc(who, "addProfilePicture", &[&text(name), &text(file), &text("image/png"), &bytes(picture)]).await
    }

    /// Path, and whether it is the default, of one person.
    async fn picture(&self, name: &str) -> (String, bool) {
        let person = self.get(&format!("/rest/api/user?username={name}"), ADMIN).await.json();
        let picture = &person["profilePicture"];
        (picture["path"].as_str().unwrap_or_default().to_owned(), picture["isDefault"] == true)
    }

    fn violations(&self) -> Vec<String> {
        self.running.truth().violations
    }

    fn control(&self, command: Value) -> Value {
        self.running.command("confluence", &command).expect("a command")
    }

    fn content_of(&self, name: &str) -> String {
        let report = self.control(json!({"report": {}}));
        let accounts = report["accounts"].as_array().expect("accounts").clone();
        let account = accounts.into_iter().find(|account| account["name"] == name).expect("the account");
        account["content"].as_u64().expect("a content id").to_string()
    }
}

fn text(value: &str) -> String {
    format!("<param><value><string>{value}</string></value></param>")
}

fn bytes(value: &str) -> String {
    format!("<param><value><base64>{}</base64></value></param>", STANDARD.encode(value))
}

/// What a fault says; empty if it is none.
fn fault_of(answer: &str) -> &str {
    let Some((_, rest)) = answer.split_once("<name>faultString</name><value>") else { return "" };
    rest.split("</value>").next().unwrap_or_default()
}
