//! One table: what is known of an account, and what must follow from it.

use super::*;

fn all() -> impl Iterator<Item = Row> {
    cases().into_iter().chain(choices::cases())
}

fn cases() -> Vec<Row> {
    vec![
        ("first photo", has(present()), "replace", Reason::PhotoNew, 30),
        ("over a stock picture", has(present()).shows(Shown::System("104".into())), "replace", Reason::PhotoNew, 30),
        (
            "the stock picture that is the default",
            has(present()).shows(Shown::System("100".into())).with(|c| c.ownership = Ownership::Ours),
            "replace",
            Reason::PhotoNew,
            30,
        ),
        ("the same photo", has(present()).placed(), "unchanged", Reason::Unchanged, 30),
        (
            "another photo",
            has(PhotoFact::Present { digest: Digest::of(b"new") }).placed(),
            "replace",
            Reason::PhotoChanged,
            30,
        ),
        ("another recipe", has(present()).placed().with(another_recipe), "replace", Reason::RecipeChanged, 30),
        (
            "another recipe that makes the same",
            has(present()).placed().with(|c| c.recipe = "r2".into()),
            "unchanged",
            Reason::Unchanged,
            30,
        ),
        (
            "another recipe, and nobody knows yet what it makes",
            has(present()).placed().with(|c| {
                c.recipe = "r2".into();
                c.sources[0].rendition = None;
            }),
            "replace",
            Reason::RecipeChanged,
            30,
        ),
        (
            "rendered again",
            has(present()).placed().with(|c| c.rerender = Rerender::All),
            "replace",
            Reason::Rerender,
            30,
        ),
        ("ours went away", has(present()).placed().shows(Shown::Default), "replace", Reason::Drifted, 30),
        ("no photo, nothing there", has(absent()), "keep", Reason::Absent, 21),
        ("no photo any more", has(absent()).placed(), "revert", Reason::Absent, 21),
        ("no photo, adopted", has(absent()).placed().with(adopted(DefaultBy::Choosing)), "revert", Reason::Absent, 21),
        (
            "no photo, adopted, to be deleted",
            has(absent()).placed().with(adopted(DefaultBy::Deleting)),
            "revert",
            Reason::Absent,
            21,
        ),
        (
            "no photo, adopted, to be deleted, people may choose",
            has(absent()).placed().with(adopted(DefaultBy::Deleting)).with(|c| c.ownership = Ownership::Ours),
            "keep",
            Reason::Recognised,
            21,
        ),
        (
            "no photo, adopted, a file",
            has(absent()).placed().with(adopted(DefaultBy::Removing)),
            "keep",
            Reason::Recognised,
            21,
        ),
        (
            "opted out, adopted, to be deleted",
            has(absent()).placed().with(adopted(DefaultBy::Deleting)).with(standing(Standing::OptedOut)),
            "remove",
            Reason::OptedOut,
            26,
        ),
        (
            "opted out, adopted, to be deleted, people may choose",
            has(absent())
                .placed()
                .with(adopted(DefaultBy::Deleting))
                .with(standing(Standing::OptedOut))
                .with(|c| c.ownership = Ownership::Ours),
            "keep",
            Reason::StillShown,
            26,
        ),
        (
            "opted out, adopted, to be deleted, where nothing of others is",
            has(absent())
                .placed()
                .with(adopted(DefaultBy::Deleting))
                .with(standing(Standing::OptedOut))
                .with(|c| c.fallback.absent.value = Action::Keep),
            "keep",
            Reason::StillShown,
            26,
        ),
        (
            "opted out, adopted, a file",
            has(absent()).placed().with(adopted(DefaultBy::Removing)).with(standing(Standing::OptedOut)),
            "keep",
            Reason::StillShown,
            26,
        ),
        (
            "opted out, adopted, and the server does not tell what it shows",
            has(absent())
                .placed()
                .shows(Shown::Unknown("no version".into()))
                .with(adopted(DefaultBy::Deleting))
                .with(standing(Standing::OptedOut))
                .with(|c| c.account.handle = Some("ada".into())),
            "keep",
            Reason::StillShown,
            26,
        ),
        (
            "another person, not known, of a file that was recognised",
            has(present()).placed().with(adopted(DefaultBy::Removing)).with(another(unknown())),
            "keep",
            Reason::StillShown,
            32,
        ),
        (
            "another person without a photo, of a picture that was recognised, people may choose",
            has(present())
                .placed()
                .with(adopted(DefaultBy::Deleting))
                .with(another(absent()))
                .with(|c| c.ownership = Ownership::Ours),
            "keep",
            Reason::StillShown,
            21,
        ),
        (
            "the photo of many",
            has(present()).with(|c| c.sources[0].shared_by = Some(6)),
            "keep",
            Reason::SamePicture,
            20,
        ),
        (
            "the photo of many, shown already",
            has(present()).placed().with(|c| c.sources[0].shared_by = Some(6)),
            "keep",
            Reason::SamePicture,
            20,
        ),
        (
            "another person with the photo of many",
            has(present()).placed().with(another(present())).with(|c| c.sources[0].shared_by = Some(6)),
            "remove",
            Reason::Reassigned,
            32,
        ),
        ("no photo, somebody else's upload", has(absent()).shows(custom("7")), "revert", Reason::Absent, 21),
        ("no photo, a stock picture", has(absent()).shows(Shown::System("104".into())), "revert", Reason::Absent, 21),
        ("no photo, chosen after ours", has(absent()).placed().shows(custom("7")), "revert", Reason::Absent, 21),
        (
            "no photo, somebody else's upload, to be deleted",
            has(absent()).shows(custom("7")).with(|c| c.default_by = DefaultBy::Deleting),
            "revert",
            Reason::Absent,
            21,
        ),
        (
            "no photo, somebody else's file",
            has(absent()).shows(custom("7")).with(|c| c.default_by = DefaultBy::Removing),
            "keep",
            Reason::NotOurs,
            21,
        ),
        (
            "no photo, somebody else's upload, people may choose",
            has(absent()).shows(custom("7")).with(|c| c.ownership = Ownership::Ours),
            "keep",
            Reason::NotOurs,
            31,
        ),
        (
            "no photo, somebody else's upload, the rule keeps",
            has(absent()).shows(custom("7")).with(|c| c.fallback.absent.value = Action::Keep),
            "keep",
            Reason::Absent,
            21,
        ),
        (
            "cannot be read, somebody else's upload: that proves no absence",
            has(PhotoFact::Unreadable(Fault::new("truncated", "cut off"))).shows(custom("7")).with(|c| {
                c.fallback.unreadable.value = Action::Default;
            }),
            "keep",
            Reason::NotOurs,
            22,
        ),
        (
            "disabled person, somebody else's upload: that proves no absence",
            has(present()).shows(custom("7")).with(standing(Standing::Inactive)).with(|c| {
                c.fallback.inactive.value = Action::Default;
            }),
            "keep",
            Reason::NotOurs,
            24,
        ),
        (
            "no photo, the rule keeps",
            has(absent()).placed().with(|c| c.fallback.absent.value = Action::Keep),
            "keep",
            Reason::Absent,
            21,
        ),
        ("not known", has(unknown()).placed(), "keep", Reason::PhotoUnknown, 10),
        ("not asked", has(unknown()).placed().with(|c| c.sources[0].photo = None), "keep", Reason::PhotoUnknown, 10),
        (
            "unreadable",
            has(PhotoFact::Unreadable(Fault::new("truncated", "cut off"))).placed(),
            "keep",
            Reason::Unreadable,
            22,
        ),
        ("too small", has(PhotoFact::TooSmall { width: 40, height: 40 }), "keep", Reason::TooSmall, 23),
        ("disabled person", has(present()).placed().with(standing(Standing::Inactive)), "keep", Reason::Inactive, 24),
        ("out of scope", has(present()).placed().with(standing(Standing::OutOfScope)), "keep", Reason::OutOfScope, 25),
        ("opted out, ours", has(present()).placed().with(standing(Standing::OptedOut)), "remove", Reason::OptedOut, 26),
        (
            "opted out, not ours",
            has(present()).shows(custom("7")).with(standing(Standing::OptedOut)),
            "keep",
            Reason::NotOurs,
            26,
        ),
        (
            "two people",
            has(present()).placed().with(matched(Matched::Ambiguous("fits ada, grace".into()))),
            "conflict",
            Reason::Ambiguous,
            32,
        ),
        (
            "two accounts",
            has(present()).with(matched(Matched::Ambiguous("ada fits the accounts 1 and 2".into()))),
            "conflict",
            Reason::Ambiguous,
            32,
        ),
        (
            "keys contradict",
            has(present()).placed().with(matched(Matched::Conflict("ada differs".into()))),
            "conflict",
            Reason::Conflict,
            32,
        ),
        (
            "two people, and who has our picture opted out",
            has(present()).placed().with(matched(Matched::Ambiguous("fits ada, grace".into()))).with(opted_out),
            "remove",
            Reason::OptedOut,
            26,
        ),
        (
            "keys contradict, and who has our picture opted out",
            has(present()).placed().with(matched(Matched::Conflict("ada differs".into()))).with(opted_out),
            "remove",
            Reason::OptedOut,
            26,
        ),
        (
            "nobody, and who has our picture opted out",
            has(present()).placed().with(matched(Matched::Nobody)).with(opted_out),
            "remove",
            Reason::OptedOut,
            26,
        ),
        (
            "two people, and who had our picture opted out, which is not shown",
            has(present()).placed().shows(custom("7")).with(matched(Matched::Ambiguous("two".into()))).with(opted_out),
            "conflict",
            Reason::Ambiguous,
            32,
        ),
        (
            "another person, and who has our picture opted out",
            has(present()).placed().with(another(present())).with(opted_out),
            "replace",
            Reason::Reassigned,
            30,
        ),
        ("nobody", has(present()).with(matched(Matched::Nobody)), "skip", Reason::Unmatched, 32),
        (
            "nobody any more, the person is gone",
            has(present()).placed().with(matched(Matched::Nobody)).with(|c| c.former = Former::Gone),
            "keep",
            Reason::Gone,
            27,
        ),
        (
            "gone, the rule resets",
            has(present()).placed().with(matched(Matched::Nobody)).with(|c| {
                c.former = Former::Gone;
                c.fallback.gone.value = Action::Default;
            }),
            "revert",
            Reason::Gone,
            27,
        ),
        (
            "nobody any more, the person is still listed",
            has(present()).placed().with(matched(Matched::Nobody)),
            "skip",
            Reason::Unmatched,
            32,
        ),
        (
            "another person with a photo",
            has(present()).placed().with(another(present())),
            "replace",
            Reason::Reassigned,
            30,
        ),
        ("another person without", has(present()).placed().with(another(absent())), "revert", Reason::Absent, 21),
        (
            "another person, not known",
            has(present()).placed().with(another(unknown())),
            "remove",
            Reason::Reassigned,
            32,
        ),
        (
            "another person, the source of the first is off",
            has(present()).placed().with(another(unknown())).with(|c| c.former = Former::Unknown),
            "keep",
            Reason::PhotoUnknown,
            10,
        ),
        (
            "source off",
            has(present()).placed().with(|c| c.sources[0].state = SourceState::Disabled),
            "keep",
            Reason::SourceDisabled,
            10,
        ),
        (
            "source failed",
            has(present()).placed().with(|c| c.sources[0].state = SourceState::Failed),
            "keep",
            Reason::SourceUnreachable,
            10,
        ),
        (
            "disabled account",
            has(present()).with(|c| c.account.standing = AccountStanding::Inactive),
            "skip",
            Reason::AccountInactive,
            33,
        ),
        (
            "account outside the groups",
            has(absent()).placed().with(|c| c.account.standing = AccountStanding::NotInGroups),
            "skip",
            Reason::AccountExcluded,
            34,
        ),
        (
            "excluded account",
            has(absent()).placed().with(|c| c.account.standing = AccountStanding::Excluded),
            "skip",
            Reason::AccountExcluded,
            35,
        ),
        (
            "account not in the rollout yet",
            has(absent()).placed().with(|c| c.account.standing = AccountStanding::NotInRollout),
            "skip",
            Reason::AccountExcluded,
            36,
        ),
        (
            "account outside the groups, and who has our picture opted out",
            has(present()).placed().with(opted_out).with(|c| c.account.standing = AccountStanding::NotInGroups),
            "remove",
            Reason::OptedOut,
            26,
        ),
        (
            "account not in the rollout any more, and who has our picture opted out",
            has(present()).placed().with(opted_out).with(|c| c.account.standing = AccountStanding::NotInRollout),
            "remove",
            Reason::OptedOut,
            26,
        ),
        (
            "excluded account, and who has a picture of their own opted out",
            has(present())
                .placed()
                .shows(custom("7"))
                .with(opted_out)
                .with(|c| c.account.standing = AccountStanding::Excluded),
            "skip",
            Reason::AccountExcluded,
            35,
        ),
        (
            "frozen, another photo",
            has(PhotoFact::Present { digest: Digest::of(b"new") }).placed().with(standing(Standing::Frozen)),
            "keep",
            Reason::Frozen,
            11,
        ),
        (
            "frozen, and another person had the account",
            has(present())
                .placed()
                .with(|c| c.sources = vec![source("entra", Some(person(GRACE, Standing::Frozen)), None)]),
            "remove",
            Reason::Reassigned,
            32,
        ),
        (
            "frozen by a later source",
            has(present()).with(|c| c.sources.push(source("google", Some(person("ada@", Standing::Frozen)), None))),
            "keep",
            Reason::Frozen,
            11,
        ),
        ("frozen target", has(present()).with(frozen_target), "keep", Reason::TargetFrozen, 37),
        (
            "frozen target, no photo any more",
            has(absent()).placed().with(frozen_target),
            "keep",
            Reason::TargetFrozen,
            37,
        ),
        ("picture not known", has(present()).shows(Shown::Unknown("302".into())), "keep", Reason::PictureUnknown, 30),
    ]
}

fn frozen_target(case: &mut Case) {
    case.freeze.value = true;
}

fn another_recipe(case: &mut Case) {
    case.recipe = "r2".into();
    if let Some(placement) = &mut case.placement {
        placement.rendition = Digest::of(b"as it was made by the former one");
    }
}

/// No limit stops a target for the sake of what nobody touches.
#[test]
fn what_is_frozen_counts_for_no_limit() {
    let frozen = |case: Case| case.with(standing(Standing::Frozen)).judge();
    let went_away = frozen(has(present()).placed().shows(Shown::Default));
    let chosen = frozen(has(present()).shows(custom("7")));
    let passed_on = has(present()).placed().with(another(present())).with(frozen_target).judge();
    assert!(!went_away.drifted && !chosen.foreign && !passed_on.reassigned);
}

#[test]
fn every_fact_has_its_verdict_reason_and_line() {
    for (what, case, verdict, reason, line) in all() {
        let judged = case.judge();
        let found = (judged.decision.change.word(), judged.decision.reason, judged.decision.rule.line);
        assert_eq!(found, (verdict, reason, line), "{what}");
    }
}

#[test]
fn only_changes_write() {
    for (what, case, verdict, ..) in all() {
        let step = case.judge().step;
        let writes = matches!(step, Some(Step::Show(_) | Step::Reset | Step::Look(_)));
        assert_eq!(writes, matches!(verdict, "replace" | "revert" | "remove"), "{what}: {step:?}");
    }
}

#[test]
fn a_foreign_picture_is_looked_at_before_it_is_written_over() {
    assert!(matches!(has(present()).shows(custom("7")).judge().step, Some(Step::Look(_))));
    assert!(has(present()).shows(custom("7")).judge().foreign);
    assert!(matches!(
        has(present()).shows(custom("7")).with(|c| c.looked = Comparison::Alike).judge().step,
        Some(Step::Adopt(_))
    ));
}

/// What is taken off without being ours counts as foreign, and the plan says what is lost.
#[test]
fn a_picture_that_goes_without_being_ours_is_counted_and_told() {
    for (shown, default_by, words) in [
        (custom("7"), DefaultBy::Choosing, "among the person's own"),
        (Shown::System("104".into()), DefaultBy::Choosing, "stock picture"),
        (custom("7"), DefaultBy::Deleting, "is lost"),
    ] {
        let judged = has(absent()).shows(shown).with(|case| case.default_by = default_by).judge();
        assert!(judged.foreign && judged.pictured && judged.step == Some(Step::Reset), "{judged:?}");
        assert!(judged.decision.detail.as_deref().unwrap_or_default().contains(words), "{judged:?}");
    }
    let ours = has(absent()).placed().judge();
    assert!(!ours.foreign && ours.pictured);
}
