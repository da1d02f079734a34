//! A setting that decides something, with its line.

use crate::model::Place;

/// A rule and where it stands, or where the nearest element does that stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// What the rule says.
    pub value: T,
    /// Its line.
    pub place: Place,
}

#[cfg(test)]
impl<T> Placed<T> {
    /// For tests that do not look at its line.
    pub fn somewhere(value: T) -> Self {
        Self { value, place: Place { file: "p.yaml".into(), line: 1 } }
    }
}
