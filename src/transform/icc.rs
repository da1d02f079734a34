//! From the colours of an embedded ICC profile to sRGB.
//!
//! Owns: matrix and curve profiles (Display P3, Adobe RGB, every camera's and phone's) and grey curves, in whole numbers.
//! Leaves to others: reading the profile's tags (`moxcms`).
//! A newcomer gets wrong: `moxcms` could transform, too, but in floating point with fused multiplication where the
//! processor has it: other bytes on other machines (promise P6). Profiles that are tables, or of CMYK, are left aside.

use std::panic::catch_unwind;
use std::sync::LazyLock;

use moxcms::{ColorProfile, DataColorSpace, ToneReprCurve, Xyzd};

use super::exact::pow;
use super::pixels::{Channels, Pixels, RgbSquare};

/// Linear light runs from 0 to this.
const FULL: f64 = 65_535.0;
/// Binary digits behind the point in matrix entries.
const POINT: u32 = 16;
/// The white of every ICC profile (D50), to which its primaries add up.
const WHITE: [f64; 3] = [0.9642, 1.0, 0.8249];
/// A profile whose primaries miss the white by more describes nothing that exists.
const WHITE_WITHIN: f64 = 0.05;
/// The primaries of sRGB on D50, red, green, blue, as the profile of IEC 61966-2-1 has them: with it, the matrix is one.
const SRGB: [[f64; 3]; 3] = [
    [28_578.0 / FULL_ONE, 14_581.0 / FULL_ONE, 912.0 / FULL_ONE],
    [25_241.0 / FULL_ONE, 46_981.0 / FULL_ONE, 6_364.0 / FULL_ONE],
    [9_376.0 / FULL_ONE, 3_972.0 / FULL_ONE, 46_799.0 / FULL_ONE],
];
/// One in the profiles' own numbers (s15Fixed16).
const FULL_ONE: f64 = 65_536.0;

/// sRGB of each linear value.
static ENCODE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    // The linear value from which on each sRGB value but the first is nearer.
    let edges: Vec<u32> =
        (0..255u32).map(|value| (srgb_to_linear((f64::from(value) + 0.5) / 255.0) * FULL).ceil() as u32).collect();
    (0..=FULL as u32).map(|linear| edges.partition_point(|edge| *edge <= linear) as u8).collect()
});

fn srgb_to_linear(value: f64) -> f64 {
    if value <= 0.040_45 { value / 12.92 } else { pow((value + 0.055) / 1.055, 2.4) }
}

/// What a profile asks for.
enum Conversion {
    Grey(Curve),
    Rgb { curves: [Curve; 3], matrix: [[i64; 3]; 3] },
}

/// Linear light for each of the 256 values.
type Curve = Box<[i64; 256]>;

/// Brings a square to sRGB; without a profile, or with one that is broken or of another kind, the values stay.
pub(super) fn to_srgb(square: Pixels, profile: Option<&[u8]>) -> RgbSquare {
    let conversion = profile.and_then(Conversion::of);
    let Pixels { width: side, channels, mut data, .. } = square;
    let data = match (channels, conversion) {
        (Channels::Grey, Some(Conversion::Grey(curve))) => {
            data.iter().flat_map(|value| [encode(curve[usize::from(*value)]); 3]).collect()
        }
        (Channels::Grey, _) => data.iter().flat_map(|value| [*value; 3]).collect(),
        (Channels::Rgb, Some(Conversion::Rgb { curves, matrix })) => {
            data.chunks_exact_mut(3).for_each(|pixel| convert(pixel, &curves, &matrix));
            data
        }
        (Channels::Rgb, _) => data,
    };
    RgbSquare { side, data }
}

/// The same for pixels with transparency, in place.
pub(super) fn rgba_to_srgb(rgba: &mut [u8], profile: &[u8]) {
    match Conversion::of(profile) {
        Some(Conversion::Rgb { curves, matrix }) => {
            rgba.chunks_exact_mut(4).for_each(|pixel| convert(&mut pixel[..3], &curves, &matrix));
        }
        Some(Conversion::Grey(curve)) => {
            rgba.chunks_exact_mut(4).for_each(|pixel| {
                let grey = encode(curve[usize::from(pixel[0])]);
                pixel[..3].fill(grey);
            });
        }
        None => {}
    }
}

fn convert(pixel: &mut [u8], curves: &[Curve; 3], matrix: &[[i64; 3]; 3]) {
    let [r, g, b] = std::array::from_fn(|channel| curves[channel][usize::from(pixel[channel])]);
    for (value, [from_r, from_g, from_b]) in pixel.iter_mut().zip(matrix) {
        *value = encode((from_r * r + from_g * g + from_b * b + (1 << (POINT - 1))) >> POINT);
    }
}

fn encode(linear: i64) -> u8 {
    ENCODE[linear.clamp(0, FULL as i64) as usize]
}

impl Conversion {
    /// `None` where nothing is to be done, or nothing can be.
    fn of(profile: &[u8]) -> Option<Self> {
        // A profile is as foreign as the photo; if its parser gives up on it, the photo is still good.
        let profile = catch_unwind(|| ColorProfile::new_from_slice(profile).ok()).ok().flatten()?;
        match profile.color_space {
            DataColorSpace::Gray => Some(Self::Grey(curve(profile.gray_trc.as_ref()?)?)),
            DataColorSpace::Rgb => Some(Self::Rgb {
                curves: [
                    curve(profile.red_trc.as_ref()?)?,
                    curve(profile.green_trc.as_ref()?)?,
                    curve(profile.blue_trc.as_ref()?)?,
                ],
                matrix: to_srgb_matrix(profile.red_colorant, profile.green_colorant, profile.blue_colorant)?,
            }),
            _ => None,
        }
    }
}

fn curve(tone: &ToneReprCurve) -> Option<Curve> {
    let mut curve = Box::new([0; 256]);
    for (value, linear) in curve.iter_mut().enumerate() {
        let light = light(tone, value as f64 / 255.0)?;
        if !light.is_finite() {
            return None;
        }
        *linear = (light.clamp(0.0, 1.0) * FULL).round() as i64;
    }
    Some(curve)
}

/// ICC.1:2022 sections 10.6 (`curv`) and 10.18 (`para`).
fn light(tone: &ToneReprCurve, x: f64) -> Option<f64> {
    match tone {
        ToneReprCurve::Lut(table) => match table.as_slice() {
            [] => Some(x),
            [gamma] => Some(pow(x, f64::from(*gamma) / 256.0)),
            table => {
                let place = x * (table.len() - 1) as f64;
                let below = table.get(place.floor() as usize)?;
                let above = table.get(place.ceil() as usize)?;
                let share = place - place.floor();
                Some((f64::from(*below) * (1.0 - share) + f64::from(*above) * share) / FULL)
            }
        },
        ToneReprCurve::Parametric(parameters) => {
            let parameters: Vec<f64> = parameters.iter().map(|value| f64::from(*value)).collect();
            parametric(&parameters, x)
        }
    }
}

fn parametric(parameters: &[f64], x: f64) -> Option<f64> {
    let (gamma, a, b, c, d, e, f) = match *parameters {
        [gamma] => (gamma, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        [gamma, a, b] => (gamma, a, b, 0.0, -b / a, 0.0, 0.0),
        [gamma, a, b, c] => (gamma, a, b, 0.0, -b / a, c, c),
        [gamma, a, b, c, d] => (gamma, a, b, c, d, 0.0, 0.0),
        [gamma, a, b, c, d, e, f] => (gamma, a, b, c, d, e, f),
        _ => return None,
    };
    Some(if x < d { c * x + f } else { pow(a * x + b, gamma) + e })
}

/// From the profile's linear RGB to that of sRGB, row by row.
fn to_srgb_matrix(red: Xyzd, green: Xyzd, blue: Xyzd) -> Option<[[i64; 3]; 3]> {
    let primaries = [red, green, blue].map(|colour| [colour.x, colour.y, colour.z]);
    for (axis, white) in WHITE.into_iter().enumerate() {
        let sum: f64 = primaries.iter().map(|primary| primary[axis]).sum();
        // A sum that is no number is no white, either.
        let is_white = (sum - white).abs() <= WHITE_WITHIN;
        if !is_white {
            return None;
        }
    }
    let inverse = invert(SRGB)?;
    let entry = |row: usize, column: usize| -> i64 {
        let sum: f64 = (0..3).map(|axis| primaries[column][axis] * inverse[axis][row]).sum();
        (sum * f64::from(1u32 << POINT)).round() as i64
    };
    Some(std::array::from_fn(|row| std::array::from_fn(|column| entry(row, column))))
}

/// The inverse by cofactors.
fn invert(m: [[f64; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let cofactor = |row: usize, column: usize| {
        let (r1, r2) = ((row + 1) % 3, (row + 2) % 3);
        let (c1, c2) = ((column + 1) % 3, (column + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let determinant: f64 = (0..3).map(|column| m[0][column] * cofactor(0, column)).sum();
    (determinant.abs() > 1e-9)
        .then(|| std::array::from_fn(|row| std::array::from_fn(|column| cofactor(column, row) / determinant)))
}
