//! Why no picture is made of a photo.
//!
//! Owns: the refusals, their stable words and their sentences. Leaves to others: what happens then (`plan`).
//! A newcomer gets wrong: a refusal is a fact about one photo, not an error of the run.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytesize::ByteSize;

/// Why no picture is made of a photo.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No bytes.
    #[error("the photo is empty (0 bytes)")]
    Empty,
    /// Some other kind of file.
    #[error("this is not a picture: found {found}; expected JPEG, PNG, GIF, WebP or BMP")]
    NotAPicture {
        /// What the first bytes look like.
        found: String,
    },
    /// A picture, of a kind that is not read.
    #[error("{format} pictures are not read; supply JPEG, PNG, GIF, WebP or BMP")]
    UnsupportedFormat {
        /// Its name.
        format: String,
    },
    /// Too many encoded bytes.
    #[error("the photo has {}, more than the limit of {}", ByteSize(*found as u64), ByteSize(*allowed as u64))]
    TooManyBytes {
        /// Bytes of the photo.
        found: usize,
        /// The limit.
        allowed: usize,
    },
    /// Too many pixels.
    #[error("the photo has {width} x {height} pixels, more than the limit of {allowed} in all")]
    TooManyPixels {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// The limit.
        allowed: u64,
    },
    /// A side too long.
    #[error("the photo has {width} x {height} pixels; no side may be longer than {allowed}")]
    TooWide {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// The limit.
        allowed: u32,
    },
    /// Decoding would take too much memory.
    #[error(
        "decoding {width} x {height} pixels of this kind takes {}, more than the limit of {}",
        ByteSize(*needed),
        ByteSize(*allowed)
    )]
    NeedsTooMuchMemory {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Bytes.
        needed: u64,
        /// The limit.
        allowed: u64,
    },
    /// It ends too early.
    #[error("the photo is cut off: it ends before the picture does")]
    Truncated,
    /// Its contents contradict themselves.
    #[error("the photo is damaged: {0}")]
    Damaged(String),
    /// Too few pixels.
    #[error("the photo has {width} x {height} pixels; the shorter side must have at least {smallest}")]
    TooSmall {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// `resize.smallest`.
        smallest: u32,
    },
}

impl Refusal {
    /// The stable word for reports, tables and tests.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotAPicture { .. } => "not_a_picture",
            Self::UnsupportedFormat { .. } => "unsupported_format",
            Self::TooManyBytes { .. } => "too_many_bytes",
            Self::TooManyPixels { .. } => "too_many_pixels",
            Self::TooWide { .. } => "too_wide",
            Self::NeedsTooMuchMemory { .. } => "needs_too_much_memory",
            Self::Truncated => "truncated",
            Self::Damaged(_) => "damaged",
            Self::TooSmall { .. } => "too_small",
        }
    }
}

/// The last belt: a decoder that panics refuses one photo and takes nobody else with it (promise P8).
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Refusal::Damaged("the decoder gave up on it".into())))
}
