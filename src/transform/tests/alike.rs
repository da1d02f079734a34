//! Which pictures are taken for the same one when a state is lost: tables of what servers do to a picture, and of what
//! other pictures have in common with it.

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use super::fixtures::{jpeg_of, photo, png, png_of, rendered, sized};
use crate::settings::Format;
use crate::transform::{DecodeLimits, luma, same_picture};

/// A portrait, a landscape, and what stands on white.
const PHOTOS: [&str; 3] = ["square-648.jpg", "photo.webp", "alpha.png"];

fn rendition(name: &str, side: u32) -> RgbImage {
    png(&photo(name), side)
}

fn as_png(picture: &RgbImage) -> Vec<u8> {
    png_of(picture.dimensions(), png::ColorType::Rgb, png::BitDepth::Eight, None, picture)
}

/// Quality 75, colours at half the size: what most encoders do if nobody says anything.
fn as_jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 75);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_2_0);
    let side = |side: u32| u16::try_from(side).unwrap();
    let (width, height) = (side(picture.width()), side(picture.height()));
    encoder.encode(picture, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}

fn scaled(picture: &RgbImage, side: u32, filter: FilterType) -> RgbImage {
    imageops::resize(picture, side, side, filter)
}

fn same(ours: &RgbImage, theirs: &[u8]) -> bool {
    same_picture(&as_png(ours), theirs, &DecodeLimits::default()).unwrap()
}

#[test]
fn what_a_server_makes_of_a_rendition_is_the_same_picture() {
    use FilterType::{CatmullRom, Lanczos3, Triangle};
    for name in PHOTOS {
        let ours = rendition(name, 256);
        let whole = ours.width();
        assert!(same(&ours, &as_png(&ours)), "{name}");
        assert!(same(&ours, &rendered(&as_png(&ours), &sized(whole, Format::Jpeg)).bytes), "{name} as JPEG of ours");
        assert!(same(&ours, &as_jpeg(&ours)), "{name} as JPEG");
        for filter in [Triangle, CatmullRom, Lanczos3] {
            for side in [48, 96, 192, 300] {
                let theirs = scaled(&ours, side, filter);
                assert!(same(&ours, &as_png(&theirs)), "{name} at {side} by {filter:?}");
            }
            // What was small is shown large.
            for side in [48, 180] {
                let ours = rendition(name, side);
                let theirs = scaled(&ours, 256, filter);
                assert!(same(&ours, &as_png(&theirs)), "{name} from {side} by {filter:?}");
                assert!(same(&ours, &as_jpeg(&theirs)), "{name} from {side} by {filter:?}, as JPEG");
            }
        }
    }
}

/// The name of a change, and the change.
type Change = (&'static str, fn(&mut RgbImage));

/// What the fingerprint of grey values does not tell, or hardly.
const CHANGES: [Change; 13] = [
    ("another hue of the same grey", |picture| shift_colours(picture, 40.0)),
    ("another hue on a sleeve", |picture| {
        let corner = (picture.width() * 2 / 3, picture.height() * 2 / 3);
        let mut part = imageops::crop_imm(picture, corner.0, corner.1, 60, 60).to_image();
        shift_colours(&mut part, 40.0);
        imageops::replace(picture, &part, corner.0.into(), corner.1.into());
    }),
    ("no colours", |picture| picture.pixels_mut().for_each(|pixel| *pixel = Rgb([grey(*pixel); 3]))),
    ("a tenth lighter", |picture| lighter(picture, 1.1)),
    ("a tenth darker", |picture| lighter(picture, 0.9)),
    ("a caption below", |picture| letters(picture, 12, 236, 9)),
    ("a caption above", |picture| letters(picture, 140, 6, 9)),
    ("a small caption", |picture| letters(picture, 20, 240, 7)),
    ("a large caption", |picture| letters(picture, 10, 200, 30)),
    ("a badge", |picture| block(picture, (220, 12), (14, 14), Rgb([200, 30, 30]))),
    ("a line through it", |picture| block(picture, (0, 128), (256, 3), Rgb([255, 40, 40]))),
    ("a few pixels to the left", |picture| {
        let (width, height) = picture.dimensions();
        let part = imageops::crop_imm(picture, 5, 0, width - 5, height).to_image();
        imageops::replace(picture, &part, 0, 0);
    }),
    ("closer by a tenth", |picture| {
        let (width, height) = picture.dimensions();
        let part = imageops::crop_imm(picture, 13, 13, width - 26, height - 26).to_image();
        *picture = imageops::resize(&part, width, height, FilterType::Lanczos3);
    }),
];

fn grey(Rgb([r, g, b]): Rgb<u8>) -> u8 {
    (0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)).round() as u8
}

/// More red and less blue, with the green that keeps the grey value.
fn shift_colours(picture: &mut RgbImage, by: f32) {
    for Rgb([r, g, b]) in picture.pixels_mut() {
        // As far as none of them leaves the scale.
        let room = (255 - *r).min(*b).min(*g) as f32;
        let by = by.min(room);
        let (red, blue) = (f32::from(*r) + by, f32::from(*b) - by);
        let green = f32::from(*g) - (0.299 - 0.114) / 0.587 * by;
        [*r, *g, *b] = [red, green, blue].map(|value| value.round().clamp(0.0, 255.0) as u8);
    }
}

fn lighter(picture: &mut RgbImage, by: f32) {
    picture.pixels_mut().for_each(|pixel| pixel.0 = pixel.0.map(|value| (f32::from(value) * by).min(255.0) as u8));
}

/// Strokes as high as letters, light on dark and dark on light.
fn letters(picture: &mut RgbImage, left: u32, top: u32, height: u32) {
    let colour = if grey(*picture.get_pixel(left, top)) > 127 { Rgb([0; 3]) } else { Rgb([255; 3]) };
    let stroke = height.div_ceil(6);
    for letter in 0..8 {
        let left = left + letter * height * 2 / 3;
        if left + height / 2 < picture.width() {
            block(picture, (left, top), (stroke, height), colour);
            block(picture, (left, top + height / 2), (height / 2, stroke), colour);
        }
    }
}

fn block(picture: &mut RgbImage, (left, top): (u32, u32), (width, height): (u32, u32), colour: Rgb<u8>) {
    for (x, y) in (top..top + height).flat_map(|y| (left..left + width).map(move |x| (x, y))) {
        picture.put_pixel(x, y, colour);
    }
}

#[test]
fn what_differs_visibly_is_another_picture() {
    for name in ["square-648.jpg", "landscape-640x427.jpg"] {
        let ours = rendition(name, 256);
        for (change, make) in CHANGES {
            let mut other = ours.clone();
            make(&mut other);
            for (how, theirs) in [
                ("PNG", as_png(&other)),
                ("JPEG", as_jpeg(&other)),
                ("smaller", as_png(&scaled(&other, 160, FilterType::Triangle))),
            ] {
                assert!(!same(&ours, &theirs), "{name}: {change}, {how}");
                assert!(
                    !same_picture(&theirs, &as_png(&ours), &DecodeLimits::default()).unwrap(),
                    "{name}: {change}, {how}"
                );
            }
        }
    }
}

/// The fingerprint takes several of them for the same: it stays what journals hold, and is no reason to adopt.
#[test]
fn the_fingerprint_alone_would_not_tell() {
    let ours = rendition("square-648.jpg", 256);
    let looks = luma(&as_png(&ours), &DecodeLimits::default()).unwrap();
    for name in ["another hue of the same grey", "no colours", "a caption below", "a line through it"] {
        let (_, make) = CHANGES.iter().find(|(change, _)| *change == name).unwrap();
        let mut other = ours.clone();
        make(&mut other);
        assert!(luma(&as_png(&other), &DecodeLimits::default()).unwrap().fits(&looks), "{name}");
    }
}

/// Another person in the same clothes before the same wall.
#[test]
fn another_person_in_the_same_place_is_another_picture() {
    let person = |skin: [u8; 3], eyes: u32, mouth: u32| {
        let mut picture = RgbImage::from_pixel(256, 256, Rgb([150, 170, 190]));
        block(&mut picture, (40, 200), (176, 56), Rgb([30, 40, 90]));
        block(&mut picture, (88, 60), (80, 130), Rgb(skin));
        block(&mut picture, (104, eyes), (14, 6), Rgb([40, 30, 20]));
        block(&mut picture, (138, eyes), (14, 6), Rgb([40, 30, 20]));
        block(&mut picture, (112, mouth), (32, 6), Rgb([150, 60, 60]));
        imageops::blur(&picture, 2.0)
    };
    let ada = person([220, 180, 150], 100, 160);
    for (name, other) in [
        ("eyes", person([220, 180, 150], 108, 160)),
        ("mouth", person([220, 180, 150], 100, 152)),
        ("skin", person([200, 188, 160], 100, 160)),
    ] {
        let [ours, theirs] = [&ada, &other].map(|picture| luma(&as_png(picture), &DecodeLimits::default()).unwrap());
        assert!(theirs.distance(&ours) <= 6.0, "{name}: {}", theirs.distance(&ours));
        assert!(!same(&ada, &as_png(&other)), "{name}");
        assert!(!same(&ada, &as_jpeg(&scaled(&other, 128, FilterType::Triangle))), "{name}");
    }
}

#[test]
fn what_is_no_square_too_small_or_unreadable_is_not_the_same() {
    let ours = rendition("square-648.jpg", 256);
    let mut wide = RgbImage::from_pixel(320, 256, Rgb([90; 3]));
    imageops::replace(&mut wide, &ours, 32, 0);
    assert!(!same(&ours, &as_png(&wide)));
    assert!(!same(&ours, &as_png(&scaled(&ours, 32, FilterType::Triangle))));
    let plain = RgbImage::from_pixel(96, 96, Rgb([90; 3]));
    assert!(!same(&plain, &as_png(&RgbImage::from_pixel(1, 1, Rgb([90; 3])))));
    assert_eq!(same_picture(&as_png(&ours), b"<html>", &DecodeLimits::default()), None);
    assert_eq!(same_picture(b"", &as_png(&ours), &DecodeLimits::default()), None);
    // A server that rounds is still the same; one that says that it is turned shows it turned.
    let tall = imageops::resize(&ours, 256, 257, FilterType::Triangle);
    assert!(same(&ours, &as_png(&tall)));
    let turned = jpeg_of((256, 256), 6, &imageops::rotate270(&ours));
    assert!(same(&ours, &turned));
    assert!(!same(&ours, &jpeg_of((256, 256), 1, &imageops::rotate270(&ours))));
}

/// Small renditions, down to one pixel, are compared without a panic.
#[test]
fn every_size_can_be_compared() {
    for side in [1, 2, 3, 5, 47, 48, 49, 63, 65, 255] {
        let plain = RgbImage::from_pixel(side, side, Rgb([10, 200, 30]));
        assert!(same(&plain, &as_png(&plain)), "{side}");
        assert!(same(&plain, &as_png(&RgbImage::from_pixel(256, 256, Rgb([10, 200, 30])))), "{side}");
        assert!(!same(&plain, &as_png(&RgbImage::from_pixel(side, side, Rgb([10, 190, 60])))), "{side}");
    }
}
