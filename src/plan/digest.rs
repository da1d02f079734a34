//! The digest by which two plans are seen to be the same (docs/architecture.md, "Words").
//!
//! Owns: what goes into it. Leaves to others: the order, saving plans (`run`), comparing them (whoever reads two reports).
//! A newcomer gets wrong: reasons and places are not in it; a comment added to the file does not make a plan stale.

use crate::model::Digest;

/// The digest over all changes, in the order they are added.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlanDigest(blake3::Hasher);

impl PlanDigest {
    /// Adds a change by all that it is known by and that it does: target, account, kind, from, to, photo, recipe and the leftover
    /// that goes.
    pub(crate) fn add(&mut self, parts: [Option<&str>; 8]) {
        for part in parts {
            match part {
                // Lengths before the parts: no two different lists give the same text.
                Some(part) => self.0.update(format!("{}:{part};", part.len()).as_bytes()),
                None => self.0.update(b"-;"),
            };
        }
        self.0.update(b"\n");
    }

    /// The digest of what was added.
    pub(crate) fn finish(&self) -> Digest {
        Digest::from_bytes(*self.0.finalize().as_bytes())
    }
}
