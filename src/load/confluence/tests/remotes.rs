//! Which way pictures can go, and what to switch on where none is open.

use super::fake::{Fault, Stage, Way, World, endpoint};
use super::{draft, picture};
use crate::http::FailureKind;
use crate::load::jira::tests::Memory;
use crate::load::{Learnt, Probe, ProbeResult, Target as _};
use crate::model::{IntentKind, Shown};

#[tokio::test]
async fn a_closed_remote_api_says_what_to_do() {
    let token = Way { token: true, ..Way::default() };
    let table = [
        (403, "Remote API is not enabled on this server.", Way::default(), "Further Configuration > Remote API"),
        (404, "<html>Page Not Found</html>", Way::default(), "pipelines/confluence-endpoint.groovy"),
        (401, "", token.clone(), "knows no tokens"),
    ];
    for (status, body, way, hint) in table {
        let stage = Stage::new(World::default(), way).await;
        stage.world().faults.insert("getServerInfo", Fault { status, body, takes_effect: false });
        let failure = stage.wiki.prepare(&mut Learnt::new(), None).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Refused, "{failure}");
        assert!(failure.hint.as_deref().is_some_and(|words| words.contains(hint)), "{failure}");
    }
    let stage = Stage::new(World { knows_requests: false, ..World::default() }, token).await;
    let failure = stage.wiki.prepare(&mut Learnt::new(), None).await.unwrap_err();
    assert!(failure.hint.is_some_and(|words| words.contains("knows no tokens")));
    let stage = Stage::new(World::default(), Way::default()).await;
    stage.world().faults.insert("getServerInfo", Fault { status: 200, body: "<html>", takes_effect: false });
    assert_eq!(stage.wiki.prepare(&mut Learnt::new(), None).await.unwrap_err().kind, FailureKind::Odd);
}

#[tokio::test]
async fn a_password_signs_in_to_the_remote_api_where_the_request_does_not_count() {
    let stage = Stage::ready(World { knows_requests: false, ..World::default() }, Way::default()).await;
    let session = stage.wiki.session().await.unwrap();
    let (rendition, file) = picture();
    let draft = draft(IntentKind::Replace, Shown::Default, None);
    let wrote = session.replace(draft, &rendition, &mut Memory::new(&stage.log)).await.map(|done| done.shown);
    assert_eq!(wrote, Ok(Some(file)));
    assert!(!stage.take_log().contains(&"R login".to_owned()), "the token of the probe holds");
}

#[tokio::test]
async fn the_probe_is_not_repeated() {
    let stage = Stage::new(World { server_information: false, ..World::default() }, Way::default()).await;
    let mut learnt = Learnt::new();
    let server = stage.wiki.identify().await.unwrap();
    assert_eq!(
        (server.product.as_str(), server.id.as_str(), server.user.as_deref()),
        ("Confluence 8.5", "c0ff", Some("svc"))
    );
    let upload = stage.wiki.prepare(&mut learnt, None).await.unwrap();
    assert_eq!((upload.route.as_str(), upload.side), ("xmlrpc", None));
    assert_eq!(stage.take_log(), ["R information", "R manifest", "R current", "R getServerInfo"]);
}

#[tokio::test]
async fn the_right_of_an_administrator_is_proved() {
    for (admin, missing) in [(true, [].as_slice()), (false, ["Confluence administrator"].as_slice())] {
        let stage = Stage::ready(World { admin, ..World::default() }, Way::default()).await;
        assert_eq!(stage.wiki.whoami().await.unwrap().missing, missing);
        let (run, mut journal) = ("run".into(), Memory::new(&stage.log));
        let probe = Probe { run: &run, journal: &mut journal };
        let tried = stage.wiki.try_out(&mut Learnt::new(), probe).await.unwrap();
        assert_eq!(tried[0].told == ProbeResult::Works, admin, "{tried:?}");
        let wrote = stage.take_log().iter().any(|line| line.starts_with('W'));
        assert_eq!(wrote, admin, "our own picture would go there without the right");
    }
    // An answer that is neither says nothing.
    let stage = Stage::ready(World::default(), Way::default()).await;
    stage.world().faults.insert("getActiveUsers", Fault { status: 500, body: "", takes_effect: false });
    let _ = stage.wiki.whoami().await;
    stage.world().faults.insert("getActiveUsers", Fault { status: 200, body: "", takes_effect: false });
    assert_eq!(stage.wiki.whoami().await.unwrap().notes.len(), 1);
}

#[tokio::test]
async fn an_endpoint_is_found_or_asked_for() {
    let way = Way { upload: endpoint(), ..Way::default() };
    let stage = Stage::new(World { endpoint: true, ..World::default() }, way.clone()).await;
    assert_eq!(stage.wiki.prepare(&mut Learnt::new(), None).await.unwrap().route, "endpoint");
    let stage = Stage::new(World::default(), way).await;
    let failure = stage.wiki.prepare(&mut Learnt::new(), None).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.hint.is_some_and(|words| words.contains("confluence-endpoint.groovy")));
}
