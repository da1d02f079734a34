//! Taking away a file that we made, once nothing shows it any more.
//!
//! Owns: the look before it (promise P1), and what is owed where the server does not let us.
//! Leaves to others: the call (`remote.rs`), what is recorded around it (`session.rs`).
//! A newcomer gets wrong: a definite no is no maybe. The file stays known, the person's picture is right, and the same
//! answer is not asked for at everybody.

use bytes::Bytes;

use crate::load::{Fingerprinter, Learnt, WriteError};
use crate::model::{Digest, Fault, Fingerprint, Intent, Luma, PictureRef};

use super::Shared;
use super::client::{ConfluenceClient, File, Served};
use super::picture;
use super::remote::{self, NOT_PERMITTED, Whom};

/// The key of what was learnt about removing files of others.
const REMOVAL: &str = "removal";
/// Its value where the server refused it.
const REFUSED: &str = "refused";
/// So many refusals, with nothing removed, are the server's rule and not that of one person's space.
const RULE: u64 = 3;

/// What is known of a file besides its name.
#[derive(Clone, Copy)]
pub(super) struct Trace<'a> {
    luma: Option<&'a Luma>,
    looks: Option<&'a Fingerprint>,
}

impl<'a> Trace<'a> {
    /// Of the picture that stood there before.
    pub(super) fn old(intent: &'a Intent) -> Self {
        Self { luma: None, looks: intent.old_looks.as_ref() }
    }

    /// Of the picture that the write is about.
    pub(super) fn making(intent: &'a Intent) -> Self {
        Self { luma: intent.luma.as_ref(), looks: None }
    }

    /// Confluence stores every byte as it came (docs/wire/atlassian.md §4.4), and the name tells their digest. Where
    /// something encodes pictures anew, the looks tell.
    fn fits(self, file: &PictureRef, bytes: &Bytes, looks: &dyn Fingerprinter) -> bool {
        if picture::names(file, &Digest::of(bytes)) {
            return true;
        }
        looks.luma(bytes).is_some_and(|found| {
            self.luma.is_some_and(|luma| luma.fits(&found)) || self.looks.is_some_and(|looks| looks.fits(&found))
        })
    }
}

/// What became of a file that was to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is gone.
    Gone,
    /// It is not what we made: it stays, and is ours no longer.
    Foreign,
    /// It stays until the server lets us.
    Owed,
}

/// What this run has met.
#[derive(Clone, Debug, Default)]
pub(super) struct Removals {
    /// An earlier run was refused.
    refused_before: bool,
    refused: u64,
    removed: u64,
    owed: u64,
    /// The words of the first answer that left something owed.
    why: Option<String>,
    foreign: u64,
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
            told.push(format!(
                "{} files of ours that are not shown any more could not be removed yet: {why}. They stay known, and go when \
                 a later run is let: give the account the right to remove attachments of personal information",
                self.owed
            ));
        }
        if self.foreign > 0 {
            told.push(format!(
                "{} files that are named like ours hold another picture than we made; they were left",
                self.foreign
            ));
        }
        told
    }
}

/// Takes a file of ours away, if it is what we made; `beside` is one that is there. `Err` ends the write.
pub(super) async fn take_away(
    client: &ConfluenceClient,
    whom: Whom<'_>,
    which: File<'_>,
    trace: Trace<'_>,
    beside: Option<File<'_>>,
) -> Result<Taken, WriteError> {
    let shared = client.shared();
    if shared.known().removals.are_refused() {
        return Ok(owed(shared, "the server refused it"));
    }
    let file = which.file;
    match client.file(which, beside).await? {
        Served::Picture(bytes) if trace.fits(file, &bytes, shared.looks.as_ref()) => {}
        Served::Picture(_) => {
            shared.learn(|known| known.removals.foreign += 1);
            return Ok(Taken::Foreign);
        }
        Served::Missing => return Ok(Taken::Gone),
        Served::Unclear => return Ok(owed(shared, "the server does not show them to us")),
    }
    match remote::remove(client, whom, which).await {
        Ok(()) => {
            shared.learn(|known| known.removals.removed += 1);
            Ok(Taken::Gone)
        }
        Err(WriteError::Refused(no)) => {
            if no.code == NOT_PERMITTED {
                shared.learn(|known| known.removals.refused += 1);
            }
            Ok(owed(shared, &no.message))
        }
        Err(error) => Err(error.explained(|fault| {
            Fault::new("not_removed", format!("the file {file} could not be removed: {}", fault.message))
        })),
    }
}

fn owed(shared: &Shared, why: &str) -> Taken {
    shared.learn(|known| known.removals.owe(why));
    Taken::Owed
}
