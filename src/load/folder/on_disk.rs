//! What each step of a write is on a disk.
//!
//! Owns: which file goes where another takes its place. Leaves to others: the order of the steps (`session.rs`), how a file
//! gets there whole (`files.rs`).
//! A newcomer gets wrong: one name may have two files, of two forms; what is replaced is removed after the new one is there.

use std::sync::Arc;

use async_trait::async_trait;

use crate::http::Failure;
use crate::load::WriteError;
use crate::model::{Fault, Intent, MediaType, PictureRef, Rendition, Shown};

use super::files::StandingPicture;
use super::names;
use super::session::Place;
use super::shared::FolderConnection;

/// A folder on a disk.
pub(super) struct OnDisk(pub(super) Arc<FolderConnection>);

#[async_trait]
impl Place for OnDisk {
    const NAME: &'static str = "folder";
    const PICTURE: &'static str = "file";
    const ROUTE: &'static str = "file";
    type Ours = StandingPicture;

    /// With how the name of what stood there ends, for whoever gives it back.
    fn as_planned(&self, mut intent: Intent) -> Result<Intent, WriteError> {
        let stands = self.stands(&intent)?;
        intent.stood_in = stands.and_then(|found| found.file.rsplit_once('.').map(|(_, ending)| ending.to_owned()));
        Ok(intent)
    }

    async fn ours(&self, intent: &Intent) -> Result<Option<StandingPicture>, WriteError> {
        Ok(self.stands(intent)?.filter(|found| intent.old.as_ref() == Some(&found.mark())))
    }

    async fn remove(&self, account: &str, ours: StandingPicture) -> Result<(), Failure> {
        self.0.files.remove(&ours.file).await?;
        self.0.note(account, None);
        Ok(())
    }

    /// The name reaches the disk with many others (`PictureFiles::settle`); what a power cut takes back of it differs from the
    /// record, and is written again.
    async fn put(&self, intent: &Intent, rendition: &Rendition) -> Result<Option<PictureRef>, WriteError> {
        let account = intent.account.as_str();
        // What is given back had a name that need not tell its form.
        let ending = intent.handle.as_deref().and_then(ending_of).unwrap_or(rendition.media_type.ending());
        let file = format!("{account}.{ending}");
        self.0.files.place(&file, rendition.bytes.clone()).await?;
        self.drop_former(intent, &file).await?;
        let standing = StandingPicture { file, digest: rendition.digest };
        let mark = standing.mark();
        self.0.note(account, Some(standing));
        Ok(Some(mark))
    }

    async fn finish(&self, intent: &Intent, mark: &PictureRef) -> Result<(), WriteError> {
        let stands = self.files_of(intent.account.as_str())?;
        let Some(standing) = stands.into_iter().find(|found| found.mark() == *mark) else {
            return Err(WriteError::ChangedMeanwhile);
        };
        self.drop_former(intent, &standing.file).await?;
        self.0.note(intent.account.as_str(), Some(standing));
        Ok(())
    }
}

impl OnDisk {
    /// The files of a name. One that cannot be read is not gone: the write stays open.
    fn files_of(&self, account: &str) -> Result<Vec<StandingPicture>, Failure> {
        let files = &self.0.files;
        files.standing(account).map_err(|error| files.failed("reading", account, &error))
    }

    /// What stands there, if it is what the plan saw.
    fn stands(&self, intent: &Intent) -> Result<Option<StandingPicture>, WriteError> {
        let account = intent.account.as_str();
        if names::name_of(account).is_none() {
            let found = format!("`{account}` is no name of a file that avatarpipe writes");
            return Err(WriteError::Refused(Fault::new("odd_name", found)));
        }
        let unreadable = |error: std::io::Error| WriteError::Refused(Fault::new("unreadable", error.to_string()));
        let stands = self.0.standing(account).map_err(unreadable)?;
        let planned = match (&intent.stood, &stands) {
            (Shown::Default, None) => true,
            (Shown::Custom(mark), Some(found)) => *mark == found.mark() || *mark == PictureRef::spoilt(&found.digest),
            _ => false,
        };
        if planned { Ok(stands) } else { Err(WriteError::ChangedMeanwhile) }
    }

    /// What is replaced goes, also where its form is another one and the new file is not written over it: two files of one
    /// name would show two pictures. That is what the plan saw there, and our former file; any other file stays.
    async fn drop_former(&self, intent: &Intent, keep: &str) -> Result<(), Failure> {
        let files = &self.0.files;
        let stood = match &intent.stood {
            Shown::Custom(mark) => Some(mark),
            _ => None,
        };
        if stood.is_none() && intent.old.is_none() {
            return Ok(());
        }
        for standing in self.files_of(intent.account.as_str())? {
            let mark = standing.mark();
            let is_replaced = intent.old.as_ref() == Some(&mark)
                || stood.is_some_and(|stood| *stood == mark || *stood == PictureRef::spoilt(&standing.digest));
            if standing.file != keep && is_replaced {
                files.remove(&standing.file).await?;
            }
        }
        Ok(())
    }
}

/// The state is input, too: an ending of pictures, or none.
fn ending_of(word: &str) -> Option<&'static str> {
    MediaType::ALL.into_iter().map(MediaType::ending).find(|ending| *ending == word)
}
