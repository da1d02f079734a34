//! JPEG: the header, and two ways to the pixels.
//!
//! Owns: strictness (what is cut off is refused) and the choice of the decoder.
//! Leaves to others: orientation and colours, which come later, on fewer pixels.
//! A newcomer gets wrong: a lenient decoder shows the missing part of a cut-off photo as grey and calls it a success.
//! Both decoders here see a copy of the photo that leaves them no room for opinions (`tidy`).

mod frame;
mod segments;
mod tidy;

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::Refusal;
use super::header::Header;
use super::pixels::{Channels, Pixels};
use frame::{Frame, Model, unsupported};

/// From this many times the size on, decoding at a half, quarter or eighth is faster and looks the same (51 dB at 12
/// megapixels, docs/decisions/pictures.md).
const SCALED_FROM: u32 = 4;
/// What such a decoder must leave for the filter.
const SCALED_TO: u32 = 2;

/// Reads all segments before the pixels.
pub(super) fn header(photo: &[u8]) -> Result<Header, Refusal> {
    let frame = Frame::read(photo)?;
    let components = frame.components.len() as u64;
    let pixels = if components == 1 { 1 } else { 3 };
    // With more than one scan all coefficients are kept at once, 16 bits each.
    let coefficients = if frame.is_one_scan() { 0 } else { 2 * components };
    Ok(Header {
        width: frame.width.into(),
        height: frame.height.into(),
        bytes_per_pixel: pixels + coefficients,
        orientation: frame.orientation,
        profile: frame.profile,
    })
}

/// Decodes it for renditions of up to `size` pixels.
pub(super) fn decode(photo: &[u8], header: &Header, size: u32) -> Result<Pixels, Refusal> {
    let frame = Frame::read(photo)?;
    let photo = tidy::tidy(photo, &frame)?;
    let wanted = size.saturating_mul(SCALED_TO);
    match u16::try_from(wanted) {
        Ok(wanted) if header.shorter() / SCALED_FROM >= size && frame.components.len() < 4 => {
            scaled(&photo, &frame, wanted)
        }
        _ if is_plain(&frame) => full(&photo, &frame),
        _ => scaled(&photo, &frame, u16::MAX),
    }
}

/// Whether the strict decoder reads it as it is meant: it takes components that come one by one for equally large ones,
/// and knows colours only at the size of the first component or at a half.
fn is_plain(frame: &Frame) -> bool {
    let is_usual = match frame.components.as_slice() {
        [_] => true,
        [first, rest @ ..] => {
            matches!(first.sampling, 0x11 | 0x12 | 0x21 | 0x22)
                && rest.iter().take(2).all(|component| component.sampling == 0x11)
        }
        [] => false,
    };
    is_usual && (frame.is_progressive || frame.is_one_scan())
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

fn full(photo: &[u8], frame: &Frame) -> Result<Pixels, Refusal> {
    let (channels, colours) = match frame.components.len() {
        1 => (Channels::Grey, ColorSpace::Luma),
        _ => (Channels::Rgb, ColorSpace::RGB),
    };
    let data = open(photo, colours).decode().map_err(refusal)?;
    Pixels::new(frame.width.into(), frame.height.into(), channels, data)
}

/// Decodes at a half, quarter or eighth, with at least `shortest` pixels on the shorter side, or as it is.
fn scaled(photo: &[u8], frame: &Frame, shortest: u16) -> Result<Pixels, Refusal> {
    let mut decoder = jpeg_decoder::Decoder::new(photo);
    // It stops at the first scale at which *one* side is long enough, so the longer one must never be.
    let (width, height) = if frame.width <= frame.height { (shortest, u16::MAX) } else { (u16::MAX, shortest) };
    let (width, height) = decoder.scale(width, height).map_err(scaled_refusal)?;
    let data = decoder.decode().map_err(scaled_refusal)?;
    let (channels, data) = match decoder.info().map(|info| info.pixel_format) {
        Some(jpeg_decoder::PixelFormat::L8) => (Channels::Grey, data),
        Some(jpeg_decoder::PixelFormat::RGB24) => (Channels::Rgb, data),
        Some(jpeg_decoder::PixelFormat::CMYK32) if matches!(frame.model, Model::Cmyk | Model::Ycck) => {
            (Channels::Rgb, cmyk_to_rgb(&data))
        }
        _ => return Err(unsupported("this kind of JPEG")),
    };
    let pixels = Pixels::new(width.into(), height.into(), channels, data)?;
    Ok(pixels.shrunk_from(frame.width.into(), frame.height.into()))
}

/// Inks are stored as what they leave of the light (Adobe Technical Note 5116); the decoder has turned them round.
fn cmyk_to_rgb(inks: &[u8]) -> Vec<u8> {
    let left = |ink: u8, black: u8| {
        let light = u32::from(255 - ink) * u32::from(255 - black);
        ((light + 127) / 255) as u8
    };
    inks.chunks_exact(4).flat_map(|pixel| [0, 1, 2].map(|channel| left(pixel[channel], pixel[3]))).collect()
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

    /// A picture with something on every edge, 8 of which divide neither side, next to the same decoded in full.
    #[test]
    fn a_scaled_picture_keeps_its_shape() {
        for (width, height) in [(1025, 1025), (1025, 1037), (1033, 1041), (1291, 1025)] {
            let colour =
                |x: u32, y: u32| [(x / 48 % 2 * 200) as u8, (y / 48 % 2 * 200) as u8, ((x + y) / 64 % 2 * 200) as u8];
            let samples: Vec<u8> = (0..height).flat_map(|y| (0..width).flat_map(move |x| colour(x, y))).collect();
            let mut photo = Vec::new();
            let mut encoder = jpeg_encoder::Encoder::new(&mut photo, 95);
            encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_4_4);
            encoder.encode(&samples, width as u16, height as u16, jpeg_encoder::ColorType::Rgb).unwrap();
            let frame = Frame::read(&photo).unwrap();
            let photo = tidy::tidy(&photo, &frame).unwrap();
            let exact = square(&full(&photo, &frame).unwrap());
            let mut pixels = scaled(&photo, &frame, 128).unwrap();
            assert!(pixels.width < width / 3, "{width} x {height} was not scaled");
            let found = apart(&exact, &square(&pixels));
            // As if each shrunk pixel were as large as the others.
            pixels.shrunk = None;
            let stretched = apart(&exact, &square(&pixels));
            assert!(stretched > 1.5 * found, "{width} x {height}: {stretched}, {found}");
        }
    }

    fn square(pixels: &Pixels) -> Vec<u8> {
        super::super::resize::centre_square(pixels, 64).unwrap().data
    }

    fn apart(left: &[u8], right: &[u8]) -> f64 {
        let sum: u32 = left.iter().zip(right).map(|(left, right)| u32::from(left.abs_diff(*right))).sum();
        f64::from(sum) / left.len() as f64
    }
}
