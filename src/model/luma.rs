//! What a picture looks like, small enough to keep in a journal.
//!
//! Owns: the grey values, and when two pictures fit. Leaves to others: taking them of a picture (`transform`).
//! A newcomer gets wrong: fitting is no proof that two pictures are one; it says that nothing speaks against it.

use serde::{Deserialize, Serialize};

/// 16 x 16 grey values of a picture: enough to tell portraits apart, too little to recognise anybody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Luma(Vec<u8>);

impl Luma {
    /// Side of the square, in values.
    pub const SIDE: usize = 16;
    /// Two pictures fit when their grey values differ by no more than this on average. Re-encoding and scaling a
    /// portrait moves it by 1 to 3, two different portraits differ by 15 and more.
    pub const FITS_WITHIN: f64 = 6.0;
    /// And no single value by more than this: another face before the same wall moves few of them, but far. Scaling a hard
    /// edge from 48 pixels to 256 moves one by up to 22.
    pub const FITS_EACH: u8 = 32;

    /// From 256 grey values, row by row; `None` for any other number.
    pub fn from_values(values: Vec<u8>) -> Option<Self> {
        (values.len() == Self::SIDE * Self::SIDE).then_some(Self(values))
    }

    /// The 256 grey values, row by row.
    pub fn values(&self) -> &[u8] {
        &self.0
    }

    /// Mean absolute difference of the grey values, 0 to 255.
    pub fn distance(&self, other: &Self) -> f64 {
        let sum: u32 = self.0.iter().zip(&other.0).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        f64::from(sum) / (Self::SIDE * Self::SIDE) as f64
    }

    /// Whether both can be renditions of the same photo.
    pub fn fits(&self, other: &Self) -> bool {
        self.distance(other) <= Self::FITS_WITHIN
            && self.0.iter().zip(&other.0).all(|(a, b)| a.abs_diff(*b) <= Self::FITS_EACH)
    }
}

impl std::fmt::Debug for Luma {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mean = self.0.iter().map(|v| u32::from(*v)).sum::<u32>() / (Self::SIDE * Self::SIDE) as u32;
        write!(f, "Luma(mean {mean})")
    }
}
