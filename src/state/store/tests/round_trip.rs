//! Everything that is written reads back, also by the next process.

use std::collections::BTreeSet;

use super::*;
use crate::state::PeopleAndAccounts;

/// Writes one of each kind. Read back by [`assert_sample`], here and from the kept files of older versions.
pub(super) fn write_sample(store: &Store) {
    for id in ["run-1", "run-2", "run-3"] {
        store.begin_run(run_row(id)).wait().unwrap();
    }
    store.finish_run(&"run-1".into(), run_end(0)).wait().unwrap();
    store.finish_run(&"run-2".into(), run_end(3)).wait().unwrap();
    let counts =
        |people, accounts| vec![(Counted::Source("entra".into()), people), (Counted::Target("jira".into()), accounts)];
    store.put_run_counts(&"run-1".into(), counts(400, 450)).wait().unwrap();
    store.put_run_counts(&"run-2".into(), counts(401, 452)).wait().unwrap();
    store.bind(&"jira".into(), &"server-1".into()).wait().unwrap();
    store.learn(&"server-1".into(), &BTreeMap::from([("old".into(), "x".into())])).wait().unwrap();
    store.learn(&"server-1".into(), &learnt()).wait().unwrap();
    for placement in placements() {
        let made = placement.account == "A2".into();
        let provenance = if made { Provenance::Made } else { placement.provenance };
        store.adopt(Placement { provenance, ..placement }).wait().unwrap();
    }
    store.put_marks(marks()).wait().unwrap();
    store.begin_intent(&intent("run-3", "KEY1", IntentKind::Replace), &sent(1)).wait().unwrap();
    let closed = store.begin_intent(&intent("run-3", "KEY2", IntentKind::Revert), &sent(1)).wait().unwrap();
    for event in [Event::Reset, Event::Closed] {
        store.record(closed, &event).wait().unwrap();
    }
}

pub(super) fn assert_sample(store: &Store) {
    let runs = store.runs(2).unwrap();
    assert_eq!(runs[0], RunRecord { row: run_row("run-3"), end: None }, "a run that never ended is seen as such");
    assert_eq!(runs[1], RunRecord { row: run_row("run-2"), end: Some(run_end(3)) });
    assert_eq!(runs.len(), 2);
    assert_eq!(store.last_success().unwrap().unwrap().row.id, "run-1".into());
    assert_eq!(store.run(&"run-2".into()).unwrap().unwrap(), runs[1]);
    assert_eq!(store.run(&"run-9".into()).unwrap(), None);
    assert_eq!(store.last_good(&Counted::Source("entra".into())).unwrap(), Some(401));
    assert_eq!(store.last_good(&Counted::Target("jira".into())).unwrap(), Some(452));
    assert_eq!(store.last_good(&Counted::Target("entra".into())).unwrap(), None);

    let jira = "jira".into();
    assert_eq!(store.placements(&jira, None, 2).unwrap(), placements()[..2]);
    assert_eq!(store.placements(&jira, Some(&"A2".into()), 2).unwrap(), placements()[2..]);
    assert_eq!(store.count_placements(&jira).unwrap(), 3);
    assert_eq!(store.count_placements(&"wiki".into()).unwrap(), 0);
    for placement in placements() {
        let whom = PeopleAndAccounts { people: placement.person.into_iter().collect(), accounts: BTreeSet::new() };
        let expected = if whom.people.is_empty() { None } else { Some((jira.clone(), placement.account)) };
        let found = store.accounts_of_all(&whom).unwrap();
        assert!(expected.is_none_or(|account| found.contains(&account)), "{whom:?}: {found:?}");
    }

    assert_rows(store);

    let open = store.open_intents(None, 99).unwrap();
    let status = Status::Sent { attempt: 1, route: "session".into(), at: 1_800_000_002 };
    let expected =
        OpenIntent { id: open[0].id, intent: intent("run-3", "KEY1", IntentKind::Replace), status, sent_as: None };
    assert_eq!(open, [expected], "the closed one is not open any more");
}

/// What of the sample no later write touches.
pub(super) fn assert_rows(store: &Store) {
    assert_eq!(store.bound(&"jira".into()).unwrap(), Some("server-1".into()));
    assert_eq!(store.bound(&"wiki".into()).unwrap(), None);
    assert_eq!(store.learnt(&"server-1".into()).unwrap(), learnt(), "what is not learnt again is forgotten");
    assert_eq!(store.learnt(&"server-2".into()).unwrap(), BTreeMap::new());
    for placement in placements() {
        let there = store.placement(&"jira".into(), &placement.account).unwrap();
        assert_eq!(there, Some(placement));
    }
    for (person, mark) in marks() {
        assert_eq!(store.mark(&person).unwrap(), Some(mark), "{person}");
    }
    assert_eq!(store.mark(&person("p9")).unwrap(), None);
    assert_eq!(store.count_known(&"entra".into()).unwrap(), 4);
}

/// Writes of every kind and end to accounts of one run. Read back by [`assert_history`].
pub(super) fn write_history(store: &Store) {
    store.begin_run(run_row("run-4")).wait().unwrap();
    let of = |account: &str, kind| Intent { keys: None, ..intent("run-4", account, kind) };
    let shown = Event::Shown { mark: mark("15018") };
    let no = Event::Refused { why: "no".into() };
    let replaced = of("H1", IntentKind::Replace);
    write_all(store, &replaced, &[shown.clone(), Event::Closed]);
    let again = Intent { stood: Shown::Custom(mark("15018")), old: Some(mark("15018")), ..replaced };
    write_all(
        store,
        &again,
        &[Event::Made { mark: mark("15019") }, Event::Shown { mark: mark("15019") }, Event::Closed],
    );
    let named = [Event::Shown { mark: mark("sent:1") }, Event::Confirmed { mark: mark("15020") }, Event::Closed];
    write_all(store, &of("H2", IntentKind::Replace), &named);
    write_all(store, &of("H3", IntentKind::Replace), &[Event::Recognised { mark: mark("15021") }, Event::Closed]);
    write_all(store, &of("H3", IntentKind::Revert), &[Event::Reset, Event::Closed]);
    write_all(store, &of("H4", IntentKind::Replace), &[no]);
    write_all(store, &of("H5", IntentKind::Probe), &[Event::Abandoned { mark: mark("15022") }, Event::Closed]);
    write_all(store, &of("H6", IntentKind::Replace), &[shown]);
}

fn write_all(store: &Store, intent: &Intent, events: &[Event]) {
    let id = store.begin_intent(intent, &sent(1)).wait().unwrap();
    events.iter().for_each(|event| store.record(id, event).wait().unwrap());
}

/// What undoing and `explain` have to know of them.
pub(super) fn assert_history(store: &Store) {
    let run = RunId::from("run-4");
    let writes = |account: &str| {
        let writes = store.writes_to(&"jira".into(), &account.into(), 9).unwrap();
        assert!(writes.iter().all(|write| write.run == run), "{writes:?}");
        writes.into_iter().map(|write| (write.kind, write.last, write.open)).collect::<Vec<_>>()
    };
    let shown = |of: &str| Event::Shown { mark: mark(of) };
    let replace = IntentKind::Replace;
    assert_eq!(writes("H1"), [(replace, shown("15019"), false), (replace, shown("15018"), false)]);
    assert_eq!(writes("H2"), [(replace, Event::Confirmed { mark: mark("15020") }, false)]);
    let recognised = Event::Recognised { mark: mark("15021") };
    assert_eq!(writes("H3"), [(IntentKind::Revert, Event::Reset, false), (replace, recognised, false)]);
    assert_eq!(writes("H4"), [(replace, Event::Refused { why: "no".into() }, false)]);
    assert_eq!(writes("H5"), [(IntentKind::Probe, Event::Abandoned { mark: mark("15022") }, false)]);
    assert_eq!(writes("H6"), [(replace, shown("15018"), true)]);

    assert_eq!(store.last_run_that_wrote().unwrap().as_ref(), Some(&run));
    let mut left: BTreeMap<String, Vec<_>> = BTreeMap::new();
    let mut after = None;
    loop {
        let page = store.wrote(&run, after.as_ref(), 2).unwrap();
        let Some((last, ..)) = page.last() else { break };
        after = Some(last.clone());
        for (_, target, account, wrote) in page {
            assert_eq!(target, "jira".into());
            assert_eq!(wrote.named, Some(KeysDigest::of_name(&store.key().unwrap(), "ada.lovelace")));
            assert_eq!(wrote.person, Some(person("p1")));
            left.entry(account.to_string()).or_default().push((wrote.stood, wrote.ours, wrote.left));
        }
    }
    let stood = Shown::System("10122".into());
    let ours = (stood.clone(), false, Left::Ours);
    let expected = [
        ("H1", vec![ours.clone(), (Shown::Custom(mark("15018")), true, Left::Ours)]),
        ("H2", vec![ours.clone()]),
        ("H3", vec![ours.clone(), (stood, false, Left::Default)]),
        ("H6", vec![ours]),
    ];
    assert_eq!(left, expected.map(|(account, wrote)| (account.to_owned(), wrote)).into());
    assert_eq!(store.overview().unwrap().intents, 10, "two of the sample besides");
    assert_eq!(store.count_open().unwrap(), 2);
}

/// Whose the account was and what leads to its former picture, whichever row a write is left in.
#[test]
fn what_undoing_asks_of_a_write_reads_back() {
    let (_folder, path) = place();
    let store = open(&path);
    store.begin_run(run_row("run-4")).wait().unwrap();
    let owner = Some(KeysDigest::from_bytes([0xfe; 8]));
    let (stood_in, stood_of) = (Some("917506".to_owned()), Some(person("p2")));
    let wanted = Intent { owner, stood_in, stood_of, ..intent("run-4", "K1", IntentKind::Replace) };
    let wanted = Intent { before: Before::from(&wanted.stood), ..wanted };
    let shown = Event::Shown { mark: mark("15018") };
    let check = |rows: usize| {
        let wrote = store.wrote(&wanted.run, None, 9).unwrap();
        assert_eq!(wrote.len(), rows);
        let Wrote { owner, stood_in, stood_of, .. } = &wrote[0].3;
        assert_eq!((owner, stood_in, stood_of), (&wanted.owner, &wanted.stood_in, &wanted.stood_of));
        let stands = store.placement(&"jira".into(), &"K1".into()).unwrap();
        assert!(stands.is_none_or(|stands| stands.before == wanted.before));
    };
    let id = store.begin_intent(&wanted, &sent(1)).wait().unwrap();
    store.record(id, &shown).wait().unwrap();
    check(1);
    store.record(id, &Event::Closed).wait().unwrap();
    check(1);
    let revert = Intent { kind: IntentKind::Revert, ..wanted.clone() };
    write_all(&store, &revert, &[Event::Reset, Event::Closed]);
    check(2);
}

#[test]
fn what_was_written_reads_back_after_it_is_closed() {
    let (_folder, path) = place();
    let store = open(&path);
    write_sample(&store);
    write_history(&store);
    assert_history(&store);
    drop(store);
    assert_history(&Store::view(&path).unwrap());
}

fn learnt() -> BTreeMap<String, String> {
    [("upload", "session"), ("default", "10122")].map(|(word, value)| (word.into(), value.into())).into()
}

fn placements() -> [Placement; 3] {
    let made = Placement {
        person: None,
        // Made, but nothing is known of its looks.
        provenance: Provenance::Adopted,
        before: Before::Picture(mark("10200")),
        ..placement("A2")
    };
    [Placement { before: Before::Default, ..placement("A1") }, made, placement("A3")]
}

fn marks() -> Vec<(PersonRef, PhotoMark)> {
    let digest = Digest::of(b"photo");
    [
        (Some("v1".into()), Remembered::Present(digest)),
        (None, Remembered::Absent(Absence::OnePixel)),
        (Some("v3".into()), Remembered::Unreadable(Fault::new("truncated", "the picture ends early"))),
        (Some("v4".into()), Remembered::TooSmall { digest, width: 40, height: 64 }),
    ]
    .into_iter()
    .zip(["p1", "p2", "p3", "p4"])
    .map(|((version, found), id)| (person(id), PhotoMark { version, found }))
    .collect()
}

#[test]
fn everything_reads_back_now_and_after_reopening() {
    let (_folder, path) = place();
    let store = open(&path);
    write_sample(&store);
    assert_sample(&store);
    drop(store);
    assert_sample(&open(&path));
    assert_sample(&Store::view(&path).unwrap());
}

/// The digest stands once, with the person, as long as it is one.
#[test]
fn a_placement_keeps_its_photo_whatever_becomes_of_the_persons() {
    let (_folder, path) = place();
    let store = open(&path);
    let present = |photo| PhotoMark { version: None, found: Remembered::Present(photo) };
    let photos = [b"one", b"two", b"six"].map(|bytes| Digest::of(bytes));
    let of = |account: &str, photo| Placement { photo, ..placement(account) };
    let check = |placements: &[Placement]| {
        for placement in placements {
            assert_eq!(store.placement(&"jira".into(), &placement.account).unwrap().as_ref(), Some(placement));
        }
        store.check_references().unwrap();
    };
    let mut all = Vec::new();
    for (photo, account) in photos.into_iter().chain(photos).zip(["A1", "A2", "A3", "A4", "A5", "A6"]) {
        store.adopt(of(&format!("{account}-before"), photo)).wait().unwrap();
        store.put_marks(vec![(person("p1"), present(photo))]).wait().unwrap();
        store.adopt(of(account, photo)).wait().unwrap();
        all.extend([of(&format!("{account}-before"), photo), of(account, photo)]);
        check(&all);
    }
    store
        .put_marks(vec![(person("p1"), PhotoMark { version: None, found: Remembered::Absent(Absence::NotFound) })])
        .wait()
        .unwrap();
    check(&all);
    let shared = "SELECT count(*) FROM placement WHERE photo IS NULL";
    let shared: i64 = store.read("count", |db| Ok(db.query_row(shared, [], |row| row.get(0))?)).unwrap();
    assert_eq!(shared, 3, "the first, and twice the same again");
}

#[test]
fn looks_and_keys_of_a_placement_read_back() {
    let (_folder, path) = place();
    let store = open(&path);
    store.begin_run(run_row("run-1")).wait().unwrap();
    let keys = KeysDigest::of(&store.key().unwrap(), &["email", "ada@example.com"]);
    let begun = Intent { keys: Some(keys), ..intent("run-1", "A1", IntentKind::Replace) };
    let id = store.begin_intent(&begun, &sent(1)).wait().unwrap();
    store.record(id, &Event::Shown { mark: mark("15017") }).wait().unwrap();
    let placement = store.placement(&"jira".into(), &"A1".into()).unwrap().unwrap();
    assert_eq!((placement.looks, placement.keys), (Some(luma(7).fingerprint()), Some(keys)));
}

#[test]
fn a_target_is_bound_for_good() {
    let (_folder, path) = place();
    let store = open(&path);
    store.bind(&"jira".into(), &"server-1".into()).wait().unwrap();
    store.bind(&"jira".into(), &"server-1".into()).wait().unwrap();
    let error = store.bind(&"jira".into(), &"server-2".into()).wait().unwrap_err();
    assert_eq!(error.blame(), Blame::DoesNotBelong);
    let text = error.to_string();
    assert!(text.contains("server-1") && text.contains("server-2") && text.contains("corporate.db"), "{text}");
    assert_eq!(store.bound(&"jira".into()).unwrap(), Some("server-1".into()));
}

#[test]
fn a_target_that_is_bound_to_an_address_steps_up_to_the_id() {
    let (_folder, path) = place();
    let store = open(&path);
    let (jira, address, id) = ("jira".into(), "https://jira.example".into(), "server-1".into());
    let learnt = std::collections::BTreeMap::from([("default".to_owned(), "10122".to_owned())]);
    store.bind(&jira, &address).wait().unwrap();
    store.bind(&"intern".into(), &"https://intern.example".into()).wait().unwrap();
    store.learn(&address, &learnt).wait().unwrap();
    store.step_up(&jira, &address, &id).wait().unwrap();
    assert_eq!(store.bound(&jira).unwrap(), Some(id.clone()));
    assert_eq!((store.learnt(&id).unwrap(), store.learnt(&address).unwrap().len()), (learnt, 0));
    assert_eq!(store.bound(&"intern".into()).unwrap(), Some("https://intern.example".into()));
}

#[test]
fn a_run_that_was_not_begun_is_an_error() {
    let (_folder, path) = place();
    let store = open(&path);
    let nobody = RunId::from("run-9");
    assert!(matches!(store.finish_run(&nobody, run_end(0)).wait().unwrap_err().fault, StateFault::NoRun(_)));
    let counts = vec![(Counted::Source(SourceId::from("entra")), 1)];
    assert!(matches!(store.put_run_counts(&nobody, counts).wait().unwrap_err().fault, StateFault::NoRun(_)));
    assert_eq!(store.runs(9).unwrap(), []);
}

#[test]
fn a_view_of_nothing_is_empty_and_makes_nothing() {
    let (folder, path) = place();
    let view = Store::view(&path).unwrap();
    assert_eq!(view.runs(9).unwrap(), []);
    assert_eq!(view.open_intents(None, 99).unwrap(), []);
    assert!(matches!(view.begin_run(run_row("run-1")).wait().unwrap_err().fault, StateFault::ReadOnly));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_view_looks_on_while_a_run_writes() {
    let (_folder, path) = place();
    let store = open(&path);
    let view = Store::view(&path).unwrap();
    store.begin_run(run_row("run-1")).wait().unwrap();
    assert_eq!(view.runs(9).unwrap().len(), 1);
}

#[test]
fn acknowledgements_can_be_awaited() {
    fn shared_between_threads<T: Send + Sync>(_: &T) {}
    fn sent_between_threads<T: Send>(value: T) -> T {
        value
    }
    let (_folder, path) = place();
    let store = open(&path);
    shared_between_threads(&store);
    let ack = sent_between_threads(store.begin_run(run_row("run-1")));
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(ack).unwrap();
    assert_eq!(store.runs(9).unwrap().len(), 1);
}
