//! XML-RPC, JSON-RPC, and the internal upload.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::{ADA, ADMIN, As, Set, TestSandbox, bytes, fault_of, text};
use crate::faults::{Effect, Fault};
use crate::testing::send;
use crate::{Options, Sandbox, World};

const KEY: &str = "confluence.user.profile.picture";
const DEFAULT: &str = "/images/icons/profilepics/default.svg";

#[tokio::test]
async fn who_is_let_in_over_rpc() {
    let token = As::Token("tok");
    let (plain, typed) = ("/rpc/xmlrpc", "/rpc/xmlrpc?os_authType=basic");
    let denied = "NotPermittedException: Anonymous";
    let table: &[(Set, &str, As, u16, &str)] = &[
        (&[], typed, ADMIN, 200, ""),
        (&[], plain, ADMIN, 200, denied),
        (&[("rpc_auth_type", "free")], plain, ADMIN, 200, ""),
        (&[("rpc_http_login", "off")], typed, ADMIN, 200, denied),
        (&[], typed, token, 200, denied),
        (&[("rpc_tokens", "honoured")], plain, token, 200, ""),
        (&[], typed, As::Basic("svc", "wrong"), 401, ""),
        (&[("remote_api", "off")], typed, ADMIN, 403, ""),
        (&[("remote_api", "gone")], typed, ADMIN, 404, ""),
    ];
    for (switches, path, who, status, fault) in table {
        let got = TestSandbox::new("9.2.0", switches).xml(path, *who, "getServerInfo", &text("")).await;
        let said = String::from_utf8_lossy(&got.bytes).into_owned();
        assert_eq!(got.status, *status, "{switches:?} {path} {who:?}: {said}");
        assert_eq!(fault_of(&said).is_empty(), fault.is_empty(), "{switches:?} {path} {who:?}: {said}");
        assert!(fault_of(&said).contains(fault), "{said}");
        assert!(*status != 403 || said.contains("Remote API is not enabled"), "{said}");
    }
}

#[tokio::test]
async fn a_login_over_rpc_lives_for_a_while() {
    let sandbox = TestSandbox::new("9.2.0", &[]);
    let log_in = async |password: &str| {
        let got = sandbox.xml("/rpc/xmlrpc", As::Nobody, "login", &format!("{}{}", text("svc"), text(password))).await;
        String::from_utf8(got.bytes).expect("text")
    };
    assert!(fault_of(&log_in("no").await).contains("AuthenticationFailedException"));
    let answer = log_in("pw").await;
    let token = answer.split("<value>").nth(1).and_then(|rest| rest.split('<').next()).expect("a token").to_owned();
    let ask = async || {
        let params = format!("{}{}", text(&token), text("ada"));
        let got = sandbox.xml("/rpc/xmlrpc", As::Nobody, "getUser", &params).await;
        String::from_utf8(got.bytes).expect("text")
    };
    assert!(ask().await.contains("ada@ex.org"));
    sandbox.running.advance(Duration::from_secs(1800));
    assert!(fault_of(&ask().await).contains("InvalidSessionException"));
    sandbox.xml("/rpc/xmlrpc", As::Nobody, "logout", &text(&token)).await;
    assert!(fault_of(&ask().await).contains("InvalidSessionException"));
}

#[tokio::test]
async fn a_picture_is_added_replaced_and_taken_back() {
    let sandbox = TestSandbox::new("9.2.0", &[]);
    assert!(sandbox.add(ADMIN, "idle", "avatarpipe-1.png", "new").await.contains("<boolean>1</boolean>"));
    let path = format!("/wiki/download/attachments/{}/avatarpipe-1.png", sandbox.content_of("idle"));
    assert_eq!(sandbox.picture("idle").await, (path.clone(), false));
    sandbox.add(ADMIN, "idle", "avatarpipe-1.png", "newer").await;
    assert_eq!(sandbox.picture("idle").await.0, path, "the same name is a new version");
    assert_eq!(sandbox.get(path.trim_start_matches("/wiki"), ADMIN).await.bytes, b"newer");
    let seen = sandbox.rpc(ADMIN, "getUserPreferenceString", &[&text("idle"), &text(KEY)]).await;
    assert!(seen.contains("avatarpipe-1.png"), "{seen}");
    sandbox.rpc(ADMIN, "setUserPreferenceString", &[&text("idle"), &text(KEY), &text(DEFAULT)]).await;
    assert!(sandbox.picture("idle").await.1);
    let content = sandbox.content_of("idle");
    let remove = async || sandbox.rpc(ADMIN, "removeAttachment", &[&text(&content), &text("avatarpipe-1.png")]).await;
    assert!(remove().await.contains("<boolean>1</boolean>"));
    assert!(fault_of(&remove().await).contains("does not exist"));
    assert!(sandbox.violations().is_empty(), "{:?}", sandbox.violations());
    let said: Vec<String> = sandbox.running.truth().writes.into_iter().map(|write| write.what).collect();
    let select = format!("select {DEFAULT}");
    let (store, shown) = ("store avatarpipe-1.png", "select avatarpipe-1.png");
    assert_eq!(said, [store, shown, store, shown, &select, "remove avatarpipe-1.png"]);
}

#[tokio::test]
async fn what_is_refused_is_a_fault_and_changes_nothing() {
    let sandbox = TestSandbox::new("9.2.0", &[]);
    let add = async |who, user: &str, file: &str, mime: &str| {
        sandbox.rpc(who, "addProfilePicture", &[&text(user), &text(file), &text(mime), &bytes("x")]).await
    };
    let table = [
        (add(ADA, "alan", "a.png", "image/png").await, "NotPermittedException"),
        (add(ADMIN, "nobody", "a.png", "image/png").await, "RemoteException: User does not exist"),
        (add(ADMIN, "alan", "a.png", "text/html").await, "RemoteException"),
        (add(ADMIN, "alan", "../a.png", "image/png").await, "RemoteException"),
        (sandbox.rpc(ADMIN, "addProfilePicture", &[&text("alan")]).await, "NoSuchMethodException"),
        (
            sandbox.rpc(ADA, "getActiveUsers", &["<param><value><boolean>1</boolean></value></param>"]).await,
            "NotPermitted",
        ),
        (
            sandbox.rpc(ADMIN, "removeAttachment", &["<param><value><int>7</int></value></param>", &text("x")]).await,
            "NoSuchMethodException",
        ),
    ];
    for (answer, wanted) in table {
        assert!(fault_of(&answer).contains(wanted), "{wanted}: {answer}");
    }
    assert!(sandbox.running.truth().writes.is_empty());
    let all = sandbox.rpc(ADMIN, "getActiveUsers", &["<param><value><boolean>1</boolean></value></param>"]).await;
    assert!(all.contains("<value>ada</value>") && !all.contains("idle"), "{all}");
    let refusing = TestSandbox::new("9.2.0", &[("attachment_remove", "refused"), ("rpc_exceptions", "empty")]);
    let content = refusing.content_of("grace");
    let answer = refusing.rpc(ADMIN, "removeAttachment", &[&text(&content), &text("avatarpipe-0.png")]).await;
    assert!(fault_of(&answer).contains("NotPermittedException"));
    assert_eq!(refusing.rpc(ADMIN, "noSuchThing", &[]).await, "", "an exception can be an empty 200");
}

#[tokio::test]
async fn an_empty_answer_may_hide_a_success() {
    let sandbox = TestSandbox::new("9.2.0", &[]);
    sandbox.running.fault(Fault::new(Effect::Special("empty_answer".into())).on("POST", "/wiki/rpc/xmlrpc").times(1));
    assert_eq!(sandbox.add(ADMIN, "idle", "avatarpipe-1.png", "new").await, "");
    assert!(sandbox.picture("idle").await.0.ends_with("/avatarpipe-1.png"));
}

#[tokio::test]
async fn touching_what_others_stored_breaks_a_rule() {
    let sandbox = TestSandbox::new("9.2.0", &[]);
    sandbox.add(ADMIN, "ada", "user-avatar", "x").await;
    let content = sandbox.content_of("grace");
    sandbox.rpc(ADMIN, "removeAttachment", &[&text(&content), &text("avatarpipe-0.png")]).await;
    assert!(sandbox.picture("grace").await.1, "a missing file is shown as the default");
    let words = sandbox.violations().join("; ");
    assert!(words.contains("user-avatar of ada, stored by world, was overwritten by svc"), "{words}");
    assert!(words.contains("avatarpipe-0.png of grace, stored by world, was removed by svc"), "{words}");
}

#[tokio::test]
async fn the_internal_upload_changes_the_callers_own_profile() {
    for (switch, stored) in [("keeps", 2), ("rolls_back", 1)] {
        let sandbox = TestSandbox::new("9.2.0", &[("foreign_upload", switch)]);
        let body = json!({"avatarDataURI": "data:image/png;base64,ZmFjZQ=="});
        let upload = async |key: &str, who| {
            let path = format!("/rest/user-profile/1.0/{key}/avatar/upload");
            send(sandbox.ask(Method::POST, &path, who).json(&body)).await.expect("an answer")
        };
        assert_eq!(upload("4028ada", ADMIN).await.status, 500);
        let report = sandbox.control(json!({"report": {}}));
        let mine = sandbox.running.truth().account("confluence", "svc").expect("svc").key.clone();
        let files = report["files"].as_array().expect("files").iter().filter(|file| file["owner"] == mine.as_str());
        assert_eq!(files.count(), stored, "{switch}");
        assert_eq!(sandbox.violations(), ["confluence: the internal upload was called by svc for ada"]);
        let own = upload("4028ada", ADA).await;
        assert_eq!(
            (own.status, own.json()["avatarPath"].as_str().is_some_and(|p| p.contains("?version=2"))),
            (200, true)
        );
        assert_eq!(upload(&mine, ADA).await.status, 404, "no permission");
    }
}

#[tokio::test]
async fn json_rpc_wants_a_websudo_session() {
    let body = json!({"jsonrpc": "2.0", "method": "addProfilePicture", "id": 1,
                      "params": ["alan", "avatarpipe-1.png", "image/png", [110, 101, 119]]});
    for (websudo, refused) in [("on", true), ("off", false)] {
        let sandbox = TestSandbox::new("9.2.0", &[("websudo", websudo)]);
        let path = "/rpc/json-rpc/confluenceservice-v2?os_authType=basic";
        let got = send(sandbox.ask(Method::POST, path, ADMIN).json(&body)).await.expect("an answer");
        assert_eq!((got.status, got.json()["error"].is_object()), (200, refused), "{:?}", got.json());
        assert_eq!(sandbox.picture("alan").await.0.ends_with("/avatarpipe-1.png"), !refused);
        let light = "/rpc/json-rpc/confluenceservice-v2/getUser?os_authType=basic";
        let got = send(sandbox.ask(Method::POST, light, ADMIN).json(&json!(["ada"]))).await.expect("an answer");
        assert_eq!(got.json()["email"], "ada@ex.org");
    }
}

#[tokio::test]
async fn pictures_outlive_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = || {
        let world = World::bundled("merged").expect("the world");
        Sandbox::start(world, Options { state: Some(folder.path().into()), ..Options::default() }).expect("a sandbox")
    };
    let first = start();
    for simulator in ["confluence", "bitbucket"] {
        let upload = json!({"upload": {"name": "ada", "picture": "pictures/ada.jpg"}});
        first.command(simulator, &upload).expect("a command");
    }
    let shown = |running: &crate::Running| {
        ["confluence", "bitbucket"].map(|simulator| running.truth().account(simulator, "ada").expect("ada").now.clone())
    };
    let before = shown(&first);
    drop(first);
    let second = start();
    assert!(second.resumed());
    assert_eq!(shown(&second), before);
    assert!(second.truth().account("confluence", "ada").is_some_and(crate::truth::Account::changed));
}
