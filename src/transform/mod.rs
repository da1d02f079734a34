//! From the bytes of a photo to the bytes that are uploaded: decode, crop, shrink, turn upright, encode
//! (docs/architecture.md, "Render").
//!
//! Owns: the limits on what is decoded, and the looks by which two pictures are compared: [`Luma`], and
//! [`same_picture`] where both are at hand.
//! Leaves to others: where photos come from, how many are held at once (see [`memory_needed`]), on which thread.
//! A newcomer gets wrong: the same photo and recipe must give the same bytes on every machine (promise P6), so nothing
//! here may use a platform's `sin` or `pow`, or a SIMD path that differs from its plain one; see [`exact`].

mod alike;
mod encode;
mod exact;
mod exif;
mod gif;
mod header;
mod icc;
mod jpeg;
mod limits;
mod looks;
mod measure;
mod pixels;
mod raster;
mod refusal;
mod render;
mod resize;
mod sniff;

pub use limits::DecodeLimits;
pub(crate) use measure::memory_needed;
pub(crate) use refusal::Refusal;
pub(crate) use render::{as_it_is, render_sizes, same_picture, small_copy};
pub use render::{luma, render};

#[cfg(test)]
mod tests;
