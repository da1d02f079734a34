//! What a change comes to: what it uploads, and what an account shows after it.
//!
//! Owns: reading that off a step. Leaves to others: doing it (`apply`), holding a listing against it (`confirm`).
//! A newcomer gets wrong: a tidying shows nothing new, so the confirming survey expects nothing of it.

use crate::model::{Earlier, PictureRef, Planned, Shown, Status, Step};

/// Nothing is left to mend because the last step took effect and only its answer was lost. `Some` holds what is shown.
pub(super) fn came_through(status: &Status, step: &Step) -> Option<Option<PictureRef>> {
    match (status, step) {
        (Status::Shown(mark), _) => Some(Some(mark.clone())),
        (Status::Reset, _) | (Status::Leftover(_) | Status::Stray { .. }, Step::Tidy(..)) => Some(None),
        _ => None,
    }
}

/// Whether it sends a picture.
pub(super) fn is_upload(step: &Step) -> bool {
    matches!(step, Step::Show(_) | Step::GiveBack(Earlier { kept_by: Some(_), .. }))
}

/// What the confirming survey must show.
pub(super) fn shows(planned: &Planned, mark: Option<PictureRef>) -> Option<Shown> {
    match &planned.task.step {
        Step::Show(_) | Step::Finish(..) => mark.map(Shown::Custom),
        Step::Reset => Some(Shown::Default),
        Step::GiveBack(earlier) if earlier.kept_by.is_some() => mark.map(Shown::Custom),
        Step::GiveBack(earlier) => Some(earlier.shown.clone()),
        Step::Look(_) | Step::Tidy(..) | Step::Adopt(_) => None,
    }
}
