//! A name is only an address: who carries it now, and what the account shows, is read before every write.

use super::fake::{ADA, Fault, Stage, User, Way, World, endpoint};
use super::{OLD, draft, picture};
use crate::load::jira::tests::Memory;
use crate::load::{Mend, Session, Target as _, WriteError};
use crate::model::{Intent, IntentKind, OpenIntent, PictureRef, Shown};
use crate::settings::ConfluenceUpload;

fn ways() -> [ConfluenceUpload; 2] {
    [ConfluenceUpload::Xmlrpc, endpoint()]
}

async fn stage(world: World, upload: &ConfluenceUpload) -> Stage {
    Stage::ready(World { endpoint: true, ..world }, Way { upload: upload.clone(), ..Way::default() }).await
}

/// The name passes to somebody of another key; who had it is renamed.
fn hand_over(stage: &Stage) {
    let mut world = stage.world();
    let ada = world.users.remove(ADA).unwrap();
    let newcomer = User { key: "N", content: "80", ..ada.clone() };
    world.users.insert("ada.king", ada);
    world.users.insert(ADA, newcomer);
}

fn wrote_nothing(stage: &Stage) -> bool {
    stage.take_log().iter().all(|line| line.starts_with("R "))
}

async fn session(stage: &Stage) -> Session {
    stage.wiki.session().await.unwrap()
}

/// A write of which every step is still to come, and one whose answer was lost.
fn drafts() -> [Intent; 3] {
    let ours = || Shown::Custom(OLD.into());
    [
        draft(IntentKind::Replace, ours(), Some(OLD)),
        draft(IntentKind::Revert, ours(), Some(OLD)),
        draft(IntentKind::Revert, ours(), None),
    ]
}

async fn write(stage: &Stage, draft: Intent) -> Result<Option<PictureRef>, WriteError> {
    let mut journal = Memory::new(&stage.log);
    match draft.kind {
        IntentKind::Revert => session(stage).await.revert(draft, &mut journal).await.map(|done| done.shown),
        _ => session(stage).await.replace(draft, &picture().0, &mut journal).await.map(|done| done.shown),
    }
}

#[tokio::test]
async fn nothing_is_written_to_whoever_has_the_name_now() {
    for upload in ways() {
        for draft in drafts() {
            let stage = stage(World::default().shows(OLD), &upload).await;
            hand_over(&stage);
            assert_eq!(write(&stage, draft).await, Err(WriteError::ChangedMeanwhile));
            assert!(wrote_nothing(&stage));
        }
    }
}

#[tokio::test]
async fn nothing_is_written_where_nobody_has_the_name() {
    for draft in drafts() {
        let stage = stage(World::default().shows(OLD), &ConfluenceUpload::Xmlrpc).await;
        let ada = stage.world().users.remove(ADA).unwrap();
        stage.world().users.insert("ada.king", ada);
        assert!(matches!(write(&stage, draft).await, Err(WriteError::Refused(_))));
        assert!(wrote_nothing(&stage));
    }
}

#[tokio::test]
async fn mending_reads_who_has_the_name() {
    for upload in ways() {
        let stage = stage(World::default().shows(OLD), &upload).await;
        let step = Fault { status: 500, body: "", takes_effect: false };
        stage.world().faults.insert("addProfilePicture", step);
        let mut journal = Memory::new(&stage.log);
        let [draft, ..] = drafts();
        let open: OpenIntent = match upload {
            ConfluenceUpload::Xmlrpc => {
                _ = session(&stage).await.replace(draft, &picture().0, &mut journal).await;
                journal.open().unwrap()
            }
            ConfluenceUpload::Endpoint { .. } => {
                let status = crate::model::Status::Sent { attempt: 1, route: "endpoint".into(), at: 7 };
                let intent = Intent { making: Some(picture().1), ..draft };
                OpenIntent { id: crate::model::IntentId(1), intent, status, sent_as: None }
            }
        };
        hand_over(&stage);
        stage.take_log();
        let file = picture().1;
        for mend in [Mend::Finish(file.clone()), Mend::Tidy(file.clone()), Mend::Again(picture().0)] {
            let wrote = session(&stage).await.mend(&open, &mend, &mut journal).await.map(|done| done.shown);
            assert_eq!(wrote, Err(WriteError::ChangedMeanwhile), "{mend:?}");
            assert!(wrote_nothing(&stage), "{mend:?}");
        }
    }
}

#[tokio::test]
async fn nothing_is_written_where_another_picture_is_shown_than_the_plan_saw() {
    let custom = |file: &str| Shown::Custom(file.into());
    for upload in ways() {
        for stood in [Shown::Default, Shown::System("Avatar-1.svg".into()), custom("user-avatar"), custom(OLD)] {
            for kind in [IntentKind::Replace, IntentKind::Revert] {
                let stage = stage(World::default().shows("chosen-a-moment-ago.png"), &upload).await;
                let wrote = write(&stage, draft(kind, stood.clone(), None)).await;
                assert_eq!(wrote, Err(WriteError::ChangedMeanwhile), "{kind:?} {stood:?}");
                assert!(wrote_nothing(&stage), "{kind:?} {stood:?}");
            }
        }
        // The same name among another one's files.
        let stage = stage(World::default().shows("user-avatar"), &upload).await;
        let elsewhere = Intent { handle: Some("78".into()), ..draft(IntentKind::Replace, custom("user-avatar"), None) };
        assert_eq!(write(&stage, elsewhere).await, Err(WriteError::ChangedMeanwhile));
        assert!(wrote_nothing(&stage));
    }
}

#[tokio::test]
async fn what_is_not_ours_is_only_unchosen() {
    let stock = "/images/icons/profilepics/Avatar-1.svg";
    for upload in ways() {
        let stage = stage(World::default().shows("user-avatar"), &upload).await;
        let foreign = draft(IntentKind::Revert, Shown::Custom("user-avatar".into()), None);
        assert_eq!(write(&stage, foreign).await, Ok(None));
        let ada = stage.world().ada().clone();
        assert!(ada.shown.ends_with("/default.svg") && ada.files.contains_key("user-avatar"), "{ada:?}");
        stage.world().users.get_mut(ADA).unwrap().shown = stock.to_owned();
        let system = draft(IntentKind::Revert, Shown::System("Avatar-1.svg".into()), None);
        assert_eq!(write(&stage, system).await, Ok(None));
        assert!(stage.world().ada().shown.ends_with("/default.svg"));
    }
}
