//! `transform`, resolved: what becomes of a photo, and what stands in for a missing one.
//!
//! A newcomer gets wrong: only what changes bytes is in the recipe; `smallest` decides whether, not how.

use std::fmt;
use std::path::PathBuf;

use super::Placed;
use super::declare::declare;
use crate::model::{Digest, MediaType, Place, Recipe};

/// How a photo becomes a picture, and what stands in its place if it does not.
#[derive(Clone, Debug)]
pub struct Transform {
    /// The picture that is uploaded.
    pub resize: Resize,
    /// What is told by a photo's digest.
    pub hash: Hash,
    /// What happens instead of a replacement.
    pub fallback: Fallback,
    /// The line of `transform`.
    pub place: Place,
}

declare! {
    /// What is told by the digest of a photo's bytes (BLAKE3).
    #[derive(Clone, Debug, PartialEq, Eq)]
    Hash in hash {
        /// Photos that count as absent: `b3:` and 64 hex digits, as the report shows them.
        placeholders: List<PhotoDigest> as Vec<Digest> = Else("[]"),
        /// One photo for more people than this is a placeholder that nobody declared: they are left alone, and named.
        /// `none`: any number may share one. `limits.same_picture` stops where they are many.
        same_picture: SamePicture as Placed<Option<u32>> = Else("5"),
    }
}

declare! {
    /// The picture that is uploaded.
    #[derive(Clone, Debug, PartialEq, Eq)]
    Resize in resize {
        /// Side of the square in pixels. A smaller photo is never enlarged.
        size: Within<16, 2048> as u32 = Else("256"),
        /// Which part of the photo.
        crop: Crop = Else("center"),
        /// What is uploaded.
        format: Format = Else("png"),
        /// The colour behind transparent parts.
        background: Rgb = Else("\"#ffffff\""),
        /// A photo with a shorter side in pixels is `too_small`.
        smallest: Within<1, 2048> as u32 = Else("48"),
    }
}

/// As the file has it where nothing is written.
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

declare! {
    /// What happens instead of a replacement: `default` shows the default again, `keep` leaves the account as it is,
    /// `{ image: path }` shows that file.
    #[derive(Clone, Debug, PartialEq, Eq)]
    Fallback in fallback {
        /// The person provably has no photo.
        absent: Action as Placed<Action> = Else("default"),
        /// No picture can be made of the photo.
        unreadable: Action as Placed<Action> = Else("keep"),
        /// The photo is smaller than `resize.smallest`.
        too_small: Action as Placed<Action> = Else("keep"),
        /// The person is disabled at the provider.
        inactive: Action as Placed<Action> = Else("keep"),
        /// The person is not selected by `users`.
        out_of_scope: Action as Placed<Action> = Else("keep"),
        /// The person is named under `opted_out`; a picture that is not ours stays in any case.
        opted_out: Action as Placed<Action> = Else("default"),
        /// The person is listed by no source any more.
        gone: Action as Placed<Action> = Else("keep"),
    }
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
