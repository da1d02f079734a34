//! `transform`, resolved: what becomes of a photo, and what stands in for a missing one.
//!
//! A newcomer gets wrong: only what changes bytes is in the recipe; `smallest` decides whether, not how.

use std::fmt;
use std::path::PathBuf;

use super::Placed;
use crate::model::{Digest, MediaType, Place, Recipe};

/// How a photo becomes a picture, and what stands in its place if it does not.
#[derive(Clone, Debug)]
pub struct Transform {
    /// The picture that is uploaded.
    pub resize: Resize,
    /// Photos that count as absent.
    pub placeholders: Vec<Digest>,
    /// One photo for more people than this: they are left alone.
    pub same_picture: Placed<Option<u32>>,
    /// What happens instead of a replacement.
    pub fallback: Fallback,
    /// The line of `transform`.
    pub place: Place,
}

/// The picture that is uploaded; the default is that of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resize {
    /// Side of the square, in pixels; a smaller photo is not enlarged.
    pub size: u32,
    /// Which part of the photo.
    pub crop: Crop,
    /// How it is encoded.
    pub format: Format,
    /// What transparent parts are laid on.
    pub background: Rgb,
    /// A photo with a shorter side is `too_small`.
    pub smallest: u32,
}

impl Default for Resize {
    fn default() -> Self {
        Self { size: 256, crop: Crop::Center, format: Format::Png, background: Rgb::WHITE, smallest: 48 }
    }
}

impl Resize {
    /// All that decides about the bytes but the renderer's version. It is kept in the state, so this text may never change
    /// for settings that can be written today.
    pub fn recipe(&self) -> Recipe {
        let Self { size, crop, format, background, smallest: _ } = self;
        Recipe::new(format!("size={size} crop={} format={} background={background}", crop.word(), format.word()))
    }
}

/// Which part of a photo is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Crop {
    /// The largest square in the middle.
    Center,
}

impl Crop {
    /// Its word in the recipe.
    fn word(self) -> &'static str {
        match self {
            Self::Center => "center",
        }
    }
}

/// How a picture is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Lossless.
    Png,
    /// Quality 90 without chroma subsampling: a quarter of the bytes.
    Jpeg,
}

impl Format {
    /// Its word in the recipe.
    pub fn word(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
        }
    }

    /// What it is called on the wire.
    pub fn media_type(self) -> MediaType {
        match self {
            Self::Png => MediaType::Png,
            Self::Jpeg => MediaType::Jpeg,
        }
    }
}

/// Red, green, blue in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb(pub [u8; 3]);

impl Rgb {
    /// `#ffffff`.
    pub const WHITE: Self = Self([255; 3]);
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
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
