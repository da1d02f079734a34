//! JPEG: the header, and two ways to the pixels.
//!
//! Owns: strictness (what is cut off is refused) and the choice of the decoder.
//! Leaves to others: orientation and colours, which come later, on fewer pixels.
//! A newcomer gets wrong: a lenient decoder shows the missing part of a cut-off photo as grey and calls it a success.

use image::metadata::Orientation;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::Refusal;
use super::header::Header;
use super::pixels::{Channels, Pixels};

/// From this many times the size on, decoding at a half, quarter or eighth is faster and looks the same (51 dB at
/// 12 megapixels, `reference/crates.md` §3).
const SCALED_FROM: u32 = 4;
/// What such a decoder must leave for the filter.
const SCALED_TO: u32 = 2;

const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

/// Reads all segments before the pixels.
pub(super) fn header(photo: &[u8]) -> Result<Header, Refusal> {
    ensure_known_coding(photo)?;
    let mut decoder = open(photo, ColorSpace::RGB);
    decoder.decode_headers().map_err(refusal)?;
    let info = decoder.info().ok_or(Refusal::Truncated)?;
    let components = u64::from(info.components);
    let pixels = if components == 1 { 1 } else { 3 };
    // With more than one scan all coefficients are kept at once, 16 bits each.
    let coefficients =
        if info.sof.is_sequential_dct() && is_one_scan(photo, info.components) { 0 } else { 2 * components };
    Ok(Header {
        width: info.width.into(),
        height: info.height.into(),
        bytes_per_pixel: pixels + coefficients,
        orientation: info
            .exif_data
            .as_deref()
            .and_then(Orientation::from_exif_chunk)
            .unwrap_or(Orientation::NoTransforms),
        profile: decoder.icc_profile(),
        jpeg_components: info.components,
    })
}

/// Decodes it for renditions of up to `size` pixels.
pub(super) fn decode(photo: &[u8], header: &Header, size: u32) -> Result<Pixels, Refusal> {
    ensure_whole(photo)?;
    let wanted = size.saturating_mul(SCALED_TO);
    match u16::try_from(wanted) {
        Ok(wanted) if header.shorter() / SCALED_FROM >= size && matches!(header.jpeg_components, 1 | 3) => {
            scaled(photo, header, wanted)
        }
        _ => full(photo, header),
    }
}

/// Refuses a file that has no end-of-image marker behind its first scan. Inside a scan `ff d9` cannot stand, so
/// whatever is cut off inside one lacks it; progressive photos lack whole scans and no decoder minds.
fn ensure_whole(photo: &[u8]) -> Result<(), Refusal> {
    let scan = first_scan(photo).ok_or(Refusal::Truncated)?;
    let rest = photo.get(scan..).unwrap_or_default();
    if rest.windows(2).rev().any(|pair| pair == END_OF_IMAGE) { Ok(()) } else { Err(Refusal::Truncated) }
}

/// Where the first scan begins.
fn first_scan(photo: &[u8]) -> Option<usize> {
    segments(photo).find(|(marker, _)| *marker == START_OF_SCAN).map(|(_, at)| at)
}

/// Refuses the ways of coding that no decoder here knows, which take them for damage (ITU-T T.81, table B.1).
fn ensure_known_coding(photo: &[u8]) -> Result<(), Refusal> {
    match segments(photo)
        .map(|(marker, _)| marker)
        .find(|marker| matches!(marker, 0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf))
    {
        Some(0xc3) => Err(unsupported("lossless")),
        Some(0xc9..) => Err(unsupported("arithmetic coding")),
        Some(_) => Err(unsupported("hierarchical")),
        None => Ok(()),
    }
}

/// The marker and place of each segment up to the first scan: `ff`, the marker and the length of the rest.
fn segments(photo: &[u8]) -> impl Iterator<Item = (u8, usize)> {
    let mut at = 2;
    std::iter::from_fn(move || {
        loop {
            match photo.get(at..)? {
                // Padding, or stray bytes between segments; decoders skip them, too.
                [0xff, 0xff, ..] => at += 1,
                [0xff, marker, high, low, ..] => {
                    let start = at;
                    at = if *marker == START_OF_SCAN {
                        photo.len()
                    } else {
                        at + 2 + usize::from(u16::from_be_bytes([*high, *low]))
                    };
                    return Some((*marker, start));
                }
                [0xff, ..] | [] => return None,
                [_, ..] => at += 1,
            }
        }
    })
}

/// Whether the first scan holds all components (ITU-T T.81, B.2.3: marker, length, number of components).
fn is_one_scan(photo: &[u8], components: u8) -> bool {
    first_scan(photo).and_then(|scan| photo.get(scan + 4)).is_some_and(|in_scan| *in_scan == components)
}

fn open(photo: &[u8], colours: ColorSpace) -> JpegDecoder<ZCursor<&[u8]>> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        // The limits are checked on the header (`Header::check`), with a clearer refusal.
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(colours);
    JpegDecoder::new_with_options(ZCursor::new(photo), options)
}

fn full(photo: &[u8], header: &Header) -> Result<Pixels, Refusal> {
    let (channels, colours) = match header.jpeg_components {
        1 => (Channels::Grey, ColorSpace::Luma),
        _ => (Channels::Rgb, ColorSpace::RGB),
    };
    let data = open(photo, colours).decode().map_err(refusal)?;
    Pixels::new(header.width, header.height, channels, data)
}

/// Decodes at a half, quarter or eighth, with at least `shortest` pixels on the shorter side.
fn scaled(photo: &[u8], header: &Header, shortest: u16) -> Result<Pixels, Refusal> {
    let mut decoder = jpeg_decoder::Decoder::new(photo);
    // It stops at the first scale at which *one* side is long enough, so the longer one must never be.
    let (width, height) = if header.width <= header.height { (shortest, u16::MAX) } else { (u16::MAX, shortest) };
    let (width, height) = decoder.scale(width, height).map_err(scaled_refusal)?;
    let data = decoder.decode().map_err(scaled_refusal)?;
    let channels = match decoder.info().map(|info| info.pixel_format) {
        Some(jpeg_decoder::PixelFormat::L8) => Channels::Grey,
        Some(jpeg_decoder::PixelFormat::RGB24) => Channels::Rgb,
        _ => return Err(unsupported("this kind of JPEG")),
    };
    Pixels::new(width.into(), height.into(), channels, data)
}

fn unsupported(format: impl std::fmt::Display) -> Refusal {
    Refusal::UnsupportedFormat { format: format!("JPEG ({format})") }
}

fn refusal(error: DecodeErrors) -> Refusal {
    match error {
        DecodeErrors::ExhaustedData | DecodeErrors::IoErrors(_) => Refusal::Truncated,
        DecodeErrors::Unsupported(scheme) => unsupported(format!("{scheme:?}")),
        DecodeErrors::ZeroError => Refusal::Damaged("it says that it has no pixels".into()),
        error => Refusal::Damaged(error.to_string()),
    }
}

fn scaled_refusal(error: jpeg_decoder::Error) -> Refusal {
    match error {
        jpeg_decoder::Error::Io(_) => Refusal::Truncated,
        jpeg_decoder::Error::Unsupported(feature) => unsupported(format!("{feature:?}")),
        error => Refusal::Damaged(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 600 x 120: an eighth leaves 75 x 15, of which the longer side alone would do for 16.
    #[test]
    fn a_panorama_keeps_enough_pixels_on_its_shorter_side() {
        let photo = include_bytes!("../../fixtures/photos/panorama-5to1.jpg");
        let header = header(photo).unwrap();
        for (size, wanted) in [(8, (150, 30)), (15, (150, 30)), (16, (300, 60)), (30, (300, 60)), (31, (600, 120))] {
            let pixels = decode(photo, &header, size).unwrap();
            assert_eq!((pixels.width, pixels.height), wanted, "{size}");
        }
    }

    #[test]
    fn the_first_scan_is_found_behind_all_segments() {
        for (photo, wanted) in [
            (&b"\xff\xd8\xff\xe0\0\x04ab\xff\xda\0\x02"[..], Some(8)),
            (b"\xff\xd8\xff\xff\xff\xfe\0\x02..\xff\xda\0\0", Some(10)),
            (b"\xff\xd8\xff\xe0\0\x09\xff\xda\xff\xda...\xff\xda\0\0", Some(13)),
            (b"\xff\xd8\xff\xda\0\x02\xff\xda\0\x02", Some(2)),
            (b"\xff\xd8\xff\xda", None),
            (b"\xff\xd8\xff\xe0\xff\xff", None),
            (b"\xff\xd8", None),
            (b"", None),
        ] {
            assert_eq!(first_scan(photo), wanted, "{photo:02x?}");
        }
    }
}
