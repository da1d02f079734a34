//! What a decision is made of: the facts about one account, and the rules of the file for its target.
//!
//! Owns: their form. Leaves to others: gathering them (`run`), what follows (`decide`).
//! A newcomer gets wrong: a fact is a value. Nothing here reads anything when it is asked.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::model::{
    Account, Comparison, Digest, Fingerprint, KeysDigest, Matched, Person, PhotoFact, PictureRef, Place, Placement,
    Recipe, SourceId, Standing, TargetId,
};
use crate::settings::{Accounts, DefaultBy, Fallback, Ownership, Placed};

/// Whether a source's listing can be relied on in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceState {
    /// Listed to its end.
    Listed,
    /// `enabled: false`.
    Disabled,
    /// It could not be listed.
    Failed,
    /// The run was asked to stop before it was listed, or before its photos were known.
    Stopped,
}

/// What one source says about one account.
#[derive(Clone, Debug)]
pub(crate) struct SourceView {
    /// The source.
    pub id: SourceId,
    /// Its place in the file.
    pub place: Place,
    /// The place of `users.freeze`.
    pub freeze: Place,
    /// Whether it was listed.
    pub state: SourceState,
    /// Who it was matched to.
    pub matched: Matched,
    /// The matched person.
    pub person: Option<Person>,
    /// What was learnt of the matched person's photo; `None`: it was not asked for.
    pub photo: Option<PhotoFact>,
    /// What the recipe makes of a present photo; `None`: it is not rendered.
    pub rendition: Option<RenditionRef>,
    /// Of the key by which the account was matched to the person.
    pub keys: Option<KeysDigest>,
    /// How many people of the source have this very photo, if that is more than `transform.hash.same_picture`.
    pub shared_by: Option<u64>,
    /// Whether the photo is another than the state knows, or new to it.
    pub learnt: PhotoLearnt,
}

/// Whether a photo is known from an earlier run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PhotoLearnt {
    /// It is what the state says.
    Before,
    /// This run learnt of it.
    Now,
}

/// Where the person of the account's placement stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Former {
    /// There is no placement, or none that knows its person.
    Nobody,
    /// Still listed by the source, and what `users` says of them.
    Listed(Standing),
    /// The source was listed and does not have the person any more.
    Gone,
    /// The source was not listed, or is not in the file any more.
    Unknown,
}

/// The facts about one account.
#[derive(Clone, Debug)]
pub(crate) struct View<'a> {
    /// The account as surveyed.
    pub account: &'a Account,
    /// What the state says stands there.
    pub placement: Option<&'a Placement>,
    /// The instance's default picture.
    pub default: Option<&'a PictureRef>,
    /// Of every key that `match` names and the account carries now.
    pub keys: &'a [KeysDigest],
    /// Every source, in the file's order.
    pub sources: &'a [SourceView],
    /// Where the person of the placement stands.
    pub former: Former,
    /// Whether the picture shown was looked at.
    pub looked: Comparison,
    /// It shows a picture that we made for another account.
    pub astray: bool,
}

/// A photo, or an image of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Portrait {
    /// Of the original.
    pub photo: Digest,
    /// What the recipe makes of it; `None`: it is not rendered.
    pub rendition: Option<RenditionRef>,
}

/// What a recipe makes of a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RenditionRef {
    /// Of its bytes.
    pub digest: Digest,
    /// What it looks like.
    pub looks: Option<Fingerprint>,
}

/// The rules of the file for one target.
pub(crate) struct Rules<'a> {
    /// The target.
    pub target_id: TargetId,
    /// `fallback`.
    pub fallback: &'a Fallback,
    /// `ownership`.
    pub ownership: &'a Placed<Ownership>,
    /// The target's place.
    pub target: Place,
    /// The place of `match`.
    pub matching: Place,
    /// `accounts`.
    pub accounts: &'a Accounts,
    /// `freeze` of the target.
    pub freeze: &'a Placed<bool>,
    /// The place of `transform.hash.same_picture`.
    pub same_picture: Place,
    /// The recipe in force for the target, its size included.
    pub recipe: &'a Recipe,
    /// Re-uploads everything that is ours.
    pub rerender: Rerender,
    /// What it says when pictures of ours are not shown any more.
    pub drift: Drift,
    /// Whether the state knows any picture of ours at the target.
    pub memory: Memory,
    /// How the target goes back to the default.
    pub default_by: DefaultBy,
    /// The images of the file that can be used, by path.
    pub images: HashMap<PathBuf, Portrait>,
}

/// What it says when pictures of ours are not shown any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drift {
    /// People chose what they show now.
    Chosen,
    /// `--allow target_drift=N`: the server was put back from a backup.
    Restored,
}

/// Whether the state knows any picture of ours at a target. If not, it is new, or it was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// It knows some.
    Holds,
    /// It knows none.
    Empty,
}

/// Whether pictures that are right already are made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rerender {
    /// Only what changed.
    Changed,
    /// `--rerender`.
    All,
}
