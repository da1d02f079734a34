//! Listing, selecting and deleting avatars, permissions, pictures, what outlives the process.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ACCOUNTS, ADMIN, As, Heard, Set, TestSandbox, client, corners, quarters, world};
use crate::truth::ShownKind;
use crate::{Options, Sandbox};

#[tokio::test]
async fn who_may_edit_whom() {
    let (ada, root) = (As::Basic("ada", "pw"), As::Basic("root", "pw"));
    // caller, user, switch → status of an upload
    let table = [
        (ADMIN, "ada", "403", 201),
        (ADMIN, "root", "403", 201),
        (ADMIN, "idle", "403", 201),
        (ADMIN, "nobody", "403", 404),
        (ADMIN, "gone", "403", 404),
        (root, "ada", "403", 201),
        (ada, "ada", "403", 201),
        (ada, "ADA", "403", 201),
        (ada, "grace", "403", 403),
        (ada, "grace", "401", 401),
        (As::Nobody, "grace", "403", 401),
    ];
    for (who, user, switch, status) in table {
        let sandbox = TestSandbox::new("9.12.5", &[("permission_status", switch)]);
        let heard = sandbox.upload(&sandbox.client, who, user, quarters(20, 20)).await;
        assert_eq!(heard.status, status, "{who:?} {user} {switch}: {}", heard.text());
    }
    let sandbox = TestSandbox::new("9.12.5", &[]);
    let missing = sandbox.get("/rest/api/2/user/avatars?username=jdo", ADMIN).await;
    let words = json!({"errorMessages": ["The user named 'jdo' does not exist"], "errors": {}});
    assert_eq!((missing.status, missing.json()), (404, words));
}

#[tokio::test]
async fn left_out_the_username_is_the_caller() {
    let sandbox = TestSandbox::new("9.12.5", &[]);
    let picture = quarters(20, 20);
    let path = format!("/rest/api/2/user/avatar/temporary?filename=a.png&size={}", picture.len());
    let made =
        Heard::from(sandbox.ask(Method::POST, &path, ADMIN).header("Content-Type", "image/png").body(picture)).await;
    assert_eq!(made.json()["owner"], "JIRAUSER10100");
}

#[tokio::test]
async fn the_list_of_avatars_tells_what_is_selected() {
    // user → custom avatars, selected among custom, the selected id is the default
    let table = [
        ("svc", 0, None, true),
        ("ada", 1, Some(0), false),
        ("grace", 2, Some(0), false),
        ("alan", 0, None, false),
        ("idle", 0, None, true),
    ];
    let sandbox = TestSandbox::new("9.12.5", &[]);
    let default = sandbox.report()["default_avatar"].to_string();
    for (user, count, selected, is_default) in table {
        let listed = sandbox.get(&format!("/rest/api/2/user/avatars?username={user}"), ADMIN).await.json();
        let of = |kind: &str| listed[kind].as_array().cloned().unwrap_or_default();
        let chosen: Vec<Value> =
            of("system").into_iter().chain(of("custom")).filter(|a| a["isSelected"] == true).collect();
        assert_eq!((of("custom").len(), chosen.len()), (count, 1), "{user}");
        assert_eq!(of("custom").iter().position(|a| a["selected"] == true), selected, "{user}");
        assert_eq!(chosen[0]["id"] == default, is_default, "{user}");
    }
    let system = sandbox.get("/rest/api/2/avatar/user/system", ADMIN).await.json();
    let system = system["system"].as_array().cloned().unwrap_or_default();
    assert!(system.len() > 5 && system.iter().all(|a| a["isSelected"] == false && a["isDeletable"] == false));
    for (field, ids, absent) in [("isSelected", "text", "selected"), ("selected", "number", "isSelected")] {
        let sandbox = TestSandbox::new("9.12.5", &[("selected_field", field), ("bean_ids", ids)]);
        let bean = sandbox.get("/rest/api/2/user/avatars?username=ada", ADMIN).await.json()["custom"][0].clone();
        assert_eq!((&bean[field], &bean[absent]), (&json!(true), &Value::Null));
        assert_eq!(bean["id"].is_number(), ids == "number");
    }
}

#[tokio::test]
async fn what_a_select_answers_and_stores() {
    let own = |sandbox: &TestSandbox| {
        sandbox.running.truth().avatars.iter().find(|a| a.owner == "ada.contractor").map(|a| a.id.clone())
    };
    let foreign = |sandbox: &TestSandbox| {
        sandbox.running.truth().avatars.iter().find(|a| a.owner != "ada.contractor").map(|a| a.id.clone())
    };
    let default = |sandbox: &TestSandbox| Some(sandbox.report()["default_avatar"].to_string());
    let none = |_: &TestSandbox| None;
    let odd = |_: &TestSandbox| Some("ada".to_owned());
    // version, switches, id → status, kind shown afterwards
    type Id<'a> = &'a dyn Fn(&TestSandbox) -> Option<String>;
    let table: &[(&str, Set, Id, u16, ShownKind)] = &[
        ("9.12.5", &[], &own, 204, ShownKind::Custom),
        ("10.3.0", &[], &own, 200, ShownKind::Custom),
        ("10.3.0", &[("select_answer", "204")], &own, 204, ShownKind::Custom),
        ("9.12.5", &[("select_answer", "bean")], &own, 200, ShownKind::Custom),
        ("9.12.5", &[], &default, 204, ShownKind::Default),
        ("9.12.5", &[], &none, 204, ShownKind::Default),
        ("9.12.5", &[], &odd, 204, ShownKind::Default),
        ("9.12.5", &[("bad_select", "fails")], &odd, 500, ShownKind::Custom),
        ("9.12.5", &[], &foreign, 204, ShownKind::Default),
        ("9.12.5", &[("foreign_select", "refused")], &foreign, 404, ShownKind::Custom),
    ];
    for (nth, (version, switches, id, status, kind)) in table.iter().enumerate() {
        let sandbox = TestSandbox::new(version, switches);
        let heard = sandbox.select("ada", json!({"id": id(&sandbox)})).await;
        assert_eq!((heard.status, heard.body.is_empty()), (*status, *status == 204), "row {nth}");
        let truth = sandbox.running.truth();
        assert_eq!(truth.account("jira", "ada").map(|a| a.now.kind), Some(*kind), "row {nth}");
    }
}

#[tokio::test]
async fn deleting_looks_at_the_user_of_the_query_and_never_at_the_owner() {
    let sandbox = TestSandbox::new("9.12.5", &[]);
    let id_of = |owner: &str| {
        sandbox.running.truth().avatars.iter().find(|a| a.owner == owner).map(|a| a.id.clone()).expect("an avatar")
    };
    let (hers, system) = (id_of("ada.contractor"), sandbox.report()["default_avatar"].to_string());
    let delete = async |id: &str, user: &str, who| {
        Heard::from(sandbox.ask(Method::DELETE, &format!("/rest/api/2/user/avatar/{id}?username={user}"), who))
            .await
            .status
    };
    assert_eq!(delete(&hers, "ada", As::Nobody).await, 401);
    assert_eq!(delete(&hers, "grace", As::Basic("ada", "pw")).await, 403);
    assert_eq!(delete(&system, "ada", ADMIN).await, 403);
    assert_eq!(delete("999999", "ada", ADMIN).await, 404);
    assert_eq!(delete("x", "ada", ADMIN).await, 404);
    assert_eq!(delete(&hers, "grace", ADMIN).await, 204, "ada's avatar goes in grace's name");
    assert_eq!(delete(&hers, "ada", ADMIN).await, 404);
    let truth = sandbox.running.truth();
    assert_eq!(truth.account("jira", "ada").map(|a| a.now.kind), Some(ShownKind::Default));
    assert!(truth.violations.iter().any(|words| words.contains("in the name of")), "{:?}", truth.violations);
    let avatars = sandbox.report()["avatars"].as_array().cloned().unwrap_or_default();
    let deleted = json!({"id": hers.parse::<u64>().expect("a number"), "by": "svc"});
    assert!(avatars.iter().any(|a| json!({"id": a["id"], "by": a["deleted_by"]}) == deleted));
    let url = sandbox.user("ada").await["avatarUrls"]["48x48"].to_string();
    assert!(url.contains(&format!("avatarId={system}")) && !url.contains("ownerId"), "{url}");
}

#[tokio::test]
async fn pictures_for_whom_and_of_what() {
    let hers = "/secure/useravatar?ownerId=ada.contractor&avatarId=";
    // switches, caller → status
    let table: &[(Set, As, u16)] = &[
        (&[], As::Nobody, 200),
        (&[("anonymous_images", "login")], As::Nobody, 302),
        (&[("anonymous_images", "login")], As::Token("tok"), 200),
        (&[("token_images", "login")], As::Token("tok"), 302),
        (&[("token_images", "login")], ADMIN, 200),
    ];
    for (switches, who, status) in table {
        let sandbox = TestSandbox::new("9.12.5", switches);
        let id = sandbox.user("ada").await["avatarUrls"]["48x48"]
            .as_str()
            .and_then(|u| u.rsplit('=').next())
            .map(str::to_owned)
            .expect("an id");
        let heard = sandbox.get(&format!("{hers}{id}"), *who).await;
        assert_eq!(heard.status, *status, "{switches:?} {who:?}");
        match status {
            200 => assert_eq!(corners(&heard.body), "rgbw"),
            _ => assert!(heard.header("location").starts_with(&format!("{}/login.jsp?", sandbox.base))),
        }
    }
    for (switch, status) in [("default", 200), ("not_found", 404)] {
        let sandbox = TestSandbox::new("9.12.5", &[("missing_image", switch)]);
        let heard = sandbox.get(&format!("{hers}1"), ADMIN).await;
        assert_eq!((heard.status, heard.header("content-type") == "image/png"), (status, status == 200));
        let own = sandbox.running.truth().avatars[0].id.clone();
        assert_eq!(sandbox.get(&format!("/secure/useravatar?ownerId=x&avatarId={own}"), ADMIN).await.status, status);
    }
}

#[tokio::test]
async fn a_change_is_written_down_and_outlives_the_process() {
    let yaml = format!("version: 9.12.5\n{ACCOUNTS}");
    let folder = tempfile::tempdir().expect("a folder");
    let options = || Options { state: Some(folder.path().to_owned()), ..Options::default() };
    let id = {
        let running = Sandbox::start(world(&yaml, &[]), options()).expect("a sandbox");
        let base = running.endpoint("jira").expect("a Jira").to_owned();
        let sandbox = TestSandbox { running, base, client: client(true) };
        sandbox.upload(&sandbox.client, ADMIN, "alan", quarters(64, 64)).await;
        let id = sandbox.confirm(&sandbox.client, ADMIN, "alan", [0, 0, 64]).await.id();
        sandbox.select("alan", json!({"id": id.to_string()})).await;
        let writes: Vec<_> = sandbox.running.truth().writes.into_iter().map(|w| (w.what, w.account, w.who)).collect();
        let write = |what: &str| (format!("{what} {id}"), "JIRAUSER10104".to_owned(), "svc".to_owned());
        assert_eq!(writes, [write("create"), write("select")]);
        id
    };
    let running = Sandbox::start(world(&yaml, &[]), options()).expect("a sandbox");
    assert!(running.resumed());
    let truth = running.truth();
    let alan = truth.account("jira", "alan").expect("alan");
    assert_eq!(
        (alan.now.kind, alan.now.id.clone(), corners(&alan.now.bytes)),
        (ShownKind::Custom, id.to_string(), "rgbw".to_owned())
    );
    assert_eq!(alan.start.kind, ShownKind::System, "what was shown at the beginning is still known");
    assert!(alan.changed());
}

#[tokio::test]
async fn what_people_do_by_hand() {
    let sandbox = TestSandbox::new("9.12.5", &[]);
    let command = |value: Value| sandbox.running.command("jira", &value);
    let made = command(json!({"upload": {"name": "alan", "picture": "quarters.png"}})).expect("an avatar");
    let shown = || sandbox.running.truth().account("jira", "alan").map(|a| a.now.id.clone()).unwrap_or_default();
    assert_eq!(shown(), made["avatar"].to_string());
    command(json!({"delete": {"avatar": made["avatar"]}})).expect("done");
    assert_eq!(shown(), sandbox.report()["default_avatar"].to_string());
    command(json!({"choose": {"name": "alan", "avatar": null}})).expect("done");
    for wrong in [json!({"upload": {"name": "x", "picture": "quarters.png"}}), json!({"fly": {}}), json!(1)] {
        assert!(command(wrong.clone()).is_err(), "{wrong}");
    }
    assert!(sandbox.running.truth().writes.is_empty(), "what people do is no client's write");
}
