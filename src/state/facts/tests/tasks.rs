//! Tasks wait, and what came of them reads back.

use super::*;
use crate::model::{
    Comparison, Event, IntentId, IntentKind, OpenIntent, PersonResult, Planned, Seen, Status, Step, Task, TaskResult,
    Wanted,
};
use crate::state::store::tests::intent;

fn wanted() -> Wanted {
    Wanted { person: Some(reference("p1")), photo: Digest::of(b"photo"), rendition: None, keys: None }
}

/// A change of each of these accounts, with what it takes.
fn plan(facts: &Facts, tasks: &[(&str, Step)]) -> Vec<Planned> {
    let change = |step: &Step| if *step == Step::Reset { Change::Revert } else { Change::Replace };
    let planned = |(id, step): &(&str, Step)| Planned {
        decision: decision("jira", id, change(step), None),
        account: account(id, Shown::Default),
        task: Task { step: step.clone(), placement: None },
    };
    let planned: Vec<_> = tasks.iter().map(planned).collect();
    facts.put_accounts(&jira(), &planned.iter().map(|planned| planned.account.clone()).collect::<Vec<_>>()).unwrap();
    let decided = planned.iter().cloned().map(|p| Decided { decision: p.decision, task: Some(p.task) });
    facts.put_decisions(&decided.collect::<Vec<_>>()).unwrap();
    planned
}

#[test]
fn tasks_wait_in_the_order_of_the_plan_and_read_back_whole() {
    let (_folder, facts) = facts();
    let tasks =
        [("A1", Step::Show(wanted())), ("A2", Step::Look(wanted())), ("A3", Step::Reset), ("A4", Step::Show(wanted()))];
    let all = plan(&facts, &tasks);
    let page = |changes: &[Change], after: Option<&Planned>, at_most| {
        let after = after.map(|planned| DecisionCursor::of(&planned.decision));
        facts.planned(&jira(), changes, after.as_ref(), at_most).unwrap()
    };
    assert_eq!(page(&[Change::Replace, Change::Revert], None, 9), all);
    assert_eq!(page(&[Change::Replace], None, 1), all[..1]);
    assert_eq!(page(&[Change::Replace], Some(&all[0]), 9), [all[1].clone(), all[3].clone()]);
    assert_eq!(page(&[Change::Revert], None, 9), all[2..3]);
    assert_eq!(page(&[Change::Unchanged], None, 9), []);
    assert_eq!(facts.to_look_at(&jira(), None, 9).unwrap(), all[1..2]);
    assert_eq!(facts.planned(&"wiki".into(), &[Change::Replace], None, 9).unwrap(), []);
    facts.forget_decisions(&jira()).unwrap();
    assert_eq!(page(&[Change::Replace, Change::Revert], None, 9), []);
}

#[test]
fn results_stand_beside_the_decisions_and_are_counted() {
    let (_folder, facts) = facts();
    let ids = ["A1", "A2", "A3", "A4"];
    let all = plan(&facts, &ids.map(|id| (id, Step::Show(wanted()))));
    let went = |result, shows, intent| TaskResult { result, error: None, shows, intent };
    let open = TaskResult {
        error: Some(Fault::new("timeout", "no answer")),
        ..went(PersonResult::Open, None, Some(IntentId(7)))
    };
    let shows = Shown::Custom("15017".into());
    let results = [
        (&all[0], went(PersonResult::Done, Some(shows.clone()), Some(IntentId(6)))),
        (&all[1], open.clone()),
        (&all[2], went(PersonResult::Open, None, None)),
    ];
    let results = results.map(|(planned, went)| (DecisionCursor::of(&planned.decision), went));
    facts.reserve_results(&jira()).unwrap();
    assert!(facts.reported(&jira(), None, 9).unwrap().iter().all(|one| one.went.is_none()));
    facts.put_results(&results).unwrap();

    let found = facts.reported(&jira(), None, 9).unwrap();
    let expected: Vec<_> = results.iter().map(|(_, went)| Some(went.clone())).chain([None]).collect();
    assert_eq!(found.into_iter().map(|one| one.went).collect::<Vec<_>>(), expected);
    assert_eq!(facts.left_open(&jira(), None, 9).unwrap(), [(all[1].clone(), open)]);
    let count = |result, count| ResultCount { change: Change::Replace, result, count };
    let mut counts = facts.count_results(&jira()).unwrap();
    counts.sort_by_key(|count| count.result);
    assert_eq!(counts, [count(None, 1), count(Some(PersonResult::Done), 1), count(Some(PersonResult::Open), 2)]);

    let confirm = |found| {
        let at = DecisionCursor::of(&all[0].decision);
        [ToConfirm { at, shows: shows.clone(), intent: Some(IntentId(6)), found }]
    };
    assert_eq!(facts.to_confirm(&jira(), None, 9).unwrap(), confirm(None));
    facts.put_shown_after(&jira(), &[account("A1", Shown::Default)]).unwrap();
    assert_eq!(facts.to_confirm(&jira(), None, 9).unwrap(), confirm(Some(Shown::Default)));
}

#[test]
fn what_is_mended_and_then_changed_by_the_same_plan_must_show_the_change() {
    let (_folder, facts) = facts();
    let all = plan(&facts, &[("A1", Step::Reset), ("A2", Step::Reset)]);
    let mend = |id| decision("jira", id, Change::Finish, Some("of an earlier run"));
    let mended = [mend("A1"), mend("A2")];
    facts.put_decisions(&mended.clone().map(|decision| Decided { decision, task: None })).unwrap();
    let went = |shows| TaskResult { result: PersonResult::Done, error: None, shows, intent: None };
    let finished = || went(Some(Shown::Custom("15017".into())));
    let results = [
        (&mended[0], finished()),
        (&all[0].decision, went(Some(Shown::Default))),
        (&mended[1], finished()),
        // It failed: what was finished stands.
        (&all[1].decision, went(None)),
    ];
    let results = results.map(|(decision, went)| (DecisionCursor::of(decision), went));
    facts.put_results(&results).unwrap();
    let confirmed = facts.to_confirm(&jira(), None, 9).unwrap();
    let confirmed: Vec<_> = confirmed.into_iter().map(|written| (written.at, written.shows)).collect();
    assert_eq!(
        confirmed,
        [(results[1].0.clone(), Shown::Default), (results[2].0.clone(), Shown::Custom("15017".into()))]
    );
}

#[test]
fn looks_are_remembered_and_second_questions_are_taken_once() {
    let (_folder, facts) = facts();
    let looked = || facts.about(&jira(), &[account("A1", Shown::Default)]).unwrap().remove(0).looked;
    assert_eq!(looked(), Comparison::NotYet);
    facts.put_looked(&jira(), &[("A1".into(), Comparison::Alike)]).unwrap();
    assert_eq!(looked(), Comparison::Alike);

    facts.put_again(Again::Vanished, &entra(), &["p1".into(), "p2".into(), "p3".into()]).unwrap();
    facts.put_again(Again::Missing, &entra(), &["p9".into()]).unwrap();
    assert_eq!(facts.count_again(Again::Vanished, &entra()).unwrap(), 3);
    assert_eq!(facts.take_again(Again::Vanished, &entra(), 2).unwrap(), ["p1".into(), "p2".into()]);
    assert_eq!(facts.take_again(Again::Vanished, &entra(), 2).unwrap(), ["p3".into()]);
    assert_eq!(facts.take_again(Again::Vanished, &entra(), 2).unwrap(), []);
    facts.forget_again(Again::Missing).unwrap();
    assert_eq!(facts.count_again(Again::Missing, &entra()).unwrap(), 0);
}

#[test]
fn a_decision_that_was_not_counted_is_taken_back_all_the_same() {
    let (_folder, facts) = facts();
    plan(&facts, &[("A1", Step::Reset), ("A2", Step::Reset)]);
    facts.put_counted(&jira(), &[("A1".into(), vec![7_u8])]).unwrap();
    let accounts = ["A1", "A2"].map(|id| account(id, Shown::Default));
    assert_eq!(facts.take_decisions_back::<Vec<u8>>(&jira(), &accounts).unwrap(), [vec![7]]);
    assert_eq!(facts.planned(&jira(), &[Change::Revert], None, 9).unwrap(), []);
}

#[test]
fn what_was_seen_reads_back_with_what_the_journal_is_to_learn() {
    let (_folder, facts) = facts();
    let mut intent = intent("run-1", "A1", IntentKind::Replace);
    intent.target = jira();
    let open =
        |id| OpenIntent { id: IntentId(id), intent: intent.clone(), status: Status::Made("5".into()), sent_as: None };
    let seen = Seen::Leftover("5".into());
    facts.put_seen(&open(2), &seen).unwrap();
    facts.put_seen(&open(1), &Seen::Nothing("no trace".into())).unwrap();
    let expected = [(open(1), Seen::Nothing("no trace".into())), (open(2), seen)];
    assert_eq!(facts.seen(&jira(), &"A1".into()).unwrap(), expected);
    assert_eq!(facts.seen(&jira(), &"A2".into()).unwrap(), []);

    assert_eq!(facts.closings(&jira(), None, 9).unwrap(), []);
    facts.put_closing(&open(1), &[Event::Closed]).unwrap();
    assert_eq!(facts.closings(&jira(), None, 9).unwrap(), [("A1".into(), IntentId(1), vec![Event::Closed])]);
    assert_eq!(facts.closings(&jira(), Some(&("A1".into(), IntentId(1))), 9).unwrap(), []);
    // Decided anew.
    facts.forget_decisions(&jira()).unwrap();
    assert_eq!(facts.closings(&jira(), None, 9).unwrap(), []);
}
