//! Small copies of pictures, for eyes alone.
//!
//! Owns: how they are made. Leaves to others: of which pictures (`stood`, `thumbnails`).
//! A newcomer gets wrong: no target ever gets one.

use bytes::Bytes;

use crate::transform::{self, DecodeLimits};

/// Pixels a side where there is room.
pub(super) const LARGE: u32 = 256;

/// A small copy as JPEG; `None` if it cannot be decoded.
pub(super) fn small(picture: &[u8], side: u32) -> Option<Bytes> {
    transform::small_copy(picture, side, &DecodeLimits::default()).ok().map(Bytes::from)
}
