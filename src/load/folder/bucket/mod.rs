//! A static copy in object storage: one object a person, as an avatar server names it (`avatar/` and the SHA-256 of the
//! e-mail address).
//!
//! Owns: what stands there and what the state says of it (`shared.rs`), what each step of a write is (`in_bucket.rs`), whether
//! the store keeps what it was sent (`kept.rs`, `looks.rs`), the trait before that (`target.rs`).
//! Leaves to others: which people are wanted there (`plan`), objects and conditions (`bucket`).
//! A newcomer gets wrong: no digest of ours names what stands there; the store's own mark does (its ETag). It comes with the
//! listing, so that nothing is downloaded to know that nothing has changed, and every write is on the condition of it.

mod in_bucket;
mod kept;
mod looks;
mod shared;
mod target;
#[cfg(test)]
mod tests;

pub(crate) use target::BucketFolder;
