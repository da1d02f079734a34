//! JPEGs that cost what photographs cost.

use std::fmt::Write as _;
use std::io::Cursor;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

/// As cameras and directories write them.
const QUALITY: u8 = 87;

/// So many pictures and the table that names them, as a `folder` source wants it.
pub(crate) fn lay(folder: &str, count: u32, side: u32) {
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder).expect("a folder for the pictures");
    let photo = jpeg(side);
    let mut table = "id,email,photo\n".to_owned();
    for nth in 0..count {
        std::fs::write(folder.join(format!("{nth}.jpg")), marked(&photo, nth)).expect("a picture");
        _ = writeln!(table, "{nth},person{nth:06}@contoso.example,{nth}.jpg");
    }
    std::fs::write(folder.join("people.csv"), table).expect("a table");
}

/// Slopes, edges, and the noise of a sensor: about 17 KB at 240 px, as portraits have.
pub(crate) fn jpeg(side: u32) -> Vec<u8> {
    let scale = 255.0 / side as f32;
    let picture = RgbImage::from_fn(side, side * 3 / 4, |x, y| {
        let noise = f32::from(blake3::hash(&[x.to_le_bytes(), y.to_le_bytes()].concat()).as_bytes()[0]) / 16.0;
        let (x, y) = (x as f32 * scale, y as f32 * scale);
        let edge = if (x - 128.0).hypot(y - 96.0) < 60.0 { 70.0 } else { 0.0 };
        let wave = (x / 9.0).sin() * (y / 7.0).cos() * 20.0;
        let level = |base: f32| (base + edge + wave + noise).clamp(0.0, 255.0) as u8;
        Rgb([level(x * 0.5), level(y * 0.5), level((x + y) * 0.25)])
    });
    let mut bytes = Vec::new();
    picture
        .write_with_encoder(JpegEncoder::new_with_quality(Cursor::new(&mut bytes), QUALITY))
        .expect("a picture in memory");
    bytes
}

/// The same picture in other bytes: a comment after the first marker, so that nobody can render it once for all.
pub(crate) fn marked(jpeg: &[u8], nth: u32) -> Vec<u8> {
    let (start, rest) = jpeg.split_at(2);
    let comment = format!("{nth:08}");
    let length = u16::try_from(comment.len() + 2).expect("a short comment");
    [start, &[0xff, 0xfe], &length.to_be_bytes(), comment.as_bytes(), rest].concat()
}
