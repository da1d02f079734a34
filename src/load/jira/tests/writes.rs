//! Replace, revert and mend, step by step.

use crate::load::jira::tests::fake::{DEFAULT, Fault, Stage, Way, World};
use crate::load::jira::tests::{Memory, grey, intent, rendition};
use crate::load::{Changes, Journal as _, Learnt, Mend, Seen, Target as _, WriteError, closing};
use crate::model::{Account, AccountStanding, Event, Fingerprint, Intent, IntentKind, PictureRef, Shown, Status};

pub(super) const ADA: &str = "ada+x@ex.org";

pub(super) fn mark(id: u32) -> PictureRef {
    PictureRef::new(id.to_string())
}

/// What a picture that is `value` all over looks like, as a placement remembers it.
pub(super) fn looks(value: u8) -> Option<Fingerprint> {
    crate::load::Fingerprinter::luma(&super::Grey, &grey(value)).map(|luma| luma.fingerprint())
}

/// A world in which ada shows a picture of ours, and has an older one of her own.
pub(super) fn world_with_ours() -> (World, u32, u32) {
    let mut world = World::default();
    let own = world.place(ADA, grey(90));
    let ours = world.place(ADA, grey(100));
    (world, own, ours)
}

pub(super) fn over(ours: u32, kind: IntentKind) -> Intent {
    Intent { stood: Shown::Custom(mark(ours)), old: Some(mark(ours)), ..intent(kind) }
}

#[tokio::test]
async fn every_write_stands_between_two_journal_calls() {
    let (world, own, ours) = world_with_ours();
    let stage = Stage::ready(world, Way::Password).await;
    let mut journal = Memory::new(&stage.log);
    let session = stage.jira.session().await.unwrap();
    let wrote =
        session.replace(over(ours, IntentKind::Replace), &rendition(200), &mut journal).await.map(|done| done.shown);
    assert_eq!(wrote, Ok(Some("15003".into())));
    let expected = [
        "R avatars",
        "J sent 1 session",
        "W temporary",
        "W confirm",
        "R picture",
        "J made 15003",
        "W select",
        "J shown 15003",
        "W delete 15002",
        "J closed",
    ];
    assert_eq!(stage.take_log(), expected);
    let world = stage.world();
    assert_eq!((world.ada().custom.as_slice(), world.ada().selected), ([own, 15003].as_slice(), 15003));
    assert_eq!(world.pictures[&15003], grey(200));
    let sent = stage.server.asked().into_iter().find(|asked| asked.path.contains("/temporary")).unwrap();
    assert!(sent.path.contains("username=ada%2Bx%40ex.org&filename=avatar.png&size=8"), "{}", sent.path);
    assert!(!sent.header("user-agent").contains("Mozilla"));
}

#[tokio::test]
async fn a_revert_shows_the_default_and_deletes_only_ours() {
    let (world, own, ours) = world_with_ours();
    let stage = Stage::ready(world, Way::Password).await;
    let mut journal = Memory::new(&stage.log);
    let session = stage.jira.session().await.unwrap();
    assert_eq!(session.revert(over(ours, IntentKind::Revert), &mut journal).await.map(|done| done.shown), Ok(None));
    let expected = ["R avatars", "J sent 1 revert", "W select", "J reset", "W delete 15002", "J closed"];
    assert_eq!(stage.take_log(), expected);
    let ada = stage.world().ada().clone();
    assert_eq!((ada.custom, ada.selected), (vec![own], DEFAULT));
}

#[tokio::test]
async fn an_adopted_picture_is_never_deleted() {
    let (world, own, adopted) = world_with_ours();
    let stage = Stage::ready(world, Way::Password).await;
    let session = stage.jira.session().await.unwrap();
    let draft = Intent { old: None, ..over(adopted, IntentKind::Revert) };
    assert_eq!(session.revert(draft, &mut Memory::new(&stage.log)).await.map(|done| done.shown), Ok(None));
    assert_eq!(stage.world().ada().custom, [own, adopted]);
}

#[tokio::test]
async fn a_stale_record_deletes_nobodys_picture() {
    let (mut world, own, ours) = world_with_ours();
    let foreign = world.place("svc", grey(50));
    let plain = super::fake::User { key: "PLAIN".into(), custom: vec![], selected: DEFAULT };
    world.users.insert("plain".into(), plain);
    let stage = Stage::ready(world, Way::Password).await;
    for kind in [IntentKind::Replace, IntentKind::Revert] {
        let stood = Shown::Custom(mark(stage.world().ada().selected));
        let draft = Intent { stood, old: Some(mark(foreign)), ..intent(kind) };
        let session = stage.jira.session().await.unwrap();
        let mut journal = Memory::new(&stage.log);
        let wrote = match kind {
            IntentKind::Replace => session.replace(draft, &rendition(200), &mut journal).await.map(|done| done.shown),
            _ => session.revert(draft, &mut journal).await.map(|done| done.shown),
        };
        assert!(wrote.is_ok(), "{kind:?} {wrote:?}");
        assert!(!stage.take_log().iter().any(|line| line.starts_with("W delete")), "{kind:?}");
    }
    assert_eq!(stage.world().ada().custom[..2], [own, ours]);
}

#[tokio::test]
async fn nothing_is_written_where_the_name_leads_to_another_account() {
    let (world, _, ours) = world_with_ours();
    let stage = Stage::ready(world, Way::Password).await;
    // Renamed since the survey: what stands there is another account's.
    stage.world().users.get_mut(ADA).unwrap().key = "L".into();
    for kind in [IntentKind::Replace, IntentKind::Revert] {
        let session = stage.jira.session().await.unwrap();
        let mut journal = Memory::new(&stage.log);
        let wrote = match kind {
            IntentKind::Replace => {
                session.replace(over(ours, kind), &rendition(200), &mut journal).await.map(|done| done.shown)
            }
            _ => session.revert(over(ours, kind), &mut journal).await.map(|done| done.shown),
        };
        assert_eq!(wrote, Err(WriteError::ChangedMeanwhile));
        assert_eq!(stage.take_log(), ["R avatars"]);
    }
}

#[tokio::test]
async fn nothing_is_written_where_something_else_stands() {
    let (world, own, ours) = world_with_ours();
    let stage = Stage::ready(world, Way::Password).await;
    stage.world().users.get_mut(ADA).unwrap().selected = own;
    for kind in [IntentKind::Replace, IntentKind::Revert] {
        let session = stage.jira.session().await.unwrap();
        let mut journal = Memory::new(&stage.log);
        let wrote = match kind {
            IntentKind::Replace => {
                session.replace(over(ours, kind), &rendition(200), &mut journal).await.map(|done| done.shown)
            }
            _ => session.revert(over(ours, kind), &mut journal).await.map(|done| done.shown),
        };
        assert_eq!(wrote, Err(WriteError::ChangedMeanwhile));
        assert_eq!(stage.take_log(), ["R avatars"]);
    }
}

#[tokio::test]
async fn the_status_of_each_step_is_yes_no_or_maybe() {
    // Step, status, how it ended, where the journal stands.
    let table = [
        ("temporary", 400, "refused", "closed"),
        ("temporary", 403, "refused", "closed"),
        ("temporary", 404, "refused", "closed"),
        ("temporary", 413, "refused", "closed"),
        ("temporary", 415, "refused", "closed"),
        ("temporary", 401, "refused", "closed"),
        ("temporary", 302, "stop", "sent"),
        ("temporary", 500, "maybe", "sent"),
        ("temporary", 502, "maybe", "sent"),
        ("confirm", 400, "refused", "closed"),
        ("confirm", 500, "maybe", "sent"),
        ("confirm", 503, "maybe", "sent"),
        ("confirm", 200, "maybe", "sent"),
        ("select", 400, "refused", "closed"),
        ("select", 403, "refused", "closed"),
        ("select", 500, "maybe", "made"),
        ("select", 301, "stop", "made"),
        ("delete", 404, "maybe", "shown"),
        ("delete", 403, "maybe", "shown"),
        ("delete", 500, "maybe", "shown"),
        ("avatars", 404, "refused", "nothing"),
        ("avatars", 403, "refused", "nothing"),
        ("avatars", 503, "stop", "nothing"),
    ];
    for (step, status, ended, stands) in table {
        let (world, _, ours) = world_with_ours();
        let stage = Stage::ready(world, Way::Password).await;
        stage.world().faults.insert(step, Fault::status(status));
        let mut journal = Memory::new(&stage.log);
        let session = stage.jira.session().await.unwrap();
        let wrote = session
            .replace(over(ours, IntentKind::Replace), &rendition(200), &mut journal)
            .await
            .map(|done| done.shown);
        let found = match &wrote {
            Ok(_) => "done",
            Err(WriteError::Refused(_)) => "refused",
            Err(WriteError::ChangedMeanwhile) => "changed",
            Err(WriteError::Unknown(_)) => "maybe",
            Err(WriteError::Stop(_)) => "stop",
        };
        let status_now = match journal.open().map(|open| open.status) {
            None => "nothing",
            Some(Status::Sent { .. }) => "sent",
            Some(Status::Made(_)) => "made",
            Some(Status::Shown(_)) => "shown",
            Some(Status::Closed) => "closed",
            Some(other) => panic!("{step} {status}: {other:?}"),
        };
        assert_eq!((found, status_now), (ended, stands), "{step} {status}: {wrote:?}");
    }
}

#[tokio::test]
async fn without_a_204_a_picture_is_gone_only_if_the_list_says_so() {
    for (fault, wrote) in [
        (Fault::status(404).taking_effect(), "done"),
        (Fault::status(404), "maybe"),
        (Fault::status(200).taking_effect(), "done"),
        (Fault::status(200), "maybe"),
    ] {
        let (world, own, ours) = world_with_ours();
        let stage = Stage::ready(world, Way::Password).await;
        stage.world().faults.insert("delete", fault);
        let mut journal = Memory::new(&stage.log);
        let session = stage.jira.session().await.unwrap();
        let ended = session.revert(over(ours, IntentKind::Revert), &mut journal).await.map(|done| done.shown);
        assert_eq!(matches!(ended, Ok(None)), wrote == "done", "{ended:?}");
        assert_eq!(stage.take_log().iter().filter(|line| *line == "R avatars").count(), 2);
        stage.world().faults.clear();
        settle(&stage, journal, false).await;
        assert_eq!(stage.world().ada().custom, [own], "{wrote}");
    }
}

#[tokio::test]
async fn an_answer_without_the_list_of_uploads_proves_nothing() {
    let stage = Stage::ready(World::default(), Way::Password).await;
    stage.world().faults.insert("confirm", Fault::status(502).taking_effect());
    let mut journal = Memory::new(&stage.log);
    let session = stage.jira.session().await.unwrap();
    _ = session.replace(intent(IntentKind::Replace), &rendition(200), &mut journal).await;
    stage.world().uploads_listed = false;
    let open = journal.open().unwrap();
    assert!(matches!(stage.jira.observe(&open, None, u64::MAX).await.unwrap(), Seen::Unsure(_)));
    stage.world().uploads_listed = true;
    assert!(matches!(stage.jira.observe(&open, None, u64::MAX).await.unwrap(), Seen::HalfDone(_)));
}

#[tokio::test]
async fn a_server_that_finds_nothing_at_all_has_not_lost_an_account() {
    let stage = Stage::ready(World::default(), Way::Password).await;
    stage.world().faults.insert("confirm", Fault::status(502).taking_effect());
    let mut journal = Memory::new(&stage.log);
    let session = stage.jira.session().await.unwrap();
    _ = session.replace(intent(IntentKind::Replace), &rendition(200), &mut journal).await;
    let open = journal.open().unwrap();
    // A servlet container whose application is not up yet answers so.
    for step in ["avatars", "myself"] {
        stage.world().faults.insert(step, Fault::status(404));
    }
    assert!(stage.jira.observe(&open, None, u64::MAX).await.is_err());
    stage.world().faults.remove("myself");
    assert!(matches!(stage.jira.observe(&open, None, u64::MAX).await.unwrap(), Seen::Nothing(_)), "renamed or deleted");
    let listed = Account {
        id: open.intent.account.clone(),
        name: open.intent.account_name.clone(),
        handle: None,
        email: None,
        display_name: "Ada".into(),
        standing: AccountStanding::Active,
        shown: Shown::Default,
    };
    let seen = stage.jira.observe(&open, Some(&listed), u64::MAX).await.unwrap();
    assert!(matches!(seen, Seen::Unsure(_)), "the survey lists it: {seen:?}");
}

#[tokio::test]
async fn a_picture_that_cannot_be_shown_is_taken_away_again() {
    let stage = Stage::ready(World::default(), Way::Password).await;
    stage.world().faults.insert("select", Fault::status(400));
    let mut journal = Memory::new(&stage.log);
    let session = stage.jira.session().await.unwrap();
    let wrote =
        session.replace(intent(IntentKind::Replace), &rendition(200), &mut journal).await.map(|done| done.shown);
    assert!(matches!(wrote, Err(WriteError::Refused(_))), "{wrote:?}");
    let log = stage.take_log();
    assert_eq!(log[log.len() - 4..], ["W select", "J abandoned 15001", "W delete 15001", "J closed"]);
    assert_eq!(stage.world().ada().custom, Vec::<u32>::new());
}

#[tokio::test]
async fn a_foreign_face_stops_the_target() {
    let stage = Stage::ready(World::default(), Way::Password).await;
    stage.world().swapped = Some(grey(20));
    let mut journal = Memory::new(&stage.log);
    let session = stage.jira.session().await.unwrap();
    let wrote =
        session.replace(intent(IntentKind::Replace), &rendition(200), &mut journal).await.map(|done| done.shown);
    assert!(matches!(&wrote, Err(WriteError::Stop(failure)) if failure.found.contains("another picture")), "{wrote:?}");
    let log = stage.take_log();
    assert_eq!(log[log.len() - 5..], ["R picture", "R avatars", "J bad 15001", "W delete 15001", "J closed"]);
    assert_eq!(stage.world().ada().selected, DEFAULT);
}

/// What `run` does with an open intent: looks, and mends what is there.
pub(super) async fn settle(stage: &Stage, mut journal: Memory, wanted: bool) {
    let Some(mut open) = journal.open().filter(|open| open.status != Status::Closed) else { return };
    // The next run knows from its survey what the account is called by now.
    if let Some(name) = stage.world().called(open.intent.account.as_str()) {
        open.renamed(&name);
    }
    let seen = stage.jira.observe(&open, None, u64::MAX).await.unwrap();
    let mend = match seen {
        Seen::Nothing(why) => {
            for event in closing(&open.status, &why) {
                journal.record(event).await.unwrap();
            }
            None
        }
        Seen::HalfDone(mark) if wanted => Some(Mend::Finish(mark)),
        Seen::HalfDone(mark) | Seen::Leftover(mark) | Seen::Stray { mark, .. } | Seen::Reset(Some(mark)) => {
            Some(Mend::Tidy(mark))
        }
        Seen::Shown(mark) | Seen::Alike(mark) => Some(Mend::Finish(mark)),
        Seen::Reset(None) => {
            journal.record(Event::Reset).await.unwrap();
            journal.record(Event::Closed).await.unwrap();
            None
        }
        Seen::TooEarly(_) | Seen::Perhaps(_) | Seen::Unsure(_) => panic!("{seen:?}"),
    };
    if let Some(mend) = mend {
        let session = stage.jira.session().await.unwrap();
        let wrote = session.mend(&open, &mend, &mut journal).await.map(|done| done.shown);
        assert!(wrote.is_ok(), "{mend:?} {wrote:?}");
    }
    assert_eq!(journal.status(), Status::Closed);
}

#[tokio::test]
async fn a_kill_before_any_journal_call_leaves_no_stray_picture() {
    for wanted in [true, false] {
        for request in 0..4 {
            let (world, own, ours) = world_with_ours();
            let stage = Stage::ready(world, Way::Password).await;
            let mut journal = Memory::breaking_at(&stage.log, request);
            let session = stage.jira.session().await.unwrap();
            let wrote = session
                .replace(over(ours, IntentKind::Replace), &rendition(200), &mut journal)
                .await
                .map(|done| done.shown);
            assert!(matches!(wrote, Err(WriteError::Stop(_))), "{request}: {wrote:?}");
            settle(&stage, journal.resumed(), wanted).await;
            let ada = stage.world().ada().clone();
            // Made but not shown, and not wanted any more: ours goes. Everything else that was begun is completed.
            let new = request >= 1 && (wanted || request >= 2);
            let expected = if new { vec![own, 15003] } else { vec![own, ours] };
            assert_eq!((ada.custom.clone(), ada.selected), (expected.clone(), expected[1]), "{request} {wanted}");
        }
    }
}

#[tokio::test]
async fn a_kill_within_a_revert_leaves_no_stray_picture() {
    for request in 0..3 {
        let (world, own, ours) = world_with_ours();
        let stage = Stage::ready(world, Way::Password).await;
        let mut journal = Memory::breaking_at(&stage.log, request);
        let session = stage.jira.session().await.unwrap();
        _ = session.revert(over(ours, IntentKind::Revert), &mut journal).await;
        settle(&stage, journal.resumed(), false).await;
        let ada = stage.world().ada().clone();
        let expected = if request == 0 { (vec![own, ours], ours) } else { (vec![own], DEFAULT) };
        assert_eq!((ada.custom, ada.selected), expected, "{request}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_found_by_looking_whether_it_took_effect_or_not() {
    for step in ["temporary", "confirm", "select", "delete"] {
        for takes_effect in [false, true] {
            let (world, own, ours) = world_with_ours();
            let stage = Stage::ready(world, Way::Password).await;
            let fault = if takes_effect { Fault::status(502).taking_effect() } else { Fault::status(502) };
            stage.world().faults.insert(step, fault);
            let mut journal = Memory::new(&stage.log);
            let session = stage.jira.session().await.unwrap();
            let wrote = session
                .replace(over(ours, IntentKind::Replace), &rendition(200), &mut journal)
                .await
                .map(|done| done.shown);
            assert!(matches!(wrote, Err(WriteError::Unknown(_))), "{step}: {wrote:?}");
            stage.world().faults.clear();
            settle(&stage, journal, true).await;
            let ada = stage.world().ada().clone();
            let made = ada.custom.contains(&15003);
            assert_eq!(made, takes_effect && step == "confirm" || matches!(step, "select" | "delete"), "{step}");
            let expected = if made { vec![own, 15003] } else { vec![own, ours] };
            assert_eq!((ada.custom.clone(), ada.selected), (expected.clone(), expected[1]), "{step} {takes_effect}");
        }
    }
}

#[tokio::test]
async fn a_second_attempt_finds_what_the_first_one_left() {
    let stage = Stage::ready(World::default(), Way::Password).await;
    stage.world().faults.insert("confirm", Fault::status(502));
    let mut journal = Memory::new(&stage.log);
    let session = stage.jira.session().await.unwrap();
    _ = session.replace(intent(IntentKind::Replace), &rendition(200), &mut journal).await;
    stage.world().faults.clear();
    let open = journal.open().unwrap();
    let at = match open.status {
        Status::Sent { at, .. } => at,
        ref other => panic!("{other:?}"),
    };
    assert_eq!(stage.jira.observe(&open, None, at + 119).await.unwrap(), Seen::TooEarly(at + 120));
    assert!(matches!(stage.jira.observe(&open, None, at + 120).await.unwrap(), Seen::Nothing(_)));

    // The first attempt comes through after the second was sent, and the second is killed before it is recorded.
    journal.breaks_at = Some(2);
    let session = stage.jira.session().await.unwrap();
    let wrote = session.mend(&open, &Mend::Again(rendition(200)), &mut journal).await.map(|done| done.shown);
    assert!(matches!(wrote, Err(WriteError::Stop(_))), "{wrote:?}");
    let late = stage.world().place(ADA, grey(200));
    stage.world().users.get_mut(ADA).unwrap().selected = DEFAULT;
    assert_eq!(stage.world().ada().custom, [15001, late]);
    settle(&stage, journal.resumed(), true).await;
    let ada = stage.world().ada().clone();
    assert_eq!((ada.custom, ada.selected), (vec![late], late));
}

#[tokio::test]
async fn nothing_is_sent_again_over_something_new() {
    let stage = Stage::ready(World::default(), Way::Password).await;
    stage.world().faults.insert("confirm", Fault::status(502).taking_effect());
    let mut journal = Memory::new(&stage.log);
    let session = stage.jira.session().await.unwrap();
    _ = session.replace(intent(IntentKind::Replace), &rendition(200), &mut journal).await;
    let open = journal.open().unwrap();
    let session = stage.jira.session().await.unwrap();
    let wrote = session.mend(&open, &Mend::Again(rendition(200)), &mut journal).await.map(|done| done.shown);
    assert_eq!(wrote, Err(WriteError::ChangedMeanwhile));
}

#[tokio::test]
async fn only_a_picture_of_ours_can_be_tidied() {
    let (world, own, ours) = world_with_ours();
    let stage = Stage::ready(world, Way::Password).await;
    let mut journal = Memory::breaking_at(&stage.log, 2);
    let session = stage.jira.session().await.unwrap();
    _ = session.replace(over(ours, IntentKind::Replace), &rendition(200), &mut journal).await;
    let mut journal = journal.resumed();
    let open = journal.open().unwrap();
    stage.take_log();
    let session = stage.jira.session().await.unwrap();
    let wrote = session.mend(&open, &Mend::Tidy(mark(own)), &mut journal).await.map(|done| done.shown);
    assert_eq!((wrote, stage.take_log()), (Err(WriteError::ChangedMeanwhile), vec!["R avatars".to_owned()]));
}

#[tokio::test]
async fn the_forecast_is_what_is_sent() {
    for way in [Way::Password, Way::Token] {
        let mut world = World::default();
        for n in 0..60 {
            let name = format!("p{n:02}");
            world
                .users
                .insert(name.clone(), super::fake::User { key: format!("P{n}"), custom: vec![], selected: DEFAULT });
            if n % 2 == 0 {
                world.place(&name, grey(10));
            }
        }
        let stage = Stage::ready(world, way).await;
        let changes = Changes {
            replace: 30,
            replace_over_ours: 29,
            revert_made: 1,
            sessions: vec![59],
            accounts: 62,
            ..Changes::default()
        };
        let (forecast, before) = (stage.forecast(&changes), stage.jira.counts().sent);
        let mut session = stage.jira.session().await.unwrap();
        for n in 0..60_u32 {
            let name = format!("p{n:02}");
            let ours = stage.world().users[&name].custom.first().map(|id| mark(*id));
            let stood = ours.clone().map_or(Shown::System(mark(DEFAULT)), Shown::Custom);
            let draft = Intent {
                account: format!("P{n}").as_str().into(),
                account_name: name,
                stood,
                old_looks: ours.as_ref().and_then(|_| looks(10)),
                old: ours,
                luma: crate::load::Fingerprinter::luma(&super::Grey, b"grey 40"),
                ..intent(IntentKind::Replace)
            };
            let mut journal = Memory::new(&stage.log);
            let done = if n == 58 {
                session.revert(Intent { kind: IntentKind::Revert, ..draft }, &mut journal).await
            } else {
                // 40 stands for a small square; a password's route sends larger ones.
                let value = if way == Way::Token { 40 } else { 200 };
                let luma = crate::load::Fingerprinter::luma(&super::Grey, &grey(value));
                session.replace(Intent { luma, ..draft }, &rendition(value), &mut journal).await
            };
            session = done.map_err(|error| format!("{n}: {error:?}")).unwrap().session;
        }
        stage.jira.survey(&mut Learnt::from([("default".into(), DEFAULT.to_string())]), &mut |_| {}).await.unwrap();
        // The last picture and some more, which the run looks at afterwards (`run::recheck`).
        let rechecked = 1 + crate::load::RECHECKED as u64;
        assert_eq!(stage.jira.counts().sent - before + rechecked, forecast, "{way:?}");
    }
}
