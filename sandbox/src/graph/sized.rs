//! A photo in one of its sizes (docs/wire/microsoft-graph.md §3.2).
//!
//! Owns: which sizes there are, their pixels and their change markers.
//! Leaves to others: how they are told (`photos`).
//! A newcomer gets wrong: a photo held in the directory alone has no named sizes, and no size beyond its own is invented.

use std::io::Cursor;

use axum::body::Bytes;
use image::imageops::FilterType;

use crate::entra::world::PhotoStore;
use crate::entra::{LivePerson, PhotoFile};

/// The named sizes of photos in mailboxes (§3.2).
pub(super) const SIZES: [u32; 9] = [48, 64, 96, 120, 240, 360, 432, 504, 648];
/// Photos beyond this are not scaled: the world's decompression bomb must not go off here.
const MOST_PIXELS: u64 = 50_000_000;

/// A photo in one of its sizes.
pub(super) struct Sized<'a> {
    pub(super) live: &'a LivePerson,
    pub(super) file: &'a PhotoFile,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) whole: bool,
}

/// The photo in the size asked for, or its largest; none where there is no such size.
pub(super) fn sized<'a>(live: &'a LivePerson, file: &'a PhotoFile, size: Option<&str>) -> Option<Sized<'a>> {
    // What no decoder can measure was accepted on upload once: it counts as a photo of the largest size.
    let (width, height) = if file.size == (0, 0) { (648, 648) } else { file.size };
    let whole = Sized { live, file, width, height, whole: true };
    let Some(size) = size else { return Some(whole) };
    let (w, h) = size.split_once(['x', 'X'])?;
    let (w, h) = (w.parse::<u32>().ok()?, h.parse::<u32>().ok()?);
    if (w, h) == (width, height) {
        return Some(whole);
    }
    let exists = live.person.store == PhotoStore::Mailbox && w == h && SIZES.contains(&w) && w <= width.min(height);
    exists.then_some(Sized { width: w, height: h, whole: false, ..whole })
}

impl Sized<'_> {
    pub(super) fn content_type(&self) -> &'static str {
        if self.whole { self.file.content_type } else { "image/jpeg" }
    }

    pub(super) fn etag(&self) -> String {
        if self.whole {
            return self.file.etag.clone();
        }
        blake3::hash(format!("{}{}", self.file.etag, self.width).as_bytes()).to_hex().to_string()
    }

    pub(super) fn bytes(&self) -> Bytes {
        if self.whole {
            return self.file.bytes();
        }
        scaled(self.file, self.width).unwrap_or_else(|| self.file.bytes())
    }
}

/// The centre square of a photo at another size, as JPEG.
fn scaled(file: &PhotoFile, side: u32) -> Option<Bytes> {
    if u64::from(file.size.0) * u64::from(file.size.1) > MOST_PIXELS {
        return None;
    }
    let decoded = image::load_from_memory(&file.bytes()).ok()?;
    let small = decoded.resize_to_fill(side, side, FilterType::Triangle).into_rgb8();
    let mut out = Cursor::new(Vec::new());
    small.write_to(&mut out, image::ImageFormat::Jpeg).ok()?;
    Some(out.into_inner().into())
}
