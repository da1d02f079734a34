//! What a picture looks like, in 16 x 16 grey values.
//!
//! Owns: the average of each of the 256 fields. Leaves to others: when two pictures fit ([`Luma::fits`]).
//! A newcomer gets wrong: it works on any side, 1 px included, and in whole numbers, so it is the same everywhere.

use super::pixels::RgbSquare;
use crate::model::Luma;

/// Pixels a side to which a picture is shrunk first; more would not show in 16 fields.
pub(super) const SIDE: u32 = 256;

/// The mean luma of each field, weighted by the area of each pixel that lies in it.
pub(super) fn of(square: &RgbSquare) -> Luma {
    let side = square.side as usize;
    let grey: Vec<u64> = square.data.chunks_exact(3).map(|pixel| luma(pixel[0], pixel[1], pixel[2])).collect();
    let fields = (0..Luma::SIDE).flat_map(|row| (0..Luma::SIDE).map(move |column| (row, column)));
    let values = fields.map(|(row, column)| {
        let sum: u64 = covered(row, side)
            .flat_map(|(y, height)| covered(column, side).map(move |(x, width)| (y * side + x, height * width)))
            .map(|(index, area)| grey[index] * area)
            .sum();
        // A field has side * side parts; each grey value is up to 255 * 1000.
        let parts = 1000 * (side * side) as u64;
        ((sum + parts / 2) / parts) as u8
    });
    Luma::from_values(values.collect()).expect("16 rows of 16 fields are 256 values")
}

/// Which pixels of a line a field covers, and how much of each. Both lines are cut into `side * 16` parts: a pixel has
/// 16 of them, a field `side`.
fn covered(field: usize, side: usize) -> impl Iterator<Item = (usize, u64)> + Clone {
    let (start, end) = (field * side, (field + 1) * side);
    (start / Luma::SIDE..end.div_ceil(Luma::SIDE)).map(move |pixel| {
        let (from, to) = (pixel * Luma::SIDE, (pixel + 1) * Luma::SIDE);
        (pixel, (to.min(end) - from.max(start)) as u64)
    })
}

/// Rec. 601, as in JPEG, in thousandths.
fn luma(r: u8, g: u8, b: u8) -> u64 {
    299 * u64::from(r) + 587 * u64::from(g) + 114 * u64::from(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(side: u32, colour: impl Fn(u32, u32) -> [u8; 3]) -> RgbSquare {
        let data = (0..side * side).flat_map(|index| colour(index % side, index / side)).collect();
        RgbSquare { side, data }
    }

    #[test]
    fn a_plain_picture_is_plain_at_every_size() {
        for side in [1, 2, 15, 16, 17, 48, 96, 255, 256] {
            for grey in [0, 1, 128, 254, 255] {
                let looks = of(&square(side, |_, _| [grey; 3]));
                assert!(looks.values().iter().all(|value| *value == grey), "{side} {grey}");
            }
        }
    }

    #[test]
    fn each_field_is_the_mean_of_its_area() {
        let halves = of(&square(24, |x, _| if x < 12 { [0; 3] } else { [255; 3] }));
        assert!(halves.values().chunks(16).all(|row| row[..8] == [0; 8] && row[8..] == [255; 8]));
        // Field 10 of 24 pixels covers pixels 15 and half of 16.
        let stripe = of(&square(24, |x, _| if x == 15 { [255; 3] } else { [0; 3] }));
        assert!(stripe.values().chunks(16).all(|row| row[9..12] == [0, 170, 0]));
        let colours = of(&square(3, |x, _| [[255, 0, 0], [0, 255, 0], [0, 0, 255]][x as usize]));
        assert_eq!([0, 8, 15].map(|column| colours.values()[column]), [76, 150, 29]);
    }
}
