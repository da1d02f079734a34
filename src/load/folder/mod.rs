//! A static copy: one picture a person in a folder, and an index of them.
//!
//! Owns: which file stands for whom (`target.rs`, `naming.rs`, `names.rs`), whether it is what the state says (`shared.rs`),
//! how a file gets there whole (`files.rs`), the steps of a write (`session.rs`, `on_disk.rs`), and the index (`index.rs`).
//! Leaves to others: which people are wanted there (`plan`).
//! A newcomer gets wrong: the folder has no accounts of its own. `match` names the files, and whoever has a name has an
//! account; so has every picture on record, whoever it was for. The account's id is the safe form of its name.

#[cfg(feature = "bucket")]
mod bucket;
mod files;
mod index;
mod names;
mod naming;
mod on_disk;
mod session;
mod shared;
mod target;
#[cfg(test)]
mod tests;

#[cfg(feature = "bucket")]
pub(crate) use bucket::BucketFolder;
pub(crate) use target::Folder;
