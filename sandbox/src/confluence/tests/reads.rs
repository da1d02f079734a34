//! People, listings, logins, pictures.

use reqwest::Method;
use serde_json::json;

use super::{ADA, ADMIN, As, Set, TestSandbox};
use crate::testing::send;

#[tokio::test]
async fn what_each_release_has_and_whom_it_lets_in() {
    let token = As::Token("tok");
    let list = "/rest/api/user/list";
    let active = "/rest/api/admin/users/list/active";
    let table: &[(&str, Set, &str, As, u16)] = &[
        ("7.19.0", &[], list, ADMIN, 404),
        ("8.5.0", &[], list, ADMIN, 200),
        ("8.5.0", &[("user_list", "off")], list, ADMIN, 404),
        ("8.5.0", &[], "/rest/api/server-information", ADMIN, 404),
        ("9.2.0", &[], "/rest/api/server-information", ADMIN, 200),
        ("9.2.0", &[], active, ADMIN, 404),
        ("9.3.0", &[], active, ADMIN, 200),
        ("9.3.0", &[], active, ADA, 200),
        ("9.3.0", &[], active, As::Nobody, 401),
        ("10.1.0", &[("basic_auth", "on")], "/rest/api/group/member?groupName=staff", ADMIN, 404),
        ("11.0.0", &[("basic_auth", "on")], "/rest/api/group/member?groupName=staff", ADMIN, 200),
        ("9.2.0", &[], list, As::Nobody, 403),
        ("9.2.0", &[], list, As::Token("dead"), 403),
        ("9.2.0", &[("anonymous_reads", "anonymous")], list, As::Token("dead"), 200),
        ("9.2.0", &[], "/rest/api/user/current", As::Token("dead"), 200),
        ("9.2.0", &[], list, As::Basic("svc", "wrong"), 401),
        ("10.0.0", &[], list, ADMIN, 403),
        ("10.0.0", &[], list, token, 200),
        ("10.0.0", &[("basic_auth", "on")], list, ADMIN, 200),
        ("7.8.0", &[], "/rest/api/user?username=ada", token, 403),
        ("9.2.0", &[], "/rest/api/user?username=ada", ADMIN, 200),
        ("9.2.0", &[], "/rest/api/user", ADMIN, 400),
        ("9.2.0", &[], "/rest/api/user?username=ada&key=4028ada", ADMIN, 400),
        ("9.2.0", &[], "/rest/api/user?username=nobody", ADMIN, 404),
        ("9.2.0", &[], "/rest/api/user?username=gone", ADMIN, 404),
        ("9.2.0", &[], "/rest/api/group/staff/member", ADMIN, 200),
        ("9.2.0", &[], "/rest/api/group/none/member", ADMIN, 404),
        ("9.2.0", &[], "/rest/mobile/1.0/profile/ada", ADMIN, 200),
    ];
    for (version, switches, path, who, status) in table {
        let got = TestSandbox::new(version, switches).get(path, *who).await;
        assert_eq!(got.status, *status, "{version} {switches:?} {path} {who:?}");
    }
    let dead = TestSandbox::new("9.2.0", &[]).get("/rest/api/user/current", As::Token("dead")).await;
    assert_eq!(dead.json()["type"], "anonymous");
    let headers = (dead.headers["x-seraph-loginreason"].as_str(), dead.headers["x-ausername"].as_str());
    assert_eq!(headers, ("AUTHENTICATED_FAILED", "anonymous"));
}

#[tokio::test]
async fn the_path_says_what_stands_there() {
    let sandbox = TestSandbox::new("9.2.0", &[]);
    let table = [
        ("ada", format!("/wiki/download/attachments/{}/user-avatar", sandbox.content_of("ada")), false),
        ("grace", format!("/wiki/download/attachments/{}/avatarpipe-0.png", sandbox.content_of("grace")), false),
        ("alan", "/wiki/images/icons/profilepics/Avatar-02.svg".to_owned(), false),
        ("lost", "/wiki/images/icons/profilepics/default.svg".to_owned(), true),
        ("idle", "/wiki/images/icons/profilepics/default.svg".to_owned(), true),
    ];
    for (name, path, default) in table {
        assert_eq!(sandbox.picture(name).await, (path.clone(), default), "{name}");
        let url = path.trim_start_matches("/wiki");
        assert_eq!(sandbox.get(url, ADMIN).await.status, 200, "{name}: {url}");
    }
    let person = sandbox.get("/rest/api/user?key=4028ada", ADMIN).await.json();
    assert!(!person.to_string().contains("ada@ex.org"), "no REST person has an e-mail address");
    let unknown = sandbox.get("/rest/api/user?key=4028gone", ADMIN).await.json();
    assert_eq!(unknown["type"], "unknown");
    assert!(unknown["profilePicture"]["path"].as_str().is_some_and(|path| path.ends_with("/anonymous.svg")));
    let file = sandbox.get(&format!("/download/attachments/{}/user-avatar", sandbox.content_of("ada")), ADMIN).await;
    assert_eq!((file.bytes.as_slice(), file.headers["content-type"].as_str()), (&b"one"[..], "image/jpeg"));
    let old = TestSandbox::new("7.19.0", &[]);
    assert_eq!(old.picture("idle").await, ("/wiki/images/icons/profilepics/default.png".to_owned(), true));
}

#[tokio::test]
async fn listings_lower_the_limit_and_say_where_to_go_on() {
    let sandbox = TestSandbox::new("9.2.0", &[("list_page", "3")]);
    let (mut next, mut names, mut pages) =
        ("/rest/api/user/list?start=0&limit=200&expand=status".to_owned(), vec![], 0);
    while !next.is_empty() {
        let page = sandbox.get(&next, ADMIN).await.json();
        assert_eq!(page["limit"], 3);
        names.extend(page["results"].as_array().expect("results").iter().map(|person| person["username"].to_string()));
        next = page["_links"]["next"].as_str().unwrap_or_default().to_owned();
        pages += 1;
    }
    assert_eq!((names.len(), pages), (8, 3), "the disabled one is listed, the deleted one is not: {names:?}");
    let bare = TestSandbox::new("9.2.0", &[("listed_pictures", "off"), ("listed_disabled", "off")]);
    let page = bare.get("/rest/api/user/list", ADMIN).await.json();
    assert_eq!(page["size"], 7);
    assert!(page["results"][0]["profilePicture"].is_null() && page["_links"]["next"].is_null());
}

#[tokio::test]
async fn newer_releases_tell_addresses_and_take_any_group_name() {
    let sandbox = TestSandbox::new("10.2.14", &[("basic_auth", "on")]);
    let active = sandbox.get("/rest/api/admin/users/list/active?limit=2", ADMIN).await.json();
    let first = &active["results"][0];
    assert_eq!(
        (&first["username"], &first["userKey"], &first["email"]),
        (&json!("ada"), &json!("4028ada"), &json!("ada@ex.org"))
    );
    let members = sandbox.get("/rest/api/group/member?groupName=staff&start=0&limit=2", ADMIN).await.json();
    let next = "/rest/api/group/member?groupName=staff&limit=2&start=2";
    assert_eq!((&members["size"], &members["_links"]["next"]), (&json!(2), &json!(next)));
    assert_eq!(sandbox.get("/rest/api/group/member?groupName=a/b", ADMIN).await.status, 404);
    let old = TestSandbox::new("9.2.0", &[]);
    for path in ["/rest/api/admin/users/list/active", "/rest/api/group/member?groupName=staff"] {
        assert_eq!(old.get(path, ADMIN).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn what_people_do_by_hand() {
    let sandbox = TestSandbox::new("9.2.0", &[]);
    sandbox.control(json!({"upload": {"name": "alan", "picture": "two.png"}}));
    assert!(sandbox.picture("alan").await.0.ends_with("/user-avatar"));
    sandbox.control(json!({"delete": {"name": "alan"}}));
    assert!(sandbox.picture("alan").await.1, "a chosen file that is gone is shown as the default");
    sandbox.control(json!({"stock": {"name": "alan", "stock": 0}}));
    assert!(sandbox.picture("alan").await.0.ends_with("/Avatar-01.svg"));
    sandbox.control(json!({"stock": {"name": "alan"}}));
    assert!(sandbox.picture("alan").await.1);
    assert!(sandbox.running.command("confluence", &json!({"stock": {"name": "alan", "stock": 6}})).is_err());
    assert!(sandbox.running.truth().writes.is_empty(), "the world's doing is no client's");
}

#[tokio::test]
async fn a_name_can_pass_to_somebody_else() {
    let sandbox = TestSandbox::new("9.2.0", &[]);
    let path = sandbox.picture("ada").await.0;
    sandbox.control(json!({"rename": {"name": "ada", "to": "Ada.King"}}));
    assert_eq!(sandbox.get("/rest/api/user?username=ada", ADMIN).await.status, 404);
    sandbox.control(json!({"create": {"account": {"name": "ada", "key": "4028new"}}}));
    let key = async |name: &str| {
        sandbox.get(&format!("/rest/api/user?username={name}"), ADMIN).await.json()["userKey"]
            .as_str()
            .map(str::to_owned)
    };
    assert_eq!((key("ada").await.as_deref(), key("ada.king").await.as_deref()), (Some("4028new"), Some("4028ada")));
    assert_eq!(sandbox.picture("ada.king").await.0, path, "files and choice go with the account");
    assert!(sandbox.picture("ada").await.1, "the newcomer has nothing");
    for refused in [json!({"rename": {"name": "alan", "to": "ada"}}), json!({"create": {"account": {"name": "ada"}}})] {
        assert!(sandbox.running.command("confluence", &refused).is_err(), "{refused}");
    }
}

#[tokio::test]
async fn forged_and_hasty_requests_are_refused() {
    let sandbox = TestSandbox::new("9.2.0", &[("rate_limit", "1"), ("endpoint", "installed")]);
    let path = "/rest/scriptrunner/latest/custom/avatarpipe?user=alan&action=default";
    let forged = sandbox.client.post(format!("{}{path}", sandbox.base)).basic_auth("svc", Some("pw"));
    let forged = send(forged).await.expect("an answer");
    assert_eq!((forged.status, forged.bytes.as_slice()), (403, &b"XSRF check failed"[..]));
    assert_eq!(forged.headers["x-ratelimit-remaining"], "0");
    let hasty =
        send(sandbox.ask(Method::POST, path, ADMIN).header("Accept", "application/json")).await.expect("an answer");
    assert_eq!((hasty.status, hasty.json()["message"].is_string()), (429, true));
}
