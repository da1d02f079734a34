//! What the removals of a run came to.
//!
//! Owns: whether the server lets us remove files, as learnt in this run and before, and what is owed where it does not.
//! Leaves to others: each removal (`removal.rs`).
//! A newcomer gets wrong: one refusal is one person's. Some of them, with nothing removed, are the server's rule.

use crate::load::Learnt;
use crate::model::counted;

/// The key of what was learnt about removing files of others.
const REMOVAL: &str = "removal";
/// Its value where the server refused it.
const REFUSED: &str = "refused";
/// So many refusals, with nothing removed, are the server's rule and not that of one person's space.
const RULE: u64 = 3;

/// What this run has met.
#[derive(Clone, Debug, Default)]
pub(super) struct Removals {
    /// An earlier run was refused.
    refused_before: bool,
    pub refused: u64,
    pub removed: u64,
    owed: u64,
    /// The words of the first answer that left something owed.
    why: Option<String>,
    pub foreign: u64,
}

impl Removals {
    /// What earlier runs learnt.
    pub(super) fn recall(&mut self, learnt: &Learnt) {
        self.refused_before = learnt.get(REMOVAL).is_some_and(|value| value == REFUSED);
    }

    /// For later runs.
    pub(super) fn keep(&self, learnt: &mut Learnt) {
        if self.removed > 0 {
            learnt.remove(REMOVAL);
        } else if self.refused > 0 {
            learnt.insert(REMOVAL.to_owned(), REFUSED.to_owned());
        }
    }

    /// Whether it is known that nothing can be removed. Each run finds out anew when it has something new to remove.
    pub(super) fn are_refused(&self) -> bool {
        self.removed == 0 && (self.refused >= RULE || (self.refused_before && self.refused > 0))
    }

    /// Whether old debts wait: nobody has learnt that removing works again.
    pub(super) fn wait(&self) -> bool {
        self.removed == 0 && (self.refused_before || self.refused > 0)
    }

    /// One more file that waits.
    pub(super) fn owe(&mut self, why: &str) {
        self.owed += 1;
        self.why.get_or_insert_with(|| why.to_owned());
    }

    /// What is worth a line in the report, told once.
    pub(super) fn told(&self) -> Vec<String> {
        let mut told = Vec::new();
        if self.owed > 0 {
            let why = self.why.as_deref().unwrap_or("the server refused it");
            let files = counted(self.owed, "file of ours that is", "files of ours that are");
            told.push(format!(
                "{files} not shown any more could not be removed yet: {why}. A later run removes what it is let: give the \
                 account the right to remove attachments of personal information"
            ));
        }
        if self.foreign > 0 {
            let files =
                counted(self.foreign, "file that is named like ours holds", "files that are named like ours hold");
            told.push(format!("{files} another picture than we made; left alone"));
        }
        told
    }
}
