//! Promise P6: the same photo and recipe give the same bytes on every machine.

use std::fmt::Write;

use super::fixtures::{GOOD, photo};
use crate::model::Digest;
use crate::settings::{Format, Resize};
use crate::transform::pixels::{Channels, Pixels};
use crate::transform::{DecodeLimits, exact, render, resize};

/// Raised when the same photo and recipe give other bytes, which alone re-uploads nobody.
const RENDERER: u32 = 1;

/// A change here means that every rendition made before differs from the ones made now: raise `RENDERER`.
///
/// Together with a processor without AVX2, or of another make, it also compares the decoders' SIMD with their plain
/// paths. `zune-jpeg` was compared on 7,000 mutated photos with its SIMD compiled in and out: no difference.
/// `jpeg-encoder` and `jpeg-decoder` do differ, so `Cargo.toml` has their SIMD switched off.
#[test]
fn renditions_are_what_they_were() {
    let mut digests = format!("renderer {RENDERER}\n");
    for name in GOOD {
        let photo = photo(name);
        for (format, side) in [(Format::Png, None), (Format::Png, Some(48)), (Format::Jpeg, None)] {
            let settings = Resize { format, ..Resize::default() };
            let rendered = render(&photo, &settings, side, &DecodeLimits::default()).unwrap();
            let digest = Digest::of(&rendered.bytes);
            writeln!(digests, "{name} {} {} {digest}", format.word(), rendered.side).unwrap();
        }
    }
    insta::assert_snapshot!(digests);
}

/// One line's weights as `fast_image_resize` makes them: 16-bit integers, with as many binary digits as fit.
struct Plain {
    digits: u32,
    lines: Vec<(usize, Vec<i32>)>,
}

impl Plain {
    fn new(length: usize, start: f64, from: f64, to: usize) -> Self {
        let scale = from / to as f64;
        let (radius, shrunk) = (3.0 * scale.max(1.0), 1.0 / scale.max(1.0));
        let lines: Vec<(usize, Vec<f64>)> = (0..to)
            .map(|at| {
                let centre = start + (at as f64 + 0.5) * scale;
                let first = (centre - radius).floor().max(0.0) as usize;
                let last = (centre + radius).ceil().min(length as f64) as usize;
                let raw: Vec<f64> =
                    (first..last).map(|pixel| exact::lanczos3((pixel as f64 - (centre - 0.5)) * shrunk)).collect();
                let sum = raw.iter().fold(0.0, |sum, weight| sum + weight);
                (first, raw.into_iter().map(|weight| weight / sum).collect())
            })
            .collect();
        let largest = lines.iter().flat_map(|(_, weights)| weights).copied().fold(0.0, f64::max);
        let digits =
            (0..22).find(|digits| (largest * f64::from(1 << (digits + 1))).round() >= f64::from(1 << 15)).unwrap_or(21);
        let whole = |weight: f64| (weight * f64::from(1 << digits)).round() as i32;
        let lines =
            lines.into_iter().map(|(first, weights)| (first, weights.into_iter().map(whole).collect())).collect();
        Self { digits, lines }
    }

    fn sum(&self, at: usize, value: impl Fn(usize) -> u8) -> u8 {
        let (first, weights) = &self.lines[at];
        let sum: i32 = weights.iter().enumerate().map(|(index, weight)| i32::from(value(first + index)) * weight).sum();
        ((sum + (1 << (self.digits - 1))) >> self.digits).clamp(0, 255) as u8
    }
}

/// Down, then across, pixel by pixel.
fn plain(pixels: &Pixels, side: usize) -> Vec<u8> {
    let (width, height, channels) = (pixels.width as usize, pixels.height as usize, pixels.channels.count());
    let whole = width.min(height);
    let down = Plain::new(height, ((height - whole) / 2) as f64, whole as f64, side);
    let across = Plain::new(width, ((width - whole) / 2) as f64, whole as f64, side);
    let stride = width * channels;
    let flat: Vec<u8> = (0..side * stride)
        .map(|index| down.sum(index / stride, |y| pixels.data[y * stride + index % stride]))
        .collect();
    (0..side * side * channels)
        .map(|index| {
            let (row, column, channel) = (index / channels / side, index / channels % side, index % channels);
            across.sum(column, |x| flat[row * stride + x * channels + channel])
        })
        .collect()
}

/// Whatever SIMD this machine has, the resizer gives what whole numbers give one by one. (The library's own `None`,
/// `Sse4_1` and `Avx2` are equal too, but choosing among them is `unsafe`, which this package forbids.)
#[test]
fn the_resizer_s_simd_equals_plain_whole_numbers() {
    let noise = |length: usize| -> Vec<u8> {
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            // Mostly black and white: the sums overshoot and are clipped.
            if seed & 3 == 0 { (seed >> 8) as u8 } else { ((seed >> 2) & 1) as u8 * 255 }
        };
        (0..length).map(|_| next()).collect()
    };
    for (width, height, side) in
        [(64, 64, 48), (97, 61, 60), (61, 97, 7), (130, 130, 129), (33, 200, 16), (200, 33, 32), (300, 300, 1)]
    {
        for channels in [Channels::Grey, Channels::Rgb] {
            let data = noise((width * height) as usize * channels.count());
            let pixels = Pixels::new(width, height, channels, data).unwrap();
            let found = resize::centre_square(&pixels, side).unwrap().data;
            assert!(found == plain(&pixels, side as usize), "{width} x {height} to {side}, {channels:?}");
        }
    }
}
