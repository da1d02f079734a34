//! What is looked at before it goes: a Jira that was put back from a backup gives our number to what people upload, and
//! people choose for themselves while a write is under way (promise P1).

use crate::load::jira::tests::fake::{DEFAULT, Fault, Stage, Way, World};
use crate::load::jira::tests::writes::{ADA, looks, mark, over, settle, world_with_ours};
use crate::load::jira::tests::{Memory, grey, rendition};
use crate::load::{Seen, Target as _, WriteError};
use crate::model::{Event, Intent, IntentKind, PictureRef, Status};
use crate::settings::Ownership;

/// As a plan writes it over a picture of ours, which was grey 100.
fn planned(ours: u32, kind: IntentKind) -> Intent {
    Intent { old_looks: looks(100), ..over(ours, kind) }
}

/// Ada's own picture has the number that ours had.
fn restored(ownership: Ownership) -> (World, u32, u32) {
    let (mut world, older, ours) = world_with_ours();
    world.pictures.insert(ours, grey(30));
    world.ownership = ownership;
    (world, older, ours)
}

async fn write(stage: &Stage, draft: Intent, journal: &mut Memory) -> Result<Option<PictureRef>, WriteError> {
    let session = stage.jira.session().await.unwrap();
    match draft.kind {
        IntentKind::Replace => session.replace(draft, &rendition(200), journal).await.map(|done| done.shown),
        _ => session.revert(draft, journal).await.map(|done| done.shown),
    }
}

#[tokio::test]
async fn what_is_ours_is_looked_at_once_and_deleted() {
    for (kind, picture, left) in [(IntentKind::Replace, 2, 15003), (IntentKind::Revert, 1, DEFAULT)] {
        let (world, own, ours) = world_with_ours();
        let stage = Stage::ready(world, Way::Password).await;
        let mut journal = Memory::new(&stage.log);
        let wrote = write(&stage, planned(ours, kind), &mut journal).await;
        assert!(wrote.is_ok(), "{kind:?} {wrote:?}");
        let log = stage.take_log();
        assert_eq!(log.iter().filter(|line| *line == "R picture").count(), picture, "{log:?}");
        assert!(log.contains(&format!("W delete {ours}")), "{log:?}");
        let ada = stage.world().ada().clone();
        assert!(ada.custom.contains(&own) && ada.selected == left, "{kind:?}");
    }
}

#[tokio::test]
async fn an_upload_with_the_number_of_ours_is_never_deleted() {
    for ownership in [Ownership::Provider, Ownership::Ours] {
        for kind in [IntentKind::Replace, IntentKind::Revert] {
            let (world, older, upload) = restored(ownership);
            let stage = Stage::ready(world, Way::Password).await;
            let mut journal = Memory::new(&stage.log);
            let wrote = write(&stage, planned(upload, kind), &mut journal).await;
            let log = stage.take_log();
            assert!(!log.iter().any(|line| line.starts_with("W delete")), "{ownership:?} {kind:?}: {log:?}");
            let ada = stage.world().ada().clone();
            assert!(ada.custom.starts_with(&[older, upload]), "{ownership:?} {kind:?}");
            match ownership {
                // As any picture of the person's own: it is still there to be chosen.
                Ownership::Provider => {
                    assert!(wrote.is_ok(), "{kind:?}: {wrote:?}");
                    assert_ne!(ada.selected, upload, "{kind:?}");
                }
                Ownership::Ours => {
                    assert_eq!((wrote, ada.selected), (Err(WriteError::ChangedMeanwhile), upload), "{kind:?}");
                    assert_eq!(log, ["R avatars", "R picture", "J sent 1 look", "J foreign"], "{kind:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn mending_looks_as_well() {
    // Killed before the last step: the old one is still there. Then the server was put back, and the person uploaded.
    for (kind, request) in [(IntentKind::Replace, 3), (IntentKind::Revert, 2)] {
        for given_away in [false, true] {
            let (world, older, ours) = world_with_ours();
            let stage = Stage::ready(world, Way::Password).await;
            stage.world().faults.insert("delete", Fault::status(502));
            let mut journal = Memory::breaking_at(&stage.log, request);
            _ = write(&stage, planned(ours, kind), &mut journal).await;
            stage.world().faults.clear();
            if given_away {
                stage.world().pictures.insert(ours, grey(30));
            }
            settle(&stage, journal.resumed(), true).await;
            let ada = stage.world().ada().clone();
            assert_eq!(ada.custom.contains(&ours), given_away, "{kind:?}");
            assert!(ada.custom.contains(&older), "{kind:?}");
        }
    }
}

#[tokio::test]
async fn a_leftover_with_another_picture_stays() {
    let (world, older, ours) = world_with_ours();
    let stage = Stage::ready(world, Way::Password).await;
    stage.world().faults.insert("select", Fault::status(502));
    let mut journal = Memory::new(&stage.log);
    _ = write(&stage, planned(ours, IntentKind::Replace), &mut journal).await;
    stage.world().faults.clear();
    assert_eq!(journal.status(), Status::Made(mark(15003)));
    stage.world().pictures.insert(15003, grey(30));
    settle(&stage, journal, false).await;
    assert_eq!(stage.world().ada().custom, [older, ours, 15003]);
}

#[tokio::test]
async fn a_server_in_trouble_deletes_nothing() {
    let (world, _, ours) = world_with_ours();
    let stage = Stage::ready(world, Way::Password).await;
    stage.world().faults.insert("picture", Fault::status(503));
    let wrote = write(&stage, planned(ours, IntentKind::Revert), &mut Memory::new(&stage.log)).await;
    assert!(matches!(wrote, Err(WriteError::Unknown(_))), "{wrote:?}");
    assert_eq!(stage.world().ada().selected, ours, "nothing was written");
}

#[tokio::test]
async fn who_chooses_after_a_kill_keeps_none_of_ours() {
    // Made, selected and not recorded; or made and not selected. Then the person chooses an older picture.
    for (selected, request) in [(true, 2), (false, 2)] {
        let (world, own, ours) = world_with_ours();
        let stage = Stage::ready(world, Way::Password).await;
        if !selected {
            stage.world().faults.insert("select", Fault::status(502));
        }
        let mut journal = Memory::breaking_at(&stage.log, request);
        _ = write(&stage, planned(ours, IntentKind::Replace), &mut journal).await;
        stage.world().faults.clear();
        stage.world().users.get_mut(ADA).unwrap().selected = own;
        // Killed again in between, and looked at again.
        let mut journal = journal.resumed();
        for kill in [Some(1), Some(1), None] {
            journal.breaks_at = kill.map(|more| journal.calls + more);
            let open = journal.open().unwrap();
            match stage.jira.observe(&open, None, u64::MAX).await.unwrap() {
                Seen::Leftover(mark) | Seen::Reset(Some(mark)) => {
                    let session = stage.jira.session().await.unwrap();
                    _ = session.mend(&open, &crate::load::Mend::Tidy(mark), &mut journal).await;
                }
                Seen::Nothing(_) => break,
                seen => panic!("{seen:?}"),
            }
            journal = journal.resumed();
            if journal.status() == Status::Closed {
                break;
            }
        }
        let ada = stage.world().ada().clone();
        assert_eq!((ada.custom, ada.selected), (vec![own], own), "selected: {selected}");
        assert!(journal.events.contains(&Event::Reset), "the record of ours goes");
    }
}
