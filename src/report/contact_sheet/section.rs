//! Where a line stands on the contact sheet, and whether somebody has to see to it.
//!
//! Owns: the order of the sections, what went wrong or is lost first. Leaves to others: the same on a terminal (`human`).
//! A newcomer gets wrong: a replaced picture is lost only if somebody chose it; a default or one of ours is no loss.

use crate::model::{Change, PersonResult, Reason};
use crate::report::PersonLine;

/// The sections, in the order of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    Failed,
    ByHand,
    Reverts,
    Foreign,
    Reassigned,
    Replaced,
    Mended,
    Conflicts,
    Unread,
    NotAsked,
    Kept,
    Skipped,
}

impl Section {
    /// `planned`: nothing was to be written yet.
    pub(super) fn of(line: &PersonLine, planned: bool) -> Self {
        if went_wrong(line, planned) {
            return Self::Failed;
        }
        if reason(line) == Some(Reason::StillShown) {
            return Self::ByHand;
        }
        let reassigned = matches!(reason(line), Some(Reason::Reassigned | Reason::Misplaced));
        match Change::of_word(&line.change.kind) {
            Some(Change::Replace | Change::Revert | Change::Remove) if reassigned => Self::Reassigned,
            Some(Change::Revert | Change::Remove) => Self::Reverts,
            Some(Change::Replace) if line.change.from.starts_with("foreign:") => Self::Foreign,
            Some(Change::Replace) => Self::Replaced,
            Some(Change::Finish | Change::Tidy) => Self::Mended,
            Some(Change::Conflict) => Self::Conflicts,
            _ if reason(line) == Some(Reason::SourceUnreachable) => Self::Unread,
            _ if reason(line) == Some(Reason::NotAsked) => Self::NotAsked,
            Some(Change::Skip) => Self::Skipped,
            Some(Change::Keep | Change::Unchanged) | None => Self::Kept,
        }
    }

    /// Its name in the page's address.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::ByHand => "by-hand",
            Self::Reverts => "reverts",
            Self::Foreign => "foreign",
            Self::Reassigned => "reassigned",
            Self::Replaced => "replaced",
            Self::Mended => "mended",
            Self::Conflicts => "conflicts",
            Self::Unread => "unread",
            Self::NotAsked => "not-asked",
            Self::Kept => "left-alone",
            Self::Skipped => "skipped",
        }
    }

    pub(super) fn title(self, planned: bool) -> &'static str {
        match (self, planned) {
            (Self::Failed, _) => "Not done",
            (Self::ByHand, _) => "To take off by hand",
            (Self::Reverts, true) => "To revert",
            (Self::Reverts, false) => "Reverted",
            (Self::Foreign, true) => "Uploaded pictures to replace",
            (Self::Foreign, false) => "Uploaded pictures replaced",
            (Self::Reassigned, _) => "Reassigned",
            (Self::Replaced, true) => "To replace",
            (Self::Replaced, false) => "Replaced",
            (Self::Mended, true) => "To mend",
            (Self::Mended, false) => "Mended",
            (Self::Conflicts, _) => "In conflict",
            (Self::Unread, _) => "Left alone: a source could not be read",
            (Self::NotAsked, _) => "Left alone: stopped before",
            (Self::Kept, _) => "Left alone by a rule",
            (Self::Skipped, _) => "Left alone, not looked at",
        }
    }

    /// The same for a button among many.
    pub(super) fn short_title(self, planned: bool) -> &'static str {
        match (self, planned) {
            (Self::Foreign, true) => "Uploads to replace",
            (Self::Foreign, false) => "Uploads replaced",
            (Self::Unread, _) => "Source not read",
            (Self::NotAsked, _) => "Stopped before",
            (Self::Kept, _) => "Left alone",
            (Self::Skipped, _) => "Not looked at",
            _ => self.title(planned),
        }
    }

    pub(super) fn about(self) -> &'static str {
        match self {
            Self::Failed => "What was to be written and was not, or is not shown. The next run looks again.",
            Self::ByHand => {
                "Faces of people who opted out, or whose account is somebody else's now. We did not make these pictures, so no run deletes them."
            }
            Self::Reverts => "Accounts that go back to the default picture, or to what stood before a run.",
            Self::Foreign => {
                "Pictures that are not on record as ours: somebody put them there, or a run that this state has not seen. They give way to the \
                 photo of the directory."
            }
            Self::Reassigned => {
                "Accounts that belong to another person than last time, or show somebody else's picture: that face goes."
            }
            Self::Replaced => {
                "The photo of the directory in place of a default, of a stock picture of the product, which counts for the limit `foreign`, \
                 or of an earlier picture of ours."
            }
            Self::Mended => "What an earlier run left half done, or left over.",
            Self::Conflicts => "The keys do not name one person, so nobody gets a face.",
            Self::Unread => "Nobody knows whether there is a photo, so nothing changes.",
            Self::NotAsked => "The run was stopped, or its time was up. The next run goes on.",
            Self::Kept => "A rule says so, or it is not known whether there is a photo.",
            Self::Skipped => "Disabled, not selected, or nobody's.",
        }
    }

    /// The class of its colour.
    pub(super) fn colour(self) -> &'static str {
        match self {
            Self::Failed | Self::ByHand | Self::Reassigned | Self::Conflicts => "k-bad",
            Self::Reverts => "k-warn",
            Self::Foreign => "k-loss",
            Self::Replaced | Self::Mended => "k-good",
            Self::Unread => "k-warn",
            Self::NotAsked | Self::Kept | Self::Skipped => "k-rest",
        }
    }

    /// Whether every line of it stands on the page, however many there are.
    pub(super) fn is_whole(self) -> bool {
        !matches!(self, Self::Conflicts | Self::Unread | Self::NotAsked | Self::Kept | Self::Skipped)
    }
}

/// What a limit holds up in a plan is to be reviewed as what it would be.
fn went_wrong(line: &PersonLine, planned: bool) -> bool {
    match line.result {
        PersonResult::NotDone => !planned || !line.is_change(),
        PersonResult::Failed | PersonResult::Open | PersonResult::NotShown => true,
        PersonResult::None | PersonResult::Planned | PersonResult::Done => false,
    }
}

fn reason(line: &PersonLine) -> Option<Reason> {
    serde_json::from_value(serde_json::Value::from(line.reason.as_str())).ok()
}

/// Whether somebody who keeps the directory or the accounts can do something about it.
pub(super) fn needs_attention(line: &PersonLine, planned: bool) -> bool {
    use Reason::{
        Ambiguous, ChangedMeanwhile, Conflict, Misplaced, PhotoUnknown, PictureUnknown, Reassigned, SamePicture,
        SourceUnreachable, StillShown, TooSmall, Unmatched, Unreadable, Unsure,
    };
    went_wrong(line, planned)
        || matches!(
            reason(line),
            Some(
                Ambiguous
                    | ChangedMeanwhile
                    | Conflict
                    | Misplaced
                    | PhotoUnknown
                    | PictureUnknown
                    | Reassigned
                    | SamePicture
                    | SourceUnreachable
                    | StillShown
                    | TooSmall
                    | Unmatched
                    | Unreadable
                    | Unsure
            )
        )
}
