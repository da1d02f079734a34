//! Google's endpoints over loopback, asked by a plain HTTP client.

mod batch;
mod keyless;
mod listing;
mod photos;
mod refusals;
mod token;

use serde_json::{Value, json};

use super::world::{Customer, Group, Role, User};
use crate::World;
use crate::ci::Platform;
use crate::jwt::{Key, KeyFiles, seconds};
use crate::testing::{Got, TestSandbox, send};

const READ: &str = "https://www.googleapis.com/auth/admin.directory.user.readonly";
const MEMBERS: &str = "https://www.googleapis.com/auth/admin.directory.group.member.readonly";
const CLOUD: &str = "https://www.googleapis.com/auth/cloud-platform";
const ACCOUNT: &str = "avatar-sync@avatar-sync.iam.gserviceaccount.com";
const JOB: &str = "repo:fabrikam/avatar-sync:ref:refs/heads/main";

fn customer() -> Customer {
    let mut tim = User::new("tim@fabrikam.example", "Tim", "Abara").photo("pictures/tim.png");
    tim.suspended = true;
    let mut radia = User::new("radia@fabrikam.example", "Radia", "Castellanos").photo("pictures/radia.jpg");
    radia.aliases.push("r.castellanos@fabrikam.example".into());
    let mut gone = User::new("gone@fabrikam.example", "Gone", "Away");
    gone.deleted = true;
    let group = |id: &str, email: &str, members: &[&str]| Group {
        id: id.into(),
        email: email.into(),
        members: members.iter().map(|m| (*m).to_owned()).collect(),
    };
    let mut customer = Customer::new()
        .user(User::new("admin@fabrikam.example", "Admin", "Fabrikam").role(Role::ReadUsers))
        .user(
            User::new("katherine@fabrikam.example", "Katherine", "Osei")
                .photo("pictures/katherine.jpg")
                .unit("/Office"),
        )
        .user(radia.unit("/Engineering/Network"))
        .user(User::new("linus@fabrikam.example", "Linus", "Virtanen").unit("/Engineering"))
        .user(tim)
        .user(gone)
        .group(group(
            "g1",
            "staff@fabrikam.example",
            &["eng@fabrikam.example", "katherine@fabrikam.example", "x@y.example"],
        ))
        .group(group("g2", "eng@fabrikam.example", &["radia@fabrikam.example", "staff@fabrikam.example"]));
    customer.delegation[0].scopes.push(CLOUD.into());
    customer
}

fn sandbox() -> TestSandbox {
    lab_of(customer())
}

fn lab_of(customer: Customer) -> TestSandbox {
    let merged = World::bundled("merged").unwrap();
    TestSandbox::new(World::builder().google(customer).ci(Platform::new(JOB)).pictures_of(&merged).build().unwrap())
}

fn key(name: &str) -> Key {
    Key::read(&KeyFiles::named(name), &World::bundled("merged").unwrap().pictures).unwrap()
}

/// Good claims of an assertion for the administrator, with changes; `null` takes a claim away.
fn claims(changes: Value) -> Value {
    let now = seconds(std::time::SystemTime::now());
    let mut claims = json!({ "iss": ACCOUNT, "sub": "admin@fabrikam.example", "scope": format!("{READ} {MEMBERS}"),
        "aud": "https://oauth2.googleapis.com/token", "iat": now - 30, "exp": now + 3570 });
    for (name, value) in changes.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

async fn grant(sandbox: &TestSandbox, assertion: &str) -> Got {
    let form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion)];
    send(sandbox.http.post(sandbox.url("token", "/token")).form(&form)).await.unwrap()
}

async fn token_with(sandbox: &TestSandbox, changes: Value) -> String {
    let got = grant(sandbox, &key("google").sign(&claims(changes))).await;
    got.json()["access_token"].as_str().unwrap_or_else(|| panic!("{}", got.json())).to_owned()
}

async fn token(sandbox: &TestSandbox) -> String {
    token_with(sandbox, json!({})).await
}

async fn get(sandbox: &TestSandbox, token: &str, path: &str) -> Got {
    let url = sandbox.url("directory", &format!("/admin/directory/v1/{path}"));
    send(sandbox.http.get(url).bearer_auth(token)).await.unwrap()
}

fn reason(got: &Got) -> String {
    got.json()["error"]["errors"][0]["reason"].as_str().unwrap_or_default().to_owned()
}

fn message(got: &Got) -> String {
    got.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
}

fn emails(got: &Got) -> Vec<String> {
    let body = got.json();
    let users = body["users"].as_array().map(Vec::as_slice).unwrap_or_default();
    users.iter().map(|user| user["primaryEmail"].as_str().unwrap().split('@').next().unwrap().to_owned()).collect()
}
