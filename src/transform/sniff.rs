//! What the first bytes say a file is.
//!
//! Owns: the magic numbers. Leaves to others: whether the rest keeps the promise (`header`, the decoders).
//! A newcomer gets wrong: a login page is often served under `.jpg` with status 200; names and media types say nothing.

use super::{Limits, Refusal};

/// A kind of picture that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Jpeg,
    Png,
    Gif,
    WebP,
}

/// The kind of a photo, or why it is refused before anything of it is parsed.
pub(super) fn kind(photo: &[u8], limits: &Limits) -> Result<Kind, Refusal> {
    if photo.is_empty() {
        return Err(Refusal::Empty);
    }
    if photo.len() > limits.bytes {
        return Err(Refusal::TooManyBytes { found: photo.len(), allowed: limits.bytes });
    }
    match photo {
        [0xff, 0xd8, 0xff, ..] => Ok(Kind::Jpeg),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Ok(Kind::Png),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(Kind::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(Kind::WebP),
        _ => Err(stranger(photo)),
    }
}

fn stranger(photo: &[u8]) -> Refusal {
    if let Some(format) = unread_format(photo) {
        return Refusal::UnsupportedFormat { format: format.to_owned() };
    }
    Refusal::NotAPicture { found: describe(photo) }
}

/// Pictures that people do have and we do not read.
fn unread_format(photo: &[u8]) -> Option<&'static str> {
    match photo {
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Some("BMP"),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some("TIFF"),
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Some("JPEG XL"),
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] => Some("JPEG 2000"),
        [0, 0, 1, 0, 1..=255, 0, ..] => Some("Windows icon"),
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand.get(..4) {
            Some(b"avif" | b"avis") => Some("AVIF"),
            Some(b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1" | b"heim" | b"heis") => Some("HEIC"),
            _ => None,
        },
        _ if starts_with_tag(photo, "svg") => Some("SVG"),
        _ => None,
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
        match kind(photo, &Limits::default()) {
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
            (b"%PDF-1.7", "a PDF document"),
            (b"PK\x03\x04", "a ZIP archive"),
            (b"{\"error\":{}}", "a JSON document"),
            (b"Not found\n", "plain text"),
            (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08", "the bytes 00 01 02 03 04 05 06 07;"),
            (bmp, "BMP"),
            (b"BMW is not a picture", "plain text"),
            (b"\x00\x00\x00\x18ftypheic", "HEIC"),
            (b"\x00\x00\x00\x18ftypavif", "AVIF"),
            (b"\x00\x00\x00\x18ftypisom", "the bytes"),
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
