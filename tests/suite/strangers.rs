//! Credentials go to the configured servers only: whoever else is named by a link, a redirect or a picture's address
//! hears nothing (promise P7; docs/architecture.md, "Where tokens may go").
//!
//! Owns: a stranger that writes down everything it is sent. Leaves to others: what is printed (`canaries`).
//! A newcomer gets wrong: another port of the same machine is another server.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use serde_json::{Value, json};

use super::company::Company;
use super::stage::Stage;

/// A server that nobody configured.
struct Stranger {
    address: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Stranger {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        // It ends with the process: nothing waits for it.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let request = answer(stream);
                log.lock().expect("the log of a stranger").push(request);
            }
        });
        Self { address, heard }
    }

    /// Everything that was sent to it.
    fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("the log of a stranger").clone()
    }
}

/// Takes what comes, and answers as a friend would.
fn answer(mut stream: TcpStream) -> String {
    let mut request = vec![0; 64 << 10];
    _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let length = stream.read(&mut request).unwrap_or_default();
    let body = "{\"value\":[],\"values\":[],\"users\":[],\"access_token\":\"strange\",\"expires_in\":3599}";
    _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    String::from_utf8_lossy(&request[..length]).into_owned()
}

/// A company whose every server has something of ours: a secret, a token, a header.
fn stage() -> Stage {
    let company = Company::of(&["ada", "grace"]).with_google(&["leslie"]).everywhere();
    let mut stage = Stage::connected(company.world());
    stage.set("HEADER", "canary-header-value");
    stage.edit(|pipe| _ = pipe.top("http", "{ default: { headers: { X-Api-Key: '${HEADER}' } } }"));
    stage
}

#[track_caller]
fn expect_unheard(stranger: &Stranger, why: &str) {
    // A stranger could be told of the world, but there is no reason to: not one request.
    assert_eq!(stranger.heard(), [""; 0], "{why}");
}

fn with_headers(status: u16, headers: &[(&str, String)], body: Value) -> Effect {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Effect::Answer(Answer { status, headers, body })
}

#[test]
fn a_redirect_to_another_server_is_not_followed() {
    let stranger = Stranger::new();
    let stage = stage();
    let host = &stranger.address;
    // With the credential of a link, too: whoever follows it would sign in there.
    let mut locations =
        [format!("http://{host}/x"), format!("https://{host}/x"), format!("//svc:pw@{host}/x")].into_iter().cycle();
    for status in [301, 302, 303, 307, 308] {
        for (simulator, method) in [
            ("login", "POST"),
            ("graph", "GET"),
            ("graph", "POST"),
            ("token", "POST"),
            ("directory", "GET"),
            ("directory", "POST"),
            ("jira", "GET"),
            ("confluence", "GET"),
            ("confluence", "POST"),
            ("bitbucket", "GET"),
        ] {
            let location = locations.next().expect("it begins again");
            let effect = with_headers(status, &[("location", location.clone())], Value::Null);
            let number = stage.sandbox.faults().add(Fault::new(effect).at(simulator).on(method, "*"));
            stage.plan_with(&["-vvv"]);
            stage.sandbox.faults().remove(number);
            expect_unheard(&stranger, &format!("{status} of {method} at {simulator} to {location}"));
        }
    }
}

#[test]
fn a_write_that_is_redirected_goes_nowhere_else() {
    let stranger = Stranger::new();
    for status in [301, 307, 308] {
        for simulator in ["jira", "confluence", "bitbucket"] {
            let stage = stage();
            let location = format!("http://{}/x", stranger.address);
            let effect = with_headers(status, &[("location", location)], Value::Null);
            stage.sandbox.fault(Fault::new(effect).at(simulator).on("POST", "*"));
            let ended = stage.run_with(&["-vvv"]);
            ended.holds(!ended.succeeded(), "a failure");
            expect_unheard(&stranger, &format!("{status} at {simulator}"));
        }
    }
}

#[test]
fn a_next_link_to_another_server_is_not_followed() {
    let stranger = Stranger::new();
    for scheme in ["http", "https"] {
        let next = format!("{scheme}://{}/v1.0/users?$skiptoken=x", stranger.address);
        let page = json!({ "value": [], "@odata.nextLink": next });
        let stage = stage();
        let effect = with_headers(200, &[], page);
        stage.sandbox.fault(Fault::new(effect).at("graph").on("GET", "/v1.0/users"));
        stage.run_with(&["-vvv"]).expect_exit(6).expect_answer("leads to another host");
        expect_unheard(&stranger, &next);
    }
    // Confluence hands out paths and whole addresses.
    let page = json!({ "results": [], "_links": { "next": format!("http://{}/rest/api/x", stranger.address) } });
    let stage = stage();
    stage.sandbox.fault(Fault::new(with_headers(200, &[], page)).at("confluence").on("GET", "*/user/list"));
    let ended = stage.run_with(&["-vvv"]);
    ended.holds(!ended.succeeded(), "a failure");
    expect_unheard(&stranger, "a next link of Confluence");
}

#[test]
fn a_picture_at_another_server_is_not_looked_at() {
    let stranger = Stranger::new();
    let at = |path: &str| format!("http://{}{path}", stranger.address);
    let jira = json!({ "values": [{ "key": "JIRAUSER10200", "name": "ada", "emailAddress": "ada@contoso.example", "active": true,
        "avatarUrls": { "48x48": at("/secure/useravatar?ownerId=JIRAUSER10200&avatarId=15000") } }], "isLast": true });
    let users = json!([jira["values"][0]]);
    let wiki = json!({ "results": [{ "type": "known", "username": "ada", "userKey": "f1", "displayName": "ada",
        "profilePicture": { "path": at("/download/attachments/7/ada.png"), "isDefault": false } }], "_links": {} });
    let git = json!({ "values": [{ "id": 1, "name": "ada", "slug": "ada", "emailAddress": "ada@contoso.example", "type": "NORMAL",
        "active": true, "avatarUrl": at("/users/ada/avatar.png?s=64&v=1700000000000") }], "isLastPage": true });
    for (simulator, path, page) in [
        ("jira", "*/user/list", jira),
        ("jira", "*/user/search", users),
        ("confluence", "*/user/list", wiki),
        ("bitbucket", "*/users", git),
    ] {
        let stage = stage();
        stage.sandbox.fault(Fault::new(with_headers(200, &[], page)).at(simulator).on("GET", path));
        stage.run_with(&["-vvv"]);
        expect_unheard(&stranger, &format!("a picture of {simulator}"));
    }
}
