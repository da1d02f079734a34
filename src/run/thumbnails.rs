//! The pictures beside the lines of a report: small copies of what stood there and of what is to stand there.
//!
//! Owns: their size and number, so that a page of everybody can still be opened.
//! Leaves to others: renditions (`spool`), what stood before (`stood`), the page (`report`).
//! A newcomer gets wrong: these are for eyes alone; what a target gets are the bytes in the spool.

use super::context::{Mode, RunContext};
use super::small_copy::{LARGE, small};
use super::stood::Which;
use crate::model::{Change, Decision, MediaType, Picture, Recipe, Rendition, Step};
use crate::report::{ReportPictures, StoodPictures, Thumbnail};
use crate::settings::Pictures;
use crate::state::{DecisionCursor, StateError};

/// Pixels a side where there are many: twice what people see in a list.
const SMALL: u32 = 96;
/// Changes up to which copies are large ([`LARGE`]).
const FEW: u64 = 400;
/// Changes with pictures on one page; 10,000 make a page of some 40 MB, and of 70 MB where both have one (docs/performance.md).
const MOST: u64 = 10_000;
/// Bytes of a rendition that is not copied.
const AS_IT_IS: usize = 8 << 10;

/// Makes the pictures of one page.
pub(super) struct Thumbnails<'a> {
    context: &'a RunContext,
    side: Option<u32>,
    left: u64,
}

/// Which pictures there are on a page with so many changes.
pub(super) fn shown(context: &RunContext, changes: u64) -> ReportPictures {
    let before = match (context.pictures, context.mode) {
        (Pictures::None | Pictures::New, _) => StoodPictures::Off,
        (Pictures::Changed, Mode::Plan) => StoodPictures::Fetched,
        (Pictures::Changed, Mode::Run) => StoodPictures::Seen,
    };
    let side = (context.pictures != Pictures::None).then_some(if changes <= FEW { LARGE } else { SMALL });
    ReportPictures { side, before }
}

impl<'a> Thumbnails<'a> {
    pub(super) fn new(context: &'a RunContext, shown: ReportPictures) -> Self {
        Self { context, side: shown.side, left: MOST }
    }

    /// Before and after of a decision, as far as they are at hand.
    pub(super) fn of(&mut self, decision: &Decision, recipe: &Recipe) -> Result<[Option<Thumbnail>; 2], StateError> {
        let Some(side) = self.side.filter(|_| self.left > 0) else { return Ok([None, None]) };
        let both = match decision.change {
            Change::Replace => [self.before(decision, side), self.after(decision, recipe, side)?],
            Change::Revert | Change::Remove => [self.before(decision, side), self.stood(Which::Back, decision, side)],
            Change::Finish | Change::Tidy | Change::Unchanged | Change::Keep | Change::Conflict | Change::Skip => {
                [None, None]
            }
        };
        self.left -= u64::from(both.iter().any(Option::is_some));
        Ok(both)
    }

    fn before(&self, decision: &Decision, side: u32) -> Option<Thumbnail> {
        if matches!(decision.from, Picture::Default | Picture::Unknown(_)) {
            return None;
        }
        self.stood(Which::Before, decision, side)
    }

    fn stood(&self, which: Which, decision: &Decision, side: u32) -> Option<Thumbnail> {
        let there = self.context.stood.get(which, &decision.target, &decision.account)?;
        let bytes = if side < LARGE { small(&there, side)? } else { there };
        Some(Thumbnail { media_type: MediaType::Jpeg, bytes })
    }

    fn after(&self, decision: &Decision, recipe: &Recipe, side: u32) -> Result<Option<Thumbnail>, StateError> {
        let task = self.context.facts.task(&DecisionCursor::of(decision))?;
        let Some(Step::Show(wanted)) = task.map(|task| task.step) else { return Ok(None) };
        let Some(rendition) = self.context.spool.get(&wanted.photo, recipe) else { return Ok(None) };
        Ok(copy(rendition, side))
    }
}

fn copy(rendition: Rendition, side: u32) -> Option<Thumbnail> {
    if rendition.side <= side && rendition.bytes.len() <= AS_IT_IS {
        return Some(Thumbnail { media_type: rendition.media_type, bytes: rendition.bytes });
    }
    Some(Thumbnail { media_type: MediaType::Jpeg, bytes: small(&rendition.bytes, side)? })
}
