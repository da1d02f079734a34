//! What a photo says about itself before anything of it is decoded.
//!
//! Owns: asking the decoder of each kind for it. Leaves to others: what it comes to ([`Header`]), decoding (`jpeg`, `raster`).
//! A newcomer gets wrong: nothing here allocates by the photo's word.

use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::bmp::BmpDecoder;
use image::codecs::gif::GifDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;

use super::header::Header;
use super::refusal::guarded;
use super::sniff::{self, ImageKind};
use super::{DecodeLimits, Refusal, exif, gif, jpeg, raster};

/// Bytes that decoding this photo takes at most, from its header alone: what a caller who decodes several at a time
/// charges its memory budget with.
pub(crate) fn memory_needed(photo: &[u8], limits: &DecodeLimits) -> Result<u64, Refusal> {
    guarded(|| {
        let header = header(photo, sniff::kind(photo, limits)?)?;
        header.check(limits, 1)?;
        Ok(header.memory())
    })
}

/// Reads it; of the pixels nothing.
pub(super) fn header(photo: &[u8], kind: ImageKind) -> Result<Header, Refusal> {
    let source = Cursor::new(photo);
    let header = match kind {
        ImageKind::Jpeg => jpeg::header(photo)?,
        ImageKind::Png => of(raster::png(photo).map_err(raster::refusal)?, png_cost),
        // The canvas as RGBA, and seven measured for WebP (docs/decisions/pictures.md).
        ImageKind::Gif => {
            let photo = gif::whole(photo);
            of(GifDecoder::new(Cursor::new(&*photo)).map_err(raster::refusal)?, |_| 4)
        }
        ImageKind::Bmp => of(BmpDecoder::new(source).map_err(raster::refusal)?, |_| 4),
        ImageKind::WebP => of(WebPDecoder::new(source).map_err(raster::refusal)?, |_| 7),
    };
    if header.width == 0 || header.height == 0 {
        return Err(Refusal::Damaged("it says that it has no pixels".into()));
    }
    Ok(header)
}

fn of<D: ImageDecoder>(mut decoder: D, cost: impl FnOnce(image::ColorType) -> u64) -> Header {
    let (width, height) = decoder.dimensions();
    let orientation = decoder.exif_metadata().ok().flatten().and_then(|block| exif::orientation(&block));
    Header {
        width,
        height,
        bytes_per_pixel: cost(decoder.color_type()),
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
        profile: decoder.icc_profile().ok().flatten(),
    }
}

/// The decoded pixels, and beside 16-bit ones their 8-bit copy.
fn png_cost(color: image::ColorType) -> u64 {
    let channels = u64::from(color.channel_count());
    let bytes = u64::from(color.bytes_per_pixel());
    if bytes > channels { bytes + channels } else { bytes }
}
