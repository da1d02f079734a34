//! `sin` and `pow` with the same bits on every machine (promise P6).
//!
//! Owns: what the filter and the colour curves need, by `libm`: additions, multiplications and divisions, which IEEE 754
//! fixes to the last bit. Leaves to others: everything that works on integers, which need no such care.
//! A newcomer gets wrong: `f64::sin` and `f64::powf` are the C library's; glibc picks another variant by processor.

use std::f64::consts::PI;

/// The Lanczos kernel with three lobes.
pub(super) fn lanczos3(x: f64) -> f64 {
    if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}

/// sin(πx) / (πx).
fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { libm::sin(PI * x) / (PI * x) }
}

/// base to the exponent; 0 for a base that is not positive, and for a result too small to matter.
pub(super) fn pow(base: f64, exponent: f64) -> f64 {
    if base > 0.0 && base.is_finite() { libm::pow(base, exponent) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_the_platform_s_own() {
        for step in -3000..=3000 {
            let x = f64::from(step) / 1000.0;
            let theirs = if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
            assert!((sinc(x) - theirs).abs() < 1e-14, "sinc({x})");
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
