//! What is around the simulators: faults on the wire, log, state, control.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use super::faults::{Answer, Effect, Fault};
use super::testing::{TestSandbox, send};
use super::{Options, Ports, Sandbox, World};

fn tiny() -> World {
    World::bundled("tiny").unwrap_or_else(|e| panic!("{e}"))
}

/// Looks again and again; gives up when only a defect can explain the wait.
async fn until(done: impl Fn() -> bool) {
    let looks = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), looks).await.expect("it never came about");
}

#[tokio::test]
async fn a_dropped_request_is_not_handled_and_one_dropped_later_is() {
    let sandbox = TestSandbox::new(tiny());
    let issued = async || sandbox.running.command("graph", &json!({ "revoke_tokens": {} })).unwrap()["revoked"].clone();
    for (effect, handled) in [(Effect::Drop {}, 0), (Effect::HandleThenDrop {}, 1)] {
        sandbox.running.fault(Fault::new(effect.clone()).at("login").times(1));
        let url = sandbox.url("login", "/contoso.example/oauth2/v2.0/token");
        let error = send(sandbox.http.post(url).form(&sandbox.form())).await.unwrap_err();
        assert!(error.is_request(), "{error:?}");
        assert_eq!(issued().await, handled, "{effect:?}");
        let entry = sandbox.running.requests().entries().pop().unwrap();
        assert_eq!((entry.status, entry.fault), (None, Some(effect.word())));
    }
}

#[tokio::test]
async fn a_request_can_be_handled_after_its_connection_is_gone() {
    let sandbox = TestSandbox::new(tiny());
    sandbox.running.fault(Fault::new(Effect::HandleLate { after_ms: 1 }).at("login"));
    let url = sandbox.url("login", "/contoso.example/oauth2/v2.0/token");
    send(sandbox.http.post(url).form(&sandbox.form())).await.unwrap_err();
    until(|| sandbox.running.command("graph", &json!({ "revoke_tokens": {} })).unwrap()["revoked"] == 1).await;
}

#[tokio::test]
async fn answers_can_be_replaced_cut_and_dripped() {
    let sandbox = TestSandbox::new(tiny());
    let token = sandbox.token().await;
    let users = || send(sandbox.http.get(sandbox.url("graph", "/v1.0/users")).bearer_auth(&token));
    let whole = users().await.unwrap();
    let strike = |effect| sandbox.running.fault(Fault::new(effect).on("GET", "/v1.0/users").times(1));

    strike(Effect::Answer(Answer::retry_after(429, "9223372036854775807")));
    let got = users().await.unwrap();
    assert_eq!((got.status, got.headers["retry-after"].as_str()), (429, "9223372036854775807"));
    strike(Effect::Truncate { after_bytes: 10 });
    let error = users().await.unwrap_err();
    assert!(error.is_body() || error.is_decode(), "the head came, the body did not: {error:?}");
    strike(Effect::Drip { bytes: 64, every_ms: 0 });
    assert_eq!(users().await.unwrap().bytes.len(), whole.bytes.len());
    strike(Effect::LoginPage {});
    let got = users().await.unwrap();
    assert!(got.status == 200 && got.headers["content-type"].starts_with("text/html"), "{got:?}");
    assert_eq!(users().await.unwrap().status, 200, "every fault was struck once");
}

#[tokio::test]
async fn a_body_can_go_on_for_ever() {
    let sandbox = TestSandbox::new(tiny());
    let token = sandbox.token().await;
    sandbox.running.fault(Fault::new(Effect::Endless {}).on("GET", "/v1.0/users").times(1));
    let request = sandbox.http.get(sandbox.url("graph", "/v1.0/users")).bearer_auth(&token);
    let mut response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let mut body = Vec::new();
    while !body.ends_with(b"   ") {
        body.extend_from_slice(&response.chunk().await.unwrap().expect("there is always more"));
    }
    assert!(serde_json::from_slice::<serde_json::Value>(&body).unwrap()["value"].is_array(), "the answer is in it");
}

#[tokio::test]
async fn a_gateway_can_lose_patience_with_a_request_that_is_handled() {
    let sandbox = TestSandbox::new(tiny());
    let answer = Answer { status: 504, ..Answer::default() };
    sandbox.running.fault(Fault::new(Effect::HandleThenAnswer(answer)).at("login").times(1));
    assert_eq!(sandbox.sign_in("contoso.example", &sandbox.form()).await.status, 504);
    assert_eq!(sandbox.running.command("graph", &json!({ "revoke_tokens": {} })).unwrap()["revoked"], 1);
}

#[tokio::test]
async fn a_token_can_run_out_in_the_middle() {
    let sandbox = TestSandbox::new(tiny());
    let token = sandbox.token().await;
    sandbox.running.fault(Fault::new(Effect::Special("token_expired".into())).at("graph").after(1).times(1));
    let statuses = [200, 401, 401];
    for status in statuses {
        assert_eq!(sandbox.graph(&token, "/v1.0/users").await.status, status);
    }
    assert_eq!(sandbox.graph(&sandbox.token().await, "/v1.0/users").await.status, 200);
}

#[tokio::test]
async fn the_log_knows_who_asked_what() {
    let sandbox = TestSandbox::new(tiny());
    let token = sandbox.token().await;
    sandbox.graph(&token, "/v1.0/users?$top=2").await;
    let entry = sandbox.running.requests().entries().pop().unwrap();
    assert_eq!((entry.path.as_str(), entry.query.as_deref(), entry.status), ("/v1.0/users", Some("$top=2"), Some(200)));
    assert_eq!(entry.who.as_deref(), Some("3b6c1d52-7e1f-4a0e-9a53-2c0f4d7f8e90"));
    assert_eq!((sandbox.running.requests().of("graph"), sandbox.running.requests().of("login")), (1, 1));
}

#[tokio::test]
async fn everything_can_be_controlled_over_http() {
    let sandbox = TestSandbox::new(tiny());
    let token = sandbox.token().await;
    let fault = json!({ "on": { "simulator": "graph", "path": "/v1.0/users*" }, "times": 1,
                        "effect": { "answer": { "status": 503 } } });
    assert_eq!(sandbox.control("/_sandbox/faults", &fault).await.json()["number"], 1);
    assert_eq!(sandbox.graph(&token, "/v1.0/users").await.status, 503);
    assert_eq!(sandbox.control("/_sandbox/faults", &json!({ "effect": "nonsense" })).await.status, 400);
    let typo = json!({ "on": { "simulator": "grap" }, "effect": { "drop": {} } });
    assert_eq!(sandbox.control("/_sandbox/faults", &typo).await.status, 400, "such a fault would never strike");
    assert_eq!(sandbox.control("/_sandbox/switches", &json!({ "graph": { "page_size": "2" } })).await.status, 204);
    assert!(sandbox.graph(&token, "/v1.0/users").await.json()["@odata.nextLink"].is_string());
    let got = sandbox.control("/_sandbox/switches", &json!({ "graph": { "page_sise": "2" } })).await;
    assert!(got.status == 400 && got.json()["error"].as_str().unwrap().contains("page_size"));
    let gone = json!({ "delete": { "person": "alan@contoso.example" } });
    assert_eq!(sandbox.control("/_sandbox/do/graph", &gone).await.status, 200);
    assert_eq!(sandbox.running.truth().people.len(), 2);
    assert_eq!(sandbox.control("/_sandbox/time", &json!({ "seconds": 10_000 })).await.status, 204);
    assert_eq!(sandbox.graph(&token, "/v1.0/users").await.status, 401);
    let all = send(sandbox.http.get(format!("{}/_sandbox/requests", sandbox.running.page()))).await.unwrap().json();
    assert_eq!(all["counts"]["graph GET /v1.0/users"]["requests"], 3);
    assert_eq!(sandbox.control("/_sandbox/requests/reset", &json!({})).await.status, 204);
    assert_eq!(sandbox.running.requests().entries().len(), 0);
}

#[tokio::test]
async fn the_state_outlives_the_process_and_ends_with_the_world() {
    let folder = tempfile::tempdir().unwrap();
    let start =
        |world| Sandbox::start(world, Options { state: Some(folder.path().into()), ..Options::default() }).unwrap();
    let photo = |running: &super::Running, name: &str| {
        running.truth().people.into_iter().find(|p| p.user_name.starts_with(name)).unwrap().photo.map(|p| p.0)
    };
    let first = start(tiny());
    assert!(!first.resumed() && photo(&first, "alan").is_none());
    let grace = photo(&first, "grace");
    let now = json!({ "photo": { "person": "alan@contoso.example", "now": { "file": "pictures/grace.jpg" } } });
    first.command("graph", &now).unwrap();
    drop(first);

    let second = start(tiny());
    assert!(second.resumed() && photo(&second, "alan") == grace);
    drop(second);

    let mut edited = tiny();
    edited.digest.push('x');
    let third = start(edited);
    assert!(!third.resumed() && photo(&third, "alan").is_none(), "an edited world starts afresh");
}

#[test]
fn one_sandbox_has_a_folder_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Sandbox::start(tiny(), Options { state: Some(folder.path().into()), ..Options::default() });
    let first = start().unwrap();
    let refused = start().unwrap_err();
    assert!(refused.is_in_use(), "{refused}");
    let text = refused.to_string();
    assert!(text.contains(&folder.path().display().to_string()) && text.contains("stop it"), "{text}");
    drop(first);
    assert!(start().unwrap().resumed(), "it is free again");
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Sandbox::start(tiny(), Options { ports: Ports::From(port), state: None }).unwrap_err().to_string();
    assert!(error.contains(&format!("127.0.0.1:{port}")), "{error}");
}

#[tokio::test]
async fn a_sandbox_stops_at_once_when_it_is_dropped() {
    let sandbox = TestSandbox::new(tiny());
    let url = sandbox.url("graph", "/v1.0/users");
    sandbox.running.fault(Fault::new(Effect::Delay { ms: 3_600_000 }).at("graph"));
    let request = sandbox.http.get(&url).timeout(Duration::from_millis(1));
    request.send().await.unwrap_err();
    drop(sandbox.running);
    assert!(sandbox.http.get(&url).send().await.unwrap_err().is_connect());
}

#[tokio::test]
async fn a_server_goes_on_when_its_client_has_left() {
    let sandbox = TestSandbox::new(tiny());
    sandbox.running.fault(Fault::new(Effect::Delay { ms: 200 }).at("login"));
    let address = sandbox.running.endpoint("login").unwrap().trim_start_matches("http://").to_owned();
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"GET /t/v2.0/.well-known/openid-configuration HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    until(|| sandbox.running.requests().of("login") == 1).await;
    drop(client);
    until(|| sandbox.running.requests().entries()[0].status == Some(200)).await;
}

#[tokio::test]
async fn a_held_request_is_handled_when_it_is_let_go_and_not_before() {
    let sandbox = TestSandbox::new(tiny());
    let issued = || sandbox.running.command("graph", &json!({ "revoke_tokens": {} })).unwrap()["revoked"].clone();
    sandbox.running.fault(Fault::new(Effect::HandleOnRelease {}).at("login").times(1));
    let url = sandbox.url("login", "/contoso.example/oauth2/v2.0/token");
    sandbox.http.post(&url).form(&sandbox.form()).timeout(Duration::from_millis(50)).send().await.unwrap_err();
    until(|| sandbox.running.requests().of("login") == 1).await;
    send(sandbox.http.post(&url).form(&sandbox.form())).await.unwrap();
    assert_eq!(issued(), 1, "only the second one");
    assert_eq!(sandbox.control("/_sandbox/release", &json!({})).await.status, 204);
    until(|| sandbox.running.requests().entries()[0].status == Some(200)).await;
    assert_eq!(issued(), 1, "the first one, after its client had left");
}

#[tokio::test]
async fn the_page_shows_everybody_and_lets_nothing_through() {
    let mut world = tiny();
    world.entra[0].people[0].name = "<script>alert(1)</script>".to_owned();
    let sandbox = TestSandbox::new(world);
    let got = async |path: &str| send(sandbox.http.get(format!("{}{path}", sandbox.running.page()))).await.unwrap();
    let html = String::from_utf8(got("/").await.bytes).unwrap();
    assert!(html.contains("Grace Okafor") && html.contains("JIRAUSER10100") && html.contains("image not found"));
    assert!(html.contains("&lt;script&gt;alert") && html.matches("<script").count() == 1, "a name is no markup");
    let picture = html.split("src=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let picture = got(picture).await;
    assert!(picture.status == 200 && picture.headers["content-type"].starts_with("image/"));
    for (path, status) in [("/page.css", 200), ("/page.js", 200), ("/picture/nonsense", 404)] {
        assert_eq!(got(path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn an_open_page_is_told_what_changed_and_nothing_else() {
    let sandbox = TestSandbox::new(tiny());
    let got = async |path: &str| send(sandbox.http.get(format!("{}{path}", sandbox.running.page()))).await.unwrap();
    let html = String::from_utf8(got("/").await.bytes).unwrap();
    let first = html.split("data-at=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let upload = json!({ "upload": { "name": "grace", "picture": "pictures/ada.jpg" } });
    sandbox.running.command("jira", &upload).unwrap();
    let news = got(&format!("/changes?since={first}")).await.json();
    let rows: Vec<_> = news["rows"].as_array().unwrap().iter().map(|row| row["html"].as_str().unwrap()).collect();
    assert!(matches!(rows[..], [row] if row.contains("Grace Okafor") && row.contains("changed")), "{news}");
    assert!(news["pieces"]["verdict"].as_str().unwrap().contains("1 account shows"), "{news}");

    let at = news["at"].as_str().unwrap();
    let waiting = tokio::spawn(sandbox.http.get(format!("{}/changes?since={at}", sandbox.running.page())).send());
    let again = got(&format!("/changes?since={first}")).await.json();
    assert_eq!(again["rows"].as_array().unwrap().len(), 1, "a page that is behind is told at once");
    assert_eq!(got("/changes?since=another.1").await.json(), json!({ "reload": true }));
    let news: serde_json::Value = waiting.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!((&news["rows"], &news["ended"]), (&json!([]), &json!(false)));
}

#[test]
fn two_simulators_of_one_name_are_refused() {
    let mut world = tiny();
    world.jira.push(world.jira[0].clone());
    let error = Sandbox::start(world, Options::default()).unwrap_err().to_string();
    assert!(error.contains("two simulators named jira"), "{error}");
}
