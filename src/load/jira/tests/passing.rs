//! A name passes to somebody else while a run is at it: whoever has it now is left as they were (promise P1).

use crate::load::jira::tests::fake::{DEFAULT, Fault, Stage, Way, World};
use crate::load::jira::tests::writes::{ADA, mark, over, settle, world_with_ours};
use crate::load::jira::tests::{Memory, intent, rendition};
use crate::load::{Mend, Seen, Target as _, WriteError};
use crate::model::{Event, Intent, IntentKind, Shown, Status};

/// The newcomer has no picture, and shows the default.
#[track_caller]
fn expect_untouched(stage: &Stage, what: &str) {
    let world = stage.world();
    let new = &world.users[ADA];
    assert_eq!((new.key.as_str(), new.custom.as_slice(), new.selected), ("NEW", [].as_slice(), DEFAULT), "{what}");
}

#[tokio::test]
async fn what_is_made_for_somebody_else_is_taken_back_and_the_target_goes_on() {
    for owner_told in [true, false] {
        let stage = Stage::ready(World { owner_told, ..World::default() }, Way::Password).await;
        stage.world().pass_on();
        let mut journal = Memory::new(&stage.log);
        let session = stage.jira.session().await.unwrap();
        let wrote =
            session.replace(intent(IntentKind::Replace), &rendition(200), &mut journal).await.map(|done| done.shown);
        assert_eq!(wrote, Err(WriteError::ChangedMeanwhile));
        let log = stage.take_log();
        let end = ["R avatars", "J stray 15001 NEW", "W delete 15001", "J closed"];
        assert_eq!(log[log.len() - 4..], end, "{log:?}");
        expect_untouched(&stage, "taken back");
    }
}

#[tokio::test]
async fn once_a_name_has_passed_the_next_one_is_asked_for_before() {
    let stage = Stage::ready(World::default(), Way::Password).await;
    stage.world().pass_on();
    for asked in [false, true] {
        let session = stage.jira.session().await.unwrap();
        let wrote = session
            .replace(intent(IntentKind::Replace), &rendition(200), &mut Memory::new(&stage.log))
            .await
            .map(|done| done.shown);
        assert_eq!(wrote, Err(WriteError::ChangedMeanwhile));
        let log = stage.take_log();
        assert_eq!(log == ["R avatars", "R user"], asked, "{log:?}");
        expect_untouched(&stage, "asked before");
    }
}

#[tokio::test]
async fn a_second_picture_for_a_stranger_stops_the_target() {
    let stage = Stage::ready(World::default(), Way::Password).await;
    for nth in 1..=2 {
        stage.world().passes_before = Some("confirm");
        let session = stage.jira.session().await.unwrap();
        let wrote = session
            .replace(intent(IntentKind::Replace), &rendition(200), &mut Memory::new(&stage.log))
            .await
            .map(|done| done.shown);
        assert_eq!(matches!(wrote, Err(WriteError::Stop(_))), nth == 2, "{wrote:?}");
        expect_untouched(&stage, "taken back");
        let mut world = stage.world();
        world.users.remove(ADA);
        let ada = world.users.remove("ada.old").unwrap();
        world.users.insert(ADA.into(), ada);
    }
}

#[tokio::test]
async fn a_picture_that_nobody_has_stops_the_target_and_stays_open() {
    // The answer names somebody, and the list of the one who was named does not have it under that owner.
    let stage = Stage::ready(World { owner: Some("OTHER"), ..World::default() }, Way::Password).await;
    let mut journal = Memory::new(&stage.log);
    let session = stage.jira.session().await.unwrap();
    let wrote =
        session.replace(intent(IntentKind::Replace), &rendition(200), &mut journal).await.map(|done| done.shown);
    assert!(matches!(&wrote, Err(WriteError::Stop(failure)) if failure.found.contains("belong to OTHER")), "{wrote:?}");
    assert!(matches!(journal.status(), Status::Sent { .. }));
    assert!(!stage.take_log().iter().any(|line| line.contains("select") || line.contains("delete")));
    // What was made is ada's own all the same: the next run finds it, and shows it or takes it away.
    for wanted in [true, false] {
        let stage = Stage::ready(World { owner: Some("OTHER"), ..World::default() }, Way::Password).await;
        let mut journal = Memory::new(&stage.log);
        let session = stage.jira.session().await.unwrap();
        _ = session.replace(intent(IntentKind::Replace), &rendition(200), &mut journal).await;
        stage.world().owner = None;
        settle(&stage, journal.resumed(), wanted).await;
        let left = stage.world().ada().custom.clone();
        assert_eq!(left.len(), usize::from(wanted), "{left:?}");
        assert_eq!(stage.world().ada().selected == DEFAULT, !wanted);
    }
}

#[tokio::test]
async fn a_kill_at_any_step_leaves_nothing_with_the_newcomer() {
    // Where the name passes, and the journal call before which the run dies; `None`: the answer to the creation is lost.
    let calls = [Some(1), Some(2), None];
    for (before, request) in
        ["avatars", "temporary", "confirm"].into_iter().flat_map(|b| calls.map(|request| (b, request)))
    {
        let what = format!("passes before {before}, killed at {request:?}");
        let stage = Stage::ready(World::default(), Way::Password).await;
        stage.world().passes_before = Some(before);
        let mut journal = match request {
            Some(request) => Memory::breaking_at(&stage.log, request),
            None => Memory::new(&stage.log),
        };
        if request.is_none() {
            stage.world().faults.insert("confirm", Fault::status(502).taking_effect());
        }
        let session = stage.jira.session().await.unwrap();
        let wrote =
            session.replace(intent(IntentKind::Replace), &rendition(200), &mut journal).await.map(|done| done.shown);
        assert!(matches!(wrote, Err(WriteError::Stop(_)) | Err(WriteError::Unknown(_))), "{what}: {wrote:?}");
        stage.world().faults.clear();
        settle(&stage, journal.resumed(), true).await;
        expect_untouched(&stage, &what);
        assert_eq!(stage.world().users["ada.old"].custom, [0_u32; 0], "{what}");
    }
}

#[tokio::test]
async fn the_newcomers_own_pictures_are_no_strays() {
    for own in [super::grey(90), super::grey(200)] {
        let stage = Stage::ready(World::default(), Way::Password).await;
        stage.world().faults.insert("confirm", Fault::status(502));
        let mut journal = Memory::new(&stage.log);
        let session = stage.jira.session().await.unwrap();
        _ = session.replace(intent(IntentKind::Replace), &rendition(200), &mut journal).await;
        stage.world().faults.clear();
        stage.world().pass_on();
        // Chosen by hand: whatever it looks like, it is not ours to take away.
        let id = stage.world().place(ADA, own);
        settle(&stage, journal.resumed(), true).await;
        assert_eq!(stage.world().users[ADA].custom, [id]);
    }
}

#[tokio::test]
async fn a_stray_that_was_given_a_new_owner_by_a_restored_server_stays() {
    let stage = Stage::ready(World::default(), Way::Password).await;
    stage.world().pass_on();
    let mut journal = Memory::breaking_at(&stage.log, 2);
    let session = stage.jira.session().await.unwrap();
    _ = session.replace(intent(IntentKind::Replace), &rendition(200), &mut journal).await;
    assert!(matches!(journal.status(), Status::Stray { .. }));
    // It was deleted before the record of that was made; then the number was given out again.
    {
        let mut world = stage.world();
        world.next = 15001;
        let own = world.place(ADA, super::grey(90));
        assert_eq!(own, 15001);
    }
    settle(&stage, journal.resumed(), true).await;
    assert_eq!(stage.world().users[ADA].custom, [15001]);
}

#[tokio::test]
async fn a_stray_that_is_shown_is_taken_off_first() {
    let stage = Stage::ready(World::default(), Way::Password).await;
    stage.world().pass_on();
    stage.world().faults.insert("delete", Fault::status(502));
    let mut journal = Memory::new(&stage.log);
    let session = stage.jira.session().await.unwrap();
    let wrote =
        session.replace(intent(IntentKind::Replace), &rendition(200), &mut journal).await.map(|done| done.shown);
    assert!(matches!(wrote, Err(WriteError::Unknown(_))), "{wrote:?}");
    stage.world().faults.clear();
    stage.world().users.get_mut(ADA).unwrap().selected = 15001;
    stage.take_log();
    settle(&stage, journal, true).await;
    let written: Vec<_> = stage.take_log().into_iter().filter(|line| !line.starts_with('R')).collect();
    assert_eq!(written, ["W select", "W delete 15001", "J closed"]);
    expect_untouched(&stage, "taken off");
}

#[tokio::test]
async fn a_name_that_passed_proves_nothing_about_the_account() {
    // Killed with our new picture made and not shown. The newcomer's empty list must not close the record of it.
    let (world, own, ours) = world_with_ours();
    let stage = Stage::ready(world, Way::Password).await;
    let mut journal = Memory::breaking_at(&stage.log, 2);
    let session = stage.jira.session().await.unwrap();
    _ = session.replace(over(ours, IntentKind::Replace), &rendition(200), &mut journal).await;
    let mut journal = journal.resumed();
    stage.world().pass_on();
    let open = journal.open().unwrap();
    let seen = stage.jira.observe(&open, None, u64::MAX).await.unwrap();
    assert_eq!(seen, Seen::Nothing("the account is gone".into()), "nobody lists it");
    for mend in [Mend::Tidy(mark(15003)), Mend::Finish(mark(15003))] {
        let session = stage.jira.session().await.unwrap();
        assert_eq!(
            session.mend(&open, &mend, &mut journal).await.map(|done| done.shown),
            Err(WriteError::ChangedMeanwhile)
        );
    }
    assert_eq!(journal.status(), Status::Made(mark(15003)));
    settle(&stage, journal, true).await;
    assert_eq!(stage.world().users["ada.old"].custom, [own, 15003]);
    expect_untouched(&stage, "finished where it belongs");
}

#[tokio::test]
async fn nothing_is_sent_again_to_another_account() {
    let stage = Stage::ready(World::default(), Way::Password).await;
    stage.world().faults.insert("confirm", Fault::status(502));
    let mut journal = Memory::new(&stage.log);
    let session = stage.jira.session().await.unwrap();
    _ = session.replace(intent(IntentKind::Replace), &rendition(200), &mut journal).await;
    stage.world().faults.clear();
    stage.world().pass_on();
    let open = journal.open().unwrap();
    let session = stage.jira.session().await.unwrap();
    let wrote = session.mend(&open, &Mend::Again(rendition(200)), &mut journal).await.map(|done| done.shown);
    assert_eq!(wrote, Err(WriteError::ChangedMeanwhile));
    expect_untouched(&stage, "asked first");
}

#[tokio::test]
async fn a_stock_picture_is_taken_off_only_where_the_name_is_still_the_accounts() {
    let chosen = Intent { stood: Shown::System(mark(10130)), ..intent(IntentKind::Revert) };
    for passes in [false, true] {
        let stage = Stage::ready(World::default(), Way::Password).await;
        stage.world().users.get_mut(ADA).unwrap().selected = 10130;
        if passes {
            stage.world().pass_on();
            stage.world().users.get_mut(ADA).unwrap().selected = 10130;
        }
        let session = stage.jira.session().await.unwrap();
        let wrote = session.revert(chosen.clone(), &mut Memory::new(&stage.log)).await.map(|done| done.shown);
        let log = stage.take_log();
        if passes {
            assert_eq!((wrote, log), (Err(WriteError::ChangedMeanwhile), vec!["R user".to_owned()]));
        } else {
            assert_eq!(wrote, Ok(None));
            assert_eq!(log, ["R user", "J sent 1 revert", "W select", "J reset", "J closed"]);
            assert_eq!(stage.world().ada().selected, DEFAULT);
        }
    }
}

#[test]
fn the_name_that_a_write_went_by_is_kept() {
    let events = vec![Event::Sent { attempt: 1, route: "session".into(), at: 7 }];
    let journal = Memory { intent: Some(intent(IntentKind::Replace)), events, ..Memory::default() };
    let mut open = journal.open().unwrap();
    open.renamed(ADA);
    assert_eq!((open.sent_name(), open.sent_as.as_deref()), (ADA, None));
    open.renamed("ada.old");
    open.renamed("ada.older");
    assert_eq!((open.sent_name(), open.intent.account_name.as_str()), (ADA, "ada.older"));
}
