//! What a picture looks like, in 16 x 16 grey values or in more fields of colour.
//!
//! Owns: the average of each field. Leaves to others: when two pictures fit ([`Luma::fits`], `alike`).
//! A newcomer gets wrong: it works on any side, 1 px included, and in whole numbers, so it is the same everywhere.

use super::pixels::RgbSquare;
use crate::model::Luma;

/// Pixels a side to which a picture is shrunk first; more would not show in 16 fields.
pub(super) const SIDE: u32 = 256;

/// The mean luma of each field, weighted by the area of each pixel that lies in it.
pub(super) fn of(square: &RgbSquare) -> Luma {
    let grey: Vec<u64> = square.data.chunks_exact(3).map(|pixel| luma(pixel[0], pixel[1], pixel[2])).collect();
    // Each grey value is up to 255 * 1000.
    let values = means(square.side as usize, Luma::SIDE, |index| [grey[index]]).map(|[sum]| rounded(sum, 1000));
    Luma::from_values(values.collect()).expect("16 rows of 16 fields are 256 values")
}

/// The mean colour of each of `count * count` fields, in the same way.
pub(super) fn fields(square: &RgbSquare, count: usize) -> Vec<[u8; 3]> {
    let pixel = |index: usize| std::array::from_fn(|channel| u64::from(square.data[3 * index + channel]));
    means(square.side as usize, count, pixel).map(|means| means.map(|mean| rounded(mean, 1))).collect()
}

/// The mean of each field as a sum and the number of its parts.
fn means<const N: usize>(
    side: usize,
    count: usize,
    pixel: impl Fn(usize) -> [u64; N],
) -> impl Iterator<Item = [(u64, u64); N]> {
    let fields = (0..count).flat_map(move |row| (0..count).map(move |column| (row, column)));
    fields.map(move |(row, column)| {
        let mut sums = [0; N];
        for (y, height) in covered(row, count, side) {
            for (x, width) in covered(column, count, side) {
                for (sum, value) in sums.iter_mut().zip(pixel(y * side + x)) {
                    *sum += value * height * width;
                }
            }
        }
        // A field has side * side parts.
        sums.map(|sum| (sum, (side * side) as u64))
    })
}

fn rounded((sum, parts): (u64, u64), unit: u64) -> u8 {
    let parts = parts * unit;
    ((sum + parts / 2) / parts) as u8
}

/// Which pixels of a line a field covers, and how much of each. Both lines are cut into `side * count` parts: a pixel has
/// `count` of them, a field `side`.
fn covered(field: usize, count: usize, side: usize) -> impl Iterator<Item = (usize, u64)> + Clone {
    let (start, end) = (field * side, (field + 1) * side);
    (start / count..end.div_ceil(count)).map(move |pixel| {
        let (from, to) = (pixel * count, (pixel + 1) * count);
        (pixel, (to.min(end) - from.max(start)) as u64)
    })
}

/// The luma of a colour, 0 to 255.
pub(super) fn grey(r: u8, g: u8, b: u8) -> u8 {
    rounded((luma(r, g, b), 1), 1000)
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
