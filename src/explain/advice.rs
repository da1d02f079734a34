//! What the next run will do about an account, and what somebody can do about it.
//!
//! Owns: a sentence for each reason. Leaves to others: the reasons (`model`).
//! A newcomer gets wrong: most of what is left alone is as it should be; then there is nothing to do, and nothing is said.

use super::explanation::DecisionExplained;
use crate::model::{PersonResult, Reason};

/// What the next run will do; `limits`: those that stopped the target, in words.
pub(super) fn next(decision: &DecisionExplained, limits: &[String]) -> String {
    let begun = !matches!(decision.result, None | Some(PersonResult::Planned | PersonResult::NotDone));
    if decision.change.writes() && !begun && !limits.is_empty() && decision.reason != Reason::Undone {
        return format!("does this once no limit stops the target: {}", limits.join("; "));
    }
    unlimited(decision).to_owned()
}

fn unlimited(decision: &DecisionExplained) -> &'static str {
    match (decision.change.writes(), decision.result) {
        (true, Some(PersonResult::Done)) if decision.reason == Reason::Undone => {
            "decides anew: shows the photo again, and the default where there is none, unless the file has the account left alone"
        }
        (true, None | Some(PersonResult::Planned)) if decision.reason == Reason::Undone => {
            "decides anew: only `undo --apply` gives back what stood before"
        }
        (true, None | Some(PersonResult::NotDone)) if decision.reason == Reason::Rerender => {
            "does this with --rerender alone; without it nothing, unless the photo, the rules or the account change"
        }
        (true, Some(PersonResult::Done)) => "nothing, unless the photo, the rules or the account change",
        (true, Some(PersonResult::Open)) => "looks what became of the write, and mends it",
        (true, Some(PersonResult::NotShown)) => "looks at the account again, since the picture was not seen there",
        (true, Some(PersonResult::Failed)) => "tries again",
        (true, _) => "does this, unless a limit stops it, the target is on dry run, or something changes before",
        (false, _) if asks_again(decision.reason) => "asks again",
        (false, _) => "nothing, unless the photo, the rules or the account change",
    }
}

fn asks_again(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::PhotoUnknown
            | Reason::PictureUnknown
            | Reason::SourceUnreachable
            | Reason::NotAsked
            | Reason::TargetStopped
            | Reason::ChangedMeanwhile
            | Reason::Unsure
            | Reason::NotSelected
            | Reason::NotReviewed
    )
}

/// What somebody can do; `None`: all is as it should be.
pub(super) fn advice(decision: &DecisionExplained) -> Option<&'static str> {
    if decision.result == Some(PersonResult::Failed) {
        return Some("see what the server said above; run again once that is mended");
    }
    let first = |reason: Reason| decision.detail.as_deref().is_some_and(|detail| detail.starts_with(reason.text()));
    match decision.reason {
        // What is left alone is told with what would have been done.
        Reason::NotOurs if first(Reason::Absent) => Some(
            "give the person a photo at the provider; with `ownership: provider`, which is of the whole target, the picture would be taken off",
        ),
        Reason::NotOurs => None,
        reason => of_reason(reason),
    }
}

/// What somebody can do about a reason.
pub(crate) fn of_reason(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::Unchanged
        | Reason::PhotoNew
        | Reason::PhotoChanged
        | Reason::RecipeChanged
        | Reason::Rerender
        | Reason::Reassigned
        | Reason::HalfDone
        | Reason::Leftover
        | Reason::Undone
        | Reason::UndoOther
        | Reason::UndoDone
        | Reason::OptedOut => return None,
        Reason::Drifted => {
            "somebody took our picture away, or the server was restored; if it happens often, ask who does it"
        }
        Reason::Absent => "give the person a photo at the provider",
        Reason::Unreadable => "upload the photo again at the provider, as JPEG or PNG",
        Reason::TooSmall => "upload a larger photo at the provider, or lower `transform.resize.smallest`",
        Reason::SamePicture => {
            "if it is a placeholder, put its digest under `transform.hash.placeholders`; else give each an own photo"
        }
        Reason::Inactive => "enable the person at the provider, or see `users.active` of the source",
        Reason::OutOfScope => "see `users` of the source: types, groups and exclude say who is selected",
        Reason::Gone => {
            "if the person left, disable the account: our picture stays there, unless `transform.fallback` has `gone: default`; else see why \
             no source lists the person any more"
        }
        Reason::ChosenByHand => {
            "nothing, if the person wants this picture; else the person takes it off. `ownership: provider` would replace what anybody at \
             this target chose"
        }
        Reason::Recognised => "nothing, if the picture may stay; else take it off by hand",
        Reason::StillShown => {
            "take it off by hand, or have the person do it; no run deletes there what it did not make"
        }
        Reason::NotOurs => "nothing: it is not ours, and stays whatever becomes of the person",
        Reason::Misplaced => {
            "nothing: it is taken off; if it comes back, ask who sets pictures there, since the product's own pages do not do this"
        }
        Reason::Ambiguous => {
            "make the keys that `match` compares name one person and one account, or write who is who into a table (`match: { map: … }`)"
        }
        Reason::Conflict => {
            "one key names this person and another key somebody else: correct one of them at the provider or the target"
        }
        Reason::Unmatched => {
            "no person has a key of this account: correct the address or name, add a pair to `match`, or write it into a table"
        }
        Reason::PhotoUnknown => "nothing if it passes by itself; else see what the provider said above",
        Reason::SourceDisabled => "set `enabled: true` at the source to take its people up again",
        Reason::SourceUnreachable | Reason::TargetStopped => "see how the last run ended (`status`), and run again",
        Reason::AccountInactive => "enable the account, or see `accounts.active` of the target",
        Reason::AccountExcluded => {
            "see `accounts` of the target: groups, exclude and rollout say which accounts are selected"
        }
        Reason::PictureUnknown => {
            "see what the target said above; nothing is written until it says what the account shows"
        }
        Reason::Frozen => "take the person out of `users.freeze` of the source to have the account served again",
        Reason::TargetFrozen => "set `freeze: false` at the target",
        Reason::NotAsked => "run again: it goes on from there",
        Reason::NotSelected => "run without --only and --target",
        Reason::NotReviewed => "make and review a new plan",
        Reason::Unsure => "look at the account; once somebody sets a picture there by hand, this is over",
        Reason::UndoChanged => "nothing; whoever changed the picture since has the last word",
        Reason::UndoPassedOn => {
            "see whose account it is: what stood there may be the face of whoever had it then, and is not put back"
        }
        Reason::UndoLocked => {
            "give `keep_replaced` the key that it had then, or put `NAME.kept` back from a backup, and undo again"
        }
        Reason::UndoGone => "ask the person for the picture: the product does not keep it",
        Reason::ChangedMeanwhile => "nothing; the next run decides by what stands there then",
    })
}
