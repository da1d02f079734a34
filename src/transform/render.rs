//! A photo made into renditions, and into what pictures are compared by.
//!
//! Owns: the order of the steps. Leaves to others: each step.
//! A newcomer gets wrong: colours and orientation come last, because they are cheap on few pixels.

use bytes::Bytes;

use super::header::Header;
use super::pixels::{self, Pixels};
use super::refusal::guarded;
use super::sniff::{self, ImageKind};
use super::{DecodeLimits, Refusal, alike, encode, icc, jpeg, looks, measure, raster, resize};
use crate::model::{Luma, MediaType, Rendition};
use crate::settings::{Resize, Rgb};

/// Renders a photo for a target that takes no more than `side` pixels (`None`: as large as the settings say).
pub fn render(photo: &[u8], settings: &Resize, side: Option<u32>, limits: &DecodeLimits) -> Result<Rendition, Refusal> {
    guarded(|| {
        let square = Square::decode(photo, settings.size, settings.background, settings.smallest, limits)?;
        square.render(settings, side)
    })
}

/// The same for several targets; the photo is decoded once. Each result has the bytes that [`render`] gives alone.
pub(crate) fn render_sizes(
    photo: &[u8],
    settings: &Resize,
    sides: &[Option<u32>],
    limits: &DecodeLimits,
) -> Result<Vec<Rendition>, Refusal> {
    guarded(|| {
        let square = Square::decode(photo, settings.size, settings.background, settings.smallest, limits)?;
        sides.iter().map(|side| square.render(settings, *side)).collect()
    })
}

/// A copy for eyes alone, of at most `side` pixels, as JPEG: its centre square, transparency on white.
pub(crate) fn small_copy(picture: &[u8], side: u32, limits: &DecodeLimits) -> Result<Vec<u8>, Refusal> {
    guarded(|| {
        let square = Square::decode(picture, side, Rgb::WHITE, 1, limits)?;
        encode::small_copy(&square.shrink(side.min(square.shorter).max(1))?)
    })
}

/// What any encoded picture looks like: its centre square, transparency on white. `None` where [`render`] at the same size
/// would refuse; at other sizes a JPEG may go to another decoder, which minds other damage.
///
/// Serves renditions and what a server hands out alike, so that both can be compared (docs/write-protocols.md).
pub fn luma(picture: &[u8], limits: &DecodeLimits) -> Option<Luma> {
    guarded(|| {
        let square = Square::decode(picture, looks::SIDE, Rgb::WHITE, 1, limits)?;
        Ok(looks::of(&square.shrink(square.pixels.shorter().min(looks::SIDE))?))
    })
    .ok()
}

/// A picture that goes where it came from, as it is; `None` where [`luma`] sees nothing, and for what is neither PNG nor JPEG.
pub(crate) fn as_it_is(picture: Bytes, limits: &DecodeLimits) -> Option<Rendition> {
    let looks = luma(&picture, limits)?;
    let kind = sniff::kind(&picture, limits).ok()?;
    let media_type = match kind {
        ImageKind::Png => MediaType::Png,
        ImageKind::Jpeg => MediaType::Jpeg,
        ImageKind::Gif | ImageKind::WebP | ImageKind::Bmp => return None,
    };
    let header = measure::header(&picture, kind).ok()?;
    Some(Rendition::new(picture, media_type, header.width.max(header.height), Some(looks)))
}

/// Whether a picture that a server serves is this rendition, at whatever size and however encoded
/// (docs/architecture.md, "The state"): what differs visibly is another one. `None` where either cannot be decoded.
pub(crate) fn same_picture(rendition: &[u8], served: &[u8], limits: &DecodeLimits) -> Option<bool> {
    guarded(|| {
        let [ours, theirs] = [rendition, served].map(|picture| {
            let square = Square::decode(picture, looks::SIDE, Rgb::WHITE, 1, limits)?;
            Ok::<_, Refusal>((square.shrink(square.pixels.shorter().min(looks::SIDE))?, square))
        });
        let ((our_square, ours), (their_square, theirs)) = (ours?, theirs?);
        Ok(theirs.is_square() && alike::alike(&our_square, &their_square, [ours.shorter, theirs.longer()]))
    })
    .ok()
}

/// A decoded photo, not yet cropped: every rendition of it starts here.
struct Square {
    pixels: Pixels,
    /// The shorter side of the photo itself, which the pixels have only where the decoder did not shrink.
    shorter: u32,
    header: Header,
}

impl Square {
    fn decode(photo: &[u8], size: u32, background: Rgb, smallest: u32, limits: &DecodeLimits) -> Result<Self, Refusal> {
        let kind = sniff::kind(photo, limits)?;
        let mut header = measure::header(photo, kind)?;
        header.check(limits, smallest)?;
        let pixels = match kind {
            ImageKind::Jpeg => jpeg::decode(photo, &header, size)?,
            ImageKind::Png | ImageKind::Gif | ImageKind::WebP | ImageKind::Bmp => {
                raster::decode(photo, kind, &mut header, background, limits)?
            }
        };
        Ok(Self { pixels, shorter: header.shorter(), header })
    }

    fn longer(&self) -> u32 {
        self.header.width.max(self.header.height)
    }

    /// As every rendition is, up to what a server's rounding may do to it.
    fn is_square(&self) -> bool {
        self.longer() - self.shorter <= self.shorter / 48
    }

    fn render(&self, settings: &Resize, side: Option<u32>) -> Result<Rendition, Refusal> {
        let side = settings.size.min(side.unwrap_or(u32::MAX)).min(self.shorter).max(1);
        let square = self.shrink(side)?;
        let bytes = encode::encode(&square, settings.format)?;
        Ok(Rendition::new(bytes.into(), settings.format.media_type(), side, Some(looks::of(&square))))
    }

    /// Crop, shrink, colours, upright: in this order, because the last two are cheap on few pixels and, on a square,
    /// commute with the first two.
    fn shrink(&self, side: u32) -> Result<pixels::RgbSquare, Refusal> {
        let small = resize::centre_square(&self.pixels, side)?;
        let coloured = icc::to_srgb(small, self.header.profile.as_deref());
        Ok(coloured.upright(self.header.orientation))
    }
}
