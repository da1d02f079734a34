//! Logins, sessions, CAPTCHA, nodes, forged requests, rate limiting.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::faults::{Effect, Fault, Match};

use super::{ADMIN, As, Heard, Set, TestSandbox, client, corners, quarters};

const MYSELF: &str = "/rest/api/2/myself";
const INFO: &str = "/rest/api/2/serverInfo";

#[tokio::test]
async fn who_may_see_what_by_version() {
    let token = As::Token("tok");
    // version, switches, path, login → status, login reason, user
    let table: &[(&str, Set, &str, As, u16, &str, &str)] = &[
        ("9.12.5", &[], MYSELF, As::Nobody, 401, "OUT", "anonymous"),
        ("9.12.5", &[], INFO, As::Nobody, 200, "OUT", "anonymous"),
        ("9.12.5", &[("anonymous_server_info", "refused")], INFO, As::Nobody, 401, "OUT", "anonymous"),
        ("9.12.5", &[], MYSELF, ADMIN, 200, "OK", "svc"),
        ("9.12.5", &[], MYSELF, token, 200, "OK", "svc"),
        ("9.12.5", &[], MYSELF, As::Token("dead"), 401, "AUTHENTICATED_FAILED", "anonymous"),
        ("9.12.5", &[], INFO, As::Token("dead"), 200, "AUTHENTICATED_FAILED", "anonymous"),
        ("9.12.5", &[("bad_token", "refused")], INFO, As::Token("dead"), 401, "AUTHENTICATED_FAILED", "anonymous"),
        ("9.12.5", &[], INFO, As::Basic("svc", "wrong"), 401, "AUTHENTICATED_FAILED", "anonymous"),
        (
            "9.12.5",
            &[("bad_password", "anonymous")],
            INFO,
            As::Basic("svc", "wrong"),
            200,
            "AUTHENTICATED_FAILED",
            "anonymous",
        ),
        ("9.12.5", &[], MYSELF, As::Basic("svc", "tok"), 401, "AUTHENTICATED_FAILED", "anonymous"),
        ("9.12.5", &[], MYSELF, As::Basic("SVC", "pw"), 200, "OK", "svc"),
        ("8.5.0", &[], MYSELF, token, 401, "OUT", "anonymous"),
        ("8.20.1", &[], MYSELF, token, 200, "OK", "svc"),
        ("11.0.0", &[], MYSELF, token, 200, "OK", "svc"),
        ("11.0.0", &[], MYSELF, ADMIN, 403, "OUT", "anonymous"),
        ("11.0.0", &[], INFO, ADMIN, 403, "OUT", "anonymous"),
        ("11.0.0", &[("basic_auth", "on")], MYSELF, ADMIN, 200, "OK", "svc"),
    ];
    for (version, switches, path, who, status, reason, user) in table {
        let heard = TestSandbox::new(version, switches).get(path, *who).await;
        let found = (heard.status, heard.header("X-Seraph-LoginReason"), heard.header("X-AUSERNAME"));
        assert_eq!(found, (*status, *reason, *user), "{version} {switches:?} {path} {who:?}");
    }
    let refused = TestSandbox::new("11.0.0", &[]).get(MYSELF, ADMIN).await.json();
    assert_eq!(refused, json!({"message": "Basic Authentication has been disabled on this instance."}));
}

#[tokio::test]
async fn the_captcha_comes_after_three_failures_and_stays() {
    for (status, word) in [(403, "403"), (401, "401")] {
        let sandbox = TestSandbox::new("9.12.5", &[("captcha_status", word)]);
        for _ in 0..3 {
            let heard = sandbox.get(MYSELF, As::Basic("ada", "wrong")).await;
            assert_eq!(heard.header("X-Seraph-LoginReason"), "AUTHENTICATED_FAILED");
        }
        let denied = sandbox.get(INFO, As::Basic("ada", "pw")).await;
        assert_eq!((denied.status, denied.header("X-Seraph-LoginReason")), (status, "AUTHENTICATION_DENIED"));
        let reason = format!("CAPTCHA_CHALLENGE; login-url={}/login.jsp", sandbox.base);
        assert_eq!(denied.header("X-Authentication-Denied-Reason"), reason);
        assert_eq!(sandbox.get(MYSELF, ADMIN).await.status, 200, "others are not touched");
        sandbox.running.command("jira", &json!({"clear_captcha": {"name": "ada"}})).expect("a command");
        assert_eq!(sandbox.get(MYSELF, As::Basic("ada", "pw")).await.status, 200);
    }
}

#[tokio::test]
async fn a_dropped_affinity_cookie_loses_the_upload_and_nothing_else() {
    let sandbox = TestSandbox::new("9.12.5", &[]);
    for (fault, status) in [(None, 201), (Some("affinity_lost"), 500)] {
        let client = client(true);
        assert_eq!(sandbox.upload(&client, ADMIN, "ada", quarters(200, 200)).await.status, 201);
        if let Some(word) = fault {
            let fault = Fault::new(Effect::Special(word.to_owned()));
            sandbox.running.fault(fault.on("POST", "*/user/avatar").times(1));
        }
        assert_eq!(sandbox.confirm(&client, ADMIN, "ada", [0, 0, 200]).await.status, status, "{fault:?}");
        assert_eq!(sandbox.get(MYSELF, ADMIN).await.status, 200);
    }
}

#[tokio::test]
async fn a_token_ends_its_session_and_a_replayed_cookie_is_refused() {
    // token_session, dead_cookie → step 2 without cookies, step 2 with cookies
    let table = [("ends", "refused", 500, 401), ("ends", "ignored", 500, 500), ("stays", "refused", 500, 201)];
    for (session, cookie, without, with) in table {
        let sandbox = TestSandbox::new("9.12.5", &[("token_session", session), ("dead_cookie", cookie)]);
        for (cookies, status) in [(false, without), (true, with)] {
            let client = client(cookies);
            let first = sandbox.upload(&client, As::Token("tok"), "alan", quarters(64, 64)).await;
            assert_eq!((first.status, first.json()["needsCropping"].clone()), (201, json!(true)));
            let second = sandbox.confirm(&client, As::Token("tok"), "alan", [0, 0, 64]).await;
            assert_eq!(second.status, status, "{session} {cookie} {cookies}");
            if status == 401 {
                assert!(second.text().contains("os_authType was 'any' and an invalid cookie was sent"));
            }
        }
    }
}

#[tokio::test]
async fn the_session_resource_gives_a_cookie_that_is_a_login() {
    let sandbox = TestSandbox::new("9.12.5", &[]);
    let client = client(true);
    let session = |method| sandbox.ask_by(&client, method, "/rest/auth/1/session", As::Nobody);
    let body = |password: &str| json!({"username": "svc", "password": password});
    let refused = Heard::from(session(Method::POST).json(&body("no"))).await;
    assert_eq!((refused.status, refused.header("X-Seraph-LoginReason")), (401, "AUTHENTICATED_FAILED"));
    let opened = Heard::from(session(Method::POST).json(&body("pw"))).await;
    assert_eq!((opened.status, opened.json()["session"]["name"].clone()), (200, json!("JSESSIONID")));
    assert_eq!(Heard::from(session(Method::GET)).await.json()["name"], "svc");
    assert_eq!(sandbox.upload(&client, As::Nobody, "alan", quarters(64, 64)).await.status, 201);
    assert_eq!(sandbox.confirm(&client, As::Nobody, "alan", [0, 0, 64]).await.status, 201);
    assert_eq!(Heard::from(session(Method::DELETE)).await.status, 204);
    let dead = Heard::from(sandbox.ask_by(&client, Method::GET, INFO, As::Nobody)).await;
    assert_eq!(dead.status, 401, "a dead cookie alone is refused, even where anonymous may look");
    let off = TestSandbox::new("11.0.0", &[]);
    let asked = off.ask(Method::POST, "/rest/auth/1/session", As::Nobody).json(&body("pw"));
    assert_eq!(Heard::from(asked).await.status, 403);
}

#[tokio::test]
async fn every_call_without_a_cookie_opens_a_session_and_each_node_has_its_own() {
    let sandbox = TestSandbox::new("9.12.5", &[("nodes", "2")]);
    let steps = async |client: &reqwest::Client| {
        let first = sandbox.upload(client, ADMIN, "alan", quarters(64, 64)).await;
        (first.status, sandbox.confirm(client, ADMIN, "alan", [0, 0, 64]).await.status)
    };
    assert_eq!(steps(&client(false)).await, (201, 500));
    assert_eq!(sandbox.report()["counters"]["sessions_opened"], 2);
    assert_eq!(steps(&client(true)).await, (201, 201), "with the affinity cookie the node stays the same");
    assert_eq!(sandbox.report()["counters"]["sessions_opened"], 3);
    // The session cookie alone does not bring the request back to its node.
    let first = sandbox.upload(&sandbox.client, ADMIN, "alan", quarters(64, 64)).await;
    let cookies: Vec<&str> = first.headers.get_all("set-cookie").iter().filter_map(|c| c.to_str().ok()).collect();
    let session = cookies.iter().find(|c| c.starts_with("JSESSIONID")).and_then(|c| c.split(';').next()).expect("one");
    let path = "/rest/api/2/user/avatar?username=alan";
    let crop = json!({"cropperOffsetX": 0, "cropperOffsetY": 0, "cropperWidth": 64});
    let moved = sandbox.ask(Method::POST, path, ADMIN).header("Cookie", session).json(&crop);
    assert_eq!(Heard::from(moved).await.status, 500);
}

#[tokio::test]
async fn requests_that_could_be_forged() {
    const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0";
    let sandbox = TestSandbox::new("9.12.5", &[]);
    let own = sandbox.base.trim_end_matches("/jira").to_owned();
    // header, agent, origin, body's type → refused
    let table = [
        (Some("no-check"), "test/1", None, "image/png", false),
        (Some("nocheck"), "test/1", None, "image/png", false),
        (Some("yes"), "test/1", None, "image/png", true),
        (None, "test/1", None, "image/png", true),
        (Some("no-check"), BROWSER, None, "image/png", true),
        (Some("no-check"), BROWSER, Some("https://evil.example"), "image/png", true),
        (Some("no-check"), BROWSER, Some(own.as_str()), "image/png", false),
    ];
    for (header, agent, origin, mime, refused) in table {
        let picture = quarters(20, 20);
        let path = format!("/rest/api/2/user/avatar/temporary?username=alan&filename=a.png&size={}", picture.len());
        let mut request = sandbox.client.post(format!("{}{path}", sandbox.base)).basic_auth("svc", Some("pw"));
        request = request.header("User-Agent", agent).header("Content-Type", mime).body(picture);
        request = header.into_iter().fold(request, |request, value| request.header("X-Atlassian-Token", value));
        request = origin.into_iter().fold(request, |request, value| request.header("Origin", value));
        let heard = Heard::from(request).await;
        let found = (heard.status == 403 && heard.text() == "XSRF check failed", heard.status == 201);
        assert_eq!(found, (refused, !refused), "{header:?} {agent} {origin:?}: {}", heard.text());
    }
    // Elsewhere only bodies that a form could send need the header.
    for (mime, status) in [("application/json", 204), ("text/plain", 403), ("application/x-www-form-urlencoded", 403)] {
        let url = format!("{}/rest/api/2/user/avatar?username=alan", sandbox.base);
        let request = sandbox.client.put(url).basic_auth("svc", Some("pw")).header("Content-Type", mime);
        let id = sandbox.report()["default_avatar"].to_string();
        assert_eq!(Heard::from(request.body(json!({ "id": id }).to_string())).await.status, status, "{mime}");
    }
}

#[tokio::test]
async fn the_bucket_empties_and_fills_with_time() {
    let switches = [("rate_limit", "3"), ("rate_fill", "2"), ("rate_interval", "5")];
    let sandbox = TestSandbox::new("9.12.5", &switches);
    let ask = async || {
        let request = sandbox.ask(Method::GET, MYSELF, As::Token("tok")).header("Accept", "application/json");
        let heard = Heard::from(request).await;
        let number = |name| heard.header(name).parse::<u64>().expect(name);
        (heard.status, number("X-RateLimit-Remaining"), number("Retry-After"))
    };
    // Less than a second passes between the requests; if the bucket filled meanwhile the machine stood still for five.
    assert_eq!(ask().await, (200, 2, 0));
    assert_eq!(ask().await, (200, 1, 0));
    assert_eq!(ask().await, (200, 0, 5));
    assert_eq!(ask().await, (429, 0, 5));
    sandbox.running.advance(Duration::from_secs(5));
    assert_eq!(ask().await, (200, 1, 0));
    let other = sandbox.get(MYSELF, As::Basic("ada", "pw")).await;
    assert_eq!((other.status, other.header("X-RateLimit-Remaining")), (200, "2"), "each user has a bucket");
    assert_eq!(sandbox.get(INFO, As::Nobody).await.header("X-RateLimit-Limit"), "", "anonymous has none");
    sandbox.running.command("jira", &json!({"block": {"name": "ada", "blocked": true}})).expect("a command");
    let blocked = sandbox.get(MYSELF, As::Basic("ada", "pw")).await;
    assert_eq!((blocked.status, blocked.header("Retry-After")), (429, "9223372036854775807"));
    assert!(blocked.text().starts_with("<!DOCTYPE html>"), "HTML unless JSON is asked for");
}

#[tokio::test]
async fn faults_of_its_own() {
    // word, path it strikes → statuses of step 1 and 2, what was made
    let table = [
        ("none", "", (201, 201), "JIRAUSER10104 rgbw"),
        ("session_lost", "*/user/avatar", (201, 500), ""),
        ("login_refused", "*/user/avatar", (201, 401), ""),
        ("wrong_picture", "*/user/avatar", (201, 201), "JIRAUSER10104 ????"),
        ("wrong_owner", "*/user/avatar", (201, 201), "JIRAUSER10100 rgbw"),
    ];
    for (word, path, statuses, made) in table {
        let sandbox = TestSandbox::new("9.12.5", &[]);
        let on = Match { path: Some(path.to_owned()), ..Match::default() };
        let effect = Effect::Special(word.to_owned());
        sandbox.running.fault(Fault { on, skip: 0, times: None, effect });
        let session = client(true);
        let first = sandbox.upload(&session, ADMIN, "alan", quarters(64, 64)).await;
        let second = sandbox.confirm(&session, ADMIN, "alan", [0, 0, 64]).await;
        assert_eq!((first.status, second.status), statuses, "{word}");
        let truth = sandbox.running.truth();
        let new = truth.avatars.iter().find(|avatar| avatar.creator == "svc");
        let found = new.map(|avatar| format!("{} {}", avatar.owner, corners(&avatar.bytes))).unwrap_or_default();
        assert_eq!(found, made, "{word}");
    }
}
