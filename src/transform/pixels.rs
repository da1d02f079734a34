//! Decoded pixels, 8 bits a channel.
//!
//! Owns: the two layouts, transparency laid on a background, turning a square upright.
//! Leaves to others: colours (`icc`), size (`resize`).
//! A newcomer gets wrong: grey stays one channel until the end, because a full-size copy to RGB costs more than
//! decoding; what leaves is always RGB, because Java, which the targets run on, draws grey pictures too light.

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

use super::Refusal;
use crate::settings::Rgb;

/// The channels of a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channels {
    Grey,
    Rgb,
}

impl Channels {
    pub(super) fn count(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
        }
    }
}

/// A picture of any shape. `data` holds exactly `width * height` pixels.
#[derive(Debug)]
pub(super) struct Pixels {
    pub width: u32,
    pub height: u32,
    pub channels: Channels,
    pub data: Vec<u8>,
    /// Where a decoder shrank it and the last column or row reaches beyond the picture: the picture's own size, and by how
    /// much it was shrunk.
    pub shrunk: Option<Shrunk>,
}

/// A picture of which each pixel stands for `by * by`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shrunk {
    pub width: u32,
    pub height: u32,
    pub by: u32,
}

impl Pixels {
    /// Refuses a decoder's answer that does not fill the picture.
    pub(super) fn new(width: u32, height: u32, channels: Channels, data: Vec<u8>) -> Result<Self, Refusal> {
        if data.len() as u64 != u64::from(width) * u64::from(height) * channels.count() as u64 {
            return Err(Refusal::Damaged("it holds fewer pixels than it says".into()));
        }
        Ok(Self { width, height, channels, data, shrunk: None })
    }

    /// Remembers the size before a decoder shrank it by a whole number, if that does not divide both sides.
    pub(super) fn shrunk_from(mut self, width: u32, height: u32) -> Self {
        let is_it = |by: &u32| (width.div_ceil(*by), height.div_ceil(*by)) == (self.width, self.height);
        let by = [1, 2, 4, 8].into_iter().find(is_it);
        self.shrunk = by.filter(|by| (self.width * by, self.height * by) != (width, height)).map(|by| Shrunk {
            width,
            height,
            by,
        });
        self
    }

    pub(super) fn shorter(&self) -> u32 {
        self.width.min(self.height)
    }
}

/// A square of RGB pixels: what is encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RgbSquare {
    pub side: u32,
    pub data: Vec<u8>,
}

impl RgbSquare {
    /// Turned as its EXIF orientation asks.
    pub(super) fn upright(self, orientation: Orientation) -> Self {
        let Self { side, data } = self;
        if orientation == Orientation::NoTransforms {
            return Self { side, data };
        }
        let square = RgbImage::from_raw(side, side, data).expect("an RgbSquare holds side * side pixels");
        let mut square = DynamicImage::ImageRgb8(square);
        square.apply_orientation(orientation);
        Self { side, data: square.into_rgb8().into_raw() }
    }
}

/// Lays RGBA pixels on a background, in place: RGB is left. Done before shrinking: both are linear, so the order does
/// not show, and no alpha has to be divided out again.
pub(super) fn flatten(mut rgba: Vec<u8>, background: Rgb) -> Vec<u8> {
    let pixels = rgba.len() / 4;
    for index in 0..pixels {
        let mut pixel = [0; 4];
        pixel.copy_from_slice(&rgba[index * 4..index * 4 + 4]);
        let [colour @ .., alpha] = pixel;
        if alpha == u8::MAX {
            // Most of most pictures.
            rgba.copy_within(index * 4..index * 4 + 3, index * 3);
            continue;
        }
        for (channel, (over, under)) in colour.into_iter().zip(background.0).enumerate() {
            rgba[index * 3 + channel] = blend(over, under, alpha);
        }
    }
    rgba.truncate(pixels * 3);
    rgba
}

fn blend(over: u8, under: u8, alpha: u8) -> u8 {
    let alpha = u32::from(alpha);
    let sum = u32::from(over) * alpha + u32::from(under) * (255 - alpha);
    // At most (255 * 255 + 127) / 255 = 255.
    ((sum + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transparency_is_laid_on_the_background() {
        let red = Rgb([200, 0, 0]);
        for (rgba, rgb) in
            [([10, 20, 30, 255], [10, 20, 30]), ([10, 20, 30, 0], [200, 0, 0]), ([0, 100, 255, 128], [100, 50, 128])]
        {
            assert_eq!(flatten(rgba.repeat(3), red), rgb.repeat(3), "{rgba:?}");
        }
    }
}
