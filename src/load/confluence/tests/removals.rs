//! Files that go: only what we made, after a look; what the server does not let go is owed.

use bytes::Bytes;

use super::fake::{ADA, Fault, Stage, Way, World, endpoint};
use super::{OLD, draft, picture};
use crate::load::jira::tests::{Grey, Memory, grey};
use crate::load::{Fingerprinter as _, Learnt, Seen, Target as _, WriteError};
use crate::model::{Intent, IntentKind, PictureRef, Shown, Status};
use crate::settings::ConfluenceUpload;

const NOT_PERMITTED: Fault = Fault {
    status: 200,
    body: "<methodResponse><fault><value><struct><member><name>faultString</name><value>NotPermittedException</value>\
        </member></struct></value></fault></methodResponse>",
    takes_effect: false,
};
const LATER: u64 = u64::MAX;

async fn replace(stage: &Stage, draft: Intent) -> (Result<Option<PictureRef>, WriteError>, Memory) {
    let mut journal = Memory::new(&stage.log);
    let session = stage.wiki.session().await.unwrap();
    (session.replace(draft, &picture().0, &mut journal).await.map(|done| done.shown), journal)
}

fn over_ours() -> Intent {
    draft(IntentKind::Replace, Shown::Custom(OLD.into()), Some(OLD))
}

#[tokio::test]
async fn a_file_that_is_named_like_ours_and_shows_something_else_stays() {
    for upload in [ConfluenceUpload::Xmlrpc, endpoint()] {
        for kind in [IntentKind::Replace, IntentKind::Revert] {
            let world = World { endpoint: true, ..World::default().shows(OLD) };
            let stage = Stage::ready(world, Way { upload: upload.clone(), ..Way::default() }).await;
            stage.world().users.get_mut(ADA).unwrap().files.insert(OLD.to_owned(), grey(7));
            let mut journal = Memory::new(&stage.log);
            let session = stage.wiki.session().await.unwrap();
            let draft = Intent { kind, ..over_ours() };
            let wrote = match kind {
                IntentKind::Revert => session.revert(draft, &mut journal).await.map(|done| done.shown),
                _ => session.replace(draft, &picture().0, &mut journal).await.map(|done| done.shown),
            };
            assert!(wrote.is_ok(), "{wrote:?}");
            assert_eq!((journal.status(), stage.world().ada().files.get(OLD)), (Status::Closed, Some(&grey(7))));
            assert!(stage.wiki.asides().iter().any(|words| words.contains("named like ours")));
        }
    }
}

#[tokio::test]
async fn what_was_encoded_anew_on_the_way_is_known_by_its_looks() {
    for (shows, goes) in [(100, true), (7, false)] {
        let stage = Stage::ready(World::default().shows(OLD), Way::default()).await;
        // Not the bytes that the name stands for.
        let stored = Bytes::from(format!("grey {shows:04}"));
        stage.world().users.get_mut(ADA).unwrap().files.insert(OLD.to_owned(), stored);
        let looks = Grey.luma(&grey(100)).map(|luma| luma.fingerprint());
        _ = replace(&stage, Intent { old_looks: looks, ..over_ours() }).await;
        assert_eq!(!stage.world().ada().files.contains_key(OLD), goes, "{shows}");
    }
}

#[tokio::test]
async fn a_shown_file_of_the_name_that_ours_would_get_is_not_written_over() {
    let file = picture().1;
    let stage = Stage::ready(World::default().shows(file.as_str()), Way::default()).await;
    let theirs = draft(IntentKind::Replace, Shown::Custom(file.clone()), None);
    let (wrote, _) = replace(&stage, theirs).await;
    let Ok(Some(other)) = wrote else { panic!("{wrote:?}") };
    let ada = stage.world().ada().clone();
    assert!(other != file && ada.shown == other.as_str(), "{ada:?}");
    assert_eq!(ada.files.get(file.as_str()), Some(&grey(100)), "what was there is as it was");
    // What is ours gets a new version of itself.
    let again = draft(IntentKind::Replace, Shown::Custom(file.clone()), Some(file.as_str()));
    let stage = Stage::ready(World::default().shows(file.as_str()), Way::default()).await;
    assert_eq!(replace(&stage, again).await.0, Ok(Some(file)));
}

#[tokio::test]
async fn a_definite_no_is_owed_and_told_once() {
    let stage = Stage::ready(World::default().shows(OLD), Way::default()).await;
    stage.world().faults.insert("removeAttachment", NOT_PERMITTED);
    let (file, mut learnt) = (picture().1, Learnt::new());
    let (wrote, journal) = replace(&stage, over_ours()).await;
    assert_eq!((wrote, journal.status()), (Ok(Some(file.clone())), Status::Shown(file)));
    stage.wiki.keep(&mut learnt);
    let told = stage.wiki.asides();
    assert!(told.len() == 1 && told[0].starts_with("1 file of ours"), "{told:?}");

    // The next run leaves it as it is: nothing is asked of the server, and nothing is to be done.
    let next = |world: World| Stage::new(world, Way::default());
    let world = || World::default().shows(picture().1.as_str());
    let stage = next(world()).await;
    stage.world().users.get_mut(ADA).unwrap().files.insert(OLD.to_owned(), grey(100));
    stage.wiki.survey(&mut learnt.clone(), &mut |_| {}).await.unwrap();
    stage.take_log();
    let open = journal.open().unwrap();
    assert!(matches!(stage.wiki.observe(&open, None, LATER).await.unwrap(), Seen::Perhaps(_)));
    assert_eq!(stage.take_log(), ["R user"]);
    assert_eq!(stage.wiki.asides().len(), 1);

    // Once something could be removed, what is owed goes, too.
    let (wrote, _) = replace(&stage, draft(IntentKind::Replace, Shown::Custom(picture().1), Some(OLD))).await;
    assert!(wrote.is_ok());
    stage.wiki.keep(&mut learnt);
    assert!(!learnt.contains_key("removal"), "{learnt:?}");
}

#[tokio::test]
async fn everybody_is_not_asked_in_vain() {
    let stage = Stage::ready(World::default().shows(OLD), Way::default()).await;
    stage.world().faults.insert("removeAttachment", NOT_PERMITTED);
    let mut asked = 0;
    for _ in 0..6 {
        stage.world().users.get_mut(ADA).unwrap().shown = OLD.to_owned();
        _ = replace(&stage, over_ours()).await;
        asked += stage.take_log().iter().filter(|line| line.starts_with("W remove")).count();
    }
    assert_eq!(asked, 3);
    assert!(stage.wiki.asides()[0].starts_with("6 files of ours"));
}

#[tokio::test]
async fn what_cannot_be_looked_at_stays() {
    let page: &[(u16, &str)] = &[(200, ""), (403, ""), (404, ""), (302, "")];
    for (status, body) in page {
        let stage = Stage::ready(World::default().shows(OLD), Way::default()).await;
        stage.world().faults.insert("file", Fault { status: *status, body, takes_effect: false });
        let (wrote, journal) = replace(&stage, over_ours()).await;
        assert!(wrote.is_ok(), "{status}: {wrote:?}");
        assert!(matches!(journal.status(), Status::Shown(_)), "{status}: a gateway's 404 is no proof");
        assert_eq!(stage.world().ada().files.get(OLD).map(Bytes::len), Some(8), "{status}");
    }
}
