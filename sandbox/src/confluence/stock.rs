//! The pictures that Confluence brings along.
//!
//! Owns: their names, which of them is the default, and their pixels.
//! Leaves to others: who shows which (`store`), serving them (`web`).
//! A newcomer gets wrong: the default's other name is not served.

use bytes::Bytes;

use super::version::{Release, Version};

/// Where the pictures of Confluence itself lie.
pub(super) const STOCK_FOLDER: &str = "/images/icons/profilepics/";
/// What people can choose there.
pub(super) const STOCK: [&str; 6] =
    ["Avatar-01.svg", "Avatar-02.svg", "Avatar-03.svg", "Avatar-04.svg", "Avatar-05.svg", "Avatar-06.svg"];

pub(super) fn default_of(version: Version, switched: &str) -> &str {
    if switched == "version" { version.default_picture() } else { switched }
}

/// A picture of Confluence itself; none if there is no such file. The default's other name is not served.
pub(super) fn drawn(file: &str, default: &str) -> Option<(Bytes, &'static str)> {
    let colour = match STOCK.iter().position(|known| *known == file) {
        Some(nth) => ["#00875a", "#de350b", "#5243aa", "#ff991f", "#0065ff", "#00a3bf"][nth],
        None if file == default => "#97a0af",
        None if file == "anonymous.svg" => "#c1c7d0",
        None => return None,
    };
    if file.ends_with(".png") {
        return Some((grey_png(), "image/png"));
    }
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"48\" height=\"48\" viewBox=\"0 0 48 48\"><rect width=\"48\" \
         height=\"48\" fill=\"{colour}\"/><circle cx=\"24\" cy=\"18\" r=\"8\" fill=\"#fff\"/><circle cx=\"24\" cy=\"46\" \
         r=\"16\" fill=\"#fff\"/></svg>"
    );
    Some((svg.into(), "image/svg+xml"))
}

fn grey_png() -> Bytes {
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(48, 48, image::Rgb([151, 160, 175]))
        .write_to(&mut png, image::ImageFormat::Png)
        .expect("a plain picture is always encodable into memory");
    png.into_inner().into()
}
