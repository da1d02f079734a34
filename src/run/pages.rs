//! What a run goes through page by page, so that no memory grows with the number of people (promise P9).
//!
//! Owns: the size of a page. Leaves to others: reading one (`state`).
//! A newcomer gets wrong: a page that is not full is not the last one; an empty one is.

/// People, accounts or decisions handled at a time.
pub(super) const PAGE: usize = 500;
