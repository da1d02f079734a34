//! Writing into a real folder, with the journal of the Jira tests.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::Folder;
use crate::load::jira::tests::{Log, Memory, intent};
use crate::load::tests::{everybody, pair, placed, target as settings_of};
use crate::load::{Claim, Fingerprinter, Learnt, Mend, Seen, Target as _, WriteError};
use crate::model::{
    Account, AccountId, AccountKey, AccountStanding, Digest, Intent, IntentKind, Luma, MediaType, Person, PersonKey,
    PictureRef, Rendition, Shown, Standing, Status,
};
use crate::settings::{
    Accounts, FolderNames, FolderTarget, MapRow, Matching, Ownership, Patterns, Target, TargetKind, UserMap,
};

/// Takes everything for a picture but what is empty or half.
struct Blurred;

impl Fingerprinter for Blurred {
    fn luma(&self, picture: &[u8]) -> Option<Luma> {
        let whole = !picture.is_empty() && !picture.starts_with(b"half");
        whole.then(|| Luma::from_values(vec![7; 256])).flatten()
    }
}

fn settings() -> Target {
    let matching = keys(&[PersonKey::EmailLocal, PersonKey::UpnLocal]);
    Target {
        matching,
        ..settings_of("copy", TargetKind::Folder(FolderTarget { path: "none".into(), names: FolderNames::Match }))
    }
}

fn keys(keys: &[PersonKey]) -> Matching {
    Matching::Pairs(keys.iter().map(|key| pair(*key, AccountKey::Username)).collect())
}

fn made(path: &Path, settings: &Target) -> Folder {
    Folder::new(settings, &FolderTarget { path: path.to_owned(), names: FolderNames::Match }, Arc::new(Blurred))
        .unwrap()
}

/// A folder of which the state knows these pictures.
fn folder(path: &Path, recorded: &[(&str, &[u8])]) -> Folder {
    let folder = made(path, &settings());
    recall(&folder, recorded);
    folder
}

fn recall(folder: &Folder, recorded: &[(&str, &[u8])]) {
    let placed = |(account, bytes): &(&str, &[u8])| (AccountId::from(*account), mark(bytes), Claim::Placed);
    folder.recall(recorded.iter().map(placed).collect());
}

fn person(email: &str) -> Person {
    let mut person = Person::new("b1".into(), "Ada", Standing::InScope);
    person.add_main_email(email);
    person
}

async fn account(folder: &Folder, email: &str) -> Account {
    folder.accounts_for(&person(email)).await.unwrap().remove(0)
}

fn mark(bytes: &[u8]) -> PictureRef {
    PictureRef::new(Digest::of(bytes).to_string())
}

fn rendition(bytes: &'static [u8], media_type: MediaType) -> Rendition {
    Rendition::new(Bytes::from_static(bytes), media_type, 64, None)
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

async fn replaced(folder: &Folder, account: &Account, picture: &Rendition) -> Result<Option<PictureRef>, WriteError> {
    let session = folder.session().await.unwrap();
    let mut journal = Memory::new(&Log::default());
    session
        .replace(draft(IntentKind::Replace, account, Some(&picture.bytes)), picture, &mut journal)
        .await
        .map(|done| done.shown)
}

async fn listed(folder: &Folder) -> Vec<(String, Shown)> {
    let mut accounts = Vec::new();
    folder.survey(&mut Learnt::new(), &mut |page| accounts.extend(page)).await.unwrap();
    accounts.into_iter().map(|account: Account| (account.name, account.shown)).collect()
}

fn index(path: &Path) -> String {
    std::fs::read_to_string(path.join("index.json")).unwrap_or_default()
}

#[tokio::test]
async fn a_person_gets_a_file_an_index_line_and_leaves_none() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("notes.txt"), "mine").unwrap();
    let target = folder(dir.path(), &[]);
    let ada = account(&target, "Ada.L@ex.org").await;
    assert_eq!((ada.name.as_str(), &ada.shown), ("ada.l", &Shown::Default));

    let wrote = replaced(&target, &ada, &rendition(b"one", MediaType::Png)).await;
    assert_eq!(wrote, Ok(Some(mark(b"one"))));
    assert!(!dir.path().join("index.json").exists(), "the index comes last");
    recall(&target, &[("ada.l", b"one")]);
    target.finish().await.unwrap();
    assert!(index(dir.path()).contains("ada.l.png"));
    let one = [("ada.l".to_owned(), Shown::Custom(mark(b"one")))];
    assert_eq!(listed(&folder(dir.path(), &[("ada.l", b"one")])).await, one);

    // Another format takes the place of the first.
    let ada = account(&target, "ada.l@ex.org").await;
    _ = replaced(&target, &ada, &rendition(b"two", MediaType::Jpeg)).await;
    assert!(!dir.path().join("ada.l.png").exists() && dir.path().join("ada.l.jpg").exists());

    recall(&target, &[("ada.l", b"two")]);
    let ada = account(&target, "ada.l@ex.org").await;
    assert_eq!(target.look(&ada).await.unwrap().as_deref(), Some(b"two".as_slice()));
    let mut journal = Memory::new(&Log::default());
    let session = target.session().await.unwrap();
    assert_eq!(
        session.revert(draft(IntentKind::Revert, &ada, None), &mut journal).await.map(|done| done.shown),
        Ok(None)
    );
    recall(&target, &[]);
    target.finish().await.unwrap();
    assert_eq!(listed(&target).await, []);
    assert!(!index(dir.path()).contains("ada"));
    let mut left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["index.json", "notes.txt"]);
}

#[tokio::test]
async fn a_file_that_somebody_changed_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let target = folder(dir.path(), &[]);
    let ada = account(&target, "ada@ex.org").await;
    std::fs::write(dir.path().join("ada.png"), "by hand").unwrap();
    let session = target.session().await.unwrap();
    let one = rendition(b"one", MediaType::Png);
    let mut journal = Memory::new(&Log::default());
    let wrote = session
        .replace(draft(IntentKind::Replace, &ada, Some(b"one")), &one, &mut journal)
        .await
        .map(|done| done.shown);
    assert_eq!((wrote, journal.open()), (Err(WriteError::ChangedMeanwhile), None));

    let ada = account(&target, "ada@ex.org").await;
    let adopted = Intent { old: None, ..draft(IntentKind::Revert, &ada, None) };
    let session = target.session().await.unwrap();
    let wrote = session.revert(adopted, &mut Memory::new(&Log::default())).await.map(|done| done.shown);
    assert!(matches!(wrote, Err(WriteError::Refused(_))), "{wrote:?}");
    assert_eq!(std::fs::read(dir.path().join("ada.png")).unwrap(), b"by hand");
}

#[tokio::test]
async fn a_killed_write_is_there_whole_or_not_at_all() {
    for request in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        let target = folder(dir.path(), &[]);
        let ada = account(&target, "ada@ex.org").await;
        let session = target.session().await.unwrap();
        let one = rendition(b"one", MediaType::Png);
        let mut journal = Memory::breaking_at(&Log::default(), request);
        let wrote = session
            .replace(draft(IntentKind::Replace, &ada, Some(b"one")), &one, &mut journal)
            .await
            .map(|done| done.shown);
        assert!(matches!(wrote, Err(WriteError::Stop(_))), "{request}: {wrote:?}");
        let Some(open) = journal.open() else {
            assert_eq!(request, 0);
            assert!(!dir.path().join("ada.png").exists());
            continue;
        };
        // What may be there of an open write counts as on record.
        let target = folder(dir.path(), &[]);
        let perhaps = |bytes, claim| (AccountId::from("ada"), mark(bytes), claim);
        target.recall(vec![perhaps(b"former", Claim::Placed), perhaps(b"one", Claim::Perhaps)]);
        assert_eq!(listed(&target).await, [("ada".to_owned(), Shown::Custom(mark(b"one")))]);
        let seen = target.observe(&open, None, 0).await.unwrap();
        if request == 2 {
            assert!(matches!(seen, Seen::Nothing(_)), "{seen:?}");
            continue;
        }
        assert_eq!(seen, Seen::Shown(mark(b"one")));
        let session = target.session().await.unwrap();
        let mut journal = journal.resumed();
        let wrote = session.mend(&open, &Mend::Finish(mark(b"one")), &mut journal).await.map(|done| done.shown);
        assert_eq!((wrote, journal.status()), (Ok(Some(mark(b"one"))), Status::Closed));
        target.finish().await.unwrap();
        assert!(index(dir.path()).contains("ada.png"));
    }
}

#[tokio::test]
async fn what_is_not_the_recorded_bytes_is_told_and_written_again() {
    let spoilt = |bytes: &[u8]| Shown::Custom(PictureRef::spoilt(&Digest::of(bytes)));
    for (ownership, there, recorded, shown) in [
        (Ownership::Provider, &b""[..], true, spoilt(b"")),
        (Ownership::Provider, b"half a picture", true, spoilt(b"half a picture")),
        (Ownership::Provider, b"another", true, spoilt(b"another")),
        (Ownership::Provider, b"one", true, Shown::Custom(mark(b"one"))),
        (Ownership::Provider, b"half a picture", false, Shown::Custom(mark(b"half a picture"))),
        (Ownership::Ours, b"", true, spoilt(b"")),
        (Ownership::Ours, b"another", true, Shown::Custom(mark(b"another"))),
    ] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ada.png"), there).unwrap();
        let target = made(dir.path(), &Target { ownership: placed(ownership), ..settings() });
        if recorded {
            recall(&target, &[("ada", b"one")]);
        }
        let ada = account(&target, "ada@ex.org").await;
        assert_eq!(ada.shown, shown, "{ownership:?} {there:?}");
        assert_eq!(replaced(&target, &ada, &rendition(b"one", MediaType::Png)).await, Ok(Some(mark(b"one"))));
        assert_eq!(std::fs::read(dir.path().join("ada.png")).unwrap(), b"one");
    }
}

#[tokio::test]
async fn a_broken_index_is_made_again_from_the_state() {
    let evil = r#"{"format":1,"pictures":[{"name":"../../x","file":"../../x.png","digest":"b3:00"}]}"#;
    for text in ["", "{\"format\":1,\"pict", evil, "\u{0}\u{0}"] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ada.png"), "one").unwrap();
        std::fs::write(dir.path().join("index.json"), text).unwrap();
        let target = folder(dir.path(), &[("ada", b"one"), ("gone", b"x"), ("../../x", b"y"), ("/etc/x", b"z")]);
        let names: Vec<_> = listed(&target).await.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["ada", "gone"], "{text}");
        target.finish().await.unwrap();
        let index: serde_json::Value = serde_json::from_str(&index(dir.path())).unwrap();
        let picture = serde_json::json!({ "name": "ada", "file": "ada.png", "digest": Digest::of(b"one").to_string() });
        assert_eq!(index["pictures"], serde_json::json!([picture]), "{text}");
    }
}

#[tokio::test]
async fn an_index_of_somebody_else_is_a_failure() {
    for text in ["[]", r#"{"format":2,"pictures":[]}"#] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("index.json"), text).unwrap();
        assert!(folder(dir.path(), &[]).survey(&mut Learnt::new(), &mut |_| {}).await.is_err(), "{text}");
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("index.json")).unwrap();
    assert!(folder(dir.path(), &[]).survey(&mut Learnt::new(), &mut |_| {}).await.is_err());
}

#[tokio::test]
async fn a_name_of_the_state_leads_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("out")).unwrap();
    std::fs::write(dir.path().join("x.png"), "mine").unwrap();
    let target = folder(&dir.path().join("out"), &[("../x", b"mine")]);
    let ada =
        Account { id: "../x".into(), shown: Shown::Custom(mark(b"mine")), ..account(&target, "ada@ex.org").await };
    let wrote = replaced(&target, &ada, &rendition(b"one", MediaType::Png)).await;
    assert!(matches!(wrote, Err(WriteError::Refused(_))), "{wrote:?}");
    let session = target.session().await.unwrap();
    let wrote = session
        .revert(draft(IntentKind::Revert, &ada, None), &mut Memory::new(&Log::default()))
        .await
        .map(|done| done.shown);
    assert!(matches!(wrote, Err(WriteError::Refused(_))), "{wrote:?}");
    assert_eq!(std::fs::read(dir.path().join("x.png")).unwrap(), b"mine");
}

#[tokio::test]
async fn what_is_no_file_is_unknown_and_keeps_nobody_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let target = folder(dir.path(), &[]);
    assert!(std::process::Command::new("mkfifo").arg(dir.path().join("ada.png")).status().unwrap().success());
    std::os::unix::fs::symlink("/etc/hostname", dir.path().join("alan.png")).unwrap();
    std::fs::create_dir(dir.path().join("eve.jpg")).unwrap();
    for (email, words) in [("ada@x", "a pipe"), ("alan@x", "a link"), ("eve@x", "a folder")] {
        let shown = account(&target, email).await.shown;
        assert!(matches!(&shown, Shown::Unknown(why) if why.contains(words)), "{shown:?}");
    }
}

#[tokio::test]
async fn match_names_the_files() {
    let mut ada = person("Ada.L@ex.org");
    ada.add_upn("ada@corp");
    ada.add_key(PersonKey::EmployeeId, "0042");
    let row = |person: &str| MapRow { person: person.to_owned(), line: 2 };
    let map = |people: &[(&str, &str)]| {
        Matching::Map(UserMap {
            person: PersonKey::Email,
            account: AccountKey::Username,
            people: people.iter().map(|(person, account)| ((*account).to_owned(), row(person))).collect(),
            list: "users.csv".into(),
            place: placed(()).place,
        })
    };
    for (matching, names) in [
        (keys(&[PersonKey::EmailLocal]), vec!["ada.l"]),
        (keys(&[PersonKey::UpnLocal, PersonKey::EmailLocal]), vec!["ada"]),
        (keys(&[PersonKey::Sam, PersonKey::EmployeeId]), vec!["0042"]),
        (keys(&[PersonKey::Email]), vec!["ada.l@ex.org"]),
        (keys(&[PersonKey::Sam]), vec![]),
        (map(&[("ada.l@ex.org", "r&d")]), vec!["r&d"]),
        (map(&[("other@ex.org", "r&d")]), vec![]),
    ] {
        let target = made(Path::new("none"), &Target { matching: matching.clone(), ..settings() });
        let accounts = target.accounts_for(&ada).await.unwrap();
        let found: Vec<_> = accounts.iter().map(|account| account.name.as_str()).collect();
        assert_eq!(found, names, "{matching:?}");
    }
}

#[tokio::test]
async fn accounts_that_are_left_out_are_listed_as_such() {
    let accounts = Accounts { exclude: placed(Patterns::somewhere(&["o'b*"])), ..everybody() };
    let target = made(Path::new("none"), &Target { accounts, ..settings() });
    for (email, id, standing) in [
        ("ada@ex.org", "ada", AccountStanding::Active),
        ("O'Brien@ex.org", "o%27brien", AccountStanding::Excluded),
        ("Zo\u{eb}@ex.org", "zo%c3%ab", AccountStanding::Active),
    ] {
        let account = account(&target, email).await;
        assert_eq!((account.id.as_str(), account.standing), (id, standing));
    }
}
