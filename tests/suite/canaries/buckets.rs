//! What opens object storage, at a store that gives back all that it is sent: as a state, as a target and for reports.
//!
//! Owns: the kinds of credentials, the store. Leaves to others: what is derived from a secret (`super`).
//! A newcomer gets wrong: of a signature nobody learns the key, and it opens the same request for some minutes. So none comes
//! out, either.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use super::super::bad_line::request;
use super::super::harness::Harness;
use super::super::stores::{Place, azure, azure_by_signature, google, s3, s3_by_role, s3_for_a_while};
use super::{finish, http};

const STATE: [&[&str]; 4] = [
    &["run", "pipeline.yaml", "--report", "report"],
    &["plan", "pipeline.yaml", "--report", "report"],
    &["status", "pipeline.yaml"],
    &["state", "pipeline.yaml", "break-lease"],
];
const PICTURES: [&[&str]; 2] = [&["run", "pipeline.yaml", "--report", "report"], &["auth", "pipeline.yaml", "--probe"]];

/// How a store gives something back.
const FORMS: [fn(&str) -> String; 8] = [
    |sent| answer("200 OK", "etag: \"1\"\r\ncontent-type: text/plain", sent),
    |sent| answer("200 OK", &format!("etag: \"{}\"", in_line(sent)), ""),
    |sent| answer("400 Bad Request", "content-type: application/xml", &error(sent)),
    |sent| answer("403 Forbidden", "content-type: application/xml", &error(sent)),
    |sent| answer("403 Forbidden", &format!("x-amz-request-id: {}", in_line(sent)), "<p>no</p>"),
    |sent| answer("302 Found", &format!("location: https://elsewhere.invalid/?{}", in_line(sent)), ""),
    |sent| answer("503 Slow Down", "content-type: application/json", &serde_json::json!({ "sent": sent }).to_string()),
    |sent| answer("404 Not Found", "content-type: text/html", &error(sent)),
];

/// What a role becomes: a key that only the store knows, and the program.
const KEY: [&str; 2] = ["canary/key+of/the-role", "canary//token+of+the/role=="];

/// What a secret of an app registration becomes, likewise.
const TOKEN: &str = "canary.token-of/the+app==";

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}\r\nx-ms-version: 2020\r\nlast-modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn error(sent: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><Error><Code>AuthorizationHeaderMalformed</Code><Message>{}</Message></Error>",
        sent.replace('&', "&amp;").replace('<', "&lt;")
    )
}

fn in_line(sent: &str) -> String {
    sent.replace(['\r', '\n', '"'], " ")
}

/// A store that gives back all that it is sent, in one form after the other.
struct Echo {
    url: String,
    form: Arc<AtomicUsize>,
    listening: Option<JoinHandle<()>>,
}

/// Ends it.
const OVER: usize = usize::MAX;

impl Echo {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let form = Arc::new(AtomicUsize::new(0));
        let now = Arc::clone(&form);
        let listening = std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                match now.load(Ordering::Acquire) {
                    OVER => return,
                    // Whoever hangs up has heard enough.
                    form => drop(give_back(client, form)),
                }
            }
        });
        Self { url, form, listening: Some(listening) }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.form.store(OVER, Ordering::Release);
        _ = TcpStream::connect(self.url.trim_start_matches("http://"));
        if let Some(listening) = self.listening.take() {
            _ = listening.join();
        }
    }
}

fn give_back(mut client: TcpStream, nth: usize) -> std::io::Result<()> {
    let (head, body) = request(&mut client)?;
    let body = String::from_utf8_lossy(&body);
    let [secret, token] = KEY;
    let answer = match body.contains("AssumeRoleWithWebIdentity") {
        true => answer(
            "200 OK",
            "content-type: text/xml",
            &format!(
                "<AssumeRoleWithWebIdentityResponse><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>{secret}\
                 </SecretAccessKey><SessionToken>{token}</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>\
                 </AssumeRoleWithWebIdentityResponse>"
            ),
        ),
        // The first form is of a login that gives back what it was sent.
        false if body.contains("grant_type=client_credentials") && nth > 0 => answer(
            "200 OK",
            "content-type: application/json",
            &format!("{{ \"token_type\": \"Bearer\", \"expires_in\": 3600, \"access_token\": \"{TOKEN}\" }}"),
        ),
        // A listing or a picture is enough of the body.
        false => FORMS[nth](&format!("{head}{}", body.chars().filter(char::is_ascii).take(2000).collect::<String>())),
    };
    client.write_all(answer.as_bytes())?;
    client.shutdown(std::net::Shutdown::Write)?;
    client.read(&mut [0]).map(drop)
}

fn go_through(place: fn(&str, &str) -> Place, secrets: &[&str]) {
    let echo = Echo::start();
    let of = |asked: fn(&Place, &mut Harness)| {
        let mut harness = Harness::with_people(&["ada"]);
        asked(&place(&echo.url, "p"), &mut harness);
        secrets.iter().for_each(|secret| harness.keep(secret));
        harness.edit(|pipe| _ = pipe.top("http", &http("timeout: 5s")));
        harness
    };
    let state = of(|place, harness| place.for_state(harness, ""));
    let pictures = of(|place, harness| {
        place.for_pictures(harness);
        place.for_reports(harness, "");
    });
    for nth in 0..FORMS.len() {
        echo.form.store(nth, Ordering::Release);
        // What is asked of a key is known of the last form, too: so each form meets another command.
        finish(&state, STATE[nth % STATE.len()]);
        let ended = finish(&state, STATE[0]);
        ended.holds(!ended.succeeded(), "a failure");
        finish(&pictures, PICTURES[nth % PICTURES.len()]);
    }
}

#[test]
fn a_key_of_amazon() {
    go_through(s3, &[]);
}

#[test]
fn a_key_of_amazon_that_ends() {
    go_through(s3_for_a_while, &[]);
}

#[test]
fn a_role_of_amazon() {
    go_through(s3_by_role, &KEY);
}

#[test]
fn a_key_of_azure() {
    go_through(azure, &[]);
}

#[test]
fn a_signature_of_azure() {
    go_through(azure_by_signature, &["canary/signature+0123456789=", "canary%2Fsignature%2B0123456789%3D"]);
}

#[test]
fn a_key_file_of_google() {
    go_through(google, &[]);
}

/// A secret of an app registration, and a token of a CI platform, where the environment has them: a login that the file names
/// is the cloud's own, which no test reaches.
#[test]
fn a_sign_in_by_entra() {
    let echo = Echo::start();
    for federated in [false, true] {
        let mut harness = Harness::with_people(&["ada"]);
        azure(&echo.url, "p").by_the_environment().for_state(&mut harness, "");
        harness.keep(TOKEN);
        let secret = "canary.secret+of/the~app";
        if federated {
            let file = harness.hide("token", secret, &[secret]);
            harness.tell("AZURE_FEDERATED_TOKEN_FILE", &file);
        } else {
            harness.set("AZURE_CLIENT_SECRET", secret);
        }
        for (name, value) in [
            ("AZURE_STORAGE_ACCOUNT_NAME", "corpavatars"),
            ("AZURE_CLIENT_ID", "6f2c1e0a-3b7d-4c59-8a41-9d0e5b7c2f13"),
            ("AZURE_TENANT_ID", "contoso.example"),
            ("AZURE_AUTHORITY_HOST", &echo.url),
        ] {
            harness.tell(name, value);
        }
        harness.edit(|pipe| _ = pipe.top("http", &http("timeout: 5s")));
        for nth in 0..FORMS.len() {
            echo.form.store(nth, Ordering::Release);
            let ended = finish(&harness, STATE[0]);
            ended.holds(!ended.succeeded(), "a failure");
        }
    }
}

/// The same secrets, where the environment has them.
#[test]
fn what_the_environment_has() {
    let echo = Echo::start();
    for (secrets, open, place) in [
        (
            &[("AWS_SECRET_ACCESS_KEY", "canary/key+0123456789"), ("AWS_SESSION_TOKEN", "canary//token+0123456789==")]
                [..],
            &[("AWS_ACCESS_KEY_ID", "AKIA")][..],
            s3 as fn(&str, &str) -> Place,
        ),
        (
            &[("AZURE_STORAGE_ACCOUNT_KEY", "Y2FuYXJ5LWtleS1vZi10aGUtYWNjb3VudA==")],
            &[("AZURE_STORAGE_ACCOUNT_NAME", "corpavatars")],
            azure,
        ),
        (
            &[("AZURE_STORAGE_SAS_TOKEN", "sv=2024-11-04&sp=racwd&sig=canary%2Fsignature%2B0123456789%3D")],
            &[("AZURE_STORAGE_ACCOUNT_NAME", "corpavatars")],
            azure,
        ),
    ] {
        let mut harness = Harness::with_people(&["ada"]);
        place(&echo.url, "p").by_the_environment().for_state(&mut harness, "");
        secrets.iter().for_each(|(name, secret)| harness.set(name, secret));
        open.iter().for_each(|(name, value)| harness.tell(name, value));
        harness.edit(|pipe| _ = pipe.top("http", &http("timeout: 5s")));
        for nth in 0..FORMS.len() {
            echo.form.store(nth, Ordering::Release);
            let ended = finish(&harness, STATE[0]);
            ended.holds(!ended.succeeded(), "a failure");
        }
    }
}
