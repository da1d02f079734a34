//! What comes out: size, format, uprightness, and nothing beside the picture.

use super::fixtures::{GOOD, close, jpeg_of, photo, png, png_of, read, rendered, sized};
use crate::model::MediaType;
use crate::settings::{Crop, Format, Resize, Rgb};
use crate::transform::{DecodeLimits, luma, render, render_sizes};

#[test]
fn photos_are_shrunk_and_never_enlarged() {
    for (name, asked, side) in [
        ("square-648.jpg", None, 256),
        ("square-648.jpg", Some(48), 48),
        ("square-648.jpg", Some(4096), 256),
        ("square-96.jpg", None, 96),
        ("square-96.jpg", Some(48), 48),
        ("panorama-5to1.jpg", None, 120),
        ("phone-12mp-exif-rotated-gps.jpg", Some(48), 48),
        ("animated.gif", None, 80),
    ] {
        let rendered = render(&photo(name), &Resize::default(), asked, &DecodeLimits::default()).unwrap();
        assert_eq!(rendered.side, side, "{name} {asked:?}");
        assert_eq!(rendered.media_type, MediaType::Png);
        read(&rendered);
    }
}

#[test]
fn several_sizes_are_what_each_gives_alone() {
    let sides = [Some(48), Some(500)];
    for name in ["phone-12mp-exif-rotated-gps.jpg", "alpha.png", "square-96.jpg"] {
        let photo = photo(name);
        let together = render_sizes(&photo, &Resize::default(), &sides, &DecodeLimits::default()).unwrap();
        let alone =
            sides.map(|side| render(&photo, &Resize::default(), side, &DecodeLimits::default()).unwrap()).to_vec();
        assert_eq!(together, alone, "{name}");
    }
}

#[test]
fn a_photo_of_the_right_size_keeps_its_pixels() {
    let samples: Vec<u8> = (0..50 * 40 * 3).map(|index| (index * 7 % 256) as u8).collect();
    let picture = png(&png_of((50, 40), png::ColorType::Rgb, png::BitDepth::Eight, None, &samples), 40);
    for (x, y, pixel) in picture.enumerate_pixels() {
        let index = ((y * 50 + x + 5) * 3) as usize;
        assert_eq!(pixel.0, samples[index..index + 3], "{x} {y}");
    }
}

/// Four colours stored as each orientation asks (Exif 2.32, tag 274) are red, green / blue, white once upright.
#[test]
fn all_eight_orientations_end_upright() {
    let [red, green, blue, white] = [[200, 30, 30], [30, 200, 30], [30, 30, 200], [220, 220, 220]];
    for (orientation, [top_left, top_right, bottom_left, bottom_right]) in [
        (1, [red, green, blue, white]),
        (2, [green, red, white, blue]),
        (3, [white, blue, green, red]),
        (4, [blue, white, red, green]),
        (5, [red, blue, green, white]),
        (6, [green, white, red, blue]),
        (7, [white, green, blue, red]),
        (8, [blue, red, white, green]),
    ] {
        let colour = |x: u16, y: u16| match (x < 48, y < 32) {
            (true, true) => top_left,
            (false, true) => top_right,
            (true, false) => bottom_left,
            (false, false) => bottom_right,
        };
        let samples: Vec<u8> = (0..64u16).flat_map(|y| (0..96u16).flat_map(move |x| colour(x, y))).collect();
        let picture = png(&jpeg_of((96, 64), orientation, &samples), 32);
        for (at, wanted) in [((8, 8), red), ((24, 8), green), ((8, 24), blue), ((24, 24), white)] {
            let found = picture.get_pixel(at.0, at.1).0;
            assert!(close(found, wanted, 6), "orientation {orientation} at {at:?}: {found:?}, not {wanted:?}");
        }
    }
}

#[test]
fn the_same_portrait_in_every_shape_looks_the_same() {
    let upright = rendered(&photo("square-648.jpg"), &Resize::default()).luma.unwrap();
    for name in [
        "exif-orientation-2.jpg",
        "exif-orientation-3.jpg",
        "exif-orientation-8.jpg",
        "cmyk.jpg",
        "grayscale.jpg",
        "icc-srgb.jpg",
        "square-96.jpg",
    ] {
        let luma = rendered(&photo(name), &Resize::default()).luma.unwrap();
        assert!(luma.fits(&upright), "{name}: {}", luma.distance(&upright));
    }
    for name in ["photo.webp", "landscape-640x427.jpg", "alpha.png"] {
        let luma = rendered(&photo(name), &Resize::default()).luma.unwrap();
        assert!(luma.distance(&upright) > 15.0, "{name}: {}", luma.distance(&upright));
    }
}

/// A server may hand out the rendition, its own smaller copy of it, or the rendition as JPEG.
#[test]
fn what_is_served_fits_what_was_rendered() {
    for name in GOOD {
        let photo = photo(name);
        let large = rendered(&photo, &Resize::default());
        assert_eq!(luma(&large.bytes, &DecodeLimits::default()), large.luma, "{name}");
        let looks = large.luma.unwrap();
        for settings in [sized(48, Format::Png), sized(256, Format::Jpeg), sized(48, Format::Jpeg)] {
            let served = luma(&rendered(&large.bytes, &settings).bytes, &DecodeLimits::default()).unwrap();
            assert!(served.distance(&looks) < 1.5, "{name} {settings:?}: {}", served.distance(&looks));
        }
    }
}

#[test]
fn transparency_shows_the_declared_background() {
    let corner = |background| {
        let settings = Resize { background, ..Resize::default() };
        read(&rendered(&photo("alpha.png"), &settings)).get_pixel(128, 0).0
    };
    let magenta = Rgb([255, 0, 255]);
    assert!(close(corner(magenta), magenta.0, 8), "{:?}", corner(magenta));
    assert!(close(corner(Rgb::WHITE), [255; 3], 8), "{:?}", corner(Rgb::WHITE));
    let clear = png_of((64, 64), png::ColorType::GrayscaleAlpha, png::BitDepth::Sixteen, None, &[0; 64 * 64 * 4]);
    let settings = Resize { background: magenta, ..Resize::default() };
    assert!(read(&rendered(&clear, &settings)).pixels().all(|pixel| pixel.0 == magenta.0));
}

#[test]
fn sixteen_bits_become_eight() {
    use png::ColorType::{Grayscale, GrayscaleAlpha, Rgb, Rgba};
    for (color, pixel, wanted) in [
        (Grayscale, vec![0x12, 0x34], [0x12; 3]),
        (GrayscaleAlpha, vec![0x80, 0, 0xff, 0xff], [0x80; 3]),
        (Rgb, vec![0xff, 0xff, 0x40, 0, 0, 0x7f], [0xff, 0x40, 0]),
        (Rgba, vec![0, 0, 0x40, 0, 0x80, 0, 0xff, 0xff], [0, 0x40, 0x80]),
    ] {
        let photo = png_of((64, 64), color, png::BitDepth::Sixteen, None, &pixel.repeat(64 * 64));
        for size in [64, 32] {
            assert!(png(&photo, size).pixels().all(|found| found.0 == wanted), "{color:?}");
        }
    }
}

#[test]
fn nothing_but_the_picture_comes_out() {
    for name in GOOD {
        let photo = photo(name);
        let png = rendered(&photo, &Resize::default()).bytes;
        let chunks = png_chunks(&png);
        assert!(chunks.iter().all(|kind| ["IHDR", "IDAT", "IEND"].contains(&kind.as_str())), "{name}: {chunks:?}");
        let jpeg = rendered(&photo, &sized(256, Format::Jpeg)).bytes;
        let segments = jpeg_segments(&jpeg);
        // JFIF header, quantisation, frame, Huffman tables, scan. No other application segment, no comment.
        assert!(segments.iter().all(|kind| [0xe0, 0xdb, 0xc0, 0xc4, 0xda].contains(kind)), "{name}: {segments:02x?}");
        assert_eq!(segments.iter().filter(|kind| **kind == 0xe0).count(), 1, "{name}");
    }
}

fn png_chunks(png: &[u8]) -> Vec<String> {
    let mut rest = &png[8..];
    let mut kinds = Vec::new();
    while let [a, b, c, d, kind @ ..] = rest {
        kinds.push(String::from_utf8(kind[..4].to_vec()).unwrap());
        rest = &rest[12 + u32::from_be_bytes([*a, *b, *c, *d]) as usize..];
    }
    kinds
}

/// Up to and with the scan, behind which there must be only the end.
fn jpeg_segments(jpeg: &[u8]) -> Vec<u8> {
    let mut at = 2;
    let mut kinds = Vec::new();
    while kinds.last() != Some(&0xda) {
        assert_eq!(jpeg[at], 0xff);
        kinds.push(jpeg[at + 1]);
        at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
    }
    let end = at + jpeg[at..].windows(2).position(|pair| pair == [0xff, 0xd9]).unwrap();
    assert_eq!(end + 2, jpeg.len());
    kinds
}

#[test]
fn the_recipe_is_what_decides_about_the_bytes() {
    let settings = Resize::default();
    insta::assert_snapshot!(settings.recipe(), @"size=256 crop=center format=png background=#ffffff");
    let other =
        Resize { size: 128, format: Format::Jpeg, background: Rgb([10, 11, 12]), smallest: 1, crop: Crop::Center };
    insta::assert_snapshot!(other.recipe(), @"size=128 crop=center format=jpeg background=#0a0b0c");
    assert_eq!(Resize { smallest: 1, ..settings.clone() }.recipe(), settings.recipe());
}
