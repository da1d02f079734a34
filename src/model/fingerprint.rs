//! What a placement remembers of its picture: enough to see that another one stands there, in 64 bits.
//!
//! Owns: the fingerprint and when a picture fits it. Leaves to others: the 256 grey values that it is made of ([`Luma`]).
//! A newcomer gets wrong: it stands in the state for good, so it must tell nothing about a face; it proves that a picture
//! is *another* one, and says of a fitting one only that nothing speaks against it.

use super::Luma;

/// The mean grey of 4 x 4 fields, four bits each, the first field in the highest ones.
#[derive(Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(u64);

/// Fields a side.
const FIELDS: usize = 4;
/// Grey values a side of one field.
const FIELD: usize = Luma::SIDE / FIELDS;
/// Grey values in one field, and so sums of them in one of its 16 levels.
const VALUES: u32 = (FIELD * FIELD) as u32;
/// How far all sums together may lie outside their levels. Encoding a portrait again and scaling it takes them to 40; of two
/// portraits of different people out of forty, the nearest are 325 apart.
const FITS_WITHIN: u32 = 150;

impl Fingerprint {
    /// As the state keeps it.
    pub fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }

    /// For the state.
    pub fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// Whether the picture can be the one that the fingerprint was taken of.
    pub fn fits(self, seen: &Luma) -> bool {
        let apart: u32 = sums(seen).zip(0..).map(|(sum, field)| self.outside(field, sum)).sum();
        apart <= FITS_WITHIN
    }

    /// How far a field's sum lies outside the level that it had.
    fn outside(self, field: u32, sum: u32) -> u32 {
        let level = (self.0 >> (60 - 4 * field)) as u32 & 0xf;
        let (low, high) = (level * 16 * VALUES, (level + 1) * 16 * VALUES - 1);
        low.saturating_sub(sum) + sum.saturating_sub(high)
    }
}

impl Luma {
    /// What of it may stay in the state.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(sums(self).fold(0, |bits, sum| bits << 4 | u64::from(sum / (16 * VALUES))))
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fingerprint({:016x})", self.0)
    }
}

/// The sum of the grey values of each field.
fn sums(luma: &Luma) -> impl Iterator<Item = u32> + '_ {
    (0..FIELDS * FIELDS).map(|field| {
        let (row, column) = (field / FIELDS * FIELD, field % FIELDS * FIELD);
        let lines = luma.values().chunks_exact(Luma::SIDE).skip(row).take(FIELD);
        lines.flat_map(|line| &line[column..column + FIELD]).map(|value| u32::from(*value)).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luma(value: impl Fn(usize) -> u8) -> Luma {
        Luma::from_values((0..256).map(value).collect()).unwrap()
    }

    #[test]
    fn a_picture_fits_its_own_fingerprint_and_one_a_little_off() {
        let slope = luma(|at| at as u8);
        for grey in 0..=255 {
            let plain = luma(|_| grey);
            assert!(plain.fingerprint().fits(&plain), "{grey}");
            let noisy = luma(|at| grey.saturating_add((at % 3) as u8));
            assert!(plain.fingerprint().fits(&noisy) || grey % 16 == 15, "{grey}");
        }
        assert!(slope.fingerprint().fits(&slope));
        let bytes = slope.fingerprint().to_bytes();
        assert_eq!(Fingerprint::from_bytes(bytes), slope.fingerprint());
    }

    #[test]
    fn another_picture_does_not_fit() {
        let slope = luma(|at| at as u8);
        let turned = luma(|at| 255 - at as u8);
        let one_corner = luma(|at| if at % 16 < 4 && at < 64 { 255 } else { at as u8 });
        for other in [&turned, &one_corner, &luma(|_| 128)] {
            assert!(!slope.fingerprint().fits(other), "{other:?}");
        }
        assert!(!luma(|_| 40).fingerprint().fits(&luma(|_| 90)));
    }
}
