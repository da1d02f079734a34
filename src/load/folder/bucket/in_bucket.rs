//! What each step of a write is in a bucket (docs/write-protocols.md, "Folder in a bucket").
//!
//! Owns: which condition an object is written on. Leaves to others: the order of the steps (`session.rs` of all folders),
//! sending (`shared.rs`).
//! A newcomer gets wrong: nothing is read before a picture is put: the condition of the put is the reading, and the store's
//! no means that nothing was written. A removal has no condition, so it is read right before it.

use std::sync::Arc;

use async_trait::async_trait;

use crate::http::Failure;
use crate::load::WriteError;
use crate::model::{Fault, Intent, PictureRef, Rendition, Shown};

use super::super::session::Place;
use super::kept;
use super::shared::BucketConnection;

/// A folder in a bucket.
pub(super) struct InBucket(pub(super) Arc<BucketConnection>);

#[async_trait]
impl Place for InBucket {
    const NAME: &'static str = "bucket";
    const PICTURE: &'static str = "object";
    const ROUTE: &'static str = "put";
    type Ours = ();

    fn as_planned(&self, intent: Intent) -> Result<Intent, WriteError> {
        self.stood(&intent)?;
        Ok(intent)
    }

    async fn ours(&self, intent: &Intent) -> Result<Option<()>, WriteError> {
        let stood = self.stood(intent)?;
        if stood.is_none() || stood != intent.old {
            return Ok(None);
        }
        match self.0.mark(intent.account.as_str()).await? == stood {
            true => Ok(Some(())),
            false => Err(WriteError::ChangedMeanwhile),
        }
    }

    async fn remove(&self, account: &str, (): ()) -> Result<(), Failure> {
        self.0.delete(account).await?;
        self.0.note(account, None);
        Ok(())
    }

    async fn put(&self, intent: &Intent, rendition: &Rendition) -> Result<Option<PictureRef>, WriteError> {
        let (account, stood) = (intent.account.as_str(), self.stood(intent)?);
        let mark = self.0.put(account, stood.as_ref(), &rendition.bytes, rendition.media_type.word()).await?;
        mark.iter().for_each(|mark| self.0.note(account, Some(mark)));
        Ok(mark)
    }

    async fn finish(&self, intent: &Intent, mark: &PictureRef) -> Result<(), WriteError> {
        let account = intent.account.as_str();
        if self.0.mark(account).await?.as_ref() != Some(mark) {
            return Err(WriteError::ChangedMeanwhile);
        }
        self.0.note(account, Some(mark));
        Ok(())
    }
}

impl InBucket {
    /// What the plan saw there; `None`: nothing.
    fn stood(&self, intent: &Intent) -> Result<Option<PictureRef>, WriteError> {
        let account = intent.account.as_str();
        if !self.0.is_account(account) {
            let found = format!("`{account}` is no name of an object that avatarpipe writes");
            return Err(WriteError::Refused(Fault::new("odd_name", found)));
        }
        match &intent.stood {
            Shown::Default => Ok(None),
            Shown::Custom(mark) if mark.is_spoilt() => match self.0.stands(account) {
                Some(there) if kept::spoilt(&there) == *mark => Ok(Some(there)),
                _ => Err(WriteError::ChangedMeanwhile),
            },
            Shown::Custom(mark) => Ok(Some(mark.clone())),
            Shown::System(_) | Shown::Unknown(_) => Err(WriteError::ChangedMeanwhile),
        }
    }
}
