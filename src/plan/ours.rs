//! What is ours on an account, and what stood there before.
//!
//! Owns: that only what we made may go (promise P1). Leaves to others: taking it away (`load`).
//! A newcomer gets wrong: a picture that was adopted is on record, and still not ours to delete.

use crate::model::{Account, Before, Fingerprint, PictureRef, Placement, Provenance};

/// What stood on the account before our first write.
pub(crate) fn before(account: &Account, placement: Option<&Placement>) -> Before {
    placement.map_or_else(|| Before::from(&account.shown), |placement| placement.before.clone())
}

/// What the picture that [`old_of_ours`] names looks like.
pub(crate) fn looks_of_ours(placement: Option<&Placement>) -> Option<Fingerprint> {
    placement.filter(|placement| placement.provenance == Provenance::Made).and_then(|placement| placement.looks)
}

/// The picture of ours that goes when another is shown: only one that we made (promise P1).
pub(crate) fn old_of_ours(placement: Option<&Placement>) -> Option<PictureRef> {
    placement.filter(|placement| placement.provenance == Provenance::Made).map(|placement| placement.mark.clone())
}
