//! A picture as it is sent to a target: what rendering a photo gives, what waits in the spool, what is uploaded.
//!
//! Owns: the picture with what has to be known of it, from the renderer to the upload.
//! Leaves to others: making it (`transform`), keeping it (`run::spool`), sending it (`load`).
//! A newcomer gets wrong: the digest is of these bytes, and not of the photo; placements remember both.

use bytes::Bytes;

use super::{Digest, Luma};

/// An encoded square picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendition {
    /// Encoded, without any metadata.
    pub bytes: Bytes,
    pub media_type: MediaType,
    /// Pixels of each side.
    pub side: u32,
    /// Of the bytes.
    pub digest: Digest,
    /// What it looks like; `None` where nothing is compared with it.
    pub luma: Option<Luma>,
}

impl Rendition {
    pub fn new(bytes: Bytes, media_type: MediaType, side: u32, luma: Option<Luma>) -> Self {
        let digest = Digest::of(&bytes);
        Self { bytes, media_type, side, digest, luma }
    }
}

/// The media types: of each the word of the header `Content-Type`, how the names of such files end, and the byte that stands
/// for it in the cache, which may never change.
macro_rules! media_types {
    ($($name:ident $word:literal $ending:literal $kept:literal,)+) => {
        /// How a rendition is encoded.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum MediaType {
            $($name,)+
        }

        impl MediaType {
            /// Every one.
            pub const ALL: [Self; [$(stringify!($name)),+].len()] = [$(Self::$name),+];

            /// As the header `Content-Type` has it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// How the names of such files end.
            pub fn ending(self) -> &'static str {
                match self { $(Self::$name => $ending,)+ }
            }

            /// What stands for it in the cache.
            pub fn kept(self) -> u8 {
                match self { $(Self::$name => $kept,)+ }
            }
        }
    };
}

media_types! {
    Png "image/png" "png" 0,
    Jpeg "image/jpeg" "jpg" 1,
}
