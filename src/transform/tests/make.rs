//! Pictures put together byte by byte.
//!
//! Owns: just enough of each format to say odd things in it. Leaves to others: what becomes of them (`odd`).
//! A newcomer gets wrong: what an encoder would not write is the point here, so no encoder is used where it would object.

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::fixtures::{jpeg_of, photo};

/// A photo of the folder.
pub(super) fn fixture(name: &str) -> Vec<u8> {
    photo(name)
}

pub(super) fn zeros(count: usize) -> Vec<u8> {
    vec![0; count]
}

pub(super) fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(bytes).unwrap();
    zlib.finish().unwrap()
}

/// Zeros that take so many MB once they are inflated.
pub(super) fn bomb(megabytes: usize) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    for _ in 0..megabytes {
        zlib.write_all(&zeros(1_000_000)).unwrap();
    }
    zlib.finish().unwrap()
}

// --- JPEG

/// 96 x 64 pixels that ask to be turned.
pub(super) fn jpeg_turned(orientation: u8) -> Vec<u8> {
    jpeg_of((96, 64), orientation, &[120; 96 * 64 * 3])
}

/// A small photo with these segments behind its first bytes.
pub(super) fn jpeg_with(segments: &[u8]) -> Vec<u8> {
    let photo = photo("square-96.jpg");
    [&photo[..2], segments, &photo[2..]].concat()
}

pub(super) fn segment(marker: u8, head: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(2 + head.len() + body.len()).unwrap().to_be_bytes();
    [&[0xff, marker][..], &length, head, body].concat()
}

/// A small photo with another kind of frame, and with the frame (marker, length, bits, height, width) changed.
pub(super) fn jpeg_frame(marker: u8, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut photo = photo("square-96.jpg");
    let frame = photo.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    photo[frame + 1] = marker;
    change(&mut photo[frame..]);
    photo
}

/// Four components, of which the first three are said to be YCC.
pub(super) fn jpeg_ycck() -> Vec<u8> {
    let photo = photo("cmyk.jpg");
    let adobe = segment(0xee, b"Adobe", &[0, 100, 0, 0, 0, 0, 2]);
    let old = photo.windows(7).position(|bytes| bytes.starts_with(&[0xff, 0xee]) && bytes.ends_with(b"Ado"));
    let rest = match old {
        Some(at) => [&photo[2..at], &photo[at + 2 + usize::from(photo[at + 3])..]].concat(),
        None => photo[2..].to_vec(),
    };
    [&photo[..2], &adobe, &rest].concat()
}

/// 95 parts of a profile that is none.
pub(super) fn jpeg_huge_profile() -> Vec<u8> {
    let parts = (1..=95).map(|nth| segment(0xe2, &[b"ICC_PROFILE\0", &[nth, 95][..]].concat(), &zeros(65_000)));
    jpeg_with(&parts.collect::<Vec<_>>().concat())
}

// --- PNG

/// The header of a PNG.
#[derive(Clone, Copy)]
pub(super) struct Ihdr {
    pub width: u32,
    pub height: u32,
    pub depth: u8,
    pub colour: u8,
    pub interlaced: u8,
}

impl Ihdr {
    /// 64 x 64 pixels of 8-bit RGB.
    pub(super) const RGB: Self = Self { width: 64, height: 64, depth: 8, colour: 2, interlaced: 0 };
}

pub(super) fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(kind);
    sum.update(body);
    [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], kind, body, &sum.sum().to_be_bytes()].concat()
}

/// A PNG with these chunks before its pixels; `pixels` are deflated already. None: no pixels at all.
pub(super) fn png_file(header: Ihdr, chunks: &[u8], pixels: &[u8]) -> Vec<u8> {
    let Ihdr { width, height, depth, colour, interlaced } = header;
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour, 0, 0, interlaced]].concat();
    let pixels = if pixels.is_empty() { Vec::new() } else { chunk(b"IDAT", pixels) };
    [b"\x89PNG\r\n\x1a\n", &chunk(b"IHDR", &head)[..], chunks, &pixels, &chunk(b"IEND", b"")].concat()
}

/// 64 x 64 black pixels with these chunks.
pub(super) fn png_with(chunks: &[u8]) -> Vec<u8> {
    png_file(Ihdr::RGB, chunks, &deflated(&zeros(64 * 193)))
}

/// 12 megapixels of grey.
pub(super) fn png_large() -> Vec<u8> {
    let header = Ihdr { width: 4_000, height: 3_000, colour: 0, ..Ihdr::RGB };
    png_file(header, &[], &deflated(&zeros((4_000 + 1) * 3_000)))
}

/// Two frames, of which the first is the picture.
pub(super) fn apng() -> Vec<u8> {
    let frame = |nth: u8| [&[0, 0, 0, nth, 0, 0, 0, 64, 0, 0, 0, 64][..], &[0; 8], &[0, 1, 0, 10, 0, 0]].concat();
    let pixels = deflated(&zeros(64 * 193));
    let before = [chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]), chunk(b"fcTL", &frame(0))].concat();
    let mut photo = png_file(Ihdr::RGB, &before, &pixels);
    photo.truncate(photo.len() - 12);
    let after = [chunk(b"fcTL", &frame(1)), chunk(b"fdAT", &[&[0, 0, 0, 2][..], &pixels].concat())].concat();
    [photo, after, chunk(b"IEND", b"")].concat()
}

// --- BMP

/// The header of Windows 3 and these pixels.
pub(super) fn bmp(width: i32, height: i32, bits: u16, coding: u32, pixels: &[u8]) -> Vec<u8> {
    let palette = if bits == 8 { vec![9; 1024] } else { Vec::new() };
    let start = u32::try_from(54 + palette.len()).unwrap().to_le_bytes();
    let size = u32::try_from(pixels.len()).unwrap().to_le_bytes();
    let head =
        [&b"BM"[..], &[0; 8], &start, &[40, 0, 0, 0], &width.to_le_bytes(), &height.to_le_bytes(), &[1, 0]].concat();
    let head = [&head[..], &bits.to_le_bytes(), &coding.to_le_bytes(), &size, &[0; 16]].concat();
    [&head[..], &palette, pixels].concat()
}

// --- GIF

/// A canvas with frames at these places and of these sizes; the pixels are of one frame of 1 x 1.
pub(super) fn gif(width: u16, height: u16, frames: &[(u16, u16, u16, u16)]) -> Vec<u8> {
    let word = |value: u16| value.to_le_bytes();
    let mut photo = [b"GIF89a", &word(width)[..], &word(height), &[0x80, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff]].concat();
    for (left, top, width, height) in frames {
        let place = [*left, *top, *width, *height].map(word).concat();
        // 3 bits a code to begin with: clear, one pixel, end.
        let pixels = lzw(usize::from(*width) * usize::from(*height));
        photo.extend([&b","[..], &place, b"\0\x02", &pixels].concat());
    }
    photo.push(b';');
    photo
}

/// So many pixels of colour 0, at most a row of a small picture, in 3-bit codes with a clear before each pixel.
fn lzw(pixels: usize) -> Vec<u8> {
    let codes = (0..pixels.min(8000)).flat_map(|_| [4_u8, 0]).chain([5]);
    let bits: Vec<u8> = codes.flat_map(|code| [code & 1, code >> 1 & 1, code >> 2]).collect();
    let bytes: Vec<u8> = bits.chunks(8).map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | bit)).collect();
    let blocks = bytes.chunks(255).flat_map(|block| [&[block.len() as u8][..], block].concat());
    blocks.chain([0]).collect()
}

// --- WebP

/// A RIFF file of these chunks.
pub(super) fn riff(chunks: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
    let body: Vec<u8> = chunks.iter().flat_map(|(kind, body)| part(kind, body)).collect();
    let size = u32::try_from(4 + body.len()).unwrap().to_le_bytes();
    [b"RIFF", &size[..], b"WEBP", &body].concat()
}

fn part(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let padding = &[0][..body.len() % 2];
    [kind, &u32::try_from(body.len()).unwrap().to_le_bytes()[..], body, padding].concat()
}

/// Lossless, one colour.
pub(super) fn webp(width: u32, height: u32) -> Vec<u8> {
    let mut photo = Cursor::new(Vec::new());
    let encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut photo);
    let pixels = zeros((width * height * 3) as usize);
    encoder.encode(&pixels, width, height, image::ExtendedColorType::Rgb8).unwrap();
    photo.into_inner()
}

/// 12 megapixels.
pub(super) fn webp_large() -> Vec<u8> {
    webp(4_000, 3_000)
}

/// The same with another size in its header (VP8L: 14 bits each, less one).
pub(super) fn webp_claims(mut photo: Vec<u8>, size: Option<(u32, u32)>) -> Vec<u8> {
    if let Some((width, height)) = size {
        let bits = (width - 1) | (height - 1) << 14;
        photo[21..25].copy_from_slice(&bits.to_le_bytes());
    }
    photo
}

/// The pixels of a lossless file alone.
pub(super) fn vp8l(width: u32, height: u32) -> Vec<u8> {
    let photo = webp(width, height);
    assert_eq!(&photo[12..16], b"VP8L");
    photo[20..].to_vec()
}

/// Two frames of 64 x 64 on a canvas of this size.
pub(super) fn webp_moving(width: u32, height: u32) -> Vec<u8> {
    let three = |value: u32| value.to_le_bytes()[..3].to_vec();
    let canvas = [&[0x02, 0, 0, 0][..], &three(width - 1), &three(height - 1)].concat();
    let frame = [&[0; 6][..], &three(63), &three(63), &three(100), &[0], &part(b"VP8L", &vp8l(64, 64))].concat();
    riff(&[(*b"VP8X", canvas), (*b"ANIM", zeros(6)), (*b"ANMF", frame.clone()), (*b"ANMF", frame)])
}
