//! Writing into a store that speaks S3, with the journal of the Jira tests.

use std::time::Duration;

use avatarpipe_sandbox::s3::{ObjectStore, Then};
use bytes::Bytes;

use super::BucketFolder;
use crate::bucket::test_store::{PAUSE, google_by_key, s3, store, way};
use crate::http::FailureKind;
use crate::load::jira::tests::{Log, Memory, intent};
use crate::load::tests::target as settings_of;
use crate::load::{Claim, Learnt, Mend, Seen, Target as _, WriteError};
use crate::model::{
    Account, Digest, Intent, IntentKind, MediaType, Person, PictureRef, Rendition, Shown, Standing, Status,
};
use crate::settings::{Bucket, FolderInBucket, FolderNames, TargetKind};

fn object(account: &Account) -> String {
    format!("p/avatar/{}", account.id)
}

fn folder(store: &ObjectStore) -> BucketFolder {
    folder_at(s3(store))
}

fn folder_at(bucket: Bucket) -> BucketFolder {
    let folder = FolderInBucket { bucket, names: FolderNames::EmailSha256, cache: Duration::from_secs(60) };
    let settings = settings_of("copy", TargetKind::FolderInBucket(folder.clone()));
    BucketFolder::new(&settings, &folder, way("copy"), PAUSE).unwrap()
}

/// Ada, as the listing that is made now sees her.
async fn ada(folder: &BucketFolder) -> Account {
    ada_after(folder, &mut Learnt::new()).await
}

/// As a run sees her that has learnt this.
async fn ada_after(folder: &BucketFolder, learnt: &mut Learnt) -> Account {
    folder.survey(learnt, &mut |_| {}).await.unwrap();
    let mut person = Person::new("b1".into(), "Ada", Standing::InScope);
    person.add_main_email("Ada@example.com");
    folder.accounts_for(&person).await.unwrap().remove(0)
}

async fn listed(folder: &BucketFolder) -> Vec<(String, Shown)> {
    let mut accounts = Vec::new();
    folder.survey(&mut Learnt::new(), &mut |page| accounts.extend(page)).await.unwrap();
    accounts.into_iter().map(|account: Account| (account.id.to_string(), account.shown)).collect()
}

fn picture(bytes: &'static [u8]) -> Rendition {
    Rendition::new(Bytes::from_static(bytes), MediaType::Png, 64, None)
}

fn draft(kind: IntentKind, account: &Account, rendition: Option<&[u8]>, ours: bool) -> Intent {
    let old = match &account.shown {
        Shown::Custom(mark) if ours => Some(mark.clone()),
        _ => None,
    };
    Intent {
        handle: None,
        account: account.id.clone(),
        account_name: account.name.clone(),
        rendition: rendition.map(Digest::of),
        stood: account.shown.clone(),
        old,
        ..intent(kind)
    }
}

/// What is there before the listing, what is done there between it and the write, what the write is, how it ends, and what
/// stands there then.
#[tokio::test]
async fn nothing_is_written_over_or_removed_that_the_plan_did_not_see() {
    #[derive(Clone, Copy)]
    enum Act {
        Replace,
        Revert { ours: bool },
    }
    const REPLACE: Act = Act::Replace;
    /// Before the plan, meanwhile (`Some(None)`: taken away), what is done, how it ends, and what stands there then.
    type Row = (Option<&'static str>, Option<Option<&'static str>>, Act, &'static str, Option<&'static str>);
    let table: [Row; 10] = [
        (None, None, REPLACE, "done", Some("new")),
        (Some("old"), None, REPLACE, "done", Some("new")),
        (None, Some(Some("hand")), REPLACE, "changed", Some("hand")),
        (Some("old"), Some(Some("hand")), REPLACE, "changed", Some("hand")),
        (Some("old"), Some(None), REPLACE, "changed", None),
        (Some("old"), None, Act::Revert { ours: true }, "done", None),
        (Some("old"), None, Act::Revert { ours: false }, "refused", Some("old")),
        (Some("old"), Some(Some("hand")), Act::Revert { ours: true }, "changed", Some("hand")),
        (Some("old"), Some(None), Act::Revert { ours: true }, "changed", None),
        (None, None, Act::Revert { ours: true }, "refused", None),
    ];
    let keys = tempfile::tempdir().unwrap();
    let rows = table.into_iter().enumerate();
    let rows =
        rows.flat_map(|(row, told)| [false, true].map(|google| (format!("{row}, Google: {google}"), told, google)));
    for (row, (before, meanwhile, act, end, after), google) in rows {
        let store = store();
        let folder = folder_at(if google { google_by_key(&store, keys.path()) } else { s3(&store) });
        store.put("p/avatar/notes.txt", "mine");
        let name = object(&ada(&folder).await);
        before.iter().for_each(|text| store.put(&name, (*text).to_owned()));
        let account = ada(&folder).await;
        match meanwhile {
            Some(Some(text)) => store.put(&name, text.to_owned()),
            Some(None) => store.remove(&name),
            None => {}
        }
        let (mut journal, session) = (Memory::new(&Log::default()), folder.session().await.unwrap());
        let went = match act {
            Act::Replace => {
                let picture = picture(b"new");
                let draft = draft(IntentKind::Replace, &account, Some(b"new"), false);
                session.replace(draft, &picture, &mut journal).await
            }
            Act::Revert { ours } => session.revert(draft(IntentKind::Revert, &account, None, ours), &mut journal).await,
        };
        let went = match went {
            Ok(_) => "done",
            Err(WriteError::ChangedMeanwhile) => "changed",
            Err(WriteError::Refused(_)) => "refused",
            Err(WriteError::Unknown(_) | WriteError::Stop(_)) => "stopped",
        };
        let there = store.objects().get(&name).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert_eq!((went, there.as_deref()), (end, after), "row {row}");
        assert!(journal.open().is_none_or(|open| open.status == Status::Closed), "row {row}: {:?}", journal.open());
        assert_eq!(store.objects()["p/avatar/notes.txt"], b"mine");
    }
}

#[tokio::test]
async fn an_account_is_a_digest_and_a_picture_is_served_as_one() {
    let (store, log) = (store(), Log::default());
    let target = folder(&store);
    let account = ada(&target).await;
    assert_eq!((account.name.as_str(), account.email.as_deref()), (account.id.as_str(), Some("ada@example.com")));
    let draft = draft(IntentKind::Replace, &account, Some(b"new"), false);
    let done = target.session().await.unwrap().replace(draft, &picture(b"new"), &mut Memory::new(&log)).await;
    let mark = done.map(|done| done.shown.unwrap()).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(*log.lock().unwrap(), ["J sent 1 put".to_owned(), format!("J shown {mark}"), "J closed".to_owned()]);
    let served = ["content-type", "cache-control"].map(|header| store.header(&object(&account), header).unwrap());
    assert_eq!(served, ["image/png", "public, max-age=60"]);
    // The next run knows it by its record alone, and downloads nothing.
    store.reset_log();
    let next = folder(&store);
    let recorded =
        [account.id.as_str(), "../lease", "avatarpipe-probe"].map(|id| (id.into(), mark.clone(), Claim::Placed));
    next.recall(recorded.into());
    assert_eq!(listed(&next).await, [(account.id.to_string(), Shown::Custom(mark.clone()))]);
    assert_eq!(store.log(), ["LIST p/avatar/ 200"]);
    assert_eq!(ada(&next).await.shown, Shown::Custom(mark));
}

/// What became of a write is asked of the store, and not of a listing that may be older.
#[tokio::test]
async fn a_write_of_which_no_answer_came_is_looked_at() {
    for (arrives, seen) in [(true, "shown"), (false, "nothing")] {
        let store = store();
        let target = folder(&store);
        let account = ada(&target).await;
        let session = target.session().await.unwrap();
        store.judge(move |asked| match asked.starts_with("PUT p/avatar/") {
            true if arrives => Then::Lose(500),
            true => Then::Refuse(500),
            // Nor can it be asked whether it arrived.
            false => Then::Refuse(500),
        });
        let mut journal = Memory::new(&Log::default());
        let draft = draft(IntentKind::Replace, &account, Some(b"new"), false);
        let went = session.replace(draft, &picture(b"new"), &mut journal).await;
        assert!(matches!(went, Err(WriteError::Stop(_))));
        store.judge(|_| Then::Answer);
        let open = journal.open().unwrap();
        let sent = open.last_write().unwrap();
        assert!(matches!(target.observe(&open, None, sent).await.unwrap(), Seen::TooEarly(_)));
        let found = target.observe(&open, None, sent + 120).await.unwrap();
        let mend = match found {
            Seen::Shown(mark) => ("shown", Mend::Finish(mark)),
            Seen::Nothing(_) => ("nothing", Mend::Again(picture(b"new"))),
            other => panic!("{other:?}"),
        };
        assert_eq!(mend.0, seen);
        assert!(target.session().await.unwrap().mend(&open, &mend.1, &mut journal).await.is_ok());
        assert_eq!((journal.status(), &store.objects()[&object(&account)][..]), (Status::Closed, &b"new"[..]));
    }
}

#[tokio::test]
async fn a_store_that_heeds_no_conditions_is_refused_before_the_first_picture() {
    let store = store();
    let target = folder(&store);
    let account = ada(&target).await;
    store.judge(|_| Then::PassOver);
    let failure = target.session().await.err().unwrap();
    assert_eq!(failure.kind, FailureKind::Misconfigured);
    assert!(!store.objects().contains_key(&object(&account)));
    assert_eq!(store.objects().into_keys().collect::<Vec<_>>(), ["p/avatarpipe.json"]);
}

#[tokio::test]
async fn a_long_listing_is_read_to_its_end() {
    let store = store();
    for number in 0..2345_u32 {
        store.put(&format!("p/avatar/{number:064x}"), "x");
    }
    let target = folder(&store);
    let last = format!("{:064x}", 2344);
    target.recall(vec![(last.as_str().into(), PictureRef::new("x"), Claim::Placed)]);
    let found = listed(&target).await;
    assert!(matches!(&found[..], [(id, Shown::Custom(_))] if *id == last), "{found:?}");
    assert_eq!(store.log().len(), 3);
    // A second page that does not come is no end.
    let mut pages = 0;
    store.judge(move |_| {
        pages += 1;
        if pages == 1 { Then::Answer } else { Then::Refuse(403) }
    });
    assert!(target.survey(&mut Learnt::new(), &mut |_| {}).await.is_err());
}

/// Writes a picture; what the account shows then.
async fn replace(target: &BucketFolder, account: &Account) -> Shown {
    let draft = draft(IntentKind::Replace, account, Some(b"new"), false);
    let mut journal = Memory::new(&Log::default());
    let done = target.session().await.unwrap().replace(draft, &picture(b"new"), &mut journal).await;
    Shown::Custom(done.map(|done| done.shown.unwrap()).unwrap_or_else(|error| panic!("{error:?}")))
}

/// An object's own mark does not tell it: it is the mark of what is kept. Nor does its length.
#[tokio::test]
async fn what_a_store_keeps_otherwise_than_it_was_sent_is_seen_and_written_again() {
    for kept in [Then::KeepHalf, Then::KeepOthers] {
        let (store, mut learnt) = (store(), Learnt::new());
        store.judge(move |asked| if asked.starts_with("PUT p/avatar/") { kept } else { Then::Answer });
        let target = folder(&store);
        let account = ada_after(&target, &mut learnt).await;
        let wrote = replace(&target, &account).await;
        // The confirming listing.
        let Shown::Custom(confirmed) = ada_after(&target, &mut learnt).await.shown else { panic!("it stands there") };
        assert!(confirmed.is_spoilt() && wrote != Shown::Custom(confirmed.clone()), "{kept:?}");
        store.judge(|_| Then::Answer);
        // The next run looks at nothing to know it.
        let next = folder(&store);
        store.reset_log();
        let account = ada_after(&next, &mut learnt).await;
        let listed = vec!["LIST p/avatar/ 200".to_owned()];
        assert_eq!((account.shown.clone(), store.log()), (Shown::Custom(confirmed), listed));
        let wrote = replace(&next, &account).await;
        assert_eq!(store.objects()[&object(&account)], b"new");
        assert_eq!((ada_after(&next, &mut learnt).await.shown, learnt), (wrote, Learnt::new()));
    }
}

/// The first of fifty is read, and all of them where it is wrong. A store that gives out none for that takes nothing from what
/// was written.
#[tokio::test]
async fn one_in_fifty_is_looked_at_and_all_where_it_is_wrong() {
    // How many are put, which of them are kept wrong, whether reading is let through, and how many are seen as spoilt.
    for (put, wrong, reads, spoilt) in
        [(60, 0..0, true, 0), (60, 1..3, true, 0), (60, 0..3, true, 3), (60, 50..53, true, 3), (60, 0..3, false, 0)]
    {
        let store = store();
        let target = folder(&store);
        let ids: Vec<_> = (0..put).map(|number| format!("{number:064x}")).collect();
        let mut nth = 0..;
        let kept = wrong.clone();
        store.judge(move |asked| match asked.starts_with("PUT p/avatar/") {
            true if kept.contains(&nth.next().unwrap()) => Then::KeepOthers,
            _ if !reads && asked.starts_with("GET p/avatar/") => Then::Refuse(403),
            _ => Then::Answer,
        });
        let somebody = ada(&target).await;
        for id in &ids {
            replace(&target, &Account { id: id.as_str().into(), ..somebody.clone() }).await;
        }
        target.recall(ids.iter().map(|id| (id.as_str().into(), PictureRef::new("x"), Claim::Placed)).collect());
        store.reset_log();
        let seen = listed(&target).await;
        let seen = seen.iter().filter(|(_, shown)| matches!(shown, Shown::Custom(mark) if mark.is_spoilt())).count();
        let read = store.log().iter().filter(|asked| asked.starts_with("GET ")).count();
        let expected = if spoilt > 0 { 60 } else { 2 };
        assert_eq!((seen, read), (spoilt, expected), "{wrong:?}, read: {reads}");
    }
}
