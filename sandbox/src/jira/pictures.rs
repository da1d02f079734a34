//! Pixels: reading an upload, the suggested crop, the crop that was asked for, every served size, system avatars.
//!
//! Owns: what a browser would see for given crop numbers (docs/wire/atlassian.md §3.5), the size names (§3.2).
//! Leaves to others: whose picture it is, and the checks that need no pixels (`upload`).
//! A newcomer gets wrong: the suggested crop is an off-centre zoom; echoing it publishes a part of the face.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::{Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageFormat, ImageReader, Rgba, RgbaImage};

/// Sides above this are scaled to fit when an upload comes in.
pub(crate) const LARGEST_SIDE: u32 = 500;
/// Squares up to this are finished avatars at once.
pub(crate) const ONE_STEP_SIDE: u32 = 48;
/// The largest size that is stored.
const LARGEST_STORED: u32 = 256;

/// Size parameter of `/secure/useravatar` → pixels. Left out: large.
const SIZES: [(&str, u32); 9] = [
    ("xsmall", 16),
    ("small", 24),
    ("medium", 32),
    ("large", 48),
    ("xlarge", 64),
    ("xxlarge", 96),
    ("xxxlarge", 128),
    ("xxlarge@2x", 192),
    ("xxxlarge@2x", 256),
];

/// Pixels of a size name; an unknown name is the default size.
pub(crate) fn side_of(size: Option<&str>) -> u32 {
    size.and_then(|size| SIZES.iter().find(|(name, _)| *name == size)).map_or(48, |(_, side)| *side)
}

/// Why an upload is no picture for Jira.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPicture {
    /// Not a JPEG, PNG or GIF that can be read.
    Unreadable,
    /// More pixels than `jira.avatar.megapixels`.
    TooLarge,
}

/// An upload as it lies in the session: decoded, at most 500 px on a side.
#[derive(Clone, Debug)]
pub(crate) struct Uploaded {
    pixels: RgbaImage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crop {
    pub x: u32,
    pub y: u32,
    pub side: u32,
}

impl Uploaded {
    /// Reads an upload; the size is judged from the header, before any pixel is.
    pub(crate) fn read(bytes: &[u8], megapixels: f64) -> Result<Uploaded, NoPicture> {
        let open = || {
            let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
            let known = matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Gif));
            known.then_some(reader)
        };
        let (width, height) = open().and_then(|reader| reader.into_dimensions().ok()).ok_or(NoPicture::Unreadable)?;
        if f64::from(width) * f64::from(height) > megapixels * 1_000_000.0 {
            return Err(NoPicture::TooLarge);
        }
        let picture = open().and_then(|reader| reader.decode().ok()).ok_or(NoPicture::Unreadable)?;
        let fits = width <= LARGEST_SIDE && height <= LARGEST_SIDE;
        let picture = if fits { picture } else { picture.resize(LARGEST_SIDE, LARGEST_SIDE, FilterType::Triangle) };
        Ok(Uploaded { pixels: picture.to_rgba8() })
    }

    /// Square and small enough to need no cropping.
    pub(crate) fn is_finished(&self) -> bool {
        self.pixels.width() == self.pixels.height() && self.pixels.width() <= ONE_STEP_SIDE
    }

    /// The crop Jira suggests: for a side s above 48, offset (s-48)/5 and width 48+(s-48)/3.
    pub(crate) fn suggested(&self) -> Crop {
        let side = self.pixels.width().min(self.pixels.height());
        match side.checked_sub(ONE_STEP_SIDE) {
            None => Crop { x: 0, y: 0, side },
            Some(over) => Crop { x: over / 5, y: over / 5, side: ONE_STEP_SIDE + over / 3 },
        }
    }

    /// The whole of it, for a finished one.
    pub(crate) fn whole(&self) -> Crop {
        Crop { x: 0, y: 0, side: self.pixels.width().min(self.pixels.height()) }
    }

    /// The largest centred square, as a careful person would choose it.
    pub(crate) fn middle(&self) -> Crop {
        let side = self.whole().side;
        Crop { x: (self.pixels.width() - side) / 2, y: (self.pixels.height() - side) / 2, side }
    }

    /// The stored picture of a crop as PNG; none if the crop leaves the picture.
    pub(crate) fn cut(&self, crop: Crop) -> Option<Vec<u8>> {
        let inside = |start: u32, all: u32| start.checked_add(crop.side).is_some_and(|end| end <= all);
        if crop.side == 0 || !inside(crop.x, self.pixels.width()) || !inside(crop.y, self.pixels.height()) {
            return None;
        }
        let cut = imageops::crop_imm(&self.pixels, crop.x, crop.y, crop.side, crop.side).to_image();
        Some(png(&scaled(cut, crop.side.min(LARGEST_STORED))))
    }

    /// The upload itself as PNG (the cropping page's picture).
    pub(crate) fn preview(&self) -> Vec<u8> {
        png(&self.pixels)
    }
}

/// Renditions that are remembered.
const REMEMBERED: usize = 512;

/// A stored picture at another size. What was asked for lately is remembered: the same few pictures are looked at again
/// and again, by the truth and by whoever asks for a default.
pub(crate) fn render(stored: &Bytes, side: u32) -> Bytes {
    static RENDERED: Mutex<Option<HashMap<(blake3::Hash, u32), Bytes>>> = Mutex::new(None);
    let reader = ImageReader::with_format(Cursor::new(stored), ImageFormat::Png);
    if reader.into_dimensions().is_ok_and(|size| size == (side, side)) {
        return stored.clone();
    }
    let key = (blake3::hash(stored), side);
    let remembered = || RENDERED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = remembered().as_ref().and_then(|rendered| rendered.get(&key).cloned()) {
        return known;
    }
    let rendered = decoded(stored).map_or_else(|| stored.clone(), |picture| png(&scaled(picture, side)).into());
    let mut all = remembered();
    let all = all.get_or_insert_default();
    if all.len() >= REMEMBERED {
        all.clear();
    }
    all.insert(key, rendered.clone());
    rendered
}

/// 256 grey values, as hex, of a stored picture shrunk to 16x16: enough to tell faces apart in a test.
pub(crate) fn looks(stored: &[u8]) -> String {
    let Some(picture) = decoded(stored) else { return String::new() };
    let grey = DynamicImage::from(scaled(picture, 16)).into_luma8();
    grey.as_raw().iter().map(|value| format!("{value:02x}")).collect()
}

/// The nth system avatar: a shape of its own colour, at the largest stored size. Drawn once.
pub(crate) fn system(nth: usize) -> Bytes {
    static DRAWN: OnceLock<Vec<Bytes>> = OnceLock::new();
    let drawn = DRAWN.get_or_init(|| (0..COLOURS.len()).map(|nth| draw(nth).into()).collect());
    drawn[nth % COLOURS.len()].clone()
}

const COLOURS: [[u8; 3]; 8] = [
    [66, 82, 110],
    [0, 135, 90],
    [222, 53, 11],
    [82, 67, 170],
    [255, 153, 31],
    [0, 101, 255],
    [151, 160, 175],
    [0, 163, 191],
];

fn draw(nth: usize) -> Vec<u8> {
    let [red, green, blue] = COLOURS[nth % COLOURS.len()];
    let ink = Rgba([255, 255, 255, 255]);
    let ground = Rgba([red, green, blue, 255]);
    let side = LARGEST_STORED;
    let picture = RgbaImage::from_fn(side, side, |x, y| {
        let (x, y) = (f64::from(x) / f64::from(side) - 0.5, f64::from(y) / f64::from(side) - 0.5);
        if inside_shape(nth, x, y) { ink } else { ground }
    });
    png(&picture)
}

/// Whether a point of the unit square around the origin belongs to the nth shape.
fn inside_shape(nth: usize, x: f64, y: f64) -> bool {
    let disc = |cx: f64, cy: f64, r: f64| (x - cx).powi(2) + (y - cy).powi(2) < r * r;
    match nth % 6 {
        0 => disc(0.0, -0.14, 0.17) || (disc(0.0, 0.5, 0.33) && y < 0.5),
        1 => disc(0.0, 0.0, 0.3) && !disc(0.0, 0.0, 0.18),
        2 => x.abs() + y.abs() < 0.32,
        3 => x.abs() < 0.09 && y.abs() < 0.32 || y.abs() < 0.09 && x.abs() < 0.32,
        4 => y > -0.3 && y < 0.25 && x.abs() < (y + 0.3) * 0.6,
        _ => disc(-0.16, 0.0, 0.14) || disc(0.16, 0.0, 0.14),
    }
}

fn decoded(stored: &[u8]) -> Option<RgbaImage> {
    image::load_from_memory(stored).ok().map(|picture| picture.to_rgba8())
}

fn scaled(picture: RgbaImage, side: u32) -> RgbaImage {
    if picture.dimensions() == (side, side) {
        return picture;
    }
    // By way of `DynamicImage`: its code is compiled with the image crate, optimised even where ours is not.
    DynamicImage::from(picture).resize_exact(side, side, FilterType::Triangle).into_rgba8()
}

fn png(picture: &RgbaImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture
        .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
        .expect("an RGBA picture with pixels is always encodable into memory");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four coloured quarters, so that a crop can be told from the whole.
    pub(super) fn quarters(width: u32, height: u32) -> Vec<u8> {
        png(&RgbaImage::from_fn(width, height, |x, y| match (x * 2 < width, y * 2 < height) {
            (true, true) => Rgba([255, 0, 0, 255]),
            (false, true) => Rgba([0, 255, 0, 255]),
            (true, false) => Rgba([0, 0, 255, 255]),
            (false, false) => Rgba([255, 255, 255, 255]),
        }))
    }

    #[test]
    fn the_suggested_crop_is_the_formula_of_the_reference() {
        // width, height, offset, side
        let table = [
            (256, 256, 41, 117),
            (48, 60, 0, 48),
            (300, 200, 30, 98),
            (500, 500, 90, 198),
            (1000, 1000, 90, 198),
            (30, 40, 0, 30),
        ];
        for (width, height, offset, side) in table {
            let uploaded = Uploaded::read(&quarters(width, height), 5.0).expect("a picture");
            assert_eq!(uploaded.suggested(), Crop { x: offset, y: offset, side }, "{width}x{height}");
        }
    }

    #[test]
    fn crops_are_cut_where_they_say() {
        let uploaded = Uploaded::read(&quarters(200, 200), 5.0).expect("a picture");
        let corner = |crop| uploaded.cut(crop).and_then(|stored| decoded(&stored)).map(|p| p.get_pixel(1, 1).0);
        assert_eq!(corner(Crop { x: 0, y: 0, side: 200 }), Some([255, 0, 0, 255]));
        assert_eq!(corner(Crop { x: 100, y: 0, side: 100 }), Some([0, 255, 0, 255]));
        assert_eq!(corner(Crop { x: 0, y: 100, side: 100 }), Some([0, 0, 255, 255]));
        for (x, y, side) in [(1, 0, 200), (0, 1, 200), (0, 0, 201), (0, 0, 0), (u32::MAX, 0, 2)] {
            assert_eq!(corner(Crop { x, y, side }), None, "{x},{y},{side}");
        }
    }

    #[test]
    fn uploads_that_are_no_pictures() {
        assert_eq!(Uploaded::read(b"<html>", 5.0).unwrap_err(), NoPicture::Unreadable);
        assert_eq!(Uploaded::read(&[], 5.0).unwrap_err(), NoPicture::Unreadable);
        let cut_off = &quarters(64, 64)[..60];
        assert_eq!(Uploaded::read(cut_off, 5.0).unwrap_err(), NoPicture::Unreadable);
        assert_eq!(Uploaded::read(&quarters(100, 100), 0.009).unwrap_err(), NoPicture::TooLarge);
    }

    #[test]
    fn system_avatars_differ_and_scale_to_every_size() {
        let looks: std::collections::BTreeSet<_> = (0..7).map(|nth| looks(&system(nth))).collect();
        assert_eq!(looks.len(), 7);
        for (name, side) in SIZES {
            let served = decoded(&render(&system(0), side_of(Some(name)))).expect("a picture");
            assert_eq!(served.dimensions(), (side, side), "{name}");
        }
        assert_eq!(side_of(None), 48);
    }
}
