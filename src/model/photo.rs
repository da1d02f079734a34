//! What a source holds for a person, and what of it is remembered from run to run.
//!
//! Owns: present, absent and unknown, and the durable photo mark.
//! Leaves to others: asking (`extract`), rendering (`transform`), what follows (`plan`).
//! A newcomer gets wrong: unknown is not absent. Only a proof makes an [`Absence`] (promise P2).

use serde::{Deserialize, Serialize};

use super::{Digest, Version};

/// The proof that a person has no photo, in the provider's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// Graph: 404 `ImageNotFound` or `ErrorItemNotFound`.
    NotFound,
    /// Graph: the 1x1 GIF with an empty etag.
    OnePixel,
    /// Google: no etag in a listing in which others have one, or 404 `notFound` for the photo itself.
    NotListed,
    /// Folder: the row names no picture.
    NoFile,
    /// The photo's digest is under `placeholders`.
    Placeholder,
}

/// Why it is not known whether, or which, photo a person has; changes nothing (promise P2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// A stable word for tables and tests, such as `mailbox_missing` or `throttled`.
    pub code: String,
    /// What was tried and found, for a person to read.
    pub message: String,
}

impl Fault {
    /// The most characters of a message. A server may answer megabytes where a word was expected, and the state keeps it.
    const LONGEST: usize = 2000;

    /// A fault with its code and message.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if let Some((end, _)) = message.char_indices().nth(Self::LONGEST) {
            message.truncate(end);
            message.push('…');
        }
        Self { code: code.into(), message }
    }
}

/// What this run learnt about a person's photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhotoFact {
    /// There is one, and these are its bytes.
    Present {
        /// The photo's identity.
        digest: Digest,
    },
    /// There provably is none.
    Absent(Absence),
    /// It could not be learnt.
    Unknown(Fault),
    /// There is one, but no picture can be made of it.
    Unreadable(Fault),
    /// There is one, with a shorter side than `resize.smallest`, in pixels.
    TooSmall {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
}

/// What stands in the state about one person's photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoMark {
    /// The change marker when last looked at; `None` if the provider sent none.
    pub version: Option<Version>,
    /// What was found under that marker.
    pub found: Remembered,
}

/// The outcome that a photo mark remembers. Never `unknown`: what is not known is not recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remembered {
    /// The digest of the original bytes.
    Present(Digest),
    /// No photo.
    Absent(Absence),
    /// A photo of which no picture can be made; not fetched again until its version changes.
    Unreadable(Fault),
    /// A photo smaller than the limit in force at that time.
    TooSmall {
        /// Digest of the original bytes.
        digest: Digest,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
}
