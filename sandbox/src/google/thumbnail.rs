//! The small picture that the API makes of an uploaded one.

use bytes::Bytes;

/// What the API makes of an uploaded picture: a JPEG of 96 by 96 (docs/wire/google-directory.md §3.1).
pub(super) fn thumbnail(bytes: &[u8]) -> Result<Bytes, String> {
    let picture = image::load_from_memory(bytes).map_err(|e| format!("no picture: {e}"))?;
    let small = picture.resize_to_fill(96, 96, image::imageops::FilterType::Triangle).into_rgb8();
    let mut out = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, 85);
    small.write_with_encoder(encoder).map_err(|e| e.to_string())?;
    Ok(out.into())
}
