//! Whether two pictures are the same one: what a server serves, and the rendition that is wanted there.
//!
//! Owns: the comparison in colour, field by field, and its bounds.
//! Leaves to others: decoding both (`render.rs`), what follows from it (`plan`), pictures that are no longer at hand
//! ([`Luma::fits`](crate::model::Luma::fits)).
//! A newcomer gets wrong: a mean hides a caption, and a plain bound on each field takes every scaled edge for another
//! picture. Scaling mixes a field with those around it and makes no value that none of them has; so a field may lie as far
//! off as they reach, and hardly farther.

use super::looks;
use super::pixels::RgbSquare;

/// Fields a side at most: letters of ten pixels show in them at 256.
const FIELDS: u32 = 64;
/// Pixels a side that a field has at least, so that a server's rounding of each pixel does not count.
const PIXELS: u32 = 2;
/// Fields a side that tell a shade on a part of the picture.
const COARSE: u32 = 8;
/// What a server scales to at least (Jira's and Confluence's pictures have 48 pixels).
const SERVED: u32 = 48;
/// How far a field may lie outside of those around it: what JPEG at quality 75 adds to a hard edge.
const BEYOND: i32 = 12;

/// How far two pictures may be apart, in steps of 255.
struct Bounds {
    /// On average, in each channel.
    mean: u32,
    /// In each of the coarse fields, in each channel.
    coarse: u32,
    /// Beyond the fields around it, beside [`BEYOND`]: this part of what they span.
    span: i32,
}

/// Measured on 32 portraits and logos: JPEG at quality 75 with 4:2:0 stays within 1.5, 3 and none; a hue turned by 15
/// degrees or 5 % more light breaks the first or second, letters of 8 pixels or a dot of 4 the third.
const STORED: Bounds = Bounds { mean: 2, coarse: 4, span: 10 };
/// Made from 48 to 500 pixels by linear, cubic and Lanczos filters, then JPEG at quality 75: 2.8, 8 and a quarter.
const SCALED: Bounds = Bounds { mean: 3, coarse: 8, span: 4 };

/// Whether both show the same. `sides` are those of the encoded pictures, of which the squares may be smaller copies.
pub(super) fn alike(ours: &RgbSquare, theirs: &RgbSquare, sides: [u32; 2]) -> bool {
    let [of_ours, of_theirs] = sides;
    if of_theirs < of_ours.min(SERVED) {
        return false;
    }
    let bounds = if of_ours == of_theirs { STORED } else { SCALED };
    let fine = (of_ours.min(of_theirs) / PIXELS).clamp(1, FIELDS);
    // Colours are compared on half as many fields: JPEG keeps them at half the size.
    let colours = fine.div_ceil(2);
    let [ours_fine, theirs_fine] = [ours, theirs].map(|square| Grid::new(square, fine).grey());
    let [ours_colours, theirs_colours] = [ours, theirs].map(|square| Grid::new(square, colours));
    let [ours_coarse, theirs_coarse] = [ours, theirs].map(|square| Grid::new(square, COARSE.min(fine)));
    ours_colours.mean_within(&theirs_colours, bounds.mean)
        && ours_coarse.each_within(&theirs_coarse, bounds.coarse)
        && ours_fine.reaches(&theirs_fine, bounds.span)
        && ours_colours.reaches(&theirs_colours, bounds.span)
}

/// Mean colours of the fields, row by row.
struct Grid {
    side: usize,
    fields: Vec<[u8; 3]>,
}

impl Grid {
    fn new(square: &RgbSquare, side: u32) -> Self {
        let side = side as usize;
        Self { side, fields: looks::fields(square, side) }
    }

    /// Its luma three times, so that grey and colours are compared by the same code.
    fn grey(self) -> Self {
        let fields = self.fields.into_iter().map(|[r, g, b]| [looks::grey(r, g, b); 3]);
        Self { side: self.side, fields: fields.collect() }
    }

    fn differences(&self, other: &Self) -> impl Iterator<Item = [u32; 3]> {
        let pairs = self.fields.iter().zip(&other.fields);
        pairs.map(|(a, b)| std::array::from_fn(|channel| u32::from(a[channel].abs_diff(b[channel]))))
    }

    fn mean_within(&self, other: &Self, mean: u32) -> bool {
        let sums = self
            .differences(other)
            .fold([0; 3], |sums: [u32; 3], apart| std::array::from_fn(|channel| sums[channel] + apart[channel]));
        let most = mean * self.fields.len() as u32;
        sums.into_iter().all(|sum| sum <= most)
    }

    fn each_within(&self, other: &Self, most: u32) -> bool {
        self.differences(other).flatten().all(|apart| apart <= most)
    }

    /// Whether each field of either lies among those around it in the other.
    fn reaches(&self, other: &Self, span: i32) -> bool {
        (0..self.side * self.side).all(|at| {
            let (mine, theirs) = (self.around(at), other.around(at));
            (0..3).all(|channel| {
                let [(low, high), (other_low, other_high)] = [mine[channel], theirs[channel]];
                let slack = BEYOND + (high - low).max(other_high - other_low) / span;
                let [value, other_value] = [self, other].map(|grid| i32::from(grid.fields[at][channel]));
                (low - slack..=high + slack).contains(&other_value)
                    && (other_low - slack..=other_high + slack).contains(&value)
            })
        })
    }

    /// The least and the greatest value of a field and of the eight around it, for each channel.
    fn around(&self, at: usize) -> [(i32, i32); 3] {
        let (row, column) = (at / self.side, at % self.side);
        let near = |line: usize| line.saturating_sub(1)..(line + 2).min(self.side);
        let mut found = [(255, 0); 3];
        for field in near(row).flat_map(|row| near(column).map(move |column| row * self.side + column)) {
            for ((low, high), value) in found.iter_mut().zip(self.fields[field]) {
                *low = i32::from(value).min(*low);
                *high = i32::from(value).max(*high);
            }
        }
        found
    }
}
