//! The digest by which two plans are seen to be the same (docs/architecture.md, "Words").
//!
//! Owns: what goes into it. Leaves to others: the order, saving plans (`run`), comparing them (whoever reads two reports).
//! A newcomer gets wrong: reasons and places are not in it; a comment added to the file does not make a plan stale.

use crate::model::{Decision, Digest};

/// The digest over (target, account, change, from, to) of all changes, in the order they are added.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlanDigest(blake3::Hasher);

impl PlanDigest {
    /// Adds a change.
    pub(crate) fn add(&mut self, change: &Decision) {
        let from = change.from.label();
        self.add_parts([change.target.as_str(), change.account.as_str(), change.change.word(), &from, &change.to]);
    }

    /// Adds a change by its target, account, kind, from and to.
    pub(crate) fn add_parts(&mut self, parts: [&str; 5]) {
        for part in parts {
            // Lengths before the parts: no two different lists give the same text.
            self.0.update(format!("{}:{part};", part.len()).as_bytes());
        }
        self.0.update(b"\n");
    }

    /// The digest of what was added.
    pub(crate) fn finish(&self) -> Digest {
        Digest::from_bytes(*self.0.finalize().as_bytes())
    }
}
