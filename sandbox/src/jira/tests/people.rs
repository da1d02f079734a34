//! User beans, the server about itself, properties.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ADMIN, As, Heard, TestSandbox};

#[tokio::test]
async fn a_bean_shows_which_picture() {
    // user, gravatar → what stands in the 48 px URL; D is the default, S the chosen system avatar, C the custom one
    let table = [
        ("ada", "off", "/secure/useravatar?ownerId=ada.contractor&avatarId=C"),
        ("alan", "off", "/secure/useravatar?avatarId=S"),
        ("svc", "off", "/secure/useravatar?avatarId=D"),
        ("idle", "off", "/secure/useravatar?avatarId=D"),
        ("ada", "on", "/secure/useravatar?ownerId=ada.contractor&avatarId=C"),
        ("alan", "on", "/secure/useravatar?avatarId=S"),
        ("svc", "on", "gravatar"),
        ("idle", "on", "gravatar"),
    ];
    for (user, gravatar, expected) in table {
        let sandbox = TestSandbox::new("9.12.5", &[("gravatar", gravatar)]);
        let report = sandbox.report();
        let system = report["system_avatars"].as_array().cloned().unwrap_or_default();
        let other = system.into_iter().filter(|id| *id != report["default_avatar"]).nth(1).unwrap_or_default();
        let custom = sandbox.running.truth().avatars.iter().find(|a| a.owner == "ada.contractor").map(|a| a.id.clone());
        let expected = expected.replace('D', &report["default_avatar"].to_string());
        let expected = expected.replace('S', &other.to_string()).replace('C', &custom.unwrap_or_default());
        let urls = sandbox.user(user).await["avatarUrls"].clone();
        let url = urls["48x48"].as_str().unwrap_or_default().to_owned();
        match expected.as_str() {
            "gravatar" => {
                let (host, path) = (url.contains("://www.gravatar.com/avatar/"), url.ends_with("?d=mm&s=48"));
                assert!(host && path, "{url}");
            }
            _ => {
                assert_eq!(url, format!("{}{expected}", sandbox.base), "{user}");
                let small = urls["16x16"].as_str().unwrap_or_default();
                assert!(small.contains("useravatar?size=xsmall&"), "{small}");
            }
        }
    }
}

#[tokio::test]
async fn one_user_by_name_or_key() {
    let sandbox = TestSandbox::new("9.12.5", &[]);
    // query → status, name
    let table = [
        ("username=ada", 200, "ada"),
        ("username=ADA", 200, "ada"),
        ("key=ada.contractor", 200, "ada"),
        ("key=ada", 404, ""),
        ("username=jdo", 404, ""),
        ("", 400, ""),
        ("username=gone", 404, ""),
        ("username=gone&includeDeleted=true", 200, "gone"),
        ("username=jirauser10107", 200, "jirauser10107"),
        ("username=was", 404, ""),
    ];
    for (query, status, name) in table {
        let heard = sandbox.get(&format!("/rest/api/2/user?{query}"), ADMIN).await;
        assert_eq!((heard.status, heard.json()["name"].as_str().unwrap_or_default()), (status, name), "{query}");
    }
    assert_eq!(sandbox.get("/rest/api/2/user?username=ada", As::Nobody).await.status, 401);
    let was = sandbox.user("jirauser10107").await;
    assert!(was["emailAddress"].is_null() && was["displayName"] != "Was Somebody" && was["active"] == false);
    for (switch, email) in
        [("shown", json!("ada@ex.org")), ("hidden", Value::Null), ("masked", json!("ada at ex dot org"))]
    {
        let sandbox = TestSandbox::new("9.12.5", &[("email", switch)]);
        assert_eq!(sandbox.user("ada").await["emailAddress"], email);
        let own = sandbox.get("/rest/api/2/myself", As::Basic("ada", "pw")).await.json();
        assert_eq!(own["emailAddress"], "ada@ex.org");
    }
}

#[tokio::test]
async fn the_server_about_itself() {
    let sandbox = TestSandbox::new("9.12.5", &[]);
    let info = sandbox.get("/rest/api/2/serverInfo", As::Nobody).await.json();
    let found =
        (&info["version"], &info["versionNumbers"], &info["deploymentType"], &info["buildNumber"], &info["baseUrl"]);
    assert_eq!(found, (&json!("9.12.5"), &json!([9, 12, 5]), &json!("Server"), &json!(912_005), &json!(sandbox.base)));
    let manifest = |accept: &'static str| {
        Heard::from(sandbox.ask(Method::GET, "/rest/applinks/1.0/manifest", As::Nobody).header("Accept", accept))
    };
    let (xml, json) = (manifest("*/*").await, manifest("application/json").await.json());
    let id = json["id"].as_str().unwrap_or_default();
    assert!(id.len() > 10 && xml.text().contains(&format!("<id>{id}</id>")), "{}", xml.text());
    assert_eq!((xml.header("content-type"), &json["typeId"]), ("application/xml", &json!("jira")));
    for (who, administers) in [(ADMIN, true), (As::Basic("ada", "pw"), false)] {
        let found = sandbox.get("/rest/api/2/mypermissions", who).await.json();
        assert_eq!(found["permissions"]["ADMINISTER"]["havePermission"], administers);
    }
    assert_eq!(sandbox.get("/rest/api/2/universal_avatar/type/user/owner/ada", ADMIN).await.status, 404);
    let defaults: Vec<Value> = ["A", "B", "C", "D"]
        .map(|title| {
            let sandbox = TestSandbox::of(&format!("version: 9.12.5\ntitle: {title}\n"), &[]);
            sandbox.report()["default_avatar"].clone()
        })
        .into();
    assert!(defaults.iter().all(|id| ![10122, 10202, 10341, 10346].map(Value::from).contains(id)), "{defaults:?}");
    assert!(defaults.windows(2).any(|pair| pair[0] != pair[1]), "every instance has its own: {defaults:?}");
}

#[tokio::test]
async fn properties_of_a_user() {
    let sandbox = TestSandbox::new("9.12.5", &[]);
    let path = "/rest/api/2/user/properties/avatarpipe?username=ada";
    let ask = async |method: Method, who: As| {
        Heard::from(sandbox.ask(method, path, who).json(&json!({"sha256": "00"}))).await
    };
    // method, caller → status
    let table = [
        (Method::GET, ADMIN, 404),
        (Method::PUT, As::Basic("root", "pw"), 201),
        (Method::PUT, As::Basic("ada", "pw"), 200),
        (Method::GET, ADMIN, 200),
        (Method::DELETE, ADMIN, 204),
        (Method::DELETE, ADMIN, 404),
        (Method::GET, As::Nobody, 401),
    ];
    for (method, who, status) in table {
        let heard = ask(method.clone(), who).await;
        assert_eq!(heard.status, status, "{method} {who:?}");
        if (method, status) == (Method::GET, 200) {
            assert_eq!(heard.json(), json!({"key": "avatarpipe", "value": {"sha256": "00"}}));
        }
    }
    let others = sandbox.get("/rest/api/2/user/properties/x?username=grace", As::Basic("ada", "pw")).await;
    assert_eq!(others.status, 403);
}
