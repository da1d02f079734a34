//! Several sources for one account: whose word counts, and who is the same human.

use super::*;

#[test]
fn sources_are_asked_in_order_and_unknown_stops_the_search() {
    let second = || source("google", Some(person("g1", Standing::InScope)), Some(present()));
    let two = |first: PhotoFact| has(first).with(|case| case.sources.push(second()));
    let person_of = |case: Case| case.judge().decision.person.map(|person| person.source.to_string());
    let cases = [
        ("present wins", two(present()), "replace", Some("entra")),
        ("absent goes on", two(absent()), "replace", Some("google")),
        ("unknown stops", two(unknown()), "keep", Some("entra")),
        ("nobody goes on", two(present()).with(matched(Matched::Nobody)), "replace", Some("google")),
        ("off stops", two(absent()).with(|c| c.sources[0].state = SourceState::Disabled), "keep", None),
        ("failed stops", two(absent()).with(|c| c.sources[0].state = SourceState::Failed), "keep", None),
    ];
    for (what, case, verdict, source) in cases {
        assert_eq!(case.judge().decision.change.word(), verdict, "{what}");
        assert_eq!(person_of(case).as_deref(), source, "{what}");
    }
    let both_absent = two(absent()).with(|case| case.sources[1].photo = Some(absent())).placed();
    assert_eq!(both_absent.judge().decision.change.word(), "revert");
}

#[test]
fn a_second_source_for_the_same_account_is_no_reassignment() {
    let case = has(absent()).placed().with(|case| {
        case.sources.push(source("google", Some(person("g1", Standing::InScope)), Some(present())));
    });
    let judged = case.judge();
    assert!(!judged.reassigned);
    assert_eq!(judged.decision.reason, Reason::Unchanged);
}

/// docs/architecture.md, "Matching": with the key that matched unchanged, another source's person is the same human.
#[test]
fn two_sources_know_one_human_as_long_as_the_key_that_matched_is_the_same() {
    let moved = |fact: PhotoFact| {
        has(absent()).placed().with(matched(Matched::Nobody)).with(|case| {
            case.sources.push(source("google", Some(person("g1", Standing::InScope)), Some(fact)));
            case.former = Former::Gone;
        })
    };
    let changed = |case: Case| case.with(|case| case.keys = vec![key_of("another address")]);
    let before = |case: Case| case.with(|case| case.placement.as_mut().unwrap().keys = None);
    let off = |case: Case| case.with(|case| case.sources[1].state = SourceState::Disabled);
    let new = || PhotoFact::Present { digest: Digest::of(b"new") };
    for (what, case, verdict, reason, reassigned) in [
        ("unknown", moved(unknown()), "keep", Reason::PhotoUnknown, false),
        ("its people are switched off", off(moved(present())), "keep", Reason::SourceDisabled, false),
        ("absent", moved(absent()), "revert", Reason::Absent, false),
        ("the same photo", moved(present()), "unchanged", Reason::Unchanged, false),
        ("another photo", moved(new()), "replace", Reason::PhotoChanged, false),
        ("unknown, another key", changed(moved(unknown())), "remove", Reason::Reassigned, true),
        ("the same photo, another key", changed(moved(present())), "replace", Reason::Reassigned, true),
        ("a row without keys", before(moved(unknown())), "remove", Reason::Reassigned, true),
        (
            "still listed where they were",
            moved(unknown()).with(|case| case.former = Former::Listed(Standing::InScope)),
            "keep",
            Reason::PhotoUnknown,
            false,
        ),
        (
            "ambiguous where they were",
            changed(moved(unknown())).with(matched(Matched::Ambiguous("two".into()))),
            "conflict",
            Reason::Ambiguous,
            false,
        ),
        (
            "another id of their own source, the same key",
            has(unknown()).placed().with(another(unknown())),
            "remove",
            Reason::Reassigned,
            true,
        ),
    ] {
        let judged = case.judge();
        let found = (judged.decision.change.word(), judged.decision.reason, judged.reassigned);
        assert_eq!(found, (verdict, reason, reassigned), "{what}");
    }
    // What is right as it stands is recorded for whom it stands for now.
    let Some(Step::Adopt(wanted)) = moved(present()).judge().step else { panic!("a new owner") };
    assert_eq!((wanted.person.map(|who| who.source), wanted.keys), (Some("google".into()), Some(key_of("google"))));
    let ours = has(present()).placed();
    assert_eq!(ours.judge().step, None);
    let unowned = ours.with(|case| case.placement.as_mut().unwrap().person = None);
    assert!(matches!(unowned.judge().step, Some(Step::Adopt(Placement { person: Some(_), .. }))));
}
