//! A client that does no more than fetch and parse what a quiet run has to look at.
//!
//! A newcomer gets wrong: it compares nothing and remembers nothing; it is a floor, no competitor.

use futures::StreamExt as _;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// As the program's own listing asks.
const SELECT: &str =
    "id,userPrincipalName,mail,displayName,accountEnabled,userType,onPremisesSamAccountName,employeeId,proxyAddresses";
/// Requests in flight.
const CONCURRENCY: usize = 8;

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
    body: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "@odata.mediaEtag")]
    etag: Option<String>,
}

#[derive(Deserialize)]
struct User {
    #[serde(rename = "key")]
    _key: String,
    #[serde(rename = "emailAddress")]
    _email: Option<String>,
    #[serde(rename = "avatarUrls")]
    _pictures: Value,
}

/// Reads all of it once.
pub(crate) fn quiet(addresses: &str) {
    let addresses = std::fs::read_to_string(addresses).expect("the addresses");
    let addresses = serde_json::from_str(&addresses).expect("addresses as `servers` prints them");
    // As many threads as the program's own runtime has.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(read(&addresses));
}

async fn read(to: &Addresses) {
    let client = Client::new();
    let (people, accounts) = tokio::join!(directory(&client, to), jira(&client, to));
    println!("{} people, {} photos, {accounts} accounts", people.0, people.1);
}

async fn directory(client: &Client, to: &Addresses) -> (usize, usize) {
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
            .map(|(nth, id)| json!({ "id": nth.to_string(), "method": "GET", "url": format!("/users/{id}/photo") }))
            .collect();
        let request = client.post(format!("{graph}/v1.0/$batch")).bearer_auth(&token);
        let body = json!({ "requests": parts }).to_string();
        answer::<Batch>(request.header("content-type", "application/json").body(body))
    });
    let photos = futures::stream::iter(batches).buffer_unordered(CONCURRENCY).map(|batch| {
        let there = |part: &&Part| part.status == 200 && part.body.as_ref().is_some_and(|body| body.etag.is_some());
        batch.responses.iter().filter(there).count()
    });
    let photos = photos.fold(0, |sum, count| async move { sum + count }).await;
    (ids.len(), photos)
}

async fn jira(client: &Client, to: &Addresses) -> usize {
    let Addresses { jira, account, .. } = to;
    let mut found = 0;
    loop {
        let url =
            format!("{jira}/rest/api/2/user/search?username=.&startAt={found}&maxResults=1000&includeInactive=true");
        let users: Vec<User> = answer(client.get(url).basic_auth(&account.name, Some(&account.password))).await;
        found += users.len();
        if users.len() < 1000 {
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
