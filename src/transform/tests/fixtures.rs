//! Photos from the folder, photos made here, and pictures read back.

use image::RgbImage;

use crate::model::Rendition;
use crate::settings::{Format, Resize};
use crate::transform::{DecodeLimits, render};

/// Everything in `fixtures/photos` that is a picture large enough, in order.
pub(super) const GOOD: [&str; 16] = [
    "alpha.png",
    "animated.gif",
    "cmyk.jpg",
    "exif-orientation-2.jpg",
    "exif-orientation-3.jpg",
    "exif-orientation-8.jpg",
    "grayscale.jpg",
    "icc-srgb.jpg",
    "landscape-640x427.jpg",
    "palette.png",
    "panorama-5to1.jpg",
    "phone-12mp-exif-rotated-gps.jpg",
    "photo.webp",
    "progressive.jpg",
    "square-648.jpg",
    "square-96.jpg",
];

pub(super) fn photo(name: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/photos/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("could not read {path}: {error}"))
}

pub(super) fn sized(size: u32, format: Format) -> Resize {
    Resize { size, format, smallest: 1, ..Resize::default() }
}

pub(super) fn png(photo: &[u8], size: u32) -> RgbImage {
    read(&rendered(photo, &sized(size, Format::Png)))
}

pub(super) fn rendered(photo: &[u8], settings: &Resize) -> Rendition {
    render(photo, settings, None, &DecodeLimits::default()).unwrap_or_else(|refusal| panic!("{refusal}"))
}

pub(super) fn read(rendered: &Rendition) -> RgbImage {
    let picture = image::load_from_memory(&rendered.bytes).unwrap().into_rgb8();
    assert_eq!(picture.dimensions(), (rendered.side, rendered.side));
    picture
}

/// A PNG of these samples, with a profile if there is one.
pub(super) fn png_of(
    (width, height): (u32, u32),
    color: png::ColorType,
    depth: png::BitDepth,
    profile: Option<&[u8]>,
    samples: &[u8],
) -> Vec<u8> {
    let mut info = png::Info::with_size(width, height);
    info.color_type = color;
    info.bit_depth = depth;
    info.icc_profile = profile.map(|profile| profile.to_vec().into());
    let mut bytes = Vec::new();
    let mut writer = png::Encoder::with_info(&mut bytes, info).unwrap().write_header().unwrap();
    writer.write_image_data(samples).unwrap();
    writer.finish().unwrap();
    bytes
}

/// A JPEG of these RGB samples that asks to be turned.
pub(super) fn jpeg_of((width, height): (u16, u16), orientation: u8, samples: &[u8]) -> Vec<u8> {
    let mut exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 95);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_4_4);
    encoder.add_exif_metadata(&exif).unwrap();
    encoder.encode(samples, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}

/// Whether each channel is within `most` of the other.
pub(super) fn close(left: [u8; 3], right: [u8; 3], most: u8) -> bool {
    left.iter().zip(right).all(|(left, right)| left.abs_diff(right) <= most)
}

/// Peak signal-to-noise ratio in dB, of values from 0 to 255.
pub(super) fn psnr(pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (sum, count) = pairs.fold((0.0, 0.0), |(sum, count), (a, b)| (sum + (a - b) * (a - b), count + 1.0));
    10.0 * (255.0 * 255.0 * count / f64::max(sum, f64::MIN_POSITIVE)).log10()
}
