//! PNG, GIF, WebP and BMP.
//!
//! Owns: 16 bits to 8, transparency, the first frame of what moves. Leaves to others: JPEG, size and colours.
//! A newcomer gets wrong: the background is a colour in sRGB, so a transparent photo is brought to sRGB before it is
//! laid on it, and not at the end like all others.

use std::borrow::Cow;
use std::io::{Cursor, ErrorKind};

use image::codecs::bmp::BmpDecoder;
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder, ImageError, ImageResult};

use super::header::Header;
use super::pixels::{Channels, Pixels, flatten};
use super::sniff::ImageKind;
use super::{DecodeLimits, Refusal, gif, icc};
use crate::settings::Rgb;

/// What a decoder may take beside the pixels: profiles, tables, rows.
const SPARE: u64 = 1 << 20;

/// The largest profiles in use, those of printing presses, have some two megabytes.
const PROFILE: u64 = 4 << 20;

/// Decodes it. Takes the profile away where the pixels are in sRGB already.
pub(super) fn decode(
    photo: &[u8],
    kind: ImageKind,
    header: &mut Header,
    background: Rgb,
    limits: &DecodeLimits,
) -> Result<Pixels, Refusal> {
    if kind == ImageKind::WebP {
        ensure_whole_webp(photo)?;
    }
    // What the header asks for and as much again: a later frame of a GIF can be larger than its screen.
    let allowed = limits.memory.min(2 * header.memory() + SPARE);
    let source = Cursor::new(photo);
    let picture = match kind {
        ImageKind::Png => return decode_png(photo, header, background, allowed),
        ImageKind::Gif => GifDecoder::new(Cursor::new(&*gif::whole(photo))).and_then(|decoder| read(decoder, allowed)),
        ImageKind::Bmp => BmpDecoder::new(source).and_then(|decoder| read(decoder, allowed)),
        ImageKind::WebP => WebPDecoder::new(source).and_then(|decoder| read(decoder, allowed)),
        ImageKind::Jpeg => return Err(Refusal::Damaged("JPEG is decoded elsewhere".into())),
    }
    .map_err(refusal)?;
    let background = if kind == ImageKind::Gif { gif::under(photo).unwrap_or(background) } else { background };
    opaque(picture, header, background)
}

/// Eight bits, and nothing to see through.
fn opaque(picture: DynamicImage, header: &mut Header, background: Rgb) -> Result<Pixels, Refusal> {
    let (width, height) = (picture.width(), picture.height());
    let (channels, data) = match picture {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageLuma16(_) => (Channels::Grey, picture.into_luma8().into_raw()),
        picture if picture.color().has_alpha() => {
            let mut rgba = picture.into_rgba8().into_raw();
            if let Some(profile) = header.profile.take() {
                icc::rgba_to_srgb(&mut rgba, &profile);
            }
            (Channels::Rgb, flatten(rgba, background))
        }
        picture => (Channels::Rgb, picture.into_rgb8().into_raw()),
    };
    Pixels::new(width, height, channels, data)
}

fn decode_png(photo: &[u8], header: &mut Header, background: Rgb, allowed: u64) -> Result<Pixels, Refusal> {
    let ended = ended(photo);
    let picture = png(&ended).and_then(|decoder| read(decoder, allowed)).map_err(|error| match ended {
        Cow::Borrowed(_) => refusal(error),
        // More than its end is missing.
        Cow::Owned(_) => Refusal::Truncated,
    })?;
    opaque(picture, header, background)
}

/// A PNG of which nothing is missing but what follows the pixels, with an end. All pixels are checked by their sums, so
/// libpng shows it, too.
fn ended(photo: &[u8]) -> Cow<'_, [u8]> {
    const END: &[u8] = b"\0\0\0\0IEND\xaeB`\x82";
    let (mut at, mut pixels) = (8, None);
    while let Some([a, b, c, d, kind @ ..]) = photo.get(at..at + 8) {
        let end = u64::from(u32::from_be_bytes([*a, *b, *c, *d])) + at as u64 + 12;
        match (kind, usize::try_from(end).ok().filter(|end| *end <= photo.len())) {
            (b"IEND", Some(_)) | (b"IDAT", None) => return Cow::Borrowed(photo),
            (b"IDAT", Some(end)) => (at, pixels) = (end, Some(end)),
            (_, Some(end)) => at = end,
            (_, None) => break,
        }
    }
    pixels.map_or(Cow::Borrowed(photo), |end| Cow::Owned([&photo[..end], END].concat()))
}

/// A decoder that has read everything before the pixels.
///
/// It inflates an embedded profile before anybody can ask how large that is: a file of 16 MB may hold one of 16 GB. With
/// a limit, a profile beyond it counts as none. Texts count, too, as they are and once more as they are
/// kept; so the file's own size never does harm.
pub(super) fn png(photo: &[u8]) -> ImageResult<PngDecoder<Cursor<&[u8]>>> {
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(2 * photo.len() as u64 + PROFILE);
    PngDecoder::with_limits(Cursor::new(photo), limits)
}

/// Refuses a file that is shorter than its RIFF header says: the decoder takes the missing end for a broken stream.
fn ensure_whole_webp(photo: &[u8]) -> Result<(), Refusal> {
    let size = photo.get(4..8).and_then(|size| <[u8; 4]>::try_from(size).ok()).ok_or(Refusal::Truncated)?;
    // The size counts what follows it (RIFF container, section "File Header").
    let wanted = u64::from(u32::from_le_bytes(size)) + 8;
    if (photo.len() as u64) < wanted { Err(Refusal::Truncated) } else { Ok(()) }
}

/// `into_decoder` and `from_decoder` check no memory limit by themselves (docs/decisions/pictures.md).
fn read<D: ImageDecoder>(mut decoder: D, allowed: u64) -> ImageResult<DynamicImage> {
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(allowed);
    limits.reserve(decoder.total_bytes())?;
    decoder.set_limits(limits)?;
    DynamicImage::from_decoder(decoder)
}

/// The refusal behind an error of these decoders.
pub(super) fn refusal(error: ImageError) -> Refusal {
    if ends_early(&error) {
        return Refusal::Truncated;
    }
    match error {
        ImageError::Unsupported(error) => Refusal::UnsupportedFormat { format: format!("such ({error})") },
        error => Refusal::Damaged(error.to_string()),
    }
}

/// Most decoders pass on the reader's end of file; those of GIF and PNG have words of their own for it.
fn ends_early(error: &ImageError) -> bool {
    let is_end = |error: &std::io::Error| error.kind() == ErrorKind::UnexpectedEof;
    match error {
        ImageError::IoError(error) => is_end(error),
        ImageError::Decoding(error) => error.to_string().to_ascii_lowercase().contains("unexpected end of file"),
        _ => false,
    }
}
