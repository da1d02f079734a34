//! Why something is done or left alone, and which line of the pipeline file says so (promise P10).
//!
//! Owns: the closed list of reasons and the place of a rule. Leaves to others: when each applies (`plan`).
//! A newcomer gets wrong: these words are in `run.json`; they are added to, never renamed
//! (docs/command-line.md, "Streams").

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A line of the pipeline file, written `pipelines/corporate.yaml:58`; or that no line says it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file as it was named on the command line; of a default what it is the default of, in words.
    pub file: Arc<str>,
    /// Counted from 1; 0: of a default.
    pub line: u32,
}

impl Place {
    /// Where nothing is written: `transform.fallback.absent`.
    pub fn default_of(key: &str) -> Self {
        Self { file: format!("default of `{key}`").into(), line: 0 }
    }

    /// Whether no line says it.
    pub fn is_default(&self) -> bool {
        self.line == 0
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_default() { f.write_str(&self.file) } else { write!(f, "{}:{}", self.file, self.line) }
    }
}

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $word:literal: $text:literal;)+) => {
        /// Why a change is made, or why nothing is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[$doc])* #[serde(rename = $word)] $name,)+
        }

        impl Reason {
            /// Every reason.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$name),+];

            /// The stable word in `run.json`.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// The same for people.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

reasons! {
    /// The account shows the person's photo already.
    Unchanged = "unchanged": "shows the photo already";
    /// No picture of ours stands there yet.
    PhotoNew = "photo_new": "has a photo that is not shown yet";
    /// Another photo than the one we placed.
    PhotoChanged = "photo_changed": "the photo changed";
    /// The same photo, other transform settings.
    RecipeChanged = "recipe_changed": "the transform settings changed";
    /// `--rerender` asked for it.
    Rerender = "rerender": "rendered again on request";
    /// The picture we placed is not shown any more.
    Drifted = "drifted": "our picture is not shown any more";
    /// Another person owns the account now.
    Reassigned = "reassigned": "the account belongs to another person than last time";
    /// The person provably has no photo.
    Absent = "absent": "provably has no photo";
    /// No picture can be made of the photo.
    Unreadable = "unreadable": "the photo cannot be read";
    /// The photo is smaller than `resize.smallest`.
    TooSmall = "too_small": "the photo is too small";
    /// One photo for more people than `transform.hash.same_picture`.
    SamePicture = "same_picture": "has the same photo as many others";
    /// Disabled at the provider.
    Inactive = "inactive": "disabled at the provider";
    /// Not selected by `users`.
    OutOfScope = "out_of_scope": "not selected by `users`";
    /// Named under `opted_out`.
    OptedOut = "opted_out": "opted out";
    /// Listed by no source any more.
    Gone = "gone": "listed by no source any more";
    /// Somebody chose this picture, and `ownership: ours` leaves it.
    ChosenByHand = "chosen_by_hand": "chose a picture by hand";
    /// The picture is not ours to take away.
    NotOurs = "not_ours": "the picture there is not on record as ours";
    /// Recognised and not made by us, where what goes is deleted: nobody asked for the face to go.
    Recognised = "recognised": "the picture was recognised and not made by us, so it stays";
    /// A face that is to go, and that no run may delete.
    StillShown = "still_shown": "the face is still shown and has to be taken off by hand";
    /// It shows a picture that is another account's.
    Misplaced = "misplaced": "shows a picture that is another account's";
    /// Two candidates.
    Ambiguous = "ambiguous": "more than one candidate";
    /// Two keys say different things.
    Conflict = "conflict": "the keys contradict each other";
    /// Nobody of any source.
    Unmatched = "unmatched": "matches nobody";
    /// It could not be learnt whether there is a photo.
    PhotoUnknown = "photo_unknown": "it is not known whether there is a photo";
    /// `enabled: false`.
    SourceDisabled = "source_disabled": "the source is switched off";
    /// The source could not be listed.
    SourceUnreachable = "source_unreachable": "the source could not be read";
    /// The run was stopped, or its time was up.
    NotAsked = "not_asked": "not asked any more, the run was stopped or its time was up";
    /// Disabled at the target.
    AccountInactive = "account_inactive": "the account is disabled";
    /// Not selected by `accounts`.
    AccountExcluded = "account_excluded": "the account is not selected by `accounts`";
    /// The target did not say what the account shows.
    PictureUnknown = "picture_unknown": "it is not known what the account shows";
    /// Named under `users.freeze`.
    Frozen = "frozen": "frozen by `users`, whatever is shown";
    /// `freeze: true` of the target.
    TargetFrozen = "target_frozen": "the target is frozen";
    /// Left out by `--only` or `--target`.
    NotSelected = "not_selected": "left out by --only or --target";
    /// Not in the plan that was reviewed, or stale since.
    NotReviewed = "not_reviewed": "not in the reviewed plan, or changed since";
    /// A write of an earlier run was half done.
    HalfDone = "half_done": "a write of an earlier run was half done";
    /// A picture of ours is left over.
    Leftover = "leftover": "a picture of ours is left over";
    /// What an earlier write did cannot be told.
    Unsure = "unsure": "it cannot be told what an earlier write did";
    /// Somebody changed the picture between survey and write.
    ChangedMeanwhile = "changed_meanwhile": "somebody changed the picture meanwhile";
    /// `undo`: what stood before the run is shown again.
    Undone = "undone": "gets back what stood before the run";
    /// `undo`: the run did not write to the account.
    UndoOther = "undo_other": "the run did not write to it";
    /// `undo`: there is nothing left to take back.
    UndoDone = "undo_done": "shows what stood before the run";
    /// `undo`: somebody, or another run, changed the picture since.
    UndoChanged = "undo_changed": "does not show any more what the run left there";
    /// `undo`: what stood before cannot be given back.
    UndoGone = "undo_gone": "what stood before the run is gone";
    /// `undo`: what stood before was kept beside the state, and its file does not open.
    UndoLocked = "undo_locked": "what was kept of it cannot be opened";
    /// `undo`: by the sources it is not known to be the same person's as when the run wrote.
    UndoPassedOn = "undo_passed_on": "is not known to be the same person's as when the run wrote to it";
    /// The target was stopped before this change came up.
    TargetStopped = "target_stopped": "the target was stopped before";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
