//! Replace, revert and mend, step by step.

use super::fake::{Fault, SENT_AT, Stage, World};
use crate::load::bitbucket::mark::Window;
use crate::load::jira::tests::{Grey, Memory, grey, intent, rendition};
use crate::load::{Changes, Done, Fingerprinter as _, Mend, Seen, Target as _, WriteError, closing};
use crate::model::{Account, Intent, IntentKind, OpenIntent, PictureRef, Rendition, Shown, Status};
use crate::secret::Secret;
use crate::settings::AtlassianCredential;

const V0: &str = "1655392225748";
const LATER: u64 = u64::MAX;

fn draft(kind: IntentKind, stood: Shown, old: Option<&str>) -> Intent {
    let handle = Some("ada_x_ex.org".to_owned());
    Intent { account: "101".into(), handle, stood, old: old.map(PictureRef::from), ..intent(kind) }
}

fn v0() -> Shown {
    Shown::Custom(V0.into())
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
async fn a_success_stays_open_until_its_version_is_shown() {
    let stage = Stage::ready(World::default().shows(V0, grey(1))).await;
    let session = stage.git.session().await.unwrap();
    let mut journal = Memory::new(&stage.log);
    let wrote = session
        .replace(draft(IntentKind::Replace, v0(), None), &rendition(200), &mut journal)
        .await
        .map(|done| done.shown);
    let stand_in = Window { from: SENT_AT, to: SENT_AT, before: Some(V0.into()) }.mark();
    let Ok(Some(mark)) = wrote else { panic!("{wrote:?}") };
    // The clock of this machine plays no part but in how long it took.
    assert_eq!(Window::read(&mark).unwrap().to, SENT_AT, "{mark} {stand_in}");
    let steps = ["J sent 1 multipart", "R read", "W post"].map(str::to_owned);
    assert_eq!(stage.take_log(), [&steps[..], &[format!("J shown {mark}")]].concat());
    assert_eq!(journal.status(), Status::Shown(mark.clone()));
    assert_eq!(stage.world().ada().picture, Some(("1700000000123".to_owned(), grey(200))));

    for (shown, confirmed) in [("1700000000123", true), (V0, false), ("1700009000000", false), ("abc", false)] {
        assert_eq!(stage.git.confirm(&mark, &shown.into()), confirmed.then(|| shown.into()), "{shown}");
    }
    let changes = Changes { replace: 1, ..Changes::default() };
    assert_eq!(stage.git.forecast(&changes), 2 + 2);
}

#[tokio::test]
async fn the_next_run_learns_the_version_without_a_request() {
    let stage = Stage::ready(World::default()).await;
    let session = stage.git.session().await.unwrap();
    let mut journal = Memory::new(&stage.log);
    let draft = draft(IntentKind::Replace, Shown::Default, None);
    let Done { session, .. } = session.replace(draft, &rendition(200), &mut journal).await.ok().unwrap();
    let open = journal.open().unwrap();
    let seen = stage.git.observe(&open, None, LATER).await.unwrap();
    assert_eq!(seen, Seen::Shown("1700000000123".into()));
    stage.take_log();
    let mark = PictureRef::from("1700000000123");
    let wrote = session.mend(&open, &Mend::Finish(mark.clone()), &mut journal).await.map(|done| done.shown);
    assert_eq!((wrote, journal.status()), (Ok(Some(mark)), Status::Closed));
    assert_eq!(stage.take_log(), ["J confirmed 1700000000123", "J closed"]);
}

#[tokio::test]
async fn a_revert_deletes_only_what_is_still_ours() {
    let stage = Stage::ready(World::default().shows(V0, grey(1))).await;
    let session = stage.git.session().await.unwrap();
    let mut journal = Memory::new(&stage.log);
    let wrote = session.revert(draft(IntentKind::Revert, v0(), Some(V0)), &mut journal).await.map(|done| done.shown);
    assert_eq!((wrote, journal.status()), (Ok(None), Status::Closed));
    assert_eq!(stage.take_log(), ["R read", "J sent 1 revert", "W delete", "J reset", "J closed"]);
    assert_eq!(stage.world().ada().picture, None);

    for (world, old, ended) in [
        (World::default().shows("1699999999999", grey(2)), Some(V0), "changed"),
        (World::default(), Some(V0), "changed"),
        (World::default().shows("1699999999999", grey(2)), None, "changed"),
        (World::default().shows(V0, grey(1)).renamed(), Some(V0), "changed"),
        (World::default().shows(V0, grey(1)).renamed(), None, "changed"),
    ] {
        let stage = Stage::ready(world).await;
        let session = stage.git.session().await.unwrap();
        let wrote = session
            .revert(draft(IntentKind::Revert, v0(), old), &mut Memory::new(&stage.log))
            .await
            .map(|done| done.shown);
        assert_eq!(word(&wrote), ended, "{wrote:?}");
        assert!(!stage.take_log().contains(&"W delete".to_owned()));
    }
}

/// A person's upload within moments of ours may have passed for it.
#[tokio::test]
async fn what_we_made_is_looked_at_before_it_is_deleted() {
    for (there, status, ended, steps) in [
        (1, 0, "done", &["R read", "R picture", "J sent 1 revert", "W delete", "J reset", "J closed"][..]),
        (200, 0, "refused", &["R read", "R picture", "J disowned 1655392225748"]),
        (1, 404, "refused", &["R read", "R picture"]),
    ] {
        let stage = Stage::ready(World::default().shows(V0, grey(there))).await;
        if status > 0 {
            stage.world().faults.insert("picture", Fault { status, takes_effect: false });
        }
        let old_looks = Grey.luma(&grey(1)).map(|luma| luma.fingerprint());
        let draft = Intent { old_looks, ..draft(IntentKind::Revert, v0(), Some(V0)) };
        let session = stage.git.session().await.unwrap();
        let wrote = session.revert(draft.clone(), &mut Memory::new(&stage.log)).await.map(|done| done.shown);
        assert_eq!(
            (word(&wrote), &stage.take_log()[..]),
            (ended, &steps.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..])
        );
        assert_eq!(stage.world().ada().picture.is_none(), ended == "done");
        // A placement of somebody else's picture, or one that the plan does not call ours, is not looked at.
        let stage = Stage::ready(World::default().shows(V0, grey(there))).await;
        let session = stage.git.session().await.unwrap();
        let wrote =
            session.revert(Intent { old: None, ..draft }, &mut Memory::new(&stage.log)).await.map(|done| done.shown);
        assert_eq!(word(&wrote), "done");
    }
}

/// To a token everybody may seem to show the default: that proves nothing of a picture.
#[tokio::test]
async fn what_a_token_is_served_disowns_nothing() {
    let world = World::default().shows(V0, grey(200));
    let stage = Stage::signed_in(world, &[], AtlassianCredential::Token(Secret::new("to-ken"))).await;
    stage.git.identify().await.unwrap();
    stage.take_log();
    let old_looks = Grey.luma(&grey(1)).map(|luma| luma.fingerprint());
    let draft = Intent { old_looks, ..draft(IntentKind::Revert, v0(), Some(V0)) };
    let wrote =
        stage.git.session().await.unwrap().revert(draft, &mut Memory::new(&stage.log)).await.map(|done| done.shown);
    assert_eq!((word(&wrote), stage.take_log()), ("refused", vec!["R read".to_owned(), "R picture".to_owned()]));
}

/// Adopted, or the person's own: the rule is to delete what the plan saw, and nothing else (docs/write-protocols.md).
#[tokio::test]
async fn a_revert_of_what_is_not_ours_deletes_what_the_plan_saw() {
    for old in [None, Some("1600000000000")] {
        let stage = Stage::ready(World::default().shows(V0, grey(1))).await;
        let session = stage.git.session().await.unwrap();
        let wrote = session
            .revert(draft(IntentKind::Revert, v0(), old), &mut Memory::new(&stage.log))
            .await
            .map(|done| done.shown);
        assert_eq!(wrote, Ok(None), "{old:?}");
        assert_eq!(stage.take_log(), ["R read", "J sent 1 revert", "W delete", "J reset", "J closed"]);
    }
}

/// A slug is an address. Whoever carries it now is asked right before each write.
#[tokio::test]
async fn nothing_is_sent_to_a_slug_that_passed_to_somebody_else() {
    let renamed = || World::default().shows(V0, grey(1)).renamed();
    let chosen = || World::default().shows("1699999999999", grey(2));
    let nobody = || World { users: Vec::new(), ..World::default() };
    for (then, word_of) in [
        (renamed as fn() -> World, "renamed"),
        (chosen as fn() -> World, "another picture"),
        (nobody as fn() -> World, "gone"),
    ] {
        let stage = Stage::ready(World::default().shows(V0, grey(1))).await;
        *stage.world() = then();
        let mut journal = Memory::new(&stage.log);
        let session = stage.git.session().await.unwrap();
        let wrote = session
            .replace(draft(IntentKind::Replace, v0(), None), &rendition(200), &mut journal)
            .await
            .map(|done| done.shown);
        assert_eq!(wrote, Err(WriteError::ChangedMeanwhile), "{word_of}");
        assert_eq!(stage.take_log(), ["J sent 1 multipart", "R read", "J void"], "{word_of}");
        assert_eq!(journal.status(), Status::Closed);
    }
    // A server that fails for this person alone, or for all.
    for (status, ended) in [(500, "refused"), (403, "stop")] {
        let stage = Stage::ready(World::default()).await;
        stage.world().faults.insert("read", Fault { status, takes_effect: false });
        let mut journal = Memory::new(&stage.log);
        let session = stage.git.session().await.unwrap();
        let draft = draft(IntentKind::Replace, Shown::Default, None);
        let wrote = session.replace(draft, &rendition(200), &mut journal).await.map(|done| done.shown);
        assert_eq!((word(&wrote), journal.status()), (ended, Status::Closed), "{status}");
        assert!(!stage.take_log().contains(&"W post".to_owned()));
    }
}

/// A mending writes, too.
#[tokio::test]
async fn a_retry_goes_to_the_account_that_is_meant() {
    let stage = Stage::ready(World::default().shows(V0, grey(1))).await;
    stage.world().faults.insert("post", Fault { status: 502, takes_effect: false });
    let mut journal = Memory::new(&stage.log);
    let session = stage.git.session().await.unwrap();
    _ = session.replace(draft(IntentKind::Replace, v0(), None), &rendition(200), &mut journal).await;
    *stage.world() = World::default().shows(V0, grey(1)).renamed();
    let open = journal.open().unwrap();
    let session = stage.git.session().await.unwrap();
    stage.take_log();
    let wrote = session.mend(&open, &Mend::Again(rendition(200)), &mut journal).await.map(|done| done.shown);
    assert_eq!((wrote, stage.take_log()), (Err(WriteError::ChangedMeanwhile), vec!["R read".to_owned()]));
    // Its name leads to somebody else, and the survey of this run lists it: that proves nothing.
    let account = Account {
        id: "101".into(),
        name: open.intent.account_name.clone(),
        handle: Some("ada_x_ex.org".into()),
        email: None,
        display_name: "Ada".into(),
        standing: crate::model::AccountStanding::Active,
        shown: v0(),
    };
    let seen = stage.git.observe(&open, Some(&account), LATER).await.unwrap();
    assert!(matches!(seen, Seen::Unsure(_)), "{seen:?}");
}

#[tokio::test]
async fn a_single_user_without_a_link_is_looked_up_in_the_listing() {
    for (shown, ended) in [(V0, "done"), ("1699999999999", "changed")] {
        let stage = Stage::ready(World { bare_single: true, ..World::default().shows(V0, grey(1)) }).await;
        stage.world().users[0].picture = Some((shown.to_owned(), grey(1)));
        let session = stage.git.session().await.unwrap();
        let draft = draft(IntentKind::Replace, v0(), None);
        let wrote = session.replace(draft, &rendition(200), &mut Memory::new(&stage.log)).await.map(|done| done.shown);
        assert_eq!(word(&wrote), ended, "{wrote:?}");
        assert_eq!(stage.take_log()[..3], ["J sent 1 multipart", "R read", "R user"]);
    }
}

/// A token cannot carry ADMIN (docs/wire/atlassian.md §13): the first refusal is everybody's.
#[tokio::test]
async fn the_first_401_under_a_token_stops_the_target() {
    let stage = Stage::signed_in(World::default(), &[], AtlassianCredential::Token(Secret::new("to-ken"))).await;
    stage.git.identify().await.unwrap();
    stage.world().faults.insert("post", Fault { status: 401, takes_effect: false });
    stage.take_log();
    let mut journal = Memory::new(&stage.log);
    let session = stage.git.session().await.unwrap();
    let draft = || draft(IntentKind::Replace, Shown::Default, None);
    let wrote = session.replace(draft(), &rendition(200), &mut journal).await.map(|done| done.shown);
    let Err(WriteError::Stop(failure)) = &wrote else { panic!("{wrote:?}") };
    assert!(failure.hint.as_ref().is_some_and(|hint| hint.contains("username")), "{failure}");
    assert_eq!(journal.status(), Status::Closed, "a definite refusal leaves nothing open");
    stage.take_log();
    let other = stage.git.session().await.unwrap();
    let wrote = other.replace(draft(), &rendition(200), &mut Memory::new(&stage.log)).await.map(|done| done.shown);
    assert_eq!((word(&wrote), stage.take_log().contains(&"W post".to_owned())), ("stop", false));
}

#[tokio::test]
async fn an_odd_yes_to_a_revert_is_a_maybe() {
    for (status, ended, stands) in [(200, "maybe", "sent"), (204, "done", "closed")] {
        let stage = Stage::ready(World::default().shows(V0, grey(1))).await;
        stage.world().faults.insert("delete", Fault { status, takes_effect: false });
        let mut journal = Memory::new(&stage.log);
        let session = stage.git.session().await.unwrap();
        let wrote =
            session.revert(draft(IntentKind::Revert, v0(), Some(V0)), &mut journal).await.map(|done| done.shown);
        let now = if journal.status() == Status::Closed { "closed" } else { "sent" };
        assert_eq!((word(&wrote), now), (ended, stands), "{status}: {wrote:?}");
    }
}

#[tokio::test]
async fn every_answer_is_yes_no_or_maybe() {
    let table = [
        ("post", 200, "maybe", "sent"),
        ("post", 302, "stop", "sent"),
        ("post", 400, "refused", "closed"),
        ("post", 401, "refused", "closed"),
        ("post", 403, "refused", "closed"),
        ("post", 404, "refused", "closed"),
        ("post", 413, "refused", "closed"),
        ("post", 415, "refused", "closed"),
        ("post", 500, "maybe", "sent"),
        ("post", 502, "maybe", "sent"),
    ];
    for (step, status, ended, stands) in table {
        let stage = Stage::ready(World::default()).await;
        stage.world().faults.insert(step, Fault { status, takes_effect: false });
        let mut journal = Memory::new(&stage.log);
        let session = stage.git.session().await.unwrap();
        let draft = draft(IntentKind::Replace, Shown::Default, None);
        let wrote = session.replace(draft, &rendition(200), &mut journal).await.map(|done| done.shown);
        let now = if journal.status() == Status::Closed { "closed" } else { "sent" };
        assert_eq!((word(&wrote), now), (ended, stands), "{status}: {wrote:?}");
    }
}

#[tokio::test]
async fn a_401_is_one_persons_unless_the_login_is_dead() {
    for (who, ended) in [(200, "refused"), (401, "stop")] {
        let stage = Stage::ready(World::default()).await;
        stage.world().faults.insert("post", Fault { status: 401, takes_effect: false });
        if who == 401 {
            stage.world().faults.insert("who", Fault { status: 401, takes_effect: false });
        }
        let session = stage.git.session().await.unwrap();
        let draft = || draft(IntentKind::Replace, Shown::Default, None);
        let wrote =
            session.replace(draft(), &rendition(200), &mut Memory::new(&stage.log)).await.map(|done| done.shown);
        assert_eq!(word(&wrote), ended, "{wrote:?}");
        stage.take_log();
        // No worker sends a refused credential again.
        let other = stage.git.session().await.unwrap();
        let wrote = other.replace(draft(), &rendition(200), &mut Memory::new(&stage.log)).await.map(|done| done.shown);
        let sent = stage.take_log().contains(&"W post".to_owned());
        assert_eq!((word(&wrote), sent), (ended, who == 200));
    }
}

#[tokio::test]
async fn what_is_too_large_is_not_sent() {
    let stage = Stage::ready(World::default()).await;
    let wide = Rendition { side: 1025, ..rendition(200) };
    let heavy = Rendition { bytes: vec![0; 1024 * 1024 + 1].into(), ..rendition(200) };
    for rendition in [wide, heavy] {
        let session = stage.git.session().await.unwrap();
        let draft = draft(IntentKind::Replace, Shown::Default, None);
        let wrote = session.replace(draft, &rendition, &mut Memory::new(&stage.log)).await.map(|done| done.shown);
        assert_eq!((word(&wrote), stage.take_log().len()), ("refused", 0));
    }
}

/// Looks and mends as a run does.
async fn settle(stage: &Stage, open: &OpenIntent, journal: &mut Memory) -> &'static str {
    match stage.git.observe(open, None, LATER).await.unwrap() {
        Seen::Shown(mark) | Seen::Alike(mark) => {
            let session = stage.git.session().await.unwrap();
            word(&session.mend(open, &Mend::Finish(mark), journal).await.map(|done| done.shown))
        }
        Seen::Nothing(why) => {
            for event in closing(&open.status, &why) {
                crate::load::Journal::record(journal, event).await.unwrap();
            }
            "nothing"
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_lost_answer_is_judged_by_looks() {
    for (takes_effect, seen) in [(true, "done"), (false, "nothing")] {
        let stage = Stage::ready(World::default().shows(V0, grey(1))).await;
        stage.world().faults.insert("post", Fault { status: 504, takes_effect });
        let mut journal = Memory::new(&stage.log);
        let session = stage.git.session().await.unwrap();
        let wrote = session
            .replace(draft(IntentKind::Replace, v0(), None), &rendition(200), &mut journal)
            .await
            .map(|done| done.shown);
        assert_eq!(word(&wrote), "maybe");
        let open = journal.open().unwrap();
        assert!(matches!(stage.git.observe(&open, None, 0).await.unwrap(), Seen::TooEarly(_)));
        assert_eq!(settle(&stage, &open, &mut journal).await, seen);
        assert_eq!(journal.status(), Status::Closed);
    }
    // The person uploaded in between: another face, another version.
    let stage = Stage::ready(World::default().shows(V0, grey(1))).await;
    stage.world().faults.insert("post", Fault { status: 504, takes_effect: false });
    let mut journal = Memory::new(&stage.log);
    let session = stage.git.session().await.unwrap();
    _ = session.replace(draft(IntentKind::Replace, v0(), None), &rendition(200), &mut journal).await;
    stage.world().users[0].picture = Some(("1700000001000".to_owned(), grey(90)));
    let open = journal.open().unwrap();
    assert_eq!(settle(&stage, &open, &mut journal).await, "nothing");
}

#[tokio::test]
async fn the_same_portrait_from_another_time_is_recognised_and_not_ours() {
    let stage = Stage::ready(World::default().shows(V0, grey(1))).await;
    stage.world().faults.insert("post", Fault { status: 504, takes_effect: false });
    let mut journal = Memory::new(&stage.log);
    let session = stage.git.session().await.unwrap();
    _ = session.replace(draft(IntentKind::Replace, v0(), None), &rendition(200), &mut journal).await;
    // Years before we sent ours.
    stage.world().users[0].picture = Some(("1700000001000".to_owned(), grey(200)));
    stage.take_log();
    let open = journal.open().unwrap();
    assert_eq!(settle(&stage, &open, &mut journal).await, "done");
    assert_eq!(stage.take_log(), ["R user", "R picture", "J recognised 1700000001000", "J closed"]);
}

#[tokio::test]
async fn a_retry_posts_only_over_what_stood_there() {
    for (shown, ended) in [(V0, "done"), ("1699999999999", "changed")] {
        let stage = Stage::ready(World::default().shows(V0, grey(1))).await;
        stage.world().faults.insert("post", Fault { status: 502, takes_effect: false });
        let mut journal = Memory::new(&stage.log);
        let session = stage.git.session().await.unwrap();
        _ = session.replace(draft(IntentKind::Replace, v0(), None), &rendition(200), &mut journal).await;
        stage.world().faults.clear();
        stage.world().users[0].picture = Some((shown.to_owned(), grey(1)));
        let open = journal.open().unwrap();
        let session = stage.git.session().await.unwrap();
        let wrote = session.mend(&open, &Mend::Again(rendition(200)), &mut journal).await.map(|done| done.shown);
        assert_eq!(word(&wrote), ended, "{wrote:?}");
    }
}
