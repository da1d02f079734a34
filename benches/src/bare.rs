//! A client that does no more than fetch and parse what a quiet run has to look at, or send what a first run has to.
//!
//! A newcomer gets wrong: it compares nothing and remembers nothing; it is a floor, no competitor.

use avatarpipe::inside::{DecodeLimits, Resize, render};
use futures::StreamExt as _;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// As the program's own listing asks.
const SELECT: &str =
    "id,userPrincipalName,mail,displayName,accountEnabled,userType,onPremisesSamAccountName,employeeId,proxyAddresses";
/// Requests in flight.
pub(crate) const CONCURRENCY: usize = 8;

#[derive(Deserialize)]
struct Addresses {
    login: String,
    graph: String,
    jira: String,
    app: App,
    account: Account,
}

#[derive(Deserialize)]
struct App {
    tenant: String,
    id: String,
    secret: String,
}

#[derive(Deserialize)]
struct Account {
    name: String,
    password: String,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

#[derive(Deserialize)]
struct Page {
    value: Vec<Person>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    id: String,
    #[serde(rename = "userPrincipalName")]
    _name: String,
    #[serde(rename = "mail")]
    _mail: Option<String>,
}

#[derive(Deserialize)]
struct Batch {
    responses: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    status: u16,
}

#[derive(Deserialize)]
struct User {
    name: String,
    #[serde(rename = "key")]
    _key: String,
    #[serde(rename = "emailAddress")]
    _email: Option<String>,
    #[serde(rename = "avatarUrls")]
    _pictures: Value,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

/// Reads all of it once.
pub(crate) fn quiet(addresses: &str) {
    run(addresses, async |to| {
        let client = Client::new();
        let (people, accounts) = tokio::join!(directory(&client, to, "photo"), jira(&client, to));
        println!("{} people, {} photos, {} accounts", people.0, people.1, accounts.len());
    });
}

/// The requests of a first run: everybody's bytes, then one picture for each account whose person has one, by the calls of
/// docs/write-protocols.md, and the listing that confirms them.
pub(crate) fn first(addresses: &str, side: u32) {
    let photo = crate::pictures::jpeg(side);
    let picture = render(&photo, &Resize::default(), None, &DecodeLimits::default()).expect("a picture").bytes;
    run(addresses, async |to| {
        let client = Client::new();
        let (people, accounts) = tokio::join!(directory(&client, to, "photo/$value"), jira(&client, to));
        // As `servers` has them: in the order of the numbers.
        let with = accounts.into_iter().filter(|name| number_of(name).is_some_and(crate::servers::has_photo));
        let with: Vec<String> = with.collect();
        let workers = with.chunks(with.len().div_ceil(CONCURRENCY).max(1)).map(|names| upload(to, names, &picture));
        futures::future::join_all(workers).await;
        println!("{} people, {} photos, {} accounts", people.0, people.1, jira(&client, to).await.len());
    });
}

fn run(addresses: &str, act: impl AsyncFnOnce(&Addresses)) {
    let addresses = std::fs::read_to_string(addresses).expect("the addresses");
    let addresses = serde_json::from_str(&addresses).expect("addresses as `servers` prints them");
    // As many threads as the program's own runtime has.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(act(&addresses));
}

fn number_of(name: &str) -> Option<u32> {
    name.strip_prefix("person")?.parse().ok()
}

/// One worker's share, in a session of its own.
async fn upload(to: &Addresses, names: &[String], picture: &[u8]) {
    let client = Client::builder().cookie_store(true).build().expect("a client");
    for name in names {
        let call = |request: RequestBuilder| {
            let Account { name, password } = &to.account;
            request.basic_auth(name, Some(password)).header("x-atlassian-token", "no-check")
        };
        let api = |path: &str| format!("{}/rest/api/2/user/{path}?username={name}", to.jira);
        let json = |request: RequestBuilder, body: Value| {
            call(request).header("content-type", "application/json").body(body.to_string())
        };
        _ = answer::<Value>(call(client.get(api("avatars")))).await;
        let temporary = format!("{}&filename=avatar.png&size={}", api("avatar/temporary"), picture.len());
        let temporary = client.post(temporary).header("content-type", "image/png").body(picture.to_vec());
        _ = answer::<Value>(call(temporary)).await;
        let crop = json!({ "cropperWidth": 180, "cropperOffsetX": 0, "cropperOffsetY": 0, "needsCropping": false });
        let made: Made = answer(json(client.post(api("avatar")), crop)).await;
        let shown = json(client.put(api("avatar")), json!({ "id": made.id })).send().await.expect("an answer");
        assert!(shown.status().is_success(), "{}", shown.status());
    }
}

async fn directory(client: &Client, to: &Addresses, photo: &str) -> (usize, usize) {
    let Addresses { login, graph, app, .. } = to;
    let form = format!(
        "client_id={}&client_secret={}&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&grant_type=client_credentials",
        app.id,
        app.secret.replace('~', "%7E").replace('/', "%2F").replace('+', "%2B"),
    );
    let token = client
        .post(format!("{login}/{}/oauth2/v2.0/token", app.tenant))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    let token = answer::<Token>(token).await.access_token;
    let mut next = Some(format!("{graph}/v1.0/users?$select={SELECT}&$top=999"));
    let mut ids = Vec::new();
    while let Some(url) = next {
        let page: Page = answer(client.get(url).bearer_auth(&token)).await;
        ids.extend(page.value.into_iter().map(|person| person.id));
        next = page.next;
    }
    let batches = ids.chunks(20).map(|ids| {
        let parts = ids.iter().enumerate();
        let parts: Vec<_> = parts
            .map(|(nth, id)| json!({ "id": nth.to_string(), "method": "GET", "url": format!("/users/{id}/{photo}") }))
            .collect();
        let request = client.post(format!("{graph}/v1.0/$batch")).bearer_auth(&token);
        let body = json!({ "requests": parts }).to_string();
        answer::<Batch>(request.header("content-type", "application/json").body(body))
    });
    let photos = futures::stream::iter(batches)
        .buffer_unordered(CONCURRENCY)
        .map(|batch| batch.responses.iter().filter(|part| part.status == 200).count());
    let photos = photos.fold(0, |sum, count| async move { sum + count }).await;
    (ids.len(), photos)
}

async fn jira(client: &Client, to: &Addresses) -> Vec<String> {
    let Addresses { jira, account, .. } = to;
    let mut found = Vec::new();
    loop {
        let from = found.len();
        let url =
            format!("{jira}/rest/api/2/user/search?username=.&startAt={from}&maxResults=1000&includeInactive=true");
        let users: Vec<User> = answer(client.get(url).basic_auth(&account.name, Some(&account.password))).await;
        let count = users.len();
        found.extend(users.into_iter().map(|user| user.name));
        if count < 1000 {
            return found;
        }
    }
}

async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> T {
    let response = request.send().await.expect("an answer");
    let (status, url) = (response.status(), response.url().clone());
    let body = response.bytes().await.expect("a whole answer");
    assert!(status.is_success(), "{url}: {status} {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{url}: {error}"))
}
