//! Every kind of credential goes through every command and every failure, as loud as can be, and none comes out again
//! (promise P7): neither the secret nor what was made of it.
//!
//! Owns: the kinds of credentials, and servers that give back what they were sent.
//! Leaves to others: who is sent a credential at all (`strangers`).
//! A newcomer gets wrong: what a sandbox issues is a secret, too. Tokens and cookies are known by their shape.

use avatarpipe::sandbox::echo::Form;
use avatarpipe::sandbox::faults::{Answer, Effect, Fault};
use avatarpipe::sandbox::{Secret, World};
use serde_json::json;

use super::ended::{Ended, files};
use super::stage::Stage;

const LOUD: [&str; 3] = ["-vvv", "--log-format", "json"];

/// A kind of credential, and what puts it into the file.
struct Kind {
    name: &'static str,
    /// The simulators that are sent it, or something made of it.
    sent_to: &'static [&'static str],
    /// Whether the sandbox lets us in with it.
    works: bool,
    put: fn(&mut Stage),
}

const ENTRA: &[&str] = &["login", "graph"];
const GOOGLE: &[&str] = &["token", "directory"];
const KEYLESS: &[&str] = &["ci", "sts", "iamcredentials"];

const KINDS: [Kind; 15] = [
    Kind { name: "entra client_secret", sent_to: ENTRA, works: true, put: |_| {} },
    Kind { name: "entra certificate, PEM", sent_to: &["login"], works: false, put: certificate },
    Kind { name: "entra certificate, PKCS#12", sent_to: &["login"], works: false, put: pkcs12 },
    Kind {
        name: "entra federated, GitHub",
        sent_to: &["ci", "login"],
        works: true,
        put: |stage| {
            github(stage);
            stage.edit(|pipe| _ = pipe.entra("credential", "{ federated: { from: github } }"));
        },
    },
    Kind {
        name: "entra federated, a variable",
        sent_to: &["login"],
        works: false,
        put: |stage| {
            stage.set("CI_TOKEN", JWT);
            stage.edit(|pipe| _ = pipe.entra("credential", "{ federated: { from: env, name: CI_TOKEN } }"));
        },
    },
    Kind {
        name: "entra federated, a file",
        sent_to: &["login"],
        works: false,
        put: |stage| {
            let path = stage.hide("token", format!("{JWT}\n"), &[JWT]);
            stage
                .edit(|pipe| _ = pipe.entra("credential", &format!("{{ federated: {{ from: file, path: {path} }} }}")));
        },
    },
    Kind { name: "entra managed_identity", sent_to: &["metadata"], works: true, put: managed },
    Kind { name: "google service_account_file", sent_to: GOOGLE, works: true, put: google_key },
    Kind { name: "google external_account_file", sent_to: KEYLESS, works: true, put: google_external },
    Kind { name: "google federated", sent_to: &["sts"], works: true, put: google_federated },
    Kind {
        name: "atlassian token",
        sent_to: &["jira"],
        works: true,
        put: |stage| stage.edit(|pipe| _ = pipe.by_token()),
    },
    Kind { name: "atlassian password", sent_to: &["jira", "confluence", "bitbucket"], works: true, put: |_| {} },
    Kind {
        name: "http headers",
        sent_to: &["jira", "graph"],
        works: true,
        put: |stage| {
            stage.set("HEADER", "canary header/value+1");
            stage.edit(|pipe| _ = pipe.top("http", "{ default: { headers: { X-Api-Key: '${HEADER}' } } }"));
        },
    },
    Kind {
        name: "client_cert",
        sent_to: &["jira"],
        works: true,
        put: |stage| {
            let pair = keys("pair.p12");
            let path = stage.hide("client.p12", pair, &[]);
            stage.set("CERT_PASSWORD", "open-sesame");
            let entry = format!("{{ default: {{ client_cert: {{ file: {path}, password: '${{CERT_PASSWORD}}' }} }} }}");
            stage.edit(|pipe| _ = pipe.top("http", &entry));
        },
    },
    Kind {
        name: "${file:…}",
        sent_to: &["jira"],
        works: true,
        put: |stage| {
            let path = stage.hide("password", "", &[]);
            let password = password_of(stage, "jira");
            stage.hide("password", &password, &[&password]);
            let credential = format!("{{ username: svc-avatars, password: '${{file:{path}}}' }}");
            stage.edit(|pipe| _ = pipe.jira("credential", &credential));
        },
    },
];

/// A token as a CI platform makes it; its signature is none.
const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5LXNpZ25hdHVyZQ";

fn keys(name: &str) -> Vec<u8> {
    let path = format!("{}/src/http/test_keys/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn secret_of<T>(stage: &Stage, pick: impl Fn(Secret) -> Option<T>) -> T {
    let found = stage.sandbox.credentials().into_iter().find_map(|credential| pick(credential.secret));
    found.expect("the world has this kind of credential")
}

fn password_of(stage: &Stage, simulator: &str) -> String {
    let credentials = stage.sandbox.credentials().into_iter().filter(|credential| credential.simulator == simulator);
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

fn certificate(stage: &mut Stage) {
    let (certificate, key) = secret_of(stage, |secret| match secret {
        Secret::Certificate { certificate, private_key, .. } => Some((certificate, private_key)),
        _ => None,
    });
    let path = stage.hide("entra.pem", format!("{certificate}\n{key}"), &lines_of(&key));
    stage.edit(|pipe| _ = pipe.entra("credential", &format!("{{ certificate: {{ file: {path} }} }}")));
}

fn pkcs12(stage: &mut Stage) {
    let path = stage.hide("entra.p12", keys("pair.p12"), &[]);
    stage.set("CERT_PASSWORD", "open-sesame");
    let credential = format!("{{ certificate: {{ file: {path}, password: '${{CERT_PASSWORD}}' }} }}");
    stage.edit(|pipe| _ = pipe.entra("credential", &credential));
}

fn github(stage: &mut Stage) {
    let (url, token) = secret_of(stage, |secret| match secret {
        Secret::Job { request_url, request_token } => Some((request_url, request_token)),
        _ => None,
    });
    stage.tell("ACTIONS_ID_TOKEN_REQUEST_URL", &url);
    stage.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", &token);
}

fn managed(stage: &mut Stage) {
    let url = |name: &str| stage.sandbox.endpoint(name).expect("the world has this simulator").to_owned();
    let endpoints = format!("{{ login: '{}', graph: '{}', imds: '{}' }}", url("login"), url("graph"), url("metadata"));
    stage.edit(|pipe| {
        pipe.source("entra").unset("client_id");
        _ = pipe.entra("endpoints", &endpoints).entra("credential", "{ managed_identity: {} }");
    });
}

fn google_key(stage: &mut Stage) {
    let key = secret_of(stage, |secret| match secret {
        Secret::ServiceAccount { key_file, subject: Some(_), .. } => Some(key_file),
        _ => None,
    });
    let private = key["private_key"].as_str().expect("a key file holds a key").to_owned();
    let path = stage.hide("google.json", key.to_string(), &lines_of(&private));
    stage.edit(|pipe| {
        pipe.source("google").set("credential", &format!("{{ service_account_file: {path} }}"));
    });
}

const AUDIENCE: &str =
    "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci/providers/github";
const ACCOUNT: &str = "avatar-sync@avatar-sync.iam.gserviceaccount.com";

fn google_external(stage: &mut Stage) {
    let (url, token) = secret_of(stage, |secret| match secret {
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
    let path = stage.hide("external.json", file.to_string(), &[&token]);
    stage.edit(|pipe| {
        pipe.source("google").set("credential", &format!("{{ external_account_file: {path} }}"));
    });
}

fn google_federated(stage: &mut Stage) {
    github(stage);
    let federated = format!("{{ federated: {{ from: github, audience: '{AUDIENCE}', service_account: {ACCOUNT} }} }}");
    stage.edit(|pipe| {
        pipe.source("google").set("credential", &federated);
    });
}

/// Two companies and three products, and this kind of credential.
fn stage(kind: &Kind) -> Stage {
    let mut stage = Stage::connected(World::bundled("merged").unwrap_or_else(|fault| panic!("{fault}")));
    // The key of the source that is not looked at lies with the other secrets, too.
    google_key(&mut stage);
    std::fs::remove_file(stage.path("google-key.json")).expect("the key file of the stage");
    stage.edit(|pipe| _ = pipe.top("limits", "{ reverts: { count: 50, share: 100% }, foreign: { share: 100% } }"));
    (kind.put)(&mut stage);
    stage
}

/// Tokens, assertions and cookies that only the servers know, by their shape, in everything that was printed or written.
#[track_caller]
fn expect_nothing_derived(stage: &Stage, ended: &Ended) {
    let printed = [("standard output", ended.stdout.as_bytes()), ("standard error", ended.stderr.as_bytes())];
    let printed = printed.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
    let written = files(stage.folder()).into_iter().filter(|(name, _)| !name.starts_with("secret/"));
    for (place, bytes) in printed.into_iter().chain(written) {
        for (head, least) in [("eyJ", 20), ("ya29.", 8), ("Bearer ", 12), ("Basic ", 8), ("JSESSIONID=", 8)] {
            let found = bytes.windows(head.len()).enumerate().filter(|(_, window)| *window == head.as_bytes());
            for (at, _) in found {
                let rest = &bytes[at + head.len()..];
                let long = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || b"-_.+/=%".contains(b)).count();
                let text = String::from_utf8_lossy(&rest[..long.min(24)]).into_owned();
                ended.holds(long < least, &format!("no credential in {place}, found {head}{text}…"));
            }
        }
    }
}

#[track_caller]
fn finish(stage: &Stage, arguments: &[&str]) -> Ended {
    let ended = stage.finish(&[arguments, &LOUD].concat());
    expect_nothing_derived(stage, &ended);
    ended
}

/// What goes wrong at a server that was sent a secret.
fn failures() -> Vec<Effect> {
    let echo = |status, form| Effect::Echo { status, form };
    let answer = |status, headers: &[(&str, &str)], body: &str| {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Effect::Answer(Answer { status, headers, body: body.into() })
    };
    vec![
        echo(200, Form::Text),
        echo(400, Form::Oauth),
        echo(401, Form::Json),
        echo(403, Form::Page),
        echo(403, Form::Headers),
        echo(302, Form::Headers),
        answer(200, &[("content-type", "application/json")], "{\"access_token\": \"canary"),
        answer(301, &[("location", "https://elsewhere.invalid/")], ""),
    ]
}

#[test]
#[ignore = "minutes: hundreds of runs; `cargo test --test tests canaries -- --ignored`"]
fn no_command_gives_a_credential_away() {
    for kind in &KINDS {
        let stage = stage(kind);
        finish(&stage, &["check", "pipeline.yaml"]).expect_exit(0);
        finish(&stage, &["schema"]).expect_exit(0);
        let signed = finish(&stage, &["auth", "pipeline.yaml", "--probe", "--format", "json"]);
        let planned = finish(&stage, &["plan", "pipeline.yaml", "--out", "plan.json", "--report", "report"]);
        let ran = finish(&stage, &["run", "pipeline.yaml", "--report", "report"]);
        finish(&stage, &["status", "pipeline.yaml"]).expect_exit(0);
        for ended in [signed, planned, ran] {
            let said = format!("{}: {}", kind.name, if kind.works { "it works" } else { "it is refused" });
            ended.holds(ended.succeeded() == kind.works, &said);
        }
    }
}

#[test]
#[ignore = "minutes: hundreds of runs; `cargo test --test tests canaries -- --ignored`"]
fn no_failure_of_a_source_gives_a_credential_away() {
    for kind in KINDS.iter().filter(|kind| kind.name.starts_with("entra") || kind.name.starts_with("google")) {
        give_back(kind);
    }
}

#[test]
#[ignore = "minutes: hundreds of runs; `cargo test --test tests canaries -- --ignored`"]
fn no_failure_of_a_target_gives_a_credential_away() {
    for kind in KINDS.iter().filter(|kind| !kind.name.starts_with("entra") && !kind.name.starts_with("google")) {
        give_back(kind);
    }
}

/// Each server in turn gives back what it was sent, at its first request or at a later one.
fn give_back(kind: &Kind) {
    for simulator in kind.sent_to {
        let stage = stage(kind);
        for (nth, effect) in failures().into_iter().enumerate() {
            let skip = if nth % 3 == 2 { 2 } else { 0 };
            let number = stage.sandbox.faults().add(Fault::new(effect).at(simulator).after(skip));
            let arguments: &[&str] = match nth % 2 {
                0 => &["auth", "pipeline.yaml"],
                _ => &["plan", "pipeline.yaml", "--report", "report"],
            };
            finish(&stage, arguments);
            stage.sandbox.faults().remove(number);
        }
    }
}

#[test]
fn a_write_that_is_given_back_gives_nothing_away() {
    for form in [Form::Text, Form::Json, Form::Page, Form::Headers] {
        for simulator in ["jira", "confluence", "bitbucket"] {
            let stage = stage(&KINDS[0]);
            stage.sandbox.fault(Fault::new(Effect::Echo { status: 400, form }).at(simulator).on("POST", "*"));
            let ended = finish(&stage, &["run", "pipeline.yaml", "--report", "report"]);
            ended.holds(!ended.succeeded(), "a failure");
        }
    }
}

#[test]
fn a_server_that_speaks_no_tls_gives_nothing_away() {
    let mut stage = stage(&KINDS[0]);
    let https = stage.sandbox.endpoint("jira").expect("a Jira").replace("http://", "https://");
    stage.edit(|pipe| _ = pipe.jira("base_url", &format!("'{https}'")));
    finish(&stage, &["run", "pipeline.yaml", "--report", "report"]).expect_exit(6);
}
