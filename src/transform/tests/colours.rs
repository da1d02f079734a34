//! Embedded profiles.

use moxcms::{ColorProfile, Layout, TransformOptions};
use proptest::prelude::*;

use super::fixtures::{close, photo, png, png_of, psnr, read, rendered};
use crate::settings::{Resize, Rgb};

/// Every combination of six values a channel.
fn patches() -> Vec<[u8; 3]> {
    let steps = [0, 20, 77, 128, 200, 255];
    let pairs = steps.into_iter().flat_map(move |r| steps.map(move |g| (r, g)));
    pairs.flat_map(|(r, g)| steps.map(|b| [r, g, b])).collect()
}

/// The colours that come out for each patch in these profile's colours.
fn converted(profile: &[u8], colour: png::ColorType, patches: &[[u8; 3]]) -> Vec<[u8; 3]> {
    let channels = colour.samples();
    patches
        .chunks(64)
        .flat_map(|patches| {
            let row: Vec<u8> =
                patches.iter().flat_map(|patch| [*patch, [255; 3]].concat()[..channels].to_vec()).collect();
            let mut row = row;
            row.resize(64 * channels, 255);
            let samples = row.repeat(64);
            let picture = png(&png_of((64, 64), colour, png::BitDepth::Eight, Some(profile), &samples), 64);
            (0..patches.len() as u32).map(move |x| picture.get_pixel(x, 0).0).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn wide_colours_become_srgb() {
    let patches = patches();
    let srgb = ColorProfile::new_srgb();
    for (name, profile) in [
        ("Display P3", ColorProfile::new_display_p3()),
        ("Adobe RGB", ColorProfile::new_adobe_rgb()),
        ("ProPhoto", ColorProfile::new_pro_photo_rgb()),
    ] {
        let theirs =
            profile.create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, TransformOptions::default()).unwrap();
        let mut wanted = vec![0; patches.len() * 3];
        theirs.transform(patches.as_flattened(), &mut wanted).unwrap();
        let profile = profile.encode().unwrap();
        let found = converted(&profile, png::ColorType::Rgb, &patches);
        for ((patch, found), wanted) in patches.iter().zip(&found).zip(wanted.chunks_exact(3)) {
            assert!(close(*found, [wanted[0], wanted[1], wanted[2]], 2), "{name} {patch:?}: {found:?}, not {wanted:?}");
        }
        assert_ne!(found, patches, "{name}");
    }
}

/// Worked out by hand from the primaries: pure P3 green lies outside sRGB, half of it at (0, 131, 0) after clipping.
#[test]
fn display_p3_is_converted_as_its_primaries_say() {
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let linear = |value: u8| {
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let encoded = |value: f64| {
        let value = value.clamp(0.0, 1.0);
        let value = if value <= 0.003_130_8 { value * 12.92 } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
        (value * 255.0).round() as u8
    };
    // From P3-D65 to sRGB, both linear (CSS Color 4, sample code for color conversions).
    let matrix =
        [[1.224_940_2, -0.224_940_2, 0.0], [-0.042_056_9, 1.042_056_9, 0.0], [-0.019_637_6, -0.078_636_1, 1.098_273_6]];
    let patches = patches();
    for (patch, found) in patches.iter().zip(converted(&profile, png::ColorType::Rgb, &patches)) {
        let light = patch.map(linear);
        let wanted = matrix.map(|row: [f64; 3]| encoded(row.iter().zip(light).map(|(m, l)| m * l).sum()));
        assert!(close(found, wanted, 2), "{patch:?}: {found:?}, not {wanted:?}");
    }
}

#[test]
fn srgb_stays_as_it_is() {
    let patches = patches();
    let profile = ColorProfile::new_srgb().encode().unwrap();
    for (patch, found) in patches.iter().zip(converted(&profile, png::ColorType::Rgb, &patches)) {
        assert!(close(found, *patch, 1), "{patch:?}: {found:?}");
    }
    let with = photo("icc-srgb.jpg");
    let without = without_profile(&with);
    assert!(without.len() < with.len());
    let (with, without) = (png(&with, 256), png(&without, 256));
    assert!(with.pixels().zip(without.pixels()).all(|(with, without)| close(with.0, without.0, 2)));
    let pairs = with.iter().zip(without.iter()).map(|(with, without)| (f64::from(*with), f64::from(*without)));
    assert!(psnr(pairs) > 50.0);
}

/// The same JPEG without its APP2 segment.
fn without_profile(photo: &[u8]) -> Vec<u8> {
    let start = photo.windows(4).position(|bytes| bytes[..2] == [0xff, 0xe2]).unwrap();
    let length = usize::from(u16::from_be_bytes([photo[start + 2], photo[start + 3]]));
    [&photo[..start], &photo[start + 2 + length..]].concat()
}

#[test]
fn grey_profiles_bend_the_curve() {
    let linear = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
    let found = converted(&linear, png::ColorType::Grayscale, &[[0; 3], [55; 3], [128; 3], [255; 3]]);
    // 55/255 of the light is sRGB 128.
    for (found, wanted) in found.into_iter().zip([0, 128, 188, 255]) {
        assert!(close(found, [wanted; 3], 1), "{found:?}, not {wanted}");
    }
}

#[test]
fn transparent_photos_are_converted_before_they_are_laid_on_the_background() {
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let opaque = converted(&profile, png::ColorType::Rgba, &[[200, 100, 50]]);
    assert_eq!(opaque, converted(&profile, png::ColorType::Rgb, &[[200, 100, 50]]));
    let clear = [200, 100, 50, 0].repeat(64 * 64);
    let clear = png_of((64, 64), png::ColorType::Rgba, png::BitDepth::Eight, Some(&profile), &clear);
    let background = Rgb([200, 100, 50]);
    let picture = read(&rendered(&clear, &Resize { background, ..Resize::default() }));
    assert!(picture.pixels().all(|pixel| pixel.0 == background.0));
}

#[test]
fn a_broken_profile_is_ignored() {
    let p3 = ColorProfile::new_display_p3().encode().unwrap();
    let cmyk_named = [&p3[..16], b"CMYK", &p3[20..]].concat();
    let patches = [[200, 100, 50], [0, 255, 0]];
    for profile in [&b"no profile"[..], &[0; 200], &p3[..100], &p3[..130], &cmyk_named] {
        assert_eq!(converted(profile, png::ColorType::Rgb, &patches), patches, "{} bytes", profile.len());
    }
    // A grey profile says nothing about red, green and blue.
    let grey = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
    assert_eq!(converted(&grey, png::ColorType::Rgb, &patches), patches);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_profiles_refuse_no_photo(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        kept in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut profile = ColorProfile::new_display_p3().encode().unwrap();
        for (at, byte) in changes {
            let at = at.index(profile.len());
            profile[at] = byte;
        }
        profile.truncate(kept.map_or(profile.len(), |kept| kept.index(profile.len())));
        converted(&profile, png::ColorType::Rgb, &[[200, 100, 50]]);
    }
}
