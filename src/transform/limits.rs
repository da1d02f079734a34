//! How much of a photo is looked at.
//!
//! Owns: the limits and their defaults. Leaves to others: holding a photo against them (`header`, `sniff`).

/// How much of a photo is looked at before it is refused (docs/decisions/pictures.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Of the encoded photo.
    pub bytes: usize,
    /// Pixels of the longer side.
    pub side: u32,
    /// Width times height.
    pub pixels: u64,
    /// Bytes that decoding may take.
    pub memory: u64,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { bytes: 16 << 20, side: 16_384, pixels: 50_000_000, memory: 256 << 20 }
    }
}
