//! The orientation in a block of Exif.
//!
//! Owns: what may stand before the block. Leaves to others: the block itself (`image`).
//! A newcomer gets wrong: only JPEG asks for the six bytes in front; PNG and WebP do without, and many writers put them
//! there all the same.

use image::metadata::Orientation;

/// How a picture with this block is turned upright, if it says so.
pub(super) fn orientation(mut block: &[u8]) -> Option<Orientation> {
    while let Some(rest) = block.strip_prefix(b"Exif\0\0") {
        block = rest;
    }
    Orientation::from_exif_chunk(block)
}
