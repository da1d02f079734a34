//! What stands on an account: by our records, and in the light of them.
//!
//! Owns: the placement and the five things an account can be said to show.
//! Leaves to others: reading the account (`load`), deciding (`plan`).
//! A newcomer gets wrong: a picture is ours only if its mark is the placement's; anything else there is foreign.

use serde::{Deserialize, Serialize};

use super::{AccountId, Digest, Fingerprint, KeysDigest, PersonRef, PictureRef, Recipe, Shown, TargetId};

/// How a placement came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// We uploaded it: it may be deleted.
    Made,
    /// It was there and looked alike: it may be replaced, and is not deleted but as `DefaultBy::Deleting` says.
    Adopted,
}

/// What the account showed before our first write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// The instance's default.
    Default,
    /// A stock or uploaded picture, by its mark.
    Picture(PictureRef),
    /// It was not known.
    Unknown,
}

impl From<&Shown> for Before {
    fn from(shown: &Shown) -> Self {
        match shown {
            Shown::Default => Self::Default,
            Shown::System(mark) | Shown::Custom(mark) => Self::Picture(mark.clone()),
            Shown::Unknown(_) => Self::Unknown,
        }
    }
}

/// What the state says stands on an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The target.
    pub target: TargetId,
    /// The account.
    pub account: AccountId,
    /// Whose photo it is; `None` for a fallback image.
    pub person: Option<PersonRef>,
    /// Digest of the original photo.
    pub photo: Digest,
    /// The recipe it was rendered with.
    pub recipe: Recipe,
    /// Digest of the bytes that were uploaded.
    pub rendition: Digest,
    /// How the target names it.
    pub mark: PictureRef,
    /// Made or adopted.
    pub provenance: Provenance,
    /// What was there before our first write.
    pub before: Before,
    /// What the rendition looks like; `None` in rows of schema 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks: Option<Fingerprint>,
    /// Of the keys by which person and account were matched; `None` in rows of schema 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeysDigest>,
}

/// What an account shows, in the light of its placement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Picture {
    /// The instance's default, or nothing.
    Default,
    /// A stock picture of the product.
    System(PictureRef),
    /// What our placement says.
    Ours(Digest),
    /// Somebody else's upload.
    Foreign(PictureRef),
    /// The target did not say.
    Unknown(String),
}

impl Picture {
    /// Reads what is shown in the light of our record and of the instance's default, where it is known.
    pub fn of(shown: &Shown, placement: Option<&Placement>, default: Option<&PictureRef>) -> Self {
        match (shown, placement) {
            (Shown::System(mark), _) if default == Some(mark) => Self::Default,
            (Shown::Custom(mark), Some(placement)) if placement.mark == *mark => Self::Ours(placement.rendition),
            (Shown::Custom(mark), _) => Self::Foreign(mark.clone()),
            (Shown::System(mark), _) => Self::System(mark.clone()),
            (Shown::Default, _) => Self::Default,
            (Shown::Unknown(why), _) => Self::Unknown(why.clone()),
        }
    }

    /// The short form in plans and reports: `default`, `system:10122`, `b3:…`, `foreign:15017`, `unknown`.
    pub fn label(&self) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::System(mark) => format!("system:{mark}"),
            Self::Ours(digest) => digest.to_string(),
            Self::Foreign(mark) => format!("foreign:{mark}"),
            Self::Unknown(_) => "unknown".to_owned(),
        }
    }
}
