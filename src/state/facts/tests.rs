//! Facts read back as they were put, page by page and in a stable order.

mod tasks;

use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::model::{
    Absence, Account, AccountId, AccountStanding, Change, Decided, Decision, Digest, Fault, Matched, Person, PersonId,
    PersonKey, PersonRef, PhotoFact, PhotoHint, Picture, Place, Reason, Shown, SourceId, Standing, TargetId,
};
use crate::state::Blame;
use crate::state::error::StateFault;

fn facts() -> (TempDir, Facts) {
    let folder = tempfile::tempdir().unwrap();
    // The folder is not there yet.
    let facts = Facts::create(&folder.path().join("state/corporate.facts.db")).unwrap();
    (folder, facts)
}

fn entra() -> SourceId {
    "entra".into()
}

fn jira() -> TargetId {
    "jira".into()
}

fn person(id: &str, standing: Standing, mails: &[&str]) -> Person {
    let mut person = Person::new(id.into(), format!("Person {id}"), standing);
    for mail in mails {
        person.add_main_email(mail);
    }
    person
}

fn reference(id: &str) -> PersonRef {
    PersonRef { source: entra(), id: id.into() }
}

/// The ids of whom a key names.
fn with(facts: &Facts, key: PersonKey, value: &str) -> Vec<PersonId> {
    let mut found = facts.people_with(&entra(), &[(key, value.to_owned())]).unwrap();
    found.remove(0).into_iter().map(|person| person.id).collect()
}

fn account(id: &str, shown: Shown) -> Account {
    Account {
        handle: None,
        id: id.into(),
        name: format!("Name-{id}"),
        email: (id != "A2").then(|| format!("{id}@Example.com")),
        display_name: format!("Account {id}"),
        standing: AccountStanding::Active,
        shown,
    }
}

fn matched(target: &str, account: &str, matched: Matched) -> MatchRow {
    MatchRow { target: target.into(), source: entra(), account: account.into(), matched }
}

fn on(person: &str) -> Matched {
    Matched::Person(person.into())
}

fn decision(target: &str, account: &str, change: Change, detail: Option<&str>) -> Decision {
    Decision {
        target: target.into(),
        account: account.into(),
        account_name: "ada".into(),
        person: Some(reference("p1")),
        change,
        from: Picture::Foreign("15017".into()),
        to: "default".into(),
        reason: Reason::PhotoNew,
        rule: Place { file: Arc::from("pipelines/corporate.yaml"), line: 58 },
        detail: detail.map(str::to_owned),
    }
}

#[test]
fn facts_of_an_older_program_are_not_taken_for_damaged() {
    let (_folder, facts) = facts();
    let path = facts.path().to_owned();
    drop(facts);
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 1).unwrap();
    let told = Facts::open(&path).unwrap_err().to_string();
    assert!(told.contains("make it again with `plan`"), "{told}");
}

#[test]
fn people_read_back_with_their_keys() {
    let (_folder, facts) = facts();
    let mut hinted = person("p2", Standing::Inactive, &[]);
    hinted.hint = PhotoHint::Version("etag".into());
    hinted.add_key(PersonKey::Sam, "Zoë");
    let people = [person("p1", Standing::InScope, &["Ada@x.org", "lovelace@x.org"]), hinted];
    facts.put_people(&entra(), &people).unwrap();
    for person in &people {
        assert_eq!(facts.person(&reference(person.id.as_str())).unwrap().as_ref(), Some(person));
    }
    assert_eq!(facts.person(&reference("p9")).unwrap(), None);
    assert_eq!(facts.people(&entra(), None, 1).unwrap(), people[..1]);
    assert_eq!(facts.people(&entra(), Some(&"p1".into()), 9).unwrap(), people[1..]);
    assert_eq!(facts.people(&"google".into(), None, 9).unwrap(), []);
    assert_eq!(facts.count_people(&entra()).unwrap(), 2);
    assert_eq!(facts.count_standing(&entra(), Standing::Inactive).unwrap(), 1);
    assert_eq!(facts.count_standing(&entra(), Standing::OptedOut).unwrap(), 0);
}

#[test]
fn people_are_found_by_each_of_their_keys() {
    let (_folder, facts) = facts();
    let people = [
        person("p2", Standing::InScope, &["john.doe@x.org", "ada@x.org"]),
        person("p1", Standing::OutOfScope, &["john.doe@y.org"]),
    ];
    facts.put_people(&entra(), &people).unwrap();
    facts.put_people(&"google".into(), &people[..1]).unwrap();
    let cases: [(PersonKey, &str, &[&str]); 6] = [
        (PersonKey::EmailLocal, "john.doe", &["p1", "p2"]),
        (PersonKey::Email, "john.doe@x.org", &["p2"]),
        (PersonKey::Email, "ada@x.org", &["p2"]),
        (PersonKey::Email, "john.doe", &[]),
        (PersonKey::Id, "p1", &["p1"]),
        (PersonKey::Upn, "p1", &[]),
    ];
    for (key, value, expected) in cases {
        let found = with(&facts, key, value);
        assert_eq!(found, expected.iter().map(|id| PersonId::from(*id)).collect::<Vec<_>>(), "{key:?} {value}");
    }
}

#[test]
fn a_person_listed_again_replaces_the_keys_even_after_a_lookup() {
    let (_folder, facts) = facts();
    let with = |value| with(&facts, PersonKey::Email, value);
    facts.put_people(&entra(), &[person("p1", Standing::InScope, &["old@x.org"])]).unwrap();
    assert_eq!(with("old@x.org"), ["p1".into()]);
    let again = person("p1", Standing::OptedOut, &["new@x.org"]);
    facts.put_people(&entra(), std::slice::from_ref(&again)).unwrap();
    assert_eq!(with("old@x.org"), []);
    assert_eq!(with("new@x.org"), ["p1".into()]);
    assert_eq!(facts.person(&reference("p1")).unwrap(), Some(again));
    assert_eq!(facts.count_people(&entra()).unwrap(), 1);
}

#[test]
fn accounts_read_back_in_the_order_of_ids() {
    let (_folder, facts) = facts();
    let accounts = [
        account("A1", Shown::Default),
        account("A2", Shown::System("10122".into())),
        account("A3", Shown::Custom("15017".into())),
        account("A4", Shown::Unknown("no avatarUrls".into())),
    ];
    facts.put_accounts(&jira(), &[accounts[3].clone(), accounts[1].clone()]).unwrap();
    facts.put_accounts(&jira(), &[account("A1", Shown::System("1".into())), accounts[2].clone()]).unwrap();
    facts.put_accounts(&jira(), &accounts[..1]).unwrap();
    facts.put_accounts(&"wiki".into(), &accounts[..1]).unwrap();
    assert_eq!(facts.accounts(&jira(), None, 3).unwrap(), accounts[..3]);
    assert_eq!(facts.accounts(&jira(), Some(&"A3".into()), 3).unwrap(), accounts[3..]);
    assert_eq!(facts.accounts(&jira(), Some(&"A4".into()), 3).unwrap(), []);
    assert_eq!(facts.account(&jira(), &"A2".into()).unwrap().as_ref(), Some(&accounts[1]));
    assert_eq!(facts.account(&jira(), &"A9".into()).unwrap(), None);
}

#[test]
fn the_confirming_survey_stands_beside_the_first() {
    let (_folder, facts) = facts();
    facts.put_accounts(&jira(), &[account("A1", Shown::Default)]).unwrap();
    let after = Shown::Custom("15017".into());
    facts.put_shown_after(&jira(), &[account("A1", Shown::Default), account("A1", after.clone())]).unwrap();
    assert_eq!(facts.shown_after(&jira(), &"A1".into()).unwrap(), Some(after));
    assert_eq!(facts.shown_after(&jira(), &"A2".into()).unwrap(), None);
    assert_eq!(facts.account(&jira(), &"A1".into()).unwrap().unwrap().shown, Shown::Default);
}

#[test]
fn accounts_that_show_another_picture_than_before_are_told_apart() {
    let (_folder, facts) = facts();
    let custom = |mark: &str| Shown::Custom(mark.into());
    let before = [account("A1", Shown::Default), account("A2", custom("7")), account("A3", Shown::Default)];
    facts.put_accounts(&jira(), &before).unwrap();
    let after = [account("A1", Shown::Default), account("A2", custom("8")), account("A3", custom("9"))];
    facts.put_shown_after(&jira(), &after).unwrap();
    facts.put_shown_after(&jira(), &[account("A4", custom("9"))]).unwrap();
    facts.put_shown_after(&"wiki".into(), &[account("A1", custom("9"))]).unwrap();
    let shifted = facts.shifted(&jira(), None, 9).unwrap();
    let told: Vec<_> = shifted.iter().map(|one| (one.account.as_str(), one.before.clone(), &one.shown)).collect();
    let expected = [
        ("A2", Some(custom("7")), &custom("8")),
        ("A3", Some(Shown::Default), &custom("9")),
        ("A4", None, &custom("9")),
    ];
    assert_eq!(told, expected);
    assert_eq!(facts.shifted(&jira(), Some(&"A2".into()), 1).unwrap(), shifted[1..2]);
}

#[test]
fn matches_say_who_is_wanted_and_who_is_matched_twice() {
    let (_folder, facts) = facts();
    let people = ["p1", "p2", "p3", "p4"].map(|id| person(id, Standing::InScope, &[]));
    facts.put_people(&entra(), &people).unwrap();
    facts.put_people(&entra(), &[person("p5", Standing::OptedOut, &[])]).unwrap();
    let rows = [
        matched("jira", "A1", on("p3")),
        matched("jira", "A2", on("p1")),
        matched("jira", "A3", on("p3")),
        matched("jira", "A4", on("p5")),
        matched("jira", "A5", Matched::Ambiguous("fits p1, p2".into())),
        matched("jira", "A6", Matched::Conflict("p1 differs".into())),
        matched("jira", "A7", Matched::Nobody),
        matched("wiki", "W1", on("p1")),
        matched("wiki", "W2", on("p2")),
    ];
    facts.put_matches(&rows).unwrap();
    for row in &rows {
        assert_eq!(facts.matches(&row.target, &row.account).unwrap(), std::slice::from_ref(row));
    }
    assert_eq!(facts.matches(&jira(), &"A9".into()).unwrap(), []);
    let twice = |target: &str| facts.people_claimed_more_than_once(&target.into(), &entra(), None, 9).unwrap();
    assert_eq!((twice("jira"), twice("wiki")), (vec!["p3".into()], vec![]));
    // Who is claimed by another account, too; of whom nobody has, nothing is to be told apart.
    facts.put_claims(&jira(), &entra(), &[("p1".into(), "A8".into()), ("p4".into(), "A9".into())]).unwrap();
    assert_eq!((twice("jira"), twice("wiki")), (vec!["p1".into(), "p3".into()], vec![]));
    let of = |person: &str| facts.claimants_of(&jira(), &reference(person)).unwrap();
    assert_eq!(of("p1"), (vec!["A2".into()], vec!["A8".into()]));
    assert_eq!(of("p3"), (vec!["A1".into(), "A3".into()], vec![]));
    assert_eq!(facts.people_claimed_more_than_once(&jira(), &entra(), Some(&"p1".into()), 9).unwrap(), ["p3".into()]);
    let wanted = |after: Option<&str>| {
        let page = facts.wanted_people(&entra(), after.map(PersonId::from).as_ref(), 2).unwrap();
        page.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(wanted(None), ["p1".into(), "p2".into()]);
    assert_eq!(wanted(Some("p2")), ["p3".into()]);
    assert_eq!(facts.count_wanted(&entra()).unwrap(), 3);
    // What a source said ends the search, but for a proven absence: then the next one is asked.
    let who = |id: &str| PersonRef { source: entra(), id: id.into() };
    facts.put_photos(&[(who("p1"), PhotoFact::Absent(Absence::NotFound))]).unwrap();
    facts.put_photos(&[(who("p2"), PhotoFact::Present { digest: Digest::of(b"photo") })]).unwrap();
    facts.end_searches_after(&entra()).unwrap();
    // Nobody is asked about twice.
    assert_eq!(facts.wanted_people(&entra(), None, 9).unwrap(), []);
    assert_eq!(facts.count_wanted(&entra()).unwrap(), 0);
    let google: SourceId = "google".into();
    facts.put_people(&google, &["g1", "g2"].map(|id| person(id, Standing::InScope, &[]))).unwrap();
    let there = |row: MatchRow| MatchRow { source: "google".into(), ..row };
    facts.put_matches(&[matched("jira", "A2", on("g1")), matched("wiki", "W2", on("g2"))].map(there)).unwrap();
    assert_eq!(
        facts.wanted_people(&google, None, 9).unwrap(),
        [("g1".into(), PhotoHint::Silent)],
        "Entra has a photo of the other"
    );
    assert_eq!(facts.count_wanted(&google).unwrap(), 1);

    // Matched twice is nobody's.
    facts.put_matches(&["A1", "A3"].map(|a| matched("jira", a, Matched::Ambiguous("fits p1, p2".into())))).unwrap();
    assert_eq!(wanted(Some("p2")), []);
    assert_eq!(facts.people_claimed_more_than_once(&jira(), &entra(), None, 9).unwrap(), ["p1".into()]);
}

#[test]
fn accounts_are_left_behind_by_whoever_is_matched_to_another_one() {
    let (_folder, facts) = facts();
    let accounts = ["A1", "A2", "A3", "A4", "A5"].map(|id| account(id, Shown::Default));
    facts.put_accounts(&jira(), &accounts).unwrap();
    facts
        .put_matches(&[
            matched("jira", "A1", on("p1")),
            matched("jira", "A2", on("p2")),
            matched("jira", "A3", Matched::Nobody),
            matched("jira", "A4", Matched::Ambiguous("fits p8, p9".into())),
            matched("wiki", "W1", on("p3")),
        ])
        .unwrap();
    let standing = [
        ("A1", "p1"),
        // Somebody's by now, whoever that is.
        ("A2", "p1"),
        ("A3", "p1"),
        ("A4", "p2"),
        // Its person has no other account here.
        ("A5", "p3"),
        // Not listed any more.
        ("A6", "p1"),
    ];
    let standing = standing.map(|(account, person)| (account.into(), reference(person)));
    let left = |person: &str| facts.left_behind(&jira(), &reference(person)).unwrap();
    assert_eq!(facts.put_left_behind(&jira(), &standing).unwrap(), 2);
    assert_eq!((left("p1"), left("p2"), left("p3")), (vec!["A3".into()], vec!["A4".into()], vec![]));
    facts.forget_left_behind(&jira()).unwrap();
    assert_eq!(left("p1"), []);
}

#[test]
fn each_source_has_its_own_match_of_an_account() {
    let (_folder, facts) = facts();
    let google = MatchRow { source: "google".into(), matched: Matched::Nobody, ..matched("jira", "A1", on("p1")) };
    facts.put_matches(&[google.clone(), matched("jira", "A1", on("p1"))]).unwrap();
    assert_eq!(facts.matches(&jira(), &"A1".into()).unwrap(), [matched("jira", "A1", on("p1")), google]);
}

#[test]
fn photos_read_back_and_shared_ones_are_counted() {
    let (_folder, facts) = facts();
    let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
    let photos = [
        ("p1", PhotoFact::Present { digest: one }),
        ("p2", PhotoFact::Present { digest: one }),
        ("p3", PhotoFact::Present { digest: two }),
        ("p4", PhotoFact::Absent(Absence::NotFound)),
        ("p5", PhotoFact::Unknown(Fault::new("throttled", "429"))),
        ("p6", PhotoFact::Unreadable(Fault::new("truncated", "ends early"))),
        ("p7", PhotoFact::TooSmall { width: 20, height: 30 }),
    ]
    .map(|(id, fact)| (reference(id), fact));
    facts.put_photos(&[(photos[0].0.clone(), photos[4].1.clone())]).unwrap();
    facts.put_photos(&photos).unwrap();
    for (person, fact) in &photos {
        assert_eq!(facts.photo(person).unwrap().as_ref(), Some(fact));
    }
    assert_eq!(facts.photo(&reference("p9")).unwrap(), None);
    assert_eq!(facts.digest_counts(&entra(), 2).unwrap(), [(one, 2)]);
    assert_eq!(facts.digest_counts(&entra(), 1).unwrap(), [(one, 2), (two, 1)]);
    assert_eq!(facts.digest_counts(&"google".into(), 1).unwrap(), []);
}

#[test]
fn decisions_come_in_one_order_whatever_the_pages() {
    let (_folder, facts) = facts();
    let plan = [
        decision("jira", "A1", Change::Unchanged, None),
        decision("jira", "A2", Change::Finish, Some("avatar 7")),
        decision("jira", "A2", Change::Tidy, Some("avatar 5")),
        decision("jira", "A2", Change::Tidy, Some("avatar 6")),
        decision("jira", "A2", Change::Replace, None),
        decision("jira", "A3", Change::Keep, Some("by hand")),
        decision("wiki", "A0", Change::Revert, None),
        decision("wiki", "A1", Change::Skip, None),
        Decision { person: None, ..decision("wiki", "A2", Change::Conflict, None) },
        decision("wiki", "A3", Change::Remove, None),
    ];
    let mut shuffled = plan.clone();
    shuffled.reverse();
    let shuffled: Vec<_> = shuffled.into_iter().map(Decided::left_alone).collect();
    facts.put_decisions(&shuffled[..4]).unwrap();
    facts.put_decisions(&shuffled[4..]).unwrap();

    let keep = |test: &dyn Fn(&Decision) -> bool| plan.iter().filter(|d| test(d)).cloned().collect::<Vec<_>>();
    let all_kinds: [(DecisionKinds, Vec<Decision>); 2] =
        [(DecisionKinds::All, plan.to_vec()), (DecisionKinds::Changes, keep(&|d| d.change.writes()))];
    for (kinds, expected) in all_kinds {
        for target in [None, Some("jira"), Some("wiki"), Some("other")] {
            let filter = DecisionFilter { target: target.map(TargetId::from), kinds };
            let expected: Vec<_> =
                expected.iter().filter(|d| target.is_none_or(|t| d.target.as_str() == t)).cloned().collect();
            for size in [1, 3, 99] {
                let mut found = Vec::new();
                loop {
                    let page = facts.decisions(&filter, found.last().map(DecisionCursor::of).as_ref(), size).unwrap();
                    assert!(page.len() <= size);
                    if page.is_empty() {
                        break;
                    }
                    found.extend(page);
                }
                assert_eq!(found, expected, "{filter:?} {size}");
            }
        }
    }
    let reported = facts.reported(&jira(), None, 99).unwrap();
    let reported: Vec<_> = reported.into_iter().map(|one| (one.went, one.decision)).collect();
    let expected = keep(&|d| d.target == jira() && d.change != Change::Unchanged);
    assert_eq!(reported, expected.into_iter().map(|d| (None, d)).collect::<Vec<_>>());
}

#[test]
fn a_new_decision_replaces_the_old_one() {
    let (_folder, facts) = facts();
    let first = decision("jira", "A1", Change::Replace, None);
    facts.put_decisions(&[Decided::left_alone(first)]).unwrap();
    let second = decision("jira", "A1", Change::Keep, None);
    facts.put_decisions(&[Decided::left_alone(second.clone())]).unwrap();
    assert_eq!(facts.decisions(&DecisionFilter::default(), None, 9).unwrap(), std::slice::from_ref(&second));
}

#[test]
fn every_run_begins_anew_and_others_may_look_on() {
    let (folder, facts) = facts();
    let path = folder.path().join("state/corporate.facts.db");
    facts.put_people(&entra(), &[person("p1", Standing::InScope, &["ada@x.org"])]).unwrap();
    assert_eq!(with(&Facts::open(&path).unwrap(), PersonKey::Email, "ada@x.org").len(), 1);
    drop(facts);
    assert_eq!(Facts::open(&path).unwrap().count_people(&entra()).unwrap(), 1);
    assert_eq!(Facts::create(&path).unwrap().count_people(&entra()).unwrap(), 0);
    for damaged in [&b""[..], b"SQLite format 3\0 and so on"] {
        std::fs::write(&path, damaged).unwrap();
        assert_eq!(Facts::open(&path).unwrap_err().blame(), Blame::DoesNotBelong);
        assert_eq!(Facts::create(&path).unwrap().count_people(&entra()).unwrap(), 0);
    }
}

#[test]
fn facts_are_not_made_over_a_file_that_is_not_ours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("corporate.facts.db");
    std::fs::write(&path, "my notes").unwrap();
    let error = Facts::create(&path).unwrap_err();
    assert!(matches!(error.fault, StateFault::NotOurs), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "my notes");
    let error = Facts::open(&folder.path().join("other.facts.db")).unwrap_err();
    assert!(matches!(error.fault, StateFault::Missing) && error.hint().contains("plan"), "{error}");
}

#[test]
fn threads_share_the_facts() {
    let (_folder, facts) = facts();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let facts = &facts;
            scope.spawn(move || {
                for n in 0..20 {
                    let id = format!("p{thread}-{n}");
                    facts.put_people(&entra(), &[person(&id, Standing::InScope, &["same@x.org"])]).unwrap();
                    let found = with(facts, PersonKey::Email, "same@x.org");
                    assert!(found.contains(&PersonId::new(id)));
                }
            });
        }
    });
    assert_eq!(with(&facts, PersonKey::Email, "same@x.org").len(), 80);
    assert_eq!(facts.accounts(&jira(), None::<&AccountId>, 9).unwrap(), []);
}
