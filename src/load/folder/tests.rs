//! Writing into a real folder, with the journal of the Jira tests.

use std::path::Path;

use bytes::Bytes;

use super::{Folder, Settings};
use crate::load::jira::tests::{Log, Memory, intent};
use crate::load::{Learnt, Mend, Rendition, Seen, Target as _, Wrote};
use crate::model::{Account, Digest, Intent, IntentKind, Mark, Person, Shown, Standing, Status};

fn folder(path: &Path) -> Folder {
    Folder::new(Settings { id: "copy".into(), path: path.to_owned() })
}

fn person(email: &str) -> Person {
    let mut person = Person::new("b1".into(), "Ada", Standing::InScope);
    person.add_main_email(email);
    person
}

fn mark(bytes: &[u8]) -> Mark {
    Mark::new(Digest::of(bytes).to_string())
}

fn rendition(bytes: &'static [u8], mime: &'static str) -> Rendition {
    Rendition { bytes: Bytes::from_static(bytes), mime, side: 64 }
}

fn draft(kind: IntentKind, account: &Account, rendition: Option<&[u8]>) -> Intent {
    let old = match &account.shown {
        Shown::Custom(mark) => Some(mark.clone()),
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

async fn listed(folder: &Folder) -> Vec<(String, Shown)> {
    let mut accounts = Vec::new();
    folder.survey(&mut Learnt::new(), &mut |page| accounts.extend(page)).await.unwrap();
    accounts.into_iter().map(|account: Account| (account.name, account.shown)).collect()
}

#[tokio::test]
async fn a_person_gets_a_file_an_index_line_and_leaves_none() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("notes.txt"), "mine").unwrap();
    let target = folder(dir.path());
    let ada = target.account_for(&person("Ada.L@ex.org")).await.unwrap().unwrap();
    assert_eq!((ada.name.as_str(), &ada.shown), ("ada.l", &Shown::Default));

    let mut session = target.session().await.unwrap();
    let mut journal = Memory::new(&Log::default());
    let one = rendition(b"one", "image/png");
    let wrote = session.replace(draft(IntentKind::Replace, &ada, Some(b"one")), &one, &mut journal).await;
    assert_eq!((wrote, journal.status()), (Wrote::Done(Some(mark(b"one"))), Status::Closed));
    assert!(!dir.path().join("index.json").exists(), "the index comes last");
    target.finish().await.unwrap();
    assert_eq!(listed(&folder(dir.path())).await, [("ada.l".to_owned(), Shown::Custom(mark(b"one")))]);

    // Another format takes the place of the first.
    let ada = target.account_for(&person("ada.l@ex.org")).await.unwrap().unwrap();
    let two = rendition(b"two", "image/jpeg");
    let mut journal = Memory::new(&Log::default());
    session.replace(draft(IntentKind::Replace, &ada, Some(b"two")), &two, &mut journal).await;
    assert!(!dir.path().join("ada.l.png").exists() && dir.path().join("ada.l.jpg").exists());

    let ada = target.account_for(&person("ada.l@ex.org")).await.unwrap().unwrap();
    assert_eq!(target.look(&ada).await.unwrap().as_deref(), Some(b"two".as_slice()));
    let mut journal = Memory::new(&Log::default());
    assert_eq!(session.revert(draft(IntentKind::Revert, &ada, None), &mut journal).await, Wrote::Done(None));
    target.finish().await.unwrap();
    assert_eq!(listed(&folder(dir.path())).await, []);
    let mut left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["index.json", "notes.txt"]);
}

#[tokio::test]
async fn a_file_that_somebody_changed_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let target = folder(dir.path());
    let ada = target.account_for(&person("ada@ex.org")).await.unwrap().unwrap();
    std::fs::write(dir.path().join("ada.png"), "by hand").unwrap();
    let mut session = target.session().await.unwrap();
    let one = rendition(b"one", "image/png");
    let mut journal = Memory::new(&Log::default());
    let wrote = session.replace(draft(IntentKind::Replace, &ada, Some(b"one")), &one, &mut journal).await;
    assert_eq!((wrote, journal.open()), (Wrote::ChangedMeanwhile, None));

    let ada = target.account_for(&person("ada@ex.org")).await.unwrap().unwrap();
    let adopted = Intent { old: None, ..draft(IntentKind::Revert, &ada, None) };
    let wrote = session.revert(adopted, &mut Memory::new(&Log::default())).await;
    assert!(matches!(wrote, Wrote::Refused(_)), "{wrote:?}");
    assert_eq!(std::fs::read(dir.path().join("ada.png")).unwrap(), b"by hand");
}

#[tokio::test]
async fn a_killed_write_is_there_whole_or_not_at_all() {
    for call in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        let target = folder(dir.path());
        let ada = target.account_for(&person("ada@ex.org")).await.unwrap().unwrap();
        let mut session = target.session().await.unwrap();
        let one = rendition(b"one", "image/png");
        let mut journal = Memory::breaking_at(&Log::default(), call);
        let wrote = session.replace(draft(IntentKind::Replace, &ada, Some(b"one")), &one, &mut journal).await;
        assert!(matches!(wrote, Wrote::Stop(_)), "{call}: {wrote:?}");
        let Some(open) = journal.open() else {
            assert_eq!(call, 0);
            assert!(!dir.path().join("ada.png").exists());
            continue;
        };
        let target = folder(dir.path());
        let seen = target.observe(&open, None, 0).await.unwrap();
        if call == 2 {
            assert!(matches!(seen, Seen::Nothing(_)), "{seen:?}");
            continue;
        }
        assert_eq!(seen, Seen::Shown(mark(b"one")));
        let mut session = target.session().await.unwrap();
        let mut journal = journal.resumed();
        let wrote = session.mend(&open, &Mend::Finish(mark(b"one")), &mut journal).await;
        assert_eq!((wrote, journal.status()), (Wrote::Done(Some(mark(b"one"))), Status::Closed));
        target.finish().await.unwrap();
        assert_eq!(listed(&folder(dir.path())).await.len(), 1);
    }
}

#[tokio::test]
async fn an_index_that_was_not_written_is_made_good() {
    let dir = tempfile::tempdir().unwrap();
    let target = folder(dir.path());
    let ada = target.account_for(&person("ada@ex.org")).await.unwrap().unwrap();
    let mut session = target.session().await.unwrap();
    let one = rendition(b"one", "image/png");
    let mut journal = Memory::new(&Log::default());
    session.replace(draft(IntentKind::Replace, &ada, Some(b"one")), &one, &mut journal).await;

    let next = folder(dir.path());
    next.account_for(&person("ada@ex.org")).await.unwrap();
    next.finish().await.unwrap();
    assert_eq!(listed(&folder(dir.path())).await.len(), 1);
}

#[tokio::test]
async fn an_index_of_somebody_else_is_a_failure() {
    for text in ["[]", r#"{"format":2,"pictures":[]}"#] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("index.json"), text).unwrap();
        assert!(folder(dir.path()).survey(&mut Learnt::new(), &mut |_| {}).await.is_err(), "{text}");
    }
}
