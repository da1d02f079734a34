//! Odd pictures: one table of what becomes of each, and what each may cost.
//!
//! Owns: pictures that nobody uploads by accident, made here, and their class. Leaves to others: inventing more (`fuzzing`).
//! A newcomer gets wrong: the kernel counts the memory, so the pictures are read in a process of their own.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::process::Command;

use super::make::{self, Ihdr, chunk, deflated, gif, png_file, riff, zeros};
use crate::settings::Resize;
use crate::transform::{DecodeLimits, Refusal, luma, memory_needed, render};

/// What becomes of a photo; the words of `fallback`, and `unknown`, which changes nothing (promise P2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Rendered,
    Unreadable,
    TooSmall,
    Unknown,
}
use Class::{Rendered, TooSmall, Unknown, Unreadable};

fn class<T: Debug>(outcome: &Result<T, Refusal>) -> Class {
    match outcome.as_ref().map_err(Refusal::code) {
        Ok(_) => Rendered,
        Err("empty" | "not_a_picture") => Unknown,
        Err("too_small") => TooSmall,
        Err(_) => Unreadable,
    }
}

/// Name, class, bytes.
type Row = (&'static str, Class, fn() -> Vec<u8>);

const JPEG: [Row; 27] = [
    ("jpeg, a second frame", Unreadable, || {
        make::jpeg_with(&make::segment(0xc0, &[8, 0, 64, 0, 64, 1, 1, 0x11, 0], &[]))
    }),
    ("jpeg, two components", Unreadable, || make::jpeg_frame(0xc0, |frame| frame[9] = 2)),
    ("jpeg, 15 MB of strays", Rendered, || make::jpeg_with(&[make::segment(0xfe, &[], &[]), zeros(15 << 20)].concat())),
    ("jpeg turned by 1", Rendered, || make::jpeg_turned(1)),
    ("jpeg turned by 2", Rendered, || make::jpeg_turned(2)),
    ("jpeg turned by 3", Rendered, || make::jpeg_turned(3)),
    ("jpeg turned by 4", Rendered, || make::jpeg_turned(4)),
    ("jpeg turned by 5", Rendered, || make::jpeg_turned(5)),
    ("jpeg turned by 6", Rendered, || make::jpeg_turned(6)),
    ("jpeg turned by 7", Rendered, || make::jpeg_turned(7)),
    ("jpeg turned by 8", Rendered, || make::jpeg_turned(8)),
    ("jpeg turned by 0", Rendered, || make::jpeg_turned(0)),
    ("jpeg turned by 255", Rendered, || make::jpeg_turned(255)),
    ("jpeg, progressive", Rendered, || make::fixture("progressive.jpg")),
    ("jpeg, CMYK", Rendered, || make::fixture("cmyk.jpg")),
    ("jpeg, YCCK", Rendered, make::jpeg_ycck),
    ("jpeg, arithmetic coding", Unreadable, || make::jpeg_frame(0xc9, |_| {})),
    ("jpeg, lossless", Unreadable, || make::jpeg_frame(0xc3, |_| {})),
    ("jpeg, 12 bits", Unreadable, || make::jpeg_frame(0xc1, |frame| frame[4] = 12)),
    ("jpeg, 65535 x 65535", Unreadable, || make::jpeg_frame(0xc0, |frame| frame[5..9].fill(0xff))),
    ("jpeg, 16384 x 3000 without its pixels", Unreadable, || {
        make::jpeg_frame(0xc2, |frame| frame[5..9].copy_from_slice(&[0x0b, 0xb8, 0x40, 0]))
    }),
    ("jpeg, 0 wide", Unreadable, || make::jpeg_frame(0xc0, |frame| frame[7..9].fill(0))),
    ("jpeg, 0 high", Unreadable, || make::jpeg_frame(0xc0, |frame| frame[5..7].fill(0))),
    ("jpeg, 6 MB of EXIF", Rendered, || make::jpeg_with(&make::segment(0xe1, b"Exif\0\0", &zeros(65_000)).repeat(95))),
    ("jpeg, 6 MB of broken profile", Rendered, make::jpeg_huge_profile),
    ("jpeg, a profile that counts wrong", Rendered, || {
        make::jpeg_with(&make::segment(0xe2, b"ICC_PROFILE\0\x09\x02", &zeros(300)).repeat(3))
    }),
    ("jpeg and then something else", Rendered, || [make::fixture("square-96.jpg"), zeros(9000)].concat()),
];

const PNG: [Row; 27] = [
    ("png, cut off behind its pixels", Rendered, || {
        let mut photo = png_file(Ihdr::RGB, &[], &deflated(&zeros(64 * 193)));
        photo.truncate(photo.len() - 12);
        photo
    }),
    ("png, 0 x 0", Unreadable, || png_file(Ihdr { width: 0, height: 0, ..Ihdr::RGB }, &[], &deflated(&[0]))),
    ("png, 1 x 1", TooSmall, || png_file(Ihdr { width: 1, height: 1, ..Ihdr::RGB }, &[], &deflated(&[0; 4]))),
    ("png, 65535 x 65535", Unreadable, || {
        png_file(Ihdr { width: 65_535, height: 65_535, ..Ihdr::RGB }, &[], &deflated(&[0; 99]))
    }),
    ("png, sides of four billion", Unreadable, || {
        png_file(Ihdr { width: u32::MAX, height: u32::MAX, ..Ihdr::RGB }, &[], &deflated(&[0; 99]))
    }),
    ("png, 16 bits", Rendered, || png_file(Ihdr { depth: 16, ..Ihdr::RGB }, &[], &deflated(&zeros(64 * (64 * 6 + 1))))),
    ("png, 12 megapixels of grey", Rendered, make::png_large),
    ("png, 49 megapixels of 16 bits with alpha", Unreadable, || {
        png_file(Ihdr { width: 16_384, height: 3_000, depth: 16, colour: 6, interlaced: 0 }, &[], &deflated(&[0]))
    }),
    ("png, one bit", Rendered, || {
        png_file(Ihdr { colour: 0, depth: 1, ..Ihdr::RGB }, &[], &deflated(&zeros(64 * (8 + 1))))
    }),
    ("png, palette with transparency", Rendered, || {
        let extra = [chunk(b"PLTE", &[9; 6]), chunk(b"tRNS", &[0, 128])].concat();
        png_file(Ihdr { colour: 3, ..Ihdr::RGB }, &extra, &deflated(&zeros(64 * 65)))
    }),
    ("png, palette without a palette", Unreadable, || {
        png_file(Ihdr { colour: 3, ..Ihdr::RGB }, &[], &deflated(&zeros(64 * 65)))
    }),
    ("png, colours that the palette has not", Rendered, || {
        png_file(
            Ihdr { colour: 3, ..Ihdr::RGB },
            &chunk(b"PLTE", &[9; 6]),
            &deflated(&[&[0][..], &[7; 64]].concat().repeat(64)),
        )
    }),
    ("png, more transparency than palette", Rendered, || {
        let extra = [chunk(b"PLTE", &[9; 6]), chunk(b"tRNS", &[1; 300])].concat();
        png_file(Ihdr { colour: 3, ..Ihdr::RGB }, &extra, &deflated(&zeros(64 * 65)))
    }),
    ("png, interlaced", Rendered, || {
        png_file(Ihdr { interlaced: 1, ..Ihdr::RGB }, &[], &deflated(&zeros(64 * 64 * 3 + 200)))
    }),
    ("png, a colour type that is none", Unreadable, || {
        png_file(Ihdr { colour: 5, ..Ihdr::RGB }, &[], &deflated(&zeros(9)))
    }),
    ("png, pixels that inflate to 90 MB", Rendered, || png_file(Ihdr::RGB, &[], &make::bomb(90))),
    ("png, a profile that inflates to 90 MB", Rendered, || {
        make::png_with(&chunk(b"iCCP", &[b"bomb\0\0".to_vec(), make::bomb(90)].concat()))
    }),
    ("png, a profile of nonsense", Rendered, || {
        make::png_with(&chunk(b"iCCP", &[b"x\0\0".to_vec(), deflated(b"no profile at all")].concat()))
    }),
    ("png, a text that inflates to 90 MB", Rendered, || {
        make::png_with(&chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\x01\0\0\0".to_vec(), make::bomb(90)].concat()))
    }),
    ("png, a thousand texts that inflate", Rendered, || {
        make::png_with(&chunk(b"zTXt", &[b"x\0\0".to_vec(), make::bomb(3)].concat()).repeat(1000))
    }),
    ("png, 15 MB of text", Rendered, || {
        make::png_with(&chunk(b"tEXt", &[b"x\0".to_vec(), vec![b'a'; 15 << 20]].concat()))
    }),
    ("png, a chunk of four billion bytes", Unreadable, || {
        let mut photo = make::png_with(&chunk(b"tEXt", b"x\0y"));
        photo[33..37].copy_from_slice(&[0xff; 4]);
        photo
    }),
    ("png, moving", Rendered, make::apng),
    ("png, a wrong sum", Unreadable, || {
        let mut photo = png_file(Ihdr::RGB, &[], &deflated(&zeros(64 * 193)));
        photo[29] ^= 1;
        photo
    }),
    ("png, turned", Rendered, || {
        make::png_with(&chunk(b"eXIf", b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"))
    }),
    ("png, EXIF that points at itself", Rendered, || {
        make::png_with(&chunk(b"eXIf", b"MM\0\x2a\0\0\0\x08\xff\xff\0\0\0\x08"))
    }),
    ("png, no pixels", Unreadable, || png_file(Ihdr::RGB, &[], &[])),
];

const BMP: [Row; 6] = [
    ("bmp, 24 bits", Rendered, || make::bmp(64, 64, 24, 0, &zeros(64 * 64 * 3))),
    ("bmp, 12 megapixels of 32 bits", Rendered, || make::bmp(4_000, 1_000, 32, 0, &zeros(4_000 * 1_000 * 4))),
    ("bmp, runs of 16384 x 3000", Rendered, || make::bmp(16_384, 3_000, 8, 1, &[0, 1])),
    ("bmp, 16384 x 3000 without its pixels", Unreadable, || make::bmp(16_384, 3_000, 24, 0, &[])),
    ("bmp, sides of two billion", Unreadable, || make::bmp(i32::MAX, i32::MAX, 24, 0, &[])),
    ("bmp, a JPEG inside", Unreadable, || make::bmp(64, 64, 0, 4, &make::fixture("square-96.jpg"))),
];

const GIF_AND_WEBP: [Row; 19] = [
    ("gif, a screen of 0 x 0", Rendered, || gif(0, 0, &[(0, 0, 64, 64)])),
    ("gif, a frame far beyond every screen", Unreadable, || gif(64, 64, &[(65_000, 65_000, 64, 64)])),
    ("gif, 0 x 0", Unreadable, || gif(0, 0, &[(0, 0, 0, 0)])),
    ("gif, moving", Rendered, || make::fixture("animated.gif")),
    ("gif, no frames", Unreadable, || gif(64, 64, &[])),
    ("gif, a frame beyond its edge", Rendered, || gif(64, 64, &[(60, 60, 64, 64)])),
    ("gif, a frame of no size", Unreadable, || gif(64, 64, &[(0, 0, 0, 0)])),
    ("gif, a frame larger than the picture", Unreadable, || gif(64, 64, &[(0, 0, 16_000, 16_000)])),
    ("gif, 12 megapixels", Rendered, || gif(4_000, 3_000, &[(0, 0, 1, 1)])),
    ("gif, 65535 x 65535", Unreadable, || gif(65_535, 65_535, &[(0, 0, 1, 1)])),
    ("webp, lossy", Rendered, || make::fixture("photo.webp")),
    ("webp, lossless", Rendered, || make::webp(64, 64)),
    ("webp, 12 megapixels", Rendered, || make::webp_claims(make::webp_large(), None)),
    ("webp, 16383 x 16383 without its pixels", Unreadable, || {
        make::webp_claims(make::webp(64, 64), Some((16_383, 16_383)))
    }),
    ("webp, moving", Rendered, || make::webp_moving(64, 64)),
    ("webp, moving, 16 million wide", Unreadable, || make::webp_moving(1 << 24, 1)),
    ("webp, a profile of four billion bytes", Unreadable, || {
        let flags = [&[0x20, 0, 0, 0][..], &[63, 0, 0, 63, 0, 0]].concat();
        let mut photo = riff(&[(*b"VP8X", flags), (*b"ICCP", zeros(64))]);
        photo[34..38].copy_from_slice(&[0xf0, 0xff, 0xff, 0xff]);
        photo
    }),
    ("webp, 15 MB of profile", Rendered, || {
        let flags = [&[0x20, 0, 0, 0][..], &[63, 0, 0, 63, 0, 0]].concat();
        riff(&[(*b"VP8X", flags), (*b"ICCP", zeros(15 << 20)), (*b"VP8L", make::vp8l(64, 64))])
    }),
    ("webp, nothing inside", Unreadable, || riff(&[])),
];

const PRETENDERS: [Row; 13] = [
    ("bmp, a header alone", Unreadable, || b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec()),
    ("tiff", Unreadable, || b"II\x2a\0\x08\0\0\0".to_vec()),
    ("heic", Unreadable, || b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec()),
    ("avif", Unreadable, || b"\0\0\0\x1cftypavif\0\0\0\0mif1avif".to_vec()),
    ("svg", Unreadable, || {
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"file:///etc/passwd\"/></svg>".to_vec()
    }),
    ("html", Unknown, || b"<!doctype html><title>Log in</title>".to_vec()),
    ("json", Unknown, || b"{\"error\":\"no\"}".to_vec()),
    ("xml", Unknown, || b"<?xml version=\"1.0\"?><Error/>".to_vec()),
    ("pdf", Unknown, || b"%PDF-1.7\n".to_vec()),
    ("zip", Unknown, || b"PK\x03\x04".to_vec()),
    ("nothing", Unknown, Vec::new),
    ("zeros", Unknown, || zeros(4096)),
    ("17 MB of a picture", Unreadable, || [make::fixture("square-96.jpg"), zeros(17 << 20)].concat()),
];

fn rows() -> Vec<Row> {
    [&JPEG[..], &PRETENDERS, &PNG, &GIF_AND_WEBP, &BMP].concat()
}

#[test]
fn every_odd_picture_has_its_class() {
    let names: BTreeSet<&str> = rows().iter().map(|(name, ..)| *name).collect();
    assert_eq!(names.len(), rows().len(), "two of one name");
    let mut wrong = Vec::new();
    for (name, wanted, made) in rows() {
        let photo = made();
        let rendered = render(&photo, &Resize::default(), None, &DecodeLimits::default());
        if class(&rendered) != wanted {
            wrong.push(format!("{name}: {wanted:?} expected, found {:?}", rendered.map(|rendered| rendered.side)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Beside what is charged for a photo: its own bytes twice, tables and the rendition.
const BESIDE: u64 = 24 << 20;

#[test]
fn no_picture_takes_more_memory_than_is_charged_for_it() {
    let test = std::env::current_exe().unwrap();
    let child = Command::new(test)
        .args(["--exact", "transform::tests::odd::reads_every_picture", "--ignored", "--nocapture"])
        // What is freed goes back at once, so that it does not hide what the next picture takes (mallopt(3)).
        .env("MALLOC_MMAP_THRESHOLD_", "65536")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&child.stdout);
    let mut wrong = Vec::new();
    for (name, _, made) in rows() {
        let line = printed.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let took = line.and_then(|line| line.parse::<u64>().ok());
        let took = took.unwrap_or_else(|| panic!("{name}: {}\n{printed}", String::from_utf8_lossy(&child.stderr)));
        let photo = made();
        let charged = memory_needed(&photo, &DecodeLimits::default()).unwrap_or(0);
        let allowed = charged + 2 * photo.len() as u64 + BESIDE;
        if took > allowed {
            wrong.push(format!("{name}: {} MiB, allowed {} MiB", took >> 20, allowed >> 20));
        }
        assert!(charged <= DecodeLimits::default().memory, "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A number of `/proc/self/status`, in bytes.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
#[ignore = "the child of another test"]
fn reads_every_picture() {
    for (name, _, made) in rows() {
        let (photo, limits) = (made(), DecodeLimits::default());
        // Making it may have cost more than reading it: the kernel forgets the peak on this word (proc(5), clear_refs).
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = status("VmRSS");
        let (rendered, looked) = (render(&photo, &Resize::default(), None, &limits), luma(&photo, &limits));
        // What is too small for a rendition can be looked at all the same.
        assert!(looked.is_some() || rendered.is_err(), "{name}");
        println!("\n{name}: {}", status("VmHWM").saturating_sub(before));
    }
}
