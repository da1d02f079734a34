//! What pictures look like, by whoever can decode them.
//!
//! Owns: the trait alone. Leaves to others: decoding (`transform`, behind `run::renderer`), comparing (`model::Luma`).
//! A newcomer gets wrong: `load` decodes no picture itself; what it compares is a fingerprint of each.

use crate::model::Luma;

/// What a picture looks like, for comparing what a server serves with what was sent.
pub(crate) trait Fingerprinter: Send + Sync {
    /// The fingerprint of an encoded picture; `None` if it cannot be decoded.
    fn luma(&self, picture: &[u8]) -> Option<Luma>;
}
