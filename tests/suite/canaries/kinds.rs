//! The kinds of credentials, and what puts each into the file.
//!
//! Owns: one entry for each way that the pipeline file takes a secret in. Leaves to others: what is done with them.
//! A newcomer gets wrong: not every kind works here. The sandbox knows no GitLab, so that token is sent and refused.

use avatarpipe_sandbox::Secret;
use serde_json::json;

use super::super::harness::Harness;
use super::http;

/// A kind of credential, and what puts it into the file.
pub(super) struct Kind {
    /// As its tests are named.
    pub name: &'static str,
    /// The simulators that are sent it, or something made of it.
    pub sent_to: &'static [&'static str],
    /// Whether the sandbox lets us in with it.
    pub works: bool,
    /// Puts it into the file.
    pub put: fn(&mut Harness),
}

const ENTRA: &[&str] = &["login", "graph"];
const GOOGLE: &[&str] = &["token", "directory"];
const KEYLESS: &[&str] = &["ci", "sts", "iamcredentials"];

pub(super) const KINDS: [Kind; 16] = [
    Kind { name: "entra_client_secret", sent_to: ENTRA, works: true, put: |_| {} },
    Kind { name: "entra_certificate_pem", sent_to: &["login"], works: true, put: certificate },
    Kind { name: "entra_certificate_pkcs12", sent_to: &["login"], works: false, put: pkcs12 },
    Kind {
        name: "entra_federated_github",
        sent_to: &["ci", "login"],
        works: true,
        put: |harness| {
            github(harness);
            harness.edit(|pipe| _ = pipe.entra("credential", "{ federated: { from: github } }"));
        },
    },
    Kind {
        name: "entra_federated_azure_devops",
        sent_to: &["ci", "login"],
        works: true,
        put: |harness| {
            github(harness);
            let token = harness.variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN").expect("a token of the job").to_owned();
            let url = format!("{}/oidctoken", harness.sandbox.endpoint("ci").expect("the world has a CI platform"));
            harness.tell("SYSTEM_OIDCREQUESTURI", &url);
            harness.set("SYSTEM_ACCESSTOKEN", &token);
            let connection = "service_connection: 6f2c1e0a-3b7d-4c59-8a41-9d0e5b7c2f13";
            let credential = format!("{{ federated: {{ from: azure_devops, {connection} }} }}");
            harness.edit(|pipe| _ = pipe.entra("credential", &credential));
        },
    },
    Kind {
        name: "entra_federated_variable",
        sent_to: &["login"],
        works: false,
        put: |harness| {
            harness.set("CI_TOKEN", JWT);
            harness.edit(|pipe| _ = pipe.entra("credential", "{ federated: { from: env, name: CI_TOKEN } }"));
        },
    },
    Kind {
        name: "entra_federated_file",
        sent_to: &["login"],
        works: false,
        put: |harness| {
            let path = harness.hide("token", format!("{JWT}\n"), &[JWT]);
            harness
                .edit(|pipe| _ = pipe.entra("credential", &format!("{{ federated: {{ from: file, path: {path} }} }}")));
        },
    },
    Kind { name: "entra_managed_identity", sent_to: &["metadata"], works: true, put: managed },
    Kind { name: "google_service_account_file", sent_to: GOOGLE, works: true, put: google_key },
    Kind { name: "google_external_account_file", sent_to: KEYLESS, works: true, put: google_external },
    Kind { name: "google_federated", sent_to: &["sts"], works: true, put: google_federated },
    Kind {
        name: "atlassian_token",
        sent_to: &["jira"],
        works: true,
        put: |harness| harness.edit(|pipe| _ = pipe.by_token()),
    },
    Kind { name: "atlassian_password", sent_to: &["jira", "confluence", "bitbucket"], works: true, put: |_| {} },
    Kind {
        name: "http_headers",
        sent_to: &["jira", "graph"],
        works: true,
        put: |harness| {
            harness.set("HEADER", "canary header/value+1");
            harness.edit(|pipe| _ = pipe.top("http", &http("headers: { X-Api-Key: '${HEADER}' }")));
        },
    },
    Kind {
        name: "client_cert",
        sent_to: &["jira"],
        works: true,
        put: |harness| {
            let pair = keys("pair.p12");
            let path = harness.hide("client.p12", pair, &[]);
            harness.set("CERT_PASSWORD", "open-sesame");
            let entry = format!("client_cert: {{ file: {path}, password: '${{CERT_PASSWORD}}' }}");
            harness.edit(|pipe| _ = pipe.top("http", &http(&entry)));
        },
    },
    Kind {
        name: "secret_in_a_file",
        sent_to: &["jira"],
        works: true,
        put: |harness| {
            let path = harness.hide("password", "", &[]);
            let password = password_of(harness, "jira");
            harness.hide("password", &password, &[&password]);
            let credential = format!("{{ username: svc-avatars, password: '${{file:{path}}}' }}");
            harness.edit(|pipe| _ = pipe.jira("credential", &credential));
        },
    },
];

/// A token as a CI platform makes it; its signature is none.
const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5LXNpZ25hdHVyZQ";

fn keys(name: &str) -> Vec<u8> {
    let path = format!("{}/src/http/test_keys/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn secret_of<T>(harness: &Harness, pick: impl Fn(Secret) -> Option<T>) -> T {
    let found = harness.sandbox.credentials().into_iter().find_map(|credential| pick(credential.secret));
    found.expect("the world has this kind of credential")
}

fn password_of(harness: &Harness, simulator: &str) -> String {
    let credentials = harness.sandbox.credentials().into_iter().filter(|credential| credential.simulator == simulator);
    let mut passwords = credentials.filter_map(|credential| match credential.secret {
        Secret::Password(password) => Some(password),
        _ => None,
    });
    passwords.next().expect("the product has a password")
}

/// The lines of a private key that say something.
fn lines_of(pem: &str) -> Vec<&str> {
    pem.lines().filter(|line| line.len() >= 60).skip(1).collect()
}

fn certificate(harness: &mut Harness) {
    let (certificate, key) = secret_of(harness, |secret| match secret {
        Secret::Certificate { certificate, private_key, .. } => Some((certificate, private_key)),
        _ => None,
    });
    let path = harness.hide("entra.pem", format!("{certificate}\n{key}"), &lines_of(&key));
    harness.edit(|pipe| _ = pipe.entra("credential", &format!("{{ certificate: {{ file: {path} }} }}")));
}

fn pkcs12(harness: &mut Harness) {
    let path = harness.hide("entra.p12", keys("pair.p12"), &[]);
    harness.set("CERT_PASSWORD", "open-sesame");
    let credential = format!("{{ certificate: {{ file: {path}, password: '${{CERT_PASSWORD}}' }} }}");
    harness.edit(|pipe| _ = pipe.entra("credential", &credential));
}

fn github(harness: &mut Harness) {
    let (url, token) = secret_of(harness, |secret| match secret {
        Secret::Job { request_url, request_token } => Some((request_url, request_token)),
        _ => None,
    });
    harness.tell("ACTIONS_ID_TOKEN_REQUEST_URL", &url);
    harness.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", &token);
}

fn managed(harness: &mut Harness) {
    let url = |name: &str| harness.sandbox.endpoint(name).expect("the world has this simulator").to_owned();
    let endpoints = format!("{{ login: '{}', graph: '{}', imds: '{}' }}", url("login"), url("graph"), url("metadata"));
    harness.edit(|pipe| {
        pipe.source("entra").unset("client_id");
        _ = pipe.entra("endpoints", &endpoints).entra("credential", "{ managed_identity: {} }");
    });
}

pub(super) fn google_key(harness: &mut Harness) {
    let key = secret_of(harness, |secret| match secret {
        Secret::ServiceAccount { key_file, subject: Some(_), .. } => Some(key_file),
        _ => None,
    });
    let private = key["private_key"].as_str().expect("a key file holds a key").to_owned();
    let path = harness.hide("google.json", key.to_string(), &lines_of(&private));
    harness.edit(|pipe| {
        pipe.source("google").set("credential", &format!("{{ service_account_file: {path} }}"));
    });
}

const AUDIENCE: &str =
    "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci/providers/github";
const ACCOUNT: &str = "avatar-sync@avatar-sync.iam.gserviceaccount.com";

fn google_external(harness: &mut Harness) {
    let (url, token) = secret_of(harness, |secret| match secret {
        Secret::Job { request_url, request_token } => Some((request_url, request_token)),
        _ => None,
    });
    let file = json!({
        "type": "external_account", "audience": AUDIENCE, "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "service_account_impersonation_url":
            format!("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken"),
        "credential_source": {
            "url": format!("{url}&audience=https:{AUDIENCE}"), "headers": { "Authorization": format!("Bearer {token}") },
            "format": { "type": "json", "subject_token_field_name": "value" },
        },
    });
    let path = harness.hide("external.json", file.to_string(), &[&token]);
    harness.edit(|pipe| {
        pipe.source("google").set("credential", &format!("{{ external_account_file: {path} }}"));
    });
}

fn google_federated(harness: &mut Harness) {
    github(harness);
    let federated = format!("{{ federated: {{ from: github, audience: '{AUDIENCE}', service_account: {ACCOUNT} }} }}");
    harness.edit(|pipe| {
        pipe.source("google").set("credential", &federated);
    });
}
