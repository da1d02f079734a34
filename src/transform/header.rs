//! What a photo says about itself, and what it may.
//!
//! Owns: size, cost, orientation and colour profile, and the check against the limits.
//! Leaves to others: reading it out of a photo (`measure`).
//! A newcomer gets wrong: `image::ImageReader::into_decoder` keeps no memory limit of its own; a GIF of 190 kB can ask
//! for a gigabyte (docs/decisions/pictures.md). So this check comes first.

use image::metadata::Orientation;

use super::{DecodeLimits, Refusal};

/// Size, cost and what is to be done with the pixels.
#[derive(Debug)]
pub(super) struct Header {
    /// As stored, before it is turned upright.
    pub width: u32,
    /// As stored, before it is turned upright.
    pub height: u32,
    /// What one pixel costs while decoding, in bytes.
    pub bytes_per_pixel: u64,
    /// How the stored picture is turned upright.
    pub orientation: Orientation,
    /// The embedded ICC profile, as it is.
    pub profile: Option<Vec<u8>>,
}

impl Header {
    pub(super) fn shorter(&self) -> u32 {
        self.width.min(self.height)
    }

    fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    pub(super) fn memory(&self) -> u64 {
        self.pixels().saturating_mul(self.bytes_per_pixel)
    }

    /// Whether it may be decoded.
    pub(super) fn check(&self, limits: &DecodeLimits, smallest: u32) -> Result<(), Refusal> {
        let Self { width, height, .. } = *self;
        if width.max(height) > limits.side {
            return Err(Refusal::TooWide { width, height, allowed: limits.side });
        }
        if self.pixels() > limits.pixels {
            return Err(Refusal::TooManyPixels { width, height, allowed: limits.pixels });
        }
        let (needed, allowed) = (self.memory(), limits.memory);
        if needed > allowed {
            return Err(Refusal::NeedsTooMuchMemory { width, height, needed, allowed });
        }
        if self.shorter() < smallest {
            return Err(Refusal::TooSmall { width, height, smallest });
        }
        Ok(())
    }
}
