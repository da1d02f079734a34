//! `sin` and `pow` with the same bits on every machine (promise P6).
//!
//! Owns: what the filter and the colour curves need, from additions, multiplications and divisions alone: IEEE 754 fixes
//! those to the last bit. Leaves to others: everything that works on integers, which need no such care.
//! A newcomer gets wrong: `f64::sin` and `f64::powf` are the C library's; glibc picks another variant by processor.

use std::f64::consts::{LN_2, PI, SQRT_2};

/// The Lanczos kernel with three lobes.
pub(super) fn lanczos3(x: f64) -> f64 {
    if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}

/// sin(πx) / (πx).
fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { sin_pi(x) / (PI * x) }
}

/// The factors of angle¹, angle³, … in the Taylor series of the sine: a constant, because division is slow.
const SINE: [f64; 12] = {
    let mut factors = [1.0; 12];
    let mut step = 1;
    while step < factors.len() {
        let n = (2 * step) as f64;
        factors[step] = -factors[step - 1] / (n * (n + 1.0));
        step += 1;
    }
    factors
};

/// sin(πx) for small x, by its Taylor series on [-π/2, π/2].
fn sin_pi(x: f64) -> f64 {
    let nearest = x.round();
    let angle = (x - nearest) * PI;
    let square = angle * angle;
    let sine = angle * SINE.iter().rev().fold(0.0, |sum, factor| sum * square + factor);
    if nearest as i64 & 1 == 0 { sine } else { -sine }
}

/// base to the exponent; 0 for a base that is not positive, and for a result too small to matter.
pub(super) fn pow(base: f64, exponent: f64) -> f64 {
    if base > 0.0 && base.is_finite() { exp(exponent * ln(base)) } else { 0.0 }
}

/// Natural logarithm of a positive finite number: 2 artanh((m - 1) / (m + 1)) of its mantissa m.
fn ln(x: f64) -> f64 {
    let mut mantissa = x;
    let mut exponent = 0.0;
    while mantissa > SQRT_2 {
        mantissa /= 2.0;
        exponent += 1.0;
    }
    while mantissa < SQRT_2 / 2.0 {
        mantissa *= 2.0;
        exponent -= 1.0;
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let mut power = s;
    let mut sum = s;
    for step in 1..=12 {
        power *= square;
        sum += power / f64::from(2 * step + 1);
    }
    exponent * LN_2 + 2.0 * sum
}

/// e to the x, for x up to about 700; larger ones come out as infinity.
fn exp(x: f64) -> f64 {
    if x > 700.0 {
        return f64::INFINITY;
    }
    if x < -700.0 {
        return 0.0;
    }
    let doublings = (x / LN_2).round();
    let rest = x - doublings * LN_2;
    let mut term = 1.0;
    let mut sum = 1.0;
    for step in 1..=18 {
        term *= rest / f64::from(step);
        sum += term;
    }
    // At most 700 / ln 2, about 1010 steps; halving and doubling are exact.
    let factor = if doublings < 0.0 { 0.5 } else { 2.0 };
    for _ in 0..doublings.abs() as u32 {
        sum *= factor;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_the_platform_s_own() {
        for step in -3000..=3000 {
            let x = f64::from(step) / 1000.0;
            let theirs = (PI * x).sin();
            assert!((sin_pi(x) - theirs).abs() < 1e-14, "sin(pi * {x})");
        }
        for base in 1..=1000 {
            for exponent in [1.0 / 2.4, 0.45, 1.0, 1.8, 2.2, 2.4, 3.0] {
                let base = f64::from(base) / 999.0;
                let theirs = base.powf(exponent);
                assert!((pow(base, exponent) - theirs).abs() <= 1e-14 * theirs, "{base} ^ {exponent}");
            }
        }
    }

    #[test]
    fn odd_arguments_end() {
        for (base, exponent, wanted) in [
            (0.0, 2.2, 0.0),
            (-1.0, 2.0, 0.0),
            (f64::NAN, 1.0, 0.0),
            (f64::INFINITY, 1.0, 0.0),
            (f64::MIN_POSITIVE, 3.0, 0.0),
            (1e300, 3.0, f64::INFINITY),
            (1.0, 1e300, 1.0),
        ] {
            assert_eq!(pow(base, exponent), wanted, "{base} ^ {exponent}");
        }
        assert!(pow(0.5, f64::NAN).is_nan());
    }

    #[test]
    fn the_kernel_is_one_in_the_middle_and_zero_at_the_whole_numbers() {
        assert_eq!(lanczos3(0.0), 1.0);
        for x in [1.0, 2.0, 3.0, 3.5, -1.0, -2.0, -3.0] {
            assert!(lanczos3(x).abs() < 1e-16, "{x}");
        }
        assert!((lanczos3(0.5) - 0.607_927_101_854_026_6).abs() < 1e-14);
    }
}
