//! The centre square, shrunk.
//!
//! Owns: the crop, the filter and the one resizer of each thread.
//! Leaves to others: how far to shrink. Nothing here enlarges.
//! A newcomer gets wrong: the library's own Lanczos calls the platform's `sin`; ours does not (promise P6). Its weights
//! are 16-bit integers and its sums 32-bit ones, so every SIMD path gives what the plain one gives.

use std::cell::RefCell;

use fast_image_resize as fir;
use fir::images::{TypedImage, TypedImageRef};
use fir::pixels::{U8, U8x3};

use super::pixels::{Channels, Pixels, Shrunk};
use super::{Refusal, exact};

/// What a resizer's buffers may keep between two photos.
const KEPT_BUFFERS: usize = 4 << 20;

thread_local! {
    // It reuses its buffers (docs/decisions/pictures.md).
    static RESIZER: RefCell<fir::Resizer> = RefCell::new(fir::Resizer::new());
}

/// The largest square in the middle, shrunk to `side` pixels. A square that has no more than that stays as it is.
pub(super) fn centre_square(pixels: &Pixels, side: u32) -> Result<Pixels, Refusal> {
    let whole = pixels.shorter();
    let (left, top) = ((pixels.width - whole) / 2, (pixels.height - whole) / 2);
    if side >= whole {
        return cut(pixels, left, top, whole);
    }
    let (left, top, whole) = match pixels.shrunk {
        Some(shrunk) => fractions(shrunk),
        None => (left.into(), top.into(), whole.into()),
    };
    let options = fir::ResizeOptions::new()
        .crop(left, top, whole, whole)
        .resize_alg(fir::ResizeAlg::Convolution(fir::FilterType::Custom(filter()?)))
        .use_alpha(false);
    match pixels.channels {
        Channels::Grey => shrink::<U8>(pixels, side, &options),
        Channels::Rgb => shrink::<U8x3>(pixels, side, &options),
    }
}

/// For one kind of pixel, named when this is built: asked with a kind that is a value, the library brings its code for all
/// thirteen, a tenth of the program.
fn shrink<P: fir::PixelTrait>(pixels: &Pixels, side: u32, options: &fir::ResizeOptions) -> Result<Pixels, Refusal> {
    let mut data = vec![0; side as usize * side as usize * pixels.channels.count()];
    let source = TypedImageRef::<P>::from_buffer(pixels.width, pixels.height, &pixels.data).map_err(refusal)?;
    let mut square = TypedImage::<P>::from_buffer(side, side, &mut data).map_err(refusal)?;
    RESIZER.with_borrow_mut(|resizer| {
        let done = resizer.resize_typed(&source, &mut square, options);
        if resizer.size_of_internal_buffers() > KEPT_BUFFERS {
            resizer.reset_internal_buffers();
        }
        done.map_err(refusal)
    })?;
    Pixels::new(side, side, pixels.channels, data)
}

/// The square of the picture itself in its shrunk pixels, of which the last ones reach beyond it.
fn fractions(shrunk: Shrunk) -> (f64, f64, f64) {
    let whole = shrunk.width.min(shrunk.height);
    let by = f64::from(shrunk.by);
    let start = |side: u32| f64::from((side - whole) / 2) / by;
    (start(shrunk.width), start(shrunk.height), f64::from(whole) / by)
}

fn filter() -> Result<fir::Filter, Refusal> {
    fir::Filter::new("lanczos3", exact::lanczos3, 3.0).map_err(refusal)
}

fn cut(pixels: &Pixels, left: u32, top: u32, side: u32) -> Result<Pixels, Refusal> {
    let count = pixels.channels.count();
    let (stride, start, length) = (pixels.width as usize * count, left as usize * count, side as usize * count);
    let mut data = Vec::with_capacity(length * side as usize);
    for row in pixels.data.chunks_exact(stride).skip(top as usize).take(side as usize) {
        data.extend_from_slice(&row[start..start + length]);
    }
    Pixels::new(side, side, pixels.channels, data)
}

fn refusal(error: impl std::fmt::Display) -> Refusal {
    Refusal::Damaged(format!("it could not be resized: {error}"))
}
