//! What must be refused, and why; and that nothing panics.

use proptest::prelude::*;

use super::fixtures::{GOOD, photo, rendered, sized};
use crate::settings::{Format, Resize};
use crate::transform::{DecodeLimits, Refusal, luma, memory_needed, render};

fn refusal(photo: &[u8], limits: &DecodeLimits) -> Refusal {
    render(photo, &Resize::default(), None, limits).expect_err("it should have been refused")
}

#[test]
fn bad_photos_are_refused_for_the_right_reason() {
    for (name, code, words) in [
        ("bad-bomb-30000x30000.png", "too_wide", "30000 x 30000 pixels; no side may be longer than 16384"),
        ("bad-empty.jpg", "empty", "0 bytes"),
        ("bad-header-only.jpg", "truncated", "cut off"),
        ("bad-html-login-page.jpg", "not_a_picture", "an HTML page"),
        ("bad-truncated.jpg", "truncated", "cut off"),
        ("one-pixel.gif", "too_small", "1 x 1 pixels; the shorter side must have at least 48"),
        ("tiny-40.jpg", "too_small", "40 x 40"),
    ] {
        let refusal = refusal(&photo(name), &DecodeLimits::default());
        assert_eq!(refusal.code(), code, "{name}");
        assert!(refusal.to_string().contains(words), "{name}: {refusal}");
    }
}

#[test]
fn every_bad_photo_of_the_folder_is_in_the_table_above() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/photos");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let bad: Vec<String> = names.filter(|name| name.starts_with("bad-")).collect();
    assert_eq!(bad.len(), 5);
    for name in bad {
        refusal(&photo(&name), &DecodeLimits::default());
        assert_eq!(luma(&photo(&name), &DecodeLimits::default()), None, "{name}");
    }
}

#[test]
fn limits_hold_before_decoding() {
    let default = DecodeLimits::default();
    for (name, limits, code) in [
        ("square-648.jpg", DecodeLimits { bytes: 95_000, ..default.clone() }, "too_many_bytes"),
        ("square-648.jpg", DecodeLimits { side: 647, ..default.clone() }, "too_wide"),
        ("panorama-5to1.jpg", DecodeLimits { side: 599, ..default.clone() }, "too_wide"),
        ("square-648.jpg", DecodeLimits { pixels: 648 * 648 - 1, ..default.clone() }, "too_many_pixels"),
        ("square-648.jpg", DecodeLimits { memory: 3 * 648 * 648 - 1, ..default.clone() }, "needs_too_much_memory"),
        ("progressive.jpg", DecodeLimits { memory: 6 * 640 * 427, ..default.clone() }, "needs_too_much_memory"),
        ("animated.gif", DecodeLimits { memory: 4 * 120 * 80 - 1, ..default.clone() }, "needs_too_much_memory"),
        ("photo.webp", DecodeLimits { memory: 7 * 300 * 200 - 1, ..default.clone() }, "needs_too_much_memory"),
        ("alpha.png", DecodeLimits { memory: 4 * 451 * 300 - 1, ..default.clone() }, "needs_too_much_memory"),
    ] {
        assert_eq!(refusal(&photo(name), &limits).code(), code, "{name} {limits:?}");
    }
    for name in GOOD {
        let photo = photo(name);
        let exactly =
            DecodeLimits { bytes: photo.len(), memory: memory_needed(&photo, &default).unwrap(), ..default.clone() };
        assert!(render(&photo, &Resize::default(), None, &exactly).is_ok(), "{name}");
    }
}

/// A header that promises a gigabyte must cost nothing. The JPEG has no pixels at all, the GIF one byte of them.
#[test]
fn a_giant_s_header_is_enough_to_refuse_it() {
    let mut jpeg = photo("square-96.jpg");
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    // A frame of 16,000 x 16,000 on a screen of 64 x 64: the frame is the picture.
    let mut framed = b"GIF89a\x40\0\x40\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    framed.extend(b",\0\0\0\0\x80\x3e\x80\x3e\0\x02\x02\x4c\x01\0;");
    let mut gif = b"GIF89a\x80\x3e\x80\x3e\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    gif.extend(b",\0\0\0\0\x80\x3e\x80\x3e\0\x02\x02\x4c\x01\0;");
    let bmp =
        [&b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"[..], b"\x80\x3e\0\0\x80\x3e\0\0\x01\0\x08\0\x01", &[0; 2000]]
            .concat();
    for (name, photo, code) in [
        ("jpeg", jpeg, "too_wide"),
        ("gif", gif, "too_many_pixels"),
        ("gif, its frame", framed, "too_many_pixels"),
        ("bmp", bmp, "too_many_pixels"),
    ] {
        assert_eq!(refusal(&photo, &DecodeLimits::default()).code(), code, "{name}");
        assert_eq!(memory_needed(&photo, &DecodeLimits::default()).unwrap_err().code(), code, "{name}");
    }
}

#[test]
fn kinds_of_jpeg_that_nobody_has_are_named() {
    for (marker, code) in [(0xc9, "unsupported_format"), (0xc3, "unsupported_format")] {
        let mut photo = photo("square-96.jpg");
        let frame = photo.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        photo[frame + 1] = marker;
        let refusal = refusal(&photo, &DecodeLimits::default());
        assert_eq!(refusal.code(), code, "{marker:02x}: {refusal}");
        assert!(refusal.to_string().starts_with("JPEG ("), "{refusal}");
    }
}

/// Whatever is cut off is refused, unless all pixels were there; then the rendition is the whole photo's.
#[test]
fn a_cut_off_photo_is_never_shown_in_part() {
    for name in ["square-96.jpg", "progressive.jpg", "cmyk.jpg", "palette.png", "photo.webp", "animated.gif"] {
        let photo = photo(name);
        let settings = sized(16, Format::Png);
        let whole = rendered(&photo, &settings);
        for cut in (0..24).map(|step| photo.len() * step / 24).chain(photo.len() - 16..photo.len()) {
            match render(&photo[..cut], &settings, None, &DecodeLimits::default()) {
                Ok(part) => assert_eq!(part, whole, "{name} cut off at {cut}"),
                Err(Refusal::Empty) => assert_eq!(cut, 0, "{name}"),
                Err(refusal) => assert_eq!(refusal, Refusal::Truncated, "{name} cut off at {cut}"),
            }
        }
    }
}

#[test]
fn the_scaled_decoder_is_as_strict() {
    let photo = photo("phone-12mp-exif-rotated-gps.jpg");
    for cut in [photo.len() / 2, photo.len() - 1] {
        assert_eq!(refusal(&photo[..cut], &DecodeLimits::default()), Refusal::Truncated);
    }
}

#[test]
fn codes_are_words_and_differ() {
    let refusals = [
        Refusal::Empty,
        Refusal::NotAPicture { found: String::new() },
        Refusal::UnsupportedFormat { format: String::new() },
        Refusal::TooManyBytes { found: 2, allowed: 1 },
        Refusal::TooManyPixels { width: 1, height: 1, allowed: 1 },
        Refusal::TooWide { width: 1, height: 1, allowed: 1 },
        Refusal::NeedsTooMuchMemory { width: 1, height: 1, needed: 2, allowed: 1 },
        Refusal::Truncated,
        Refusal::Damaged(String::new()),
        Refusal::TooSmall { width: 1, height: 1, smallest: 2 },
    ];
    let mut codes: Vec<&str> = refusals.iter().map(Refusal::code).collect();
    codes.sort_unstable();
    insta::assert_snapshot!(
        codes.join(" "),
        @"damaged empty needs_too_much_memory not_a_picture too_many_bytes too_many_pixels too_small too_wide truncated unsupported_format"
    );
}

/// Any answer will do, as long as there is one and a success can be read.
fn survives(photo: &[u8]) {
    let limits = DecodeLimits { pixels: 1_000_000, memory: 8 << 20, ..DecodeLimits::default() };
    if let Ok(rendered) = render(photo, &sized(24, Format::Png), None, &limits) {
        super::fixtures::read(&rendered);
    }
    let _ = memory_needed(photo, &limits);
}

const MAGIC: [&[u8]; 6] = [
    b"",
    b"BM....\0\0\0\0\x36\0\0\0\x28\0\0\0",
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"RIFF\x40\0\0\0WEBPVP8 ",
];
const SMALL: [&str; 8] = [
    "square-96.jpg",
    "tiny-40.jpg",
    "grayscale.jpg",
    "progressive.jpg",
    "palette.png",
    "animated.gif",
    "photo.webp",
    "icc-srgb.jpg",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_survived(magic in 0..MAGIC.len(), rest in prop::collection::vec(any::<u8>(), 0..512)) {
        survives(&[MAGIC[magic], &rest].concat());
    }

    #[test]
    fn mutated_photos_are_survived(
        name in 0..SMALL.len(),
        early in prop::collection::vec((0..800usize, any::<u8>()), 0..4),
        anywhere in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        kept in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut photo = photo(SMALL[name]);
        let length = photo.len();
        for (at, byte) in early.into_iter().chain(anywhere.into_iter().map(|(at, byte)| (at.index(length), byte))) {
            photo[at] = byte;
        }
        photo.truncate(kept.map_or(length, |kept| kept.index(length)));
        survives(&photo);
    }
}
