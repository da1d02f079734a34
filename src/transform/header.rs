//! What a photo says about itself before anything of it is decoded.
//!
//! Owns: size, cost, orientation and colour profile, and the check against the limits.
//! Leaves to others: decoding (`jpeg`, `raster`).
//! A newcomer gets wrong: `image::ImageReader::into_decoder` keeps no memory limit of its own; a GIF of 190 kB can ask
//! for a gigabyte (docs/decisions/pictures.md). So this check comes first and allocates nothing by the photo's word.

use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::bmp::BmpDecoder;
use image::codecs::gif::GifDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;

use super::sniff::{self, Kind};
use super::{Limits, Refusal, exif, gif, jpeg, raster};

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

/// Bytes that decoding this photo takes at most, from its header alone: what a caller who decodes several at a time
/// charges its memory budget with.
pub(crate) fn memory_needed(photo: &[u8], limits: &Limits) -> Result<u64, Refusal> {
    super::guarded(|| {
        let header = Header::read(photo, sniff::kind(photo, limits)?)?;
        header.check(limits, 1)?;
        Ok(header.memory())
    })
}

impl Header {
    /// Reads it; of the pixels nothing.
    pub(super) fn read(photo: &[u8], kind: Kind) -> Result<Self, Refusal> {
        let source = Cursor::new(photo);
        let header = match kind {
            Kind::Jpeg => jpeg::header(photo)?,
            Kind::Png => Self::of(raster::png(photo).map_err(raster::refusal)?, png_cost),
            // The canvas as RGBA, and seven measured for WebP (docs/decisions/pictures.md).
            Kind::Gif => {
                let photo = gif::whole(photo);
                Self::of(GifDecoder::new(Cursor::new(&*photo)).map_err(raster::refusal)?, |_| 4)
            }
            Kind::Bmp => Self::of(BmpDecoder::new(source).map_err(raster::refusal)?, |_| 4),
            Kind::WebP => Self::of(WebPDecoder::new(source).map_err(raster::refusal)?, |_| 7),
        };
        if header.width == 0 || header.height == 0 {
            return Err(Refusal::Damaged("it says that it has no pixels".into()));
        }
        Ok(header)
    }

    fn of<D: ImageDecoder>(mut decoder: D, cost: impl FnOnce(image::ColorType) -> u64) -> Self {
        let (width, height) = decoder.dimensions();
        let orientation = decoder.exif_metadata().ok().flatten().and_then(|block| exif::orientation(&block));
        Self {
            width,
            height,
            bytes_per_pixel: cost(decoder.color_type()),
            orientation: orientation.unwrap_or(Orientation::NoTransforms),
            profile: decoder.icc_profile().ok().flatten(),
        }
    }

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
    pub(super) fn check(&self, limits: &Limits, smallest: u32) -> Result<(), Refusal> {
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

/// The decoded pixels, and beside 16-bit ones their 8-bit copy.
fn png_cost(color: image::ColorType) -> u64 {
    let channels = u64::from(color.channel_count());
    let bytes = u64::from(color.bytes_per_pixel());
    if bytes > channels { bytes + channels } else { bytes }
}
