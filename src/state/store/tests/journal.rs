//! The journal: legal steps with their effects, illegal ones without any.

use super::*;

fn begun(store: &Store) -> RunId {
    store.begin_run(run_row("run-1")).wait().unwrap();
    "run-1".into()
}

fn events(store: &Store) -> i64 {
    store.read("count", |db| Ok(db.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?)).unwrap()
}

#[test]
fn a_replacement_leaves_a_placement_and_no_name() {
    let (_folder, path) = place();
    let store = open(&path);
    begun(&store);
    let mut wanted = intent("run-1", "KEY1", IntentKind::Replace);
    wanted.luma = Some(Luma::from_values((0..=255).collect()).unwrap());
    let id = store.begin_intent(&wanted, &sent(1)).wait().unwrap();
    let on_disk = |needle: &[u8]| std::fs::read(&path).unwrap().windows(needle.len()).any(|window| window == needle);
    assert!(on_disk(b"ada.lovelace") && on_disk(&[7, 8, 9, 10, 11, 12, 13, 14]), "this test can see what it looks for");
    store.record(id, &Event::Made { mark: mark("15017") }).wait().unwrap();
    assert_eq!(store.placement(&"jira".into(), &"KEY1".into()).unwrap(), None, "made is not shown");
    store.record(id, &Event::Shown { mark: mark("15017") }).wait().unwrap();
    let expected = wanted.placement(&mark("15017"), Provenance::Made);
    assert_eq!(store.placement(&"jira".into(), &"KEY1".into()).unwrap(), expected);
    let open = store.open_intents(None, 99).unwrap();
    assert_eq!((&open[0].intent, &open[0].status), (&wanted, &Status::Shown(mark("15017"))));
    assert_eq!(store.open_intent(id).unwrap().as_ref(), open.first());
    store.record(id, &Event::Closed).wait().unwrap();
    assert_eq!((store.open_intents(None, 99).unwrap(), store.open_intent(id).unwrap()), (vec![], None));
    assert_eq!(store.placement(&"jira".into(), &"KEY1".into()).unwrap(), expected);
    drop(store);
    assert!(!on_disk(b"ada.lovelace"), "the name is overwritten");
    assert!(!on_disk(&[7, 8, 9, 10, 11, 12, 13, 14]), "the looks are overwritten");
}

#[test]
fn what_is_only_recognised_is_recorded_as_adopted() {
    let (_folder, path) = place();
    let store = open(&path);
    begun(&store);
    let wanted = intent("run-1", "KEY1", IntentKind::Replace);
    let id = store.begin_intent(&wanted, &sent(1)).wait().unwrap();
    store.record(id, &Event::Recognised { mark: mark("15017") }).wait().unwrap();
    let expected = wanted.placement(&mark("15017"), Provenance::Adopted);
    assert!(expected.is_some());
    assert_eq!(store.placement(&"jira".into(), &"KEY1".into()).unwrap(), expected);
}

#[test]
fn a_servers_words_are_kept_without_the_name() {
    let (_folder, path) = place();
    let store = open(&path);
    begun(&store);
    let id = store.begin_intent(&intent("run-1", "KEY1", IntentKind::Replace), &sent(1)).wait().unwrap();
    let why = "user 'ada.lovelace' <ada@example.com> may not".to_owned();
    store.record(id, &Event::Refused { why }).wait().unwrap();
    let body: String =
        store.read("read", |db| Ok(db.query_row("SELECT last FROM past", [], |row| row.get(0))?)).unwrap();
    assert!(body.contains("may not") && !body.contains("ada"), "{body}");
}

#[test]
fn a_reset_takes_the_placement_but_not_for_a_probe() {
    for (kind, left) in [(IntentKind::Revert, 0), (IntentKind::Probe, 1)] {
        let (_folder, path) = place();
        let store = open(&path);
        begun(&store);
        store.adopt(placement("KEY1")).wait().unwrap();
        let id = store.begin_intent(&intent("run-1", "KEY1", kind), &sent(1)).wait().unwrap();
        store.record(id, &Event::Reset).wait().unwrap();
        assert_eq!(store.count_placements(&"jira".into()).unwrap(), left, "{kind:?}");
        assert_eq!(store.open_intents(None, 99).unwrap()[0].status, Status::Reset);
    }
}

#[test]
fn illegal_steps_write_nothing() {
    let (_folder, path) = place();
    let store = open(&path);
    begun(&store);
    let wanted = intent("run-1", "KEY1", IntentKind::Replace);
    for first in [Event::Closed, Event::Made { mark: mark("5") }, sent(2)] {
        let error = store.begin_intent(&wanted, &first).wait().unwrap_err();
        assert!(matches!(error.fault, StateFault::Illegal(_)), "{error}");
    }
    assert_eq!((store.open_intents(None, 99).unwrap(), events(&store)), (vec![], 0));

    let id = store.begin_intent(&wanted, &sent(1)).wait().unwrap();
    store.record(id, &Event::Made { mark: mark("5") }).wait().unwrap();
    let before = store.open_intents(None, 99).unwrap();
    for event in [Event::Reset, Event::Closed, sent(2), Event::Refused { why: "no".into() }] {
        let error = store.record(id, &event).wait().unwrap_err();
        assert!(matches!(error.fault, StateFault::Illegal(_)), "{error}");
        assert_eq!(error.blame(), Blame::Ours);
    }
    assert_eq!((store.open_intents(None, 99).unwrap(), events(&store)), (before, 2));

    store.record(id, &Event::Shown { mark: mark("5") }).wait().unwrap();
    store.record(id, &Event::Closed).wait().unwrap();
    assert!(
        matches!(store.record(id, &Event::Closed).wait().unwrap_err().fault, StateFault::NoIntent(_)),
        "it is closed"
    );
    let nobody = crate::model::IntentId(99);
    assert!(matches!(store.record(nobody, &Event::Closed).wait().unwrap_err().fault, StateFault::NoIntent(_)));
}

#[test]
fn events_are_never_changed_or_removed() {
    let (_folder, path) = place();
    let store = open(&path);
    begun(&store);
    store.begin_intent(&intent("run-1", "KEY1", IntentKind::Replace), &sent(1)).wait().unwrap();
    for sql in ["DELETE FROM event", "UPDATE event SET seq = 9"] {
        let error = store.write("meddle", move |db| Ok(db.execute(sql, [])?)).wait().unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    assert_eq!(events(&store), 1);
}

#[test]
fn waiting_writes_share_one_commit_and_fail_alone() {
    let (_folder, path) = place();
    let store = open(&path);
    // Counts transactions: <https://www.sqlite.org/fileformat2.html#file_change_counter>.
    let commits = || u32::from_be_bytes(std::fs::read(&path).unwrap()[24..28].try_into().unwrap());
    let before = commits();
    let held = writer::lock(&store.connection).unwrap();
    let acks: Vec<_> = (0..50).map(|n| store.begin_run(run_row(&format!("run-{}", n % 49)))).collect();
    drop(held);
    let failed: Vec<bool> = acks.into_iter().map(|ack| ack.wait().is_err()).collect();
    assert_eq!(failed, (0..50).map(|n| n == 49).collect::<Vec<_>>(), "only the second `run-0` fails");
    assert_eq!(commits(), before + 1);
    assert_eq!(store.runs(99).unwrap().len(), 49);
}

#[test]
fn an_open_group_is_committed_when_the_store_is_dropped() {
    let (_folder, path) = place();
    let store = open(&path);
    let ack = store.begin_run(run_row("run-1"));
    drop(store);
    ack.wait().unwrap();
    assert_eq!(open(&path).runs(9).unwrap().len(), 1);
}

#[test]
fn a_group_that_is_undone_is_acknowledged_to_nobody() {
    let (_folder, path) = place();
    let store = open(&path);
    let held = writer::lock(&store.connection).unwrap();
    let before = store.begin_run(run_row("run-1"));
    // What SQLite does by itself when the disk is full.
    let culprit = store.write("break", |db| Ok(db.execute_batch("ROLLBACK")?));
    let after = store.begin_run(run_row("run-2"));
    drop(held);
    let error = before.wait().unwrap_err();
    assert!(matches!(error.fault, StateFault::Unusable(_)), "{error}");
    assert!(culprit.wait().is_err());
    after.wait().unwrap();
    let runs = store.runs(9).unwrap();
    assert_eq!(runs.iter().map(|run| run.row.id.as_str()).collect::<Vec<_>>(), ["run-2"]);
}

#[test]
fn a_file_that_another_program_holds_is_said_to_be_busy() {
    let (_folder, path) = place();
    let store = open(&path);
    store.read("hurry", |db| Ok(db.busy_timeout(std::time::Duration::ZERO)?)).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let error = store.begin_run(run_row("run-1")).wait().unwrap_err();
    assert!(matches!(error.fault, StateFault::Unusable(_)) && error.to_string().contains("locked"), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    store.begin_run(run_row("run-1")).wait().unwrap();
}

#[test]
fn a_writer_that_died_breaks_its_promises_and_says_so() {
    let (_folder, path) = place();
    let store = open(&path);
    let culprit = store.write("panic", |_| -> Result<(), StateFault> { panic!("on purpose") });
    assert!(matches!(culprit.wait().unwrap_err().fault, StateFault::Stopped));
    let error = store.begin_run(run_row("run-1")).wait().unwrap_err();
    assert!(matches!(error.fault, StateFault::Stopped), "{error}");
    assert_eq!(store.runs(9).unwrap(), []);
}

/// docs/architecture.md, "The state": what we made stays on record until it is seen gone.
#[test]
fn a_picture_that_loses_its_placement_is_left_over() {
    let (_folder, path) = place();
    let store = open(&path);
    begun(&store);
    let show = |old: Option<&str>, shown: &str| {
        let wanted = Intent { old: old.map(mark), ..intent("run-1", "KEY1", IntentKind::Replace) };
        let id = store.begin_intent(&wanted, &sent(1)).wait().unwrap();
        store.record(id, &Event::Shown { mark: mark(shown) }).wait().unwrap();
        store.record(id, &Event::Closed).wait().unwrap();
    };
    let left = || {
        let open = store.open_intents(None, 99).unwrap();
        open.into_iter().map(|open| open.status).collect::<Vec<_>>()
    };
    show(None, "15017");
    // The protocol takes the old one away itself.
    show(Some("15017"), "15018");
    assert_eq!(left(), []);
    // Another one is adopted in its place.
    let recorded = store.placement(&"jira".into(), &"KEY1".into()).unwrap().unwrap();
    let adopted = Placement { mark: mark("15019"), provenance: Provenance::Adopted, ..recorded };
    let draft = intent("run-1", "KEY1", IntentKind::Revert);
    store.adopt_instead(adopted.clone(), &draft).wait().unwrap();
    assert_eq!(left(), [Status::Leftover(mark("15018"))]);
    assert_eq!(store.placement(&"jira".into(), &"KEY1".into()).unwrap().as_ref(), Some(&adopted));
    // What was adopted is not ours to take away.
    show(None, "15020");
    assert_eq!(left().len(), 1);
    // The default is shown in place of somebody else's picture.
    let revert = Intent { old: None, ..intent("run-1", "KEY1", IntentKind::Revert) };
    let id = store.begin_intent(&revert, &sent(1)).wait().unwrap();
    store.record(id, &Event::Reset).wait().unwrap();
    store.record(id, &Event::Closed).wait().unwrap();
    assert_eq!(left(), [Status::Leftover(mark("15018")), Status::Leftover(mark("15020"))]);
}
