//! `transform`, resolved: what becomes of a photo, and what stands in for a missing one.

use std::path::PathBuf;

use super::Placed;
use crate::model::{Digest, Place};

/// How a photo becomes a picture, and what stands in its place if it does not.
#[derive(Clone, Debug)]
pub struct Transform {
    /// Side of the square, in pixels.
    pub size: u32,
    /// Which part of the photo.
    pub crop: Crop,
    /// What is uploaded.
    pub format: Format,
    /// Red, green, blue behind transparent parts.
    pub background: [u8; 3],
    /// A photo with a shorter side is `too_small`.
    pub smallest: u32,
    /// Photos that count as absent.
    pub placeholders: Vec<Digest>,
    /// One photo for more people than this: they are left alone.
    pub same_picture: Placed<Option<u32>>,
    /// What happens instead of a replacement.
    pub fallback: Fallback,
    /// The line of `transform`.
    pub place: Place,
}

/// Which part of a photo is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Crop {
    /// The largest square in the middle.
    Center,
}

/// What is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    Png,
    Jpeg,
}

/// What happens instead of a replacement (pipelines/README.md, "Transform").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// The person provably has no photo.
    pub absent: Placed<Action>,
    /// No picture can be made of the photo.
    pub unreadable: Placed<Action>,
    /// The photo is smaller than `resize.smallest`.
    pub too_small: Placed<Action>,
    /// Disabled at the provider.
    pub inactive: Placed<Action>,
    /// Not selected by `users`.
    pub out_of_scope: Placed<Action>,
    /// Named under `opted_out`.
    pub opted_out: Placed<Action>,
    /// Listed by no source any more.
    pub gone: Placed<Action>,
}

/// What is done with an account whose person gives no picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The account stays as it is.
    Keep,
    /// The default is shown again.
    Default,
    /// This file is shown, as if it were the person's photo.
    Image(PathBuf),
}
