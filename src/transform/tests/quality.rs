//! The whole way against an exact Lanczos in floating point, on the fully decoded photo.

use zune_core::bytestream::ZCursor;
use zune_jpeg::JpegDecoder;

use super::fixtures::{photo, png, psnr};

fn lanczos3(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
    if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}

/// First source pixel and weights for one pixel of `to`, out of `from` that begin at `start`, in a line of `length`.
fn weights(at: usize, start: usize, from: usize, to: usize, length: usize) -> (usize, Vec<f64>) {
    let scale = from as f64 / to as f64;
    let centre = start as f64 + (at as f64 + 0.5) * scale;
    let first = (centre - 3.0 * scale).floor().max(0.0) as usize;
    let last = ((centre + 3.0 * scale).ceil() as usize).min(length);
    let raw: Vec<f64> = (first..last).map(|pixel| lanczos3((pixel as f64 + 0.5 - centre) / scale)).collect();
    let sum: f64 = raw.iter().sum();
    (first, raw.into_iter().map(|weight| weight / sum).collect())
}

/// The decibels of every `step`th column of ours against the exact ones; `turned`: stored with orientation 6.
fn decibels(name: &str, step: usize, turned: bool) -> f64 {
    const SIDE: usize = 256;
    let photo = photo(name);
    let ours = png(&photo, SIDE as u32);
    let mut decoder = JpegDecoder::new(ZCursor::new(&photo));
    let pixels = decoder.decode().unwrap();
    let (width, height) = decoder.dimensions().unwrap();
    let whole = width.min(height);
    let (left, top) = ((width - whole) / 2, (height - whole) / 2);
    let columns: Vec<usize> = (0..SIDE).step_by(step).collect();
    let mut pairs = Vec::new();
    for column in columns {
        let (first, across) = weights(column, left, whole, SIDE, width);
        let line: Vec<[f64; 3]> = pixels
            .chunks_exact(width * 3)
            .map(|row| {
                let mut sum = [0.0; 3];
                for (pixel, weight) in row[first * 3..].chunks_exact(3).zip(&across) {
                    for (sum, value) in sum.iter_mut().zip(pixel) {
                        *sum += f64::from(*value) * weight;
                    }
                }
                sum
            })
            .collect();
        for row in 0..SIDE {
            let (first, down) = weights(row, top, whole, SIDE, height);
            // Orientation 6 is turned clockwise: what was stored at (x, y) is shown at (side - 1 - y, x).
            let (x, y) = if turned { (SIDE - 1 - row, column) } else { (column, row) };
            for (channel, value) in ours.get_pixel(x as u32, y as u32).0.into_iter().enumerate() {
                let exact: f64 = line[first..].iter().zip(&down).map(|(pixel, weight)| pixel[channel] * weight).sum();
                pairs.push((f64::from(value), exact.clamp(0.0, 255.0)));
            }
        }
    }
    psnr(pairs.into_iter())
}

#[test]
fn a_photo_of_648_pixels_is_shrunk_at_50_db_or_more() {
    let found = decibels("square-648.jpg", 2, false);
    assert!(found >= 50.0, "{found}");
}

#[test]
fn twelve_megapixels_are_shrunk_at_48_db_or_more() {
    let found = decibels("phone-12mp-exif-rotated-gps.jpg", 16, true);
    assert!(found >= 48.0, "{found}");
}
