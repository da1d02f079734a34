//! Images of the file that stand in for a photo.

use super::*;

/// Every rule of the file and back again, for each reason: an image stands for its person like a photo, and whatever the
/// rule says later applies to it.
#[test]
fn every_rule_applies_to_the_image_that_an_earlier_one_placed() {
    type Rule = fn(&mut Fallback) -> &mut Placed<Action>;
    type Row = (Reason, fn() -> Case, Rule);
    let reasons: [Row; 7] = [
        (Reason::Absent, || has(absent()), |rules| &mut rules.absent),
        (
            Reason::Unreadable,
            || has(PhotoFact::Unreadable(Fault::new("truncated", "cut off"))),
            |rules| &mut rules.unreadable,
        ),
        (Reason::TooSmall, || has(PhotoFact::TooSmall { width: 9, height: 9 }), |rules| &mut rules.too_small),
        (Reason::Inactive, || has(present()).with(standing(Standing::Inactive)), |rules| &mut rules.inactive),
        (Reason::OutOfScope, || has(present()).with(standing(Standing::OutOfScope)), |rules| &mut rules.out_of_scope),
        (Reason::OptedOut, || has(present()).with(standing(Standing::OptedOut)), |rules| &mut rules.opted_out),
        (Reason::Gone, || has(present()).with(matched(Matched::Nobody)), |rules| &mut rules.gone),
    ];
    let image = |name: &str| Action::Image(name.into());
    for (reason, case, rule) in reasons {
        let mut case = case();
        let former = if reason == Reason::Gone { Former::Gone } else { Former::Listed(Standing::InScope) };
        if reason == Reason::Gone {
            // Nobody is gone of whom nothing is recorded.
            case = case.placed().with(|case| case.former = former);
        }
        // What stands there → the rule → the verdict, what is shown then.
        rule(&mut case.fallback).value = image("a.png");
        let placed = case.judge();
        let Some(Step::Show(wanted)) = placed.step else { panic!("{reason:?}: {placed:?}") };
        assert_eq!(wanted.person, Some(PersonRef { source: "entra".into(), id: ADA.into() }), "{reason:?}");
        let mut case = case.placed();
        case.former = former;
        if let Some(placement) = &mut case.placement {
            (placement.photo, placement.person) = (wanted.photo, wanted.person);
        }
        let goes = if reason == Reason::OptedOut { "remove" } else { "revert" };
        for (action, verdict, why) in [
            (image("a.png"), "unchanged", Reason::Unchanged),
            (image("b.png"), "replace", Reason::PhotoChanged),
            (Action::Default, goes, reason),
            (Action::Keep, "keep", reason),
        ] {
            rule(&mut case.fallback).value = action.clone();
            let judged = case.judge();
            assert_eq!(
                (judged.decision.change.word(), judged.decision.reason),
                (verdict, why),
                "{reason:?} {action:?}"
            );
        }
        // The person changes: there is a photo again, or another rule holds now, or they are gone for good.
        rule(&mut case.fallback).value = image("a.png");
        let back = source("entra", Some(person(ADA, Standing::InScope)), Some(present()));
        let case = case.with(|case| (case.sources, case.former) = (vec![back], Former::Listed(Standing::InScope)));
        assert_eq!(case.judge().decision.reason, Reason::PhotoChanged, "{reason:?}");
        let case = case.with(|case| case.sources[0].photo = Some(absent()));
        let mut case = case.with(|case| case.fallback.absent.value = Action::Default);
        assert_eq!(case.judge().decision.change.word(), "revert", "{reason:?}");
        case.fallback.gone.value = Action::Default;
        let case = case.with(matched(Matched::Nobody)).with(|case| case.former = Former::Gone);
        assert_eq!(case.judge().decision.change.word(), "revert", "{reason:?}");
        let case = case.with(another(unknown())).with(|case| case.former = Former::Listed(Standing::InScope));
        assert_eq!(case.judge().decision.change.word(), "remove", "{reason:?}");
    }
}

/// A picture that is not ours stays with whoever opted out, whatever stands in for a photo.
#[test]
fn an_image_for_who_opted_out_overwrites_nothing_that_is_not_ours() {
    let case = has(present()).shows(custom("7")).with(standing(Standing::OptedOut));
    let case = case.with(|case| case.fallback.opted_out.value = Action::Image("a.png".into()));
    assert_eq!((case.judge().decision.change, case.judge().decision.reason), (Change::Keep, Reason::NotOurs));
}
