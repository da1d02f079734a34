//! What the first bytes say a file is.
//!
//! Owns: the magic numbers. Leaves to others: whether the rest keeps the promise (`header`, the decoders).
//! A newcomer gets wrong: a login page is often served under `.jpg` with status 200; names and media types say nothing.

use super::{DecodeLimits, Refusal};

/// A kind of picture that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ImageKind {
    Jpeg,
    Png,
    Gif,
    WebP,
    Bmp,
}

/// The kind of a photo, or why it is refused before anything of it is parsed.
pub(super) fn kind(photo: &[u8], limits: &DecodeLimits) -> Result<ImageKind, Refusal> {
    if photo.is_empty() {
        return Err(Refusal::Empty);
    }
    if photo.len() > limits.bytes {
        return Err(Refusal::TooManyBytes { found: photo.len(), allowed: limits.bytes });
    }
    match photo {
        [0xff, 0xd8, 0xff, ..] => Ok(ImageKind::Jpeg),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Ok(ImageKind::Png),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(ImageKind::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(ImageKind::WebP),
        [b'B', b'M', ..] if is_bmp(photo) => Ok(ImageKind::Bmp),
        _ => Err(stranger(photo)),
    }
}

fn stranger(photo: &[u8]) -> Refusal {
    if let Some(format) = unread_format(photo) {
        return Refusal::UnsupportedFormat { format: format.to_owned() };
    }
    Refusal::NotAPicture { found: describe(photo) }
}

/// Two letters begin many texts, too; so the reserved bytes or the size of the second header must be right.
fn is_bmp(photo: &[u8]) -> bool {
    let reserved = photo.get(6..10);
    let header = photo.get(14..18).and_then(|size| <[u8; 4]>::try_from(size).ok()).map(u32::from_le_bytes);
    reserved == Some(&[0; 4]) || matches!(header, Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124))
}

/// Pictures that people do have and we do not read.
fn unread_format(photo: &[u8]) -> Option<&'static str> {
    match photo {
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some("TIFF"),
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Some("JPEG XL"),
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => Some("JPEG 2000"),
        [0, 0, 1, 0, 1..=255, 0, ..] => Some("ICO (Windows icon)"),
        [0, 0, 2, 0, 1..=255, 0, ..] => Some("CUR (Windows cursor)"),
        [b'i', b'c', b'n', b's', ..] => Some("ICNS (Apple icon)"),
        [b'8', b'B', b'P', b'S', ..] => Some("PSD (Photoshop)"),
        [b'q', b'o', b'i', b'f', ..] => Some("QOI"),
        [b'g', b'i', b'm', b'p', b' ', b'x', b'c', b'f', ..] => Some("XCF (GIMP)"),
        [b'P', b'1'..=b'6', b'\n' | b' ' | b'\r' | b'\t', b'#' | b'0'..=b'9', ..] => Some("PNM"),
        [_, _, _, _, b'f', b't', b'y', b'p', brands @ ..] => container(photo, brands),
        _ if is_svg(photo) => Some("SVG"),
        _ => None,
    }
}

/// What an ISO base media file holds (ISO/IEC 23008-12): its own brand, a version, and those that it is read as.
fn container(photo: &[u8], brands: &[u8]) -> Option<&'static str> {
    let length = photo.get(..4).and_then(|length| <[u8; 4]>::try_from(length).ok()).map(u32::from_be_bytes)?;
    let brands = brands.get(..(length as usize).saturating_sub(8).min(64)).unwrap_or(brands);
    brands
        .chunks_exact(4)
        .find_map(|brand| match brand {
            b"avif" | b"avis" => Some("AVIF"),
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => Some("HEIC"),
            _ => None,
        })
        // A general brand alone is mostly Apple's.
        .or_else(|| matches!(brands.get(..4), Some(b"mif1" | b"msf1" | b"heif")).then_some("HEIF"))
}

/// Whether the file opens with the tag of SVG, behind declarations and comments.
fn is_svg(photo: &[u8]) -> bool {
    let mut text = visible_start(photo);
    loop {
        if starts_with_tag(text, "svg") || starts_with_tag(text, "!doctype svg") {
            return true;
        }
        let end: &[u8] = match text {
            [b'<', b'?', ..] => b"?>",
            [b'<', b'!', b'-', b'-', ..] => b"-->",
            _ => return false,
        };
        let Some(at) = text.windows(end.len()).take(4096).position(|found| found == end) else { return false };
        text = text[at + end.len()..].trim_ascii_start();
    }
}

/// The first bytes in words. Never the text itself: what an error page says can hold a token (promise P7).
fn describe(photo: &[u8]) -> String {
    let text = visible_start(photo);
    match text {
        _ if starts_with_tag(photo, "!doctype html") || starts_with_tag(photo, "html") => {
            "an HTML page, most likely a sign-in or error page".to_owned()
        }
        [b'<', ..] => "markup (XML or HTML)".to_owned(),
        [b'%', b'P', b'D', b'F', ..] => "a PDF document".to_owned(),
        [b'P', b'K', 3, 4, ..] => "a ZIP archive or Office document".to_owned(),
        [0x1f, 0x8b, ..] => "gzip-compressed data".to_owned(),
        [b'{' | b'[', ..] => "a JSON document".to_owned(),
        _ if !text.is_empty() && photo.iter().take(64).all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 32..=126)) => {
            "plain text".to_owned()
        }
        _ => {
            let start: Vec<String> = photo.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            format!("the bytes {}", start.join(" "))
        }
    }
}

/// Whether the file, after a byte order mark and white space, opens with this tag.
fn starts_with_tag(photo: &[u8], tag: &str) -> bool {
    match visible_start(photo) {
        [b'<', rest @ ..] => rest.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes())),
        _ => false,
    }
}

fn visible_start(photo: &[u8]) -> &[u8] {
    photo.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(photo).trim_ascii_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(photo: &[u8]) -> String {
        match kind(photo, &DecodeLimits::default()) {
            Ok(kind) => format!("{kind:?}"),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn the_first_bytes_tell_what_a_file_is() {
        let bmp = b"BM\x36\x00\x00\x00\x00\x00\x00\x00\x36\x00";
        for (photo, wanted) in [
            (&b"\xff\xd8\xff\xe0"[..], "Jpeg"),
            (b"\x89PNG\r\n\x1a\n", "Png"),
            (b"GIF89a", "Gif"),
            (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "WebP"),
            (b"", "empty"),
            (b"\xef\xbb\xbf\r\n <!DOCTYPE HTML><html>", "an HTML page"),
            (b"<HTML><head>", "an HTML page"),
            (b"<?xml version='1.0'?>", "markup"),
            (b"<svg xmlns=", "SVG"),
            (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- drawn -->\n<svg xmlns=", "SVG"),
            (b"<!DOCTYPE svg PUBLIC", "SVG"),
            (b"<?xml version='1.0'?><!-- <svg> -->", "markup"),
            (b"%PDF-1.7", "a PDF document"),
            (b"PK\x03\x04", "a ZIP archive"),
            (b"{\"error\":{}}", "a JSON document"),
            (b"Not found\n", "plain text"),
            (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08", "the bytes 00 01 02 03 04 05 06 07;"),
            (bmp, "Bmp"),
            (b"BM\x36\0\0\0word\x36\0\0\0\x28\0\0\0", "Bmp"),
            (b"BMW is not a picture", "plain text"),
            (b"\x00\x00\x00\x18ftypheic", "HEIC"),
            (b"\x00\x00\x00\x18ftypavif", "AVIF"),
            (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avif", "AVIF"),
            (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1heic", "HEIC"),
            (b"\x00\x00\x00\x14ftypmif1\x00\x00\x00\x00mif1", "HEIF"),
            (b"\x00\x00\x00\x18ftypisom", "the bytes"),
            (b"\x00\x00\x01\x00\x01\x00", "ICO"),
            (b"8BPS\x00\x01", "PSD"),
            (b"P6\n640 480\n255\n", "PNM"),
            (b"P6 is a parking place", "plain text"),
            (b"II\x2a\x00", "TIFF"),
            (b"\xff\xd8", "the bytes ff d8"),
        ] {
            let found = of(photo);
            assert!(found.contains(wanted), "{photo:02x?}: {found}");
        }
    }

    #[test]
    fn the_text_of_a_page_is_not_repeated() {
        let found = of(b"token=hunter2 please sign in");
        assert!(!found.contains("hunter2"), "{found}");
    }
}
