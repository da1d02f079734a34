//! What becomes of a write that an earlier run, or this one, left open.
//!
//! Owns: the last column of the tables in docs/write-protocols.md: what was seen, and what is wanted now, give the
//! mending.
//! Leaves to others: looking (`load`), mending (`run`, `load`).
//! A newcomer gets wrong: a half-done picture is finished only if it is still exactly what is wanted; otherwise it goes.

use crate::model::{OpenIntent, PictureRef, Placement, Provenance, Recipe, Seen, Status, Step};

/// What is done about an open intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// Only the journal learns that nothing is left.
    Close(String),
    /// Only the journal learns that the default is shown and nothing is left.
    CloseReset,
    /// The picture is shown, if it is not yet, and recorded; then the old one of ours goes.
    Finish(PictureRef),
    /// A picture of ours goes.
    Tidy(PictureRef),
    /// It stays open, and the account is decided about as ever.
    Later,
    /// The account is left alone in this run.
    LeaveAlone(String),
}

/// What stands on the account by the light of what was seen, for deciding about it.
pub(crate) fn placement_seen(open: &OpenIntent, seen: &Seen, recorded: Option<Placement>) -> Option<Placement> {
    match seen {
        // Somebody's own choice stands there again.
        Seen::Shown(_) | Seen::Alike(_) if open.intent.gives_back_a_kept_one() => None,
        Seen::Shown(mark) => open.intent.placement(mark, Provenance::Made).or(recorded),
        Seen::Alike(mark) => open.intent.placement(mark, Provenance::Adopted).or(recorded),
        Seen::Reset(_) => None,
        Seen::TooEarly(_)
        | Seen::Nothing(_)
        | Seen::HalfDone(_)
        | Seen::Leftover(_)
        | Seen::Stray { .. }
        | Seen::Perhaps(_)
        | Seen::Unsure(_) => recorded,
    }
}

/// Judges an open intent by what was seen and by what the plan wants for the account now.
pub(crate) fn settle(open: &OpenIntent, seen: &Seen, step: Option<&Step>, recipe: &Recipe) -> Settled {
    match seen {
        Seen::TooEarly(_) => Settled::LeaveAlone("a slow server may still be at an earlier write".to_owned()),
        Seen::Unsure(why) => Settled::LeaveAlone(why.clone()),
        Seen::Nothing(why) => Settled::Close(why.clone()),
        // The same picture has the same name, so sending it again leaves one picture and not two.
        Seen::Perhaps(_) if covered(open, step, recipe) => Settled::Close("the same picture is sent again".into()),
        Seen::Perhaps(_) => Settled::Later,
        Seen::HalfDone(mark) if still_wanted(open, step, recipe) => Settled::Finish(mark.clone()),
        Seen::HalfDone(mark) | Seen::Leftover(mark) | Seen::Stray { mark, .. } | Seen::Reset(Some(mark)) => {
            Settled::Tidy(mark.clone())
        }
        Seen::Shown(mark) | Seen::Alike(mark) => Settled::Finish(mark.clone()),
        Seen::Reset(None) => Settled::CloseReset,
    }
}

/// Whether the write that may have left something is made again in this run.
fn covered(open: &OpenIntent, step: Option<&Step>, recipe: &Recipe) -> bool {
    matches!(open.status, Status::Sent { .. }) && still_wanted(open, step, recipe)
}

fn still_wanted(open: &OpenIntent, step: Option<&Step>, recipe: &Recipe) -> bool {
    match step {
        Some(Step::Show(wanted) | Step::Look(wanted)) => {
            open.intent.photo == Some(wanted.photo)
                && open.intent.person == wanted.person
                && open.intent.recipe.as_ref() == Some(recipe)
        }
        _ => false,
    }
}
