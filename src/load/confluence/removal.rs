//! Taking away a file that we made, once nothing shows it any more.
//!
//! Owns: the look before it (promise P1).
//! Leaves to others: the call (`remote.rs`), what is recorded around it (`session.rs`), what all of a run came to
//! (`removals.rs`).
//! A newcomer gets wrong: a definite no is no maybe. The file stays known, the person's picture is right, and the same
//! answer is not asked for at everybody.

use bytes::Bytes;

use crate::load::{Fingerprinter, WriteError};
use crate::model::{Digest, Fault, Fingerprint, Intent, Luma, PictureRef};

use super::answer::Whom;
use super::client::{ConfluenceClient, File, ServedFile};
use super::connection::ConfluenceConnection;
use super::picture;
use super::remote;
use super::remote_api::NOT_PERMITTED;

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
pub(super) enum FileRemoval {
    /// It is gone.
    Gone,
    /// It is not what we made: it stays, and is ours no longer.
    Foreign,
    /// It stays until the server lets us.
    Owed,
}

/// Takes a file of ours away, if it is what we made; `beside` is one that is there. `Err` ends the write.
pub(super) async fn take_away(
    client: &ConfluenceClient,
    whom: Whom<'_>,
    which: File<'_>,
    trace: Trace<'_>,
    beside: Option<File<'_>>,
) -> Result<FileRemoval, WriteError> {
    let shared = client.shared();
    if shared.known().removals.are_refused() {
        return Ok(owed(shared, "the server refused it"));
    }
    let file = which.file;
    match client.file(which, beside).await? {
        ServedFile::Picture(bytes) if trace.fits(file, &bytes, shared.looks.as_ref()) => {}
        ServedFile::Picture(_) => {
            shared.learn(|known| known.removals.foreign += 1);
            return Ok(FileRemoval::Foreign);
        }
        ServedFile::Missing => return Ok(FileRemoval::Gone),
        ServedFile::Unclear => return Ok(owed(shared, "the server does not show them to us")),
    }
    match remote::remove(client, whom, which).await {
        Ok(()) => {
            shared.learn(|known| known.removals.removed += 1);
            Ok(FileRemoval::Gone)
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

fn owed(shared: &ConfluenceConnection, why: &str) -> FileRemoval {
    shared.learn(|known| known.removals.owe(why));
    FileRemoval::Owed
}
