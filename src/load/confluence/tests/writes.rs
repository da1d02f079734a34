//! Replace, revert and mend, step by step.

use super::fake::{ADA, Fault, Stage, Way, World, endpoint};
use super::{OLD, draft, picture};
use crate::load::jira::tests::{Memory, grey};
use crate::load::{Changes, Done, Mend, Seen, Target as _, WriteError, closing};
use crate::model::{Event, IntentKind, OpenIntent, PictureRef, Shown, Status};
use crate::settings::ConfluenceUpload;

const DEFAULT: &str = "/images/icons/profilepics/default.svg";
/// Later than any sending plus `quiet`.
const LATER: u64 = u64::MAX;

fn old() -> Shown {
    Shown::Custom(OLD.into())
}

fn word(wrote: &Result<Option<PictureRef>, WriteError>) -> &'static str {
    match wrote {
        Ok(_) => "done",
        Err(WriteError::Refused(_)) => "refused",
        Err(WriteError::ChangedMeanwhile) => "changed",
        Err(WriteError::Unknown(_)) => "maybe",
        Err(WriteError::Stop(_)) => "stop",
    }
}

#[tokio::test]
async fn every_write_stands_between_two_journal_calls() {
    let (rendition, file) = picture();
    for way in [Way::default(), Way { upload: endpoint(), ..Way::default() }] {
        let world = World { endpoint: true, ..World::default().shows("user-avatar").shows(OLD) };
        let stage = Stage::ready(world, way.clone()).await;
        let session = stage.wiki.session().await.unwrap();
        let mut journal = Memory::new(&stage.log);
        let over_old = draft(IntentKind::Replace, old(), Some(OLD));
        let Done { session, shown } = session.replace(over_old, &rendition, &mut journal).await.ok().unwrap();
        assert_eq!(shown, Some(file.clone()));
        let (route, content) = match way.upload {
            ConfluenceUpload::Xmlrpc => ("xmlrpc", "77 "),
            ConfluenceUpload::Endpoint { .. } => ("endpoint", ""),
        };
        let expected = [
            "R named".to_owned(),
            format!("J sent 1 {route}"),
            format!("W add {file}"),
            format!("J shown {file}"),
            "R file".to_owned(),
            format!("W remove {content}{OLD}"),
            "J closed".to_owned(),
        ];
        assert_eq!(stage.take_log(), expected);
        let changes = Changes { replace_over_ours: 1, ..Changes::default() };
        assert_eq!(stage.wiki.forecast(&changes), 4 + 2, "two reads, two writes, two pages");
        assert_eq!(
            stage.world().ada().files.keys().map(String::as_str).collect::<Vec<_>>(),
            [file.as_str(), "user-avatar"]
        );

        let mut journal = Memory::new(&stage.log);
        let draft = draft(IntentKind::Revert, Shown::Custom(file.clone()), Some(file.as_str()));
        assert_eq!(session.revert(draft, &mut journal).await.map(|done| done.shown), Ok(None));
        let expected = [
            "R named".to_owned(),
            "J sent 1 revert".to_owned(),
            format!("W set {DEFAULT}"),
            "J reset".to_owned(),
            "R file".to_owned(),
            format!("W remove {content}{file}"),
            "J closed".to_owned(),
        ];
        assert_eq!(stage.take_log(), expected);
        let ada = stage.world().ada().clone();
        assert_eq!((ada.shown.as_str(), ada.files.len()), (DEFAULT, 1));
    }
}

#[tokio::test]
async fn an_adopted_picture_is_never_removed() {
    let stage = Stage::ready(World::default().shows("face.png"), Way::default()).await;
    let session = stage.wiki.session().await.unwrap();
    let draft = draft(IntentKind::Revert, Shown::Custom("face.png".into()), None);
    assert_eq!(session.revert(draft, &mut Memory::new(&stage.log)).await.map(|done| done.shown), Ok(None));
    assert!(stage.world().ada().files.contains_key("face.png"));
}

#[tokio::test]
async fn every_answer_is_yes_no_or_maybe() {
    const FAULT: &str = "<methodResponse><fault><value><struct><member><name>faultString</name>\
        <value>NotPermittedException</value></member></struct></value></fault></methodResponse>";
    const NO: &str =
        "<methodResponse><params><param><value><boolean>0</boolean></value></param></params></methodResponse>";
    // Step, status, body, how it ended, where the journal stands.
    let table = [
        ("addProfilePicture", 200, FAULT, "refused", "closed"),
        ("addProfilePicture", 200, NO, "maybe", "sent"),
        ("addProfilePicture", 200, "", "maybe", "sent"),
        ("addProfilePicture", 200, "<html>log in</html>", "maybe", "sent"),
        ("addProfilePicture", 204, "", "maybe", "sent"),
        ("addProfilePicture", 302, "", "stop", "sent"),
        ("addProfilePicture", 400, "", "refused", "closed"),
        ("addProfilePicture", 401, "", "refused", "closed"),
        ("addProfilePicture", 403, "Remote API is not enabled on this server.", "stop", "sent"),
        ("addProfilePicture", 403, "XSRF check failed", "stop", "sent"),
        ("addProfilePicture", 404, "", "stop", "sent"),
        ("addProfilePicture", 413, "", "refused", "closed"),
        ("addProfilePicture", 415, "", "refused", "closed"),
        ("addProfilePicture", 500, "", "maybe", "sent"),
        ("addProfilePicture", 503, "", "maybe", "sent"),
        // A definite no: the file is owed, and the person's picture is right.
        ("removeAttachment", 200, FAULT, "done", "shown"),
        ("removeAttachment", 200, "", "maybe", "shown"),
        ("removeAttachment", 500, "", "maybe", "shown"),
    ];
    let (rendition, _) = picture();
    for (step, status, body, ended, stands) in table {
        let stage = Stage::ready(World::default().shows(OLD), Way::default()).await;
        stage.world().faults.insert(step, Fault { status, body, takes_effect: false });
        let mut journal = Memory::new(&stage.log);
        let session = stage.wiki.session().await.unwrap();
        let wrote = session
            .replace(draft(IntentKind::Replace, old(), Some(OLD)), &rendition, &mut journal)
            .await
            .map(|done| done.shown);
        let now = match journal.status() {
            Status::Sent { .. } => "sent",
            Status::Shown(_) => "shown",
            Status::Closed => "closed",
            other => panic!("{step} {status}: {other:?}"),
        };
        assert_eq!((word(&wrote), now), (ended, stands), "{step} {status} {body}: {wrote:?}");
    }
}

#[tokio::test]
async fn an_old_file_that_is_gone_already_is_as_good_as_removed() {
    let stage = Stage::ready(World::default().shows("user-avatar"), Way::default()).await;
    let session = stage.wiki.session().await.unwrap();
    let mut journal = Memory::new(&stage.log);
    let draft = draft(IntentKind::Replace, Shown::Custom("user-avatar".into()), Some(OLD));
    let wrote = session.replace(draft, &picture().0, &mut journal).await.map(|done| done.shown);
    assert_eq!((word(&wrote), journal.status()), ("done", Status::Closed));
}

#[tokio::test]
async fn what_cannot_be_addressed_is_a_debt_until_it_can() {
    let mut world = World::default();
    world.users.get_mut(ADA).unwrap().files.insert(OLD.to_owned(), grey(100));
    let stage = Stage::ready(world, Way::default()).await;
    let session = stage.wiki.session().await.unwrap();
    let mut journal = Memory::new(&stage.log);
    // Our old picture is there, and the account shows the default: nobody says where its files are.
    let (rendition, file) = picture();
    let draft = draft(IntentKind::Replace, Shown::Default, Some(OLD));
    let Done { session, shown } = session.replace(draft, &rendition, &mut journal).await.ok().unwrap();
    assert_eq!((shown, journal.status()), (Some(file.clone()), Status::Shown(file.clone())));
    let open = journal.open().unwrap();
    let seen = stage.wiki.observe(&open, None, LATER).await.unwrap();
    assert_eq!(seen, Seen::Shown(file.clone()));
    let wrote = session.mend(&open, &Mend::Finish(file.clone()), &mut journal).await.map(|done| done.shown);
    assert_eq!((wrote, journal.status()), (Ok(Some(file.clone())), Status::Closed));
    assert_eq!(stage.world().ada().files.keys().collect::<Vec<_>>(), [file.as_str()]);
}

/// Looks and mends as a run does, until nothing is open.
async fn settle(stage: &Stage, open: &OpenIntent, journal: &mut Memory) {
    let seen = stage.wiki.observe(open, None, LATER).await.unwrap();
    let mend = match &seen {
        Seen::HalfDone(mark) | Seen::Shown(mark) => Mend::Finish(mark.clone()),
        Seen::Leftover(mark) | Seen::Reset(Some(mark)) => Mend::Tidy(mark.clone()),
        Seen::Perhaps(_) => Mend::Again(picture().0),
        Seen::Nothing(why) => {
            for event in closing(&open.status, why) {
                crate::load::Journal::record(journal, event).await.unwrap();
            }
            return;
        }
        Seen::Reset(None) => {
            for event in [Event::Reset, Event::Closed] {
                crate::load::Journal::record(journal, event).await.unwrap();
            }
            return;
        }
        other => panic!("{other:?}"),
    };
    let wrote = stage.wiki.session().await.unwrap().mend(open, &mend, journal).await.map(|done| done.shown);
    assert_eq!(word(&wrote), "done", "{seen:?} {wrote:?}");
}

#[tokio::test]
async fn a_kill_at_any_point_leaves_nothing_after_the_next_look() {
    for kind in [IntentKind::Replace, IntentKind::Revert] {
        for kill in 0..3 {
            let stage = Stage::ready(World::default().shows("user-avatar").shows(OLD), Way::default()).await;
            let mut journal = Memory::breaking_at(&stage.log, kill);
            let session = stage.wiki.session().await.unwrap();
            let draft = draft(kind, old(), Some(OLD));
            let wrote = match kind {
                IntentKind::Revert => session.revert(draft, &mut journal).await.map(|done| done.shown),
                _ => session.replace(draft, &picture().0, &mut journal).await.map(|done| done.shown),
            };
            assert_eq!(word(&wrote), "stop", "{kind:?} {kill}");
            let mut journal = journal.resumed();
            let Some(open) = journal.open() else {
                assert_eq!((kill, stage.world().ada().shown.as_str()), (0, OLD));
                continue;
            };
            settle(&stage, &open, &mut journal).await;
            assert_eq!(journal.status(), Status::Closed, "{kind:?} {kill}");
            let world = stage.world();
            let files: Vec<&str> = world.ada().files.keys().map(String::as_str).collect();
            let shown = world.ada().shown.as_str();
            match kind {
                IntentKind::Revert => assert_eq!((shown, files.as_slice()), (DEFAULT, ["user-avatar"].as_slice())),
                _ => assert_eq!(
                    (shown, files.as_slice()),
                    (picture().1.as_str(), [picture().1.as_str(), "user-avatar"].as_slice())
                ),
            }
        }
    }
}

#[tokio::test]
async fn a_file_that_is_stored_and_not_shown_is_finished_or_tidied() {
    let (rendition, file) = picture();
    for finished in [true, false] {
        let stage = Stage::ready(World::default().shows(OLD), Way::default()).await;
        stage.world().faults.insert("addProfilePicture", Fault { status: 500, body: "", takes_effect: true });
        let mut journal = Memory::new(&stage.log);
        let session = stage.wiki.session().await.unwrap();
        let wrote = session
            .replace(draft(IntentKind::Replace, old(), Some(OLD)), &rendition, &mut journal)
            .await
            .map(|done| done.shown);
        assert_eq!(word(&wrote), "maybe");
        stage.world().users.get_mut(ADA).unwrap().shown = OLD.to_owned();
        let open = journal.open().unwrap();
        assert!(matches!(stage.wiki.observe(&open, None, 0).await.unwrap(), Seen::TooEarly(_)));
        assert_eq!(stage.wiki.observe(&open, None, LATER).await.unwrap(), Seen::HalfDone(file.clone()));
        let mend = if finished { Mend::Finish(file.clone()) } else { Mend::Tidy(file.clone()) };
        let session = stage.wiki.session().await.unwrap();
        assert_eq!(word(&session.mend(&open, &mend, &mut journal).await.map(|done| done.shown)), "done");
        assert_eq!(journal.status(), Status::Closed);
        let expected = if finished { file.as_str() } else { OLD };
        let world = stage.world();
        assert_eq!((world.ada().shown.as_str(), world.ada().files.len()), (expected, 1));
    }
}

#[tokio::test]
async fn the_internal_profile_rest_is_never_called() {
    let stage = Stage::ready(World::default(), Way::default()).await;
    let session = stage.wiki.session().await.unwrap();
    let draft = draft(IntentKind::Replace, Shown::Default, None);
    _ = session.replace(draft, &picture().0, &mut Memory::new(&stage.log)).await;
    assert!(stage.server.asked().iter().all(|asked| !asked.path.contains("user-profile")));
}
