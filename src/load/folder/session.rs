//! The steps of a write into a folder, each between two journal calls.
//!
//! Owns: replace, revert and mend of one file. Leaves to others: how a file gets there whole (`files.rs`).
//! A newcomer gets wrong: a file that is not what the plan saw is left alone, even under a name of ours.

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;

use crate::http::Failure;
use crate::load::{Journal, Mend, Rendition, Session, Wrote};
use crate::model::{Digest, Event, Fault, Intent, IntentKind, OpenIntent, PictureRef, Shown, Status};

use super::files::Standing;
use super::{Shared, names};

/// Files are placed whole, so a session can be used again whatever became of the last write.
pub(super) struct FolderSession {
    shared: Arc<Shared>,
}

/// What stands there, held against the plan.
enum There {
    AsPlanned(Option<Standing>),
    Else(Wrote),
}

impl FolderSession {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// What stands there, if it is what the plan saw.
    fn as_planned(&self, intent: &Intent) -> There {
        let account = intent.account.as_str();
        if names::name_of(account).is_none() {
            let found = format!("`{account}` is no name of a file that avatarpipe writes");
            return There::Else(Wrote::Refused(Fault::new("odd_name", found)));
        }
        let stands = match self.shared.standing(account) {
            Ok(stands) => stands,
            Err(error) => return There::Else(Wrote::Refused(Fault::new("unreadable", error.to_string()))),
        };
        let planned = match (&intent.stood, &stands) {
            (Shown::Default, None) => true,
            (Shown::Custom(mark), Some(found)) => *mark == found.mark() || *mark == PictureRef::spoilt(&found.digest),
            _ => false,
        };
        if planned { There::AsPlanned(stands) } else { There::Else(Wrote::ChangedMeanwhile) }
    }

    async fn replacing(
        &self,
        intent: Intent,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Wrote, Failure> {
        if let There::Else(wrote) = self.as_planned(&intent) {
            return Ok(wrote);
        }
        journal.begin(intent.clone(), sent(1, "file")).await?;
        self.write(&intent, rendition, journal).await
    }

    /// After a change of format our former file goes. One that is not ours stays: unknown files are never removed.
    async fn drop_former(&self, intent: &Intent, keep: &str) -> Result<(), Failure> {
        let (files, Some(former)) = (&self.shared.files, &intent.old) else { return Ok(()) };
        for standing in files.standing(intent.account.as_str()).unwrap_or_default() {
            if standing.file != keep && standing.mark() == *former {
                files.remove(&standing.file).await?;
            }
        }
        Ok(())
    }

    async fn write(&self, intent: &Intent, rendition: &Rendition, journal: &mut dyn Journal) -> Result<Wrote, Failure> {
        let extension = if rendition.mime == "image/jpeg" { "jpg" } else { "png" };
        let account = intent.account.as_str();
        let file = format!("{account}.{extension}");
        self.shared.files.place(&file, &rendition.bytes).await?;
        self.drop_former(intent, &file).await?;
        let standing = Standing { file, digest: Digest::of(&rendition.bytes) };
        let mark = standing.mark();
        self.shared.note(account, Some(standing));
        // The name reaches the disk with many others (`Files::settle`); what a power cut takes back of it differs from the
        // record, and is written again.
        journal.record(Event::Shown { mark: mark.clone() }).await?;
        journal.record(Event::Closed).await?;
        Ok(Wrote::Done(Some(mark)))
    }

    async fn reverting(&self, intent: Intent, journal: &mut dyn Journal) -> Result<Wrote, Failure> {
        let stands = match self.as_planned(&intent) {
            There::AsPlanned(stands) => stands,
            There::Else(wrote) => return Ok(wrote),
        };
        let Some(ours) = stands.filter(|found| intent.old.as_ref() == Some(&found.mark())) else {
            return Ok(Wrote::Refused(Fault::new("not_ours", "the file there was not made by us: it is left alone")));
        };
        journal.begin(intent.clone(), sent(1, "revert")).await?;
        self.shared.files.remove(&ours.file).await?;
        self.shared.note(intent.account.as_str(), None);
        journal.record(Event::Reset).await?;
        journal.record(Event::Closed).await?;
        Ok(Wrote::Done(None))
    }

    async fn mending(&self, open: &OpenIntent, mend: &Mend, journal: &mut dyn Journal) -> Result<Wrote, Failure> {
        let intent = &open.intent;
        match (mend, &open.status) {
            (Mend::Again(rendition), Status::Sent { attempt, .. }) if intent.kind == IntentKind::Replace => {
                if let There::Else(wrote) = self.as_planned(intent) {
                    return Ok(wrote);
                }
                journal.record(sent(attempt + 1, "file")).await?;
                self.write(intent, rendition, journal).await
            }
            (Mend::Finish(mark), Status::Sent { .. } | Status::Shown(_)) => {
                let stands = self.shared.files.standing(intent.account.as_str()).unwrap_or_default();
                let Some(standing) = stands.into_iter().find(|found| found.mark() == *mark) else {
                    return Ok(Wrote::ChangedMeanwhile);
                };
                self.drop_former(intent, &standing.file).await?;
                self.shared.note(intent.account.as_str(), Some(standing));
                if matches!(open.status, Status::Sent { .. }) {
                    journal.record(Event::Shown { mark: mark.clone() }).await?;
                }
                journal.record(Event::Closed).await?;
                Ok(Wrote::Done(Some(mark.clone())))
            }
            _ => Ok(Wrote::Refused(Fault::new("not_mendable", "a folder keeps no picture that is not shown"))),
        }
    }
}

fn sent(attempt: u32, route: &str) -> Event {
    let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Event::Sent { attempt, route: route.to_owned(), at }
}

#[async_trait]
impl Session for FolderSession {
    async fn replace(&mut self, draft: Intent, rendition: &Rendition, journal: &mut dyn Journal) -> Wrote {
        self.replacing(draft, rendition, journal).await.unwrap_or_else(Wrote::Stop)
    }

    async fn revert(&mut self, draft: Intent, journal: &mut dyn Journal) -> Wrote {
        self.reverting(draft, journal).await.unwrap_or_else(Wrote::Stop)
    }

    async fn mend(&mut self, open: &OpenIntent, mend: &Mend, journal: &mut dyn Journal) -> Wrote {
        self.mending(open, mend, journal).await.unwrap_or_else(Wrote::Stop)
    }
}
