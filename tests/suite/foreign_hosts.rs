//! Credentials go to the configured servers only: whoever else is named by a link, a redirect or a picture's address
//! hears nothing (promise P7; docs/architecture.md, "Where tokens may go").
//!
//! Owns: a foreign host that writes down everything it is sent. Leaves to others: what is printed (`canaries`).
//! A newcomer gets wrong: another port of the same machine is another server.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use serde_json::{Value, json};

use super::harness::Harness;
use super::population::Population;

/// A server that nobody configured.
struct ForeignHost {
    address: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl ForeignHost {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        // It ends with the process: nothing waits for it.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let request = answer(stream);
                log.lock().expect("the log of a foreign host").push(request);
            }
        });
        Self { address, heard }
    }

    /// Everything that was sent to it.
    fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("the log of a foreign host").clone()
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
fn harness() -> Harness {
    let population = Population::of(&["ada", "grace"]).with_google(&["leslie"]).everywhere();
    let mut harness = Harness::connected(population.world());
    harness.set("HEADER", "canary-header-value");
    harness.edit(|pipe| _ = pipe.top("http", "{ default: { headers: { X-Api-Key: '${HEADER}' } } }"));
    harness
}

#[track_caller]
fn expect_unheard(foreign_host: &ForeignHost, why: &str) {
    // A foreign host could be told of the world, but there is no reason to: not one request.
    assert_eq!(foreign_host.heard(), [""; 0], "{why}");
}

fn with_headers(status: u16, headers: &[(&str, String)], body: Value) -> Effect {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Effect::Answer(Answer { status, headers, body })
}

#[test]
fn a_redirect_to_another_server_is_not_followed() {
    let foreign_host = ForeignHost::new();
    let harness = harness();
    let host = &foreign_host.address;
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
            let number = harness.sandbox.faults().add(Fault::new(effect).at(simulator).on(method, "*"));
            harness.plan_with(&["-vvv"]);
            harness.sandbox.faults().remove(number);
            expect_unheard(&foreign_host, &format!("{status} of {method} at {simulator} to {location}"));
        }
    }
}

#[test]
fn a_write_that_is_redirected_goes_nowhere_else() {
    let foreign_host = ForeignHost::new();
    for status in [301, 307, 308] {
        for simulator in ["jira", "confluence", "bitbucket"] {
            let harness = harness();
            let location = format!("http://{}/x", foreign_host.address);
            let effect = with_headers(status, &[("location", location)], Value::Null);
            harness.sandbox.fault(Fault::new(effect).at(simulator).on("POST", "*"));
            let ended = harness.run_with(&["-vvv"]);
            ended.holds(!ended.succeeded(), "a failure");
            expect_unheard(&foreign_host, &format!("{status} at {simulator}"));
        }
    }
}

#[test]
fn a_next_link_to_another_server_is_not_followed() {
    let foreign_host = ForeignHost::new();
    for scheme in ["http", "https"] {
        let next = format!("{scheme}://{}/v1.0/users?$skiptoken=x", foreign_host.address);
        let page = json!({ "value": [], "@odata.nextLink": next });
        let harness = harness();
        let effect = with_headers(200, &[], page);
        harness.sandbox.fault(Fault::new(effect).at("graph").on("GET", "/v1.0/users"));
        harness.run_with(&["-vvv"]).expect_exit(6).expect_answer("leads to another host");
        expect_unheard(&foreign_host, &next);
    }
    // Confluence hands out paths and whole addresses.
    let page = json!({ "results": [], "_links": { "next": format!("http://{}/rest/api/x", foreign_host.address) } });
    let harness = harness();
    harness.sandbox.fault(Fault::new(with_headers(200, &[], page)).at("confluence").on("GET", "*/user/list"));
    let ended = harness.run_with(&["-vvv"]);
    ended.holds(!ended.succeeded(), "a failure");
    expect_unheard(&foreign_host, "a next link of Confluence");
}

#[test]
fn a_picture_at_another_server_is_not_looked_at() {
    let foreign_host = ForeignHost::new();
    let at = |path: &str| format!("http://{}{path}", foreign_host.address);
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
        let harness = harness();
        harness.sandbox.fault(Fault::new(with_headers(200, &[], page)).at(simulator).on("GET", path));
        harness.run_with(&["-vvv"]);
        expect_unheard(&foreign_host, &format!("a picture of {simulator}"));
    }
}
