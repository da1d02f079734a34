//! A small HTTP client for the tests of the sandbox.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::world::World;
use super::{Options, Running, Sandbox, Secret};

/// A started sandbox and a client without opinions: no redirects, no cookies, no proxy.
pub(super) struct TestSandbox {
    pub(super) running: Running,
    pub(super) http: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) bytes: Vec<u8>,
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.bytes)))
    }

    /// The code of a Graph error.
    pub(super) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl TestSandbox {
    pub(super) fn new(world: World) -> Self {
        Self::with(world, Options::default())
    }

    pub(super) fn with(world: World, options: Options) -> Self {
        let running = Sandbox::start(world, options).unwrap_or_else(|e| panic!("{e}"));
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { running, http }
    }

    pub(super) fn url(&self, simulator: &str, path: &str) -> String {
        format!("{}{path}", self.running.endpoint(simulator).unwrap())
    }

    /// The form of a good token request.
    pub(super) fn form(&self) -> BTreeMap<&'static str, String> {
        let credential = self.running.credentials().into_iter().find(|c| c.simulator == "login").unwrap();
        let Secret::App { client_secret, .. } = credential.secret else { panic!("the sign-in takes an app") };
        BTreeMap::from([
            ("grant_type", "client_credentials".into()),
            ("client_id", credential.user),
            ("client_secret", client_secret),
            ("scope", "https://graph.microsoft.com/.default".into()),
        ])
    }

    pub(super) async fn sign_in(&self, tenant: &str, form: &BTreeMap<&'static str, String>) -> Got {
        let request = self.http.post(self.url("login", &format!("/{tenant}/oauth2/v2.0/token"))).form(form);
        send(request).await.unwrap()
    }

    pub(super) async fn token(&self) -> String {
        let got = self.sign_in("contoso.example", &self.form()).await;
        got.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub(super) async fn graph(&self, token: &str, path: &str) -> Got {
        send(self.http.get(self.url("graph", path)).bearer_auth(token)).await.unwrap()
    }

    pub(super) async fn batch(&self, token: &str, requests: Value) -> Got {
        let body = json!({ "requests": requests });
        send(self.http.post(self.url("graph", "/v1.0/$batch")).bearer_auth(token).json(&body)).await.unwrap()
    }

    pub(super) async fn control(&self, path: &str, body: &Value) -> Got {
        send(self.http.post(format!("{}{path}", self.running.page())).json(body)).await.unwrap()
    }
}

pub(super) async fn send(request: reqwest::RequestBuilder) -> Result<Got, reqwest::Error> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let headers = response.headers().iter();
    let headers = headers.map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect();
    Ok(Got { status, headers, bytes: response.bytes().await?.to_vec() })
}
