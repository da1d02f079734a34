//! From what stands in the file to what a run works with.
//!
//! Owns: the turn of a single value, a list, what may be left out, and what keeps its line.
//! Leaves to others: reading (`read`), elements whose keys say something together (each in its file).
//! A newcomer gets wrong: `None` means "reported" or "not known before the run", never "left out".

use super::read::{At, List, Reader};
use crate::settings::Placed;

/// What is written and becomes a `T`, which a run works with.
pub(super) trait Settle<T>: Sized {
    /// Judges what stands there and looks it up.
    fn settle(at: &At<Self>, reader: &mut Reader<'_>) -> Option<T>;
}

/// With its line.
impl<T, W: Settle<T>> Settle<Placed<T>> for W {
    fn settle(at: &At<Self>, reader: &mut Reader<'_>) -> Option<Placed<T>> {
        Some(Placed { value: W::settle(at, reader)?, place: at.place.clone() })
    }
}

/// What may be left out.
impl<T, W: Settle<T>> Settle<Option<T>> for W {
    fn settle(at: &At<Self>, reader: &mut Reader<'_>) -> Option<Option<T>> {
        match at.optional()? {
            Some(_) => W::settle(at, reader).map(Some),
            None => Some(None),
        }
    }
}

impl<T, W: Settle<T>> Settle<Vec<T>> for List<W> {
    fn settle(at: &At<Self>, reader: &mut Reader<'_>) -> Option<Vec<T>> {
        at.get()?.0.iter().map(|item| W::settle(item, reader)).collect::<Vec<_>>().into_iter().collect()
    }
}

/// Single values: what a run works with is what stands in the file, or what the type of `scalar` holds.
macro_rules! settled_as_written {
    ($setting:ty) => {
        impl $crate::pipeline::settle::Settle<Self> for $setting {
            fn settle(
                at: &$crate::pipeline::read::At<Self>,
                _: &mut $crate::pipeline::read::Reader<'_>,
            ) -> Option<Self> {
                at.get().cloned()
            }
        }
    };
    ($written:ty => $setting:ty) => {
        impl $crate::pipeline::settle::Settle<$setting> for $written {
            fn settle(
                at: &$crate::pipeline::read::At<Self>,
                _: &mut $crate::pipeline::read::Reader<'_>,
            ) -> Option<$setting> {
                at.get().map(|written| written.0.clone())
            }
        }
    };
}

pub(super) use settled_as_written;
