//! What is made of a photo, and how much of a photo is looked at.
//!
//! Owns: the settings under `transform.resize` in resolved form, their fingerprint, the limits and their defaults.
//! Leaves to others: reading them (`pipeline`).
//! A newcomer gets wrong: only what changes bytes is in the recipe; `smallest` decides whether, not how.

use crate::model::{MediaType, Recipe};

/// A colour in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb(pub [u8; 3]);

impl Rgb {
    /// `#ffffff`.
    pub const WHITE: Self = Self([255; 3]);
}

impl std::fmt::Display for Rgb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

/// A colour is written `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a colour as `#` and six hex digits, such as `#ffffff`")]
pub struct ParseRgbError;

impl std::str::FromStr for Rgb {
    type Err = ParseRgbError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('#').ok_or(ParseRgbError)?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ParseRgbError);
        }
        let value = u32::from_str_radix(digits, 16).map_err(|_| ParseRgbError)?;
        let [_, r, g, b] = value.to_be_bytes();
        Ok(Self([r, g, b]))
    }
}

/// How the rendition is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Lossless.
    Png,
    /// Quality 90 without chroma subsampling: a quarter of the bytes.
    Jpeg,
}

impl Format {
    /// The word in the pipeline file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
        }
    }

    /// The media type.
    pub fn media_type(self) -> MediaType {
        match self {
            Self::Png => MediaType::Png,
            Self::Jpeg => MediaType::Jpeg,
        }
    }
}

/// Which square of the photo is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crop {
    /// The largest one in the middle.
    Center,
}

impl Crop {
    /// The word in the pipeline file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Center => "center",
        }
    }
}

/// The resolved settings of `transform.resize` (pipelines/README.md, "Transform"); the default is the one of the
/// pipeline file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Side of the rendition in pixels; a smaller photo is not enlarged.
    pub size: u32,
    /// How it is encoded.
    pub format: Format,
    /// What transparency is laid on.
    pub background: Rgb,
    /// A photo whose shorter side has fewer pixels is refused.
    pub smallest: u32,
    /// Which square is kept.
    pub crop: Crop,
}

impl Default for Settings {
    fn default() -> Self {
        Self { size: 256, format: Format::Png, background: Rgb::WHITE, smallest: 48, crop: Crop::Center }
    }
}

impl Settings {
    /// The fingerprint: all that decides about the bytes but the renderer's version. It is kept in the state, so this
    /// text may never change for settings that can be written today.
    pub fn recipe(&self) -> Recipe {
        let Self { size, format, background, smallest: _, crop } = self;
        Recipe::new(format!("size={size} crop={} format={} background={background}", crop.word(), format.word()))
    }
}

/// How much of a photo is looked at before it is refused (docs/decisions/pictures.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of the encoded photo.
    pub bytes: usize,
    /// Pixels of the longer side.
    pub side: u32,
    /// Width times height.
    pub pixels: u64,
    /// Bytes that decoding may take.
    pub memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 16 << 20, side: 16_384, pixels: 50_000_000, memory: 256 << 20 }
    }
}
