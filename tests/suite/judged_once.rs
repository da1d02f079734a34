//! Everybody is decided about once in a run, and again only who has other facts by then.
//!
//! Owns: how often each account was decided about, as the facts of the run have it, and that the counts stay right.
//! Leaves to others: what is decided (`rules`, `lost_state`).
//! A newcomer gets wrong: after a run no rendition is kept, so whose picture went is fetched and decided about again; whose
//! picture is another one is looked at besides.

use std::collections::BTreeMap;

use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use super::harness::Harness;
use super::population::Population;

/// Accounts of people; the service account is one more.
const PEOPLE: usize = 240;

/// The names of the accounts that the last run decided about, by how often it did.
fn decided(harness: &Harness) -> BTreeMap<u64, Vec<String>> {
    let facts = harness.path("state/stage.cache/facts.db");
    let facts = Connection::open_with_flags(facts, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the facts of the run");
    let mut query = facts
        .prepare("SELECT decided, name FROM counted JOIN account ON account.id = counted.account ORDER BY name")
        .expect("the counts of each account");
    let rows = query.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?))).expect("its rows");
    let mut decided: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for row in rows {
        let (times, name) = row.expect("a row");
        decided.entry(times.unsigned_abs()).or_default().push(name);
    }
    decided
}

fn often(harness: &Harness) -> BTreeMap<u64, usize> {
    decided(harness).into_iter().map(|(times, names)| (times, names.len())).collect()
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn only_whose_facts_changed_are_decided_about_again() {
    let names: Vec<_> = (0..PEOPLE).map(|nth| format!("p{nth:03}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let harness = Harness::of(Population::of(&names).world()).with(|pipe| {
        pipe.top("limits", "{ target_drift: { count: 100 } }");
    });
    let all = PEOPLE + 1;
    harness.run().expect_exit(0);
    assert_eq!(often(&harness), BTreeMap::from([(1, all)]), "a first run");
    harness.run().expect_exit(0);
    assert_eq!(often(&harness), BTreeMap::from([(1, all)]), "a quiet run");

    let (gone, chosen, new) = (&names[..5], &names[10..17], &names[20..23]);
    for name in gone {
        harness.jira(&json!({ "choose": { "name": name, "avatar": null } }));
    }
    chosen.iter().for_each(|name| _ = harness.by_hand(name, "hand"));
    new.iter().for_each(|name| harness.new_photo(name, "spare"));
    let ended = harness.run().expect_exit(0);
    let counts = ["accounts", "matched", "replaced", "unchanged", "failed"].map(|count| ended.count("jira", count));
    assert_eq!(counts, [241, 240, 15, 225, 0]);
    let mut decided = decided(&harness);
    assert_eq!(decided.remove(&3).as_deref(), Some(&owned(chosen)[..]), "fetched, looked at");
    assert_eq!(decided.remove(&2).as_deref(), Some(&owned(gone)[..]), "fetched");
    assert_eq!(decided.remove(&1).map(|names| names.len()), Some(all - 12), "and nobody else");
    assert!(decided.is_empty(), "{decided:?}");

    std::fs::remove_dir_all(harness.path("state")).expect("the state is lost");
    let ended = harness.run().expect_exit(0);
    assert_eq!(ended.count("jira", "adopted"), 240);
    assert_eq!(often(&harness), BTreeMap::from([(1, 1), (2, PEOPLE)]), "every picture is looked at");
}
