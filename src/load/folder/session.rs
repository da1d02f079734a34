//! The steps of a write into a folder, each between two journal calls.
//!
//! Owns: replace, revert and mend of one file. Leaves to others: how a file gets there whole (`files.rs`).
//! A newcomer gets wrong: a file that is not what the plan saw is left alone, even under a name of ours.

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;

use crate::http::Failure;
use crate::load::{Journal, Mend, Rendition, Session, Wrote};
use crate::model::{Digest, Event, Fault, Intent, IntentKind, OpenIntent, Shown, Status};

use super::Shared;
use super::files::Standing;

/// Files are placed whole, so a session can be used again whatever became of the last write.
pub(super) struct FolderSession {
    shared: Arc<Shared>,
}

impl FolderSession {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// What stands there, if it is what the plan saw.
    async fn as_planned(&self, intent: &Intent) -> Result<Option<Option<Standing>>, Failure> {
        let stands = self.shared.files.standing(&intent.account_name).await?;
        let planned = match (&intent.stood, &stands) {
            (Shown::Default, None) => true,
            (Shown::Custom(mark), Some(found)) => *mark == found.mark(),
            _ => false,
        };
        Ok(planned.then_some(stands))
    }

    async fn replacing(
        &self,
        intent: Intent,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Wrote, Failure> {
        if self.as_planned(&intent).await?.is_none() {
            return Ok(Wrote::ChangedMeanwhile);
        }
        journal.begin(intent.clone(), sent(1, "file")).await?;
        self.write(&intent, rendition, journal).await
    }

    /// After a change of format the former file goes: with both there, it could not be said which one is shown.
    async fn drop_former(&self, intent: &Intent, keep: &str) -> Result<(), Failure> {
        let Shown::Custom(former) = &intent.stood else { return Ok(()) };
        for standing in self.shared.files.all_standing(&intent.account_name).await? {
            if standing.file != keep && standing.mark() == *former {
                self.shared.files.remove(&standing.file).await?;
            }
        }
        Ok(())
    }

    async fn write(&self, intent: &Intent, rendition: &Rendition, journal: &mut dyn Journal) -> Result<Wrote, Failure> {
        let extension = if rendition.mime == "image/jpeg" { "jpg" } else { "png" };
        let file = format!("{}.{extension}", intent.account_name);
        self.shared.files.place(&file, &rendition.bytes).await?;
        self.drop_former(intent, &file).await?;
        let standing = Standing { file, digest: Digest::of(&rendition.bytes) };
        let mark = standing.mark();
        self.shared.index.note(&intent.account_name, Some(standing));
        journal.record(Event::Shown { mark: mark.clone() }).await?;
        journal.record(Event::Closed).await?;
        Ok(Wrote::Done(Some(mark)))
    }

    async fn reverting(&self, intent: Intent, journal: &mut dyn Journal) -> Result<Wrote, Failure> {
        let Some(stands) = self.as_planned(&intent).await? else { return Ok(Wrote::ChangedMeanwhile) };
        let Some(ours) = stands.filter(|found| intent.old.as_ref() == Some(&found.mark())) else {
            return Ok(Wrote::Refused(Fault::new("not_ours", "the file there was not made by us: it is left alone")));
        };
        journal.begin(intent.clone(), sent(1, "revert")).await?;
        self.shared.files.remove(&ours.file).await?;
        self.shared.index.note(&intent.account_name, None);
        journal.record(Event::Reset).await?;
        journal.record(Event::Closed).await?;
        Ok(Wrote::Done(None))
    }

    async fn mending(&self, open: &OpenIntent, mend: &Mend, journal: &mut dyn Journal) -> Result<Wrote, Failure> {
        let intent = &open.intent;
        match (mend, &open.status) {
            (Mend::Again(rendition), Status::Sent { attempt, .. }) if intent.kind == IntentKind::Replace => {
                if self.as_planned(intent).await?.is_none() {
                    return Ok(Wrote::ChangedMeanwhile);
                }
                journal.record(sent(attempt + 1, "file")).await?;
                self.write(intent, rendition, journal).await
            }
            (Mend::Finish(mark), Status::Sent { .. } | Status::Shown(_)) => {
                let stands = self.shared.files.standing(&intent.account_name).await?;
                let Some(standing) = stands.filter(|found| found.mark() == *mark) else {
                    return Ok(Wrote::ChangedMeanwhile);
                };
                self.drop_former(intent, &standing.file).await?;
                self.shared.index.note(&intent.account_name, Some(standing));
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
