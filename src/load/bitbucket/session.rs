//! The steps of a write, each between the journal calls that docs/write-protocols.md puts around it.
//!
//! Owns: replace, revert and mend for one account at a time.
//! Leaves to others: the calls themselves (`client.rs`), judging what was cut off (`observe.rs`).
//! A newcomer gets wrong: a complete success does not close the intent. The picture's `v` is not known before the
//! confirming survey shows it, and `run` closes the intent then (`Target::confirm`).

use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::http::Response;
use crate::load::atlassian::client::WriteError;
use crate::load::atlassian::now;
use crate::load::atlassian::session::{Protocol, record, unmendable};
use crate::load::{Journal, Mend, Rendition, Wrote};
use crate::model::{Event, Fault, Intent, IntentKind, OpenIntent, PictureRef, Shown, Status};

use super::client::BitbucketClient;
use super::mark::Window;
use super::slug::Slug;
use super::{BYTES, ROUTE, SIDE, observe};

/// One worker's session.
pub(super) struct BitbucketSession {
    client: BitbucketClient,
}

#[async_trait]
impl Protocol for BitbucketSession {
    async fn replace(
        &mut self,
        draft: Intent,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Wrote, Wrote> {
        let slug = slug(&draft)?;
        if rendition.side > SIDE || rendition.bytes.len() > BYTES {
            let found =
                format!("{} px and {} bytes; it takes {SIDE} and {BYTES}", rendition.side, rendition.bytes.len());
            return Ok(Wrote::Refused(Fault::new("too_large", found)));
        }
        journal.begin(draft.clone(), sent(1)).await.map_err(Wrote::Stop)?;
        if let Err(unsent) = self.expect(&draft, &draft.stood, &slug).await {
            record(journal, Event::Void { why: "nothing was sent".to_owned() }).await?;
            return Err(unsent);
        }
        self.post(&draft, &slug, rendition, journal).await
    }

    async fn revert(&mut self, draft: Intent, journal: &mut dyn Journal) -> Result<Wrote, Wrote> {
        let slug = slug(&draft)?;
        match (&draft.stood, draft.old_looks) {
            (Shown::Custom(_), _) | (Shown::Unknown(_), Some(_)) => {}
            // Nothing tells whose picture it is.
            (Shown::Unknown(why), None) => return Ok(Wrote::Refused(Fault::new("not_looked_at", why.clone()))),
            (Shown::Default | Shown::System(_), _) => return Ok(Wrote::ChangedMeanwhile),
        }
        // The person may have uploaded since the survey, and a deleted picture does not come back.
        self.expect(&draft, &draft.stood, &slug).await?;
        self.look(&draft, &slug, journal).await?;
        let sent = Event::Sent { attempt: 1, route: "revert".to_owned(), at: now() };
        journal.begin(draft, sent).await.map_err(Wrote::Stop)?;
        if let Err(trouble) = self.client.delete(&slug).await {
            return self.ended(trouble, journal).await;
        }
        record(journal, Event::Reset).await?;
        record(journal, Event::Closed).await?;
        Ok(Wrote::Done(None))
    }

    async fn mend(&mut self, open: &OpenIntent, mend: &Mend, journal: &mut dyn Journal) -> Result<Wrote, Wrote> {
        match mend {
            Mend::Finish(mark) => finish(open, mark, self.client.quiet(), journal).await,
            Mend::Again(rendition) => self.again(open, rendition, journal).await,
            Mend::Tidy(mark) => self.tidy(open, mark, journal).await,
        }
    }
}

impl BitbucketSession {
    pub(super) fn new(client: BitbucketClient) -> Self {
        Self { client }
    }

    /// The slug must lead to the account still, and the account show this still: a slug is only an address, and passes
    /// to somebody else (docs/write-protocols.md).
    async fn expect(&self, intent: &Intent, stood: &Shown, slug: &Slug) -> Result<(), Wrote> {
        let now = self.client.stands(&intent.account, &intent.account_name, slug).await.map_err(Wrote::Stop)?;
        match now.map_err(Wrote::Refused)? {
            Some(now) if is_same(stood, &now) => Ok(()),
            Some(_) | None => Err(Wrote::ChangedMeanwhile),
        }
    }

    /// Before a picture of ours is deleted it must look like ours: a person's upload within moments of our write, or a
    /// restored server, may have got its version (docs/write-protocols.md). What is not ours is not looked at.
    async fn look(&self, draft: &Intent, slug: &Slug, journal: &mut dyn Journal) -> Result<(), Wrote> {
        let ours = draft.old.as_ref().filter(|old| match &draft.stood {
            Shown::Custom(stood) => stood == *old,
            // Only looks can tell.
            Shown::Unknown(_) => true,
            Shown::Default | Shown::System(_) => false,
        });
        let (Some(mark), Some(looks)) = (ours, draft.old_looks) else { return Ok(()) };
        let served = self.client.looks(slug).await.map_err(Wrote::Stop)?;
        let unread = |why: &str| Wrote::Refused(Fault::new("not_looked_at", format!("nothing was deleted: {why}")));
        match served {
            Some(served) if looks.fits(&served) => Ok(()),
            Some(_) if self.client.is_by_token() => Err(unread(super::client::TOKEN_IMAGES)),
            Some(_) => {
                journal.begin(draft.clone(), Event::Disowned { mark: mark.clone() }).await.map_err(Wrote::Stop)?;
                let why =
                    "another picture than ours stands there under its version: it is the person's own, and was left";
                Err(Wrote::Refused(Fault::new("not_ours", why)))
            }
            None => Err(unread("the picture there could not be read")),
        }
    }

    /// From the recorded sending to the success, which stays open until its `v` is known.
    async fn post(
        &self,
        intent: &Intent,
        slug: &Slug,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Wrote, Wrote> {
        let from = now();
        let response = match self.client.post(slug, rendition).await {
            Ok(response) => response,
            Err(trouble) => return self.ended(trouble, journal).await,
        };
        let mark = window(from, now(), &response, &intent.stood).mark();
        record(journal, Event::Shown { mark: mark.clone() }).await?;
        Ok(Wrote::Done(Some(mark)))
    }

    /// Bitbucket keeps no picture but the one that is shown, so only a probe leaves one to take away.
    async fn tidy(&self, open: &OpenIntent, mark: &PictureRef, journal: &mut dyn Journal) -> Result<Wrote, Wrote> {
        let intent = &open.intent;
        if intent.kind != IntentKind::Probe {
            return Ok(Wrote::Refused(unmendable(open)));
        }
        let slug = slug(intent)?;
        self.expect(intent, &Shown::Custom(mark.clone()), &slug).await?;
        match &open.status {
            Status::Sent { .. } => record(journal, Event::Abandoned { mark: mark.clone() }).await?,
            Status::Leftover(_) => {}
            _ => return Ok(Wrote::Refused(unmendable(open))),
        }
        match self.client.delete(&slug).await {
            Ok(()) => {
                record(journal, Event::Closed).await?;
                Ok(Wrote::Done(None))
            }
            Err(WriteError::Refused(fault) | WriteError::Unknown(fault)) => Ok(Wrote::Maybe(fault)),
            Err(WriteError::Stop(failure)) => Ok(Wrote::Stop(failure)),
        }
    }

    /// What a write that did not succeed ends in; a definite refusal is recorded.
    async fn ended(&self, trouble: WriteError, journal: &mut dyn Journal) -> Result<Wrote, Wrote> {
        Ok(match trouble {
            WriteError::Refused(no) => {
                record(journal, Event::Refused { why: no.message.clone() }).await?;
                // A refusal that is everybody's has tripped the circuit breaker.
                self.client.atlassian().circuit_breaker().pass().map_err(Wrote::Stop)?;
                Wrote::Refused(no)
            }
            WriteError::Unknown(maybe) => Wrote::Maybe(maybe),
            WriteError::Stop(failure) => Wrote::Stop(failure),
        })
    }

    async fn again(&self, open: &OpenIntent, rendition: &Rendition, journal: &mut dyn Journal) -> Result<Wrote, Wrote> {
        let intent = &open.intent;
        let (Status::Sent { attempt, .. }, IntentKind::Replace) = (&open.status, intent.kind) else {
            return Ok(Wrote::Refused(unmendable(open)));
        };
        let slug = slug(intent)?;
        self.expect(intent, &intent.stood, &slug).await?;
        record(journal, sent(attempt + 1)).await?;
        self.post(intent, &slug, rendition, journal).await
    }
}

/// The picture is shown under this mark: only the journal has to learn it.
async fn finish(
    open: &OpenIntent,
    mark: &PictureRef,
    quiet: Duration,
    journal: &mut dyn Journal,
) -> Result<Wrote, Wrote> {
    match &open.status {
        Status::Sent { .. } if open.intent.kind == IntentKind::Replace => {
            let event = match observe::is_ours(open, mark, quiet) {
                true => Event::Shown { mark: mark.clone() },
                false => Event::Recognised { mark: mark.clone() },
            };
            record(journal, event).await?;
        }
        Status::Shown(known) if known != mark => record(journal, Event::Confirmed { mark: mark.clone() }).await?,
        Status::Shown(_) => {}
        _ => return Ok(Wrote::Refused(unmendable(open))),
    }
    record(journal, Event::Closed).await?;
    Ok(Wrote::Done(Some(mark.clone())))
}

/// When it was sent and answered, by the server's own clock where the answer is dated.
pub(super) fn window(from: u64, to: u64, response: &Response, stood: &Shown) -> Window {
    let dated = response.header("date").and_then(|date| httpdate::parse_http_date(date).ok());
    let there = dated.and_then(|date| date.duration_since(SystemTime::UNIX_EPOCH).ok()).map(|since| since.as_secs());
    let answered = there.unwrap_or(to);
    let took = to.saturating_sub(from);
    Window { to: answered, ..Window::of_sending(answered.saturating_sub(took), Duration::ZERO, stood) }
}

/// Whether an account shows the same picture as before. Where neither tells, nothing says that it changed.
fn is_same(before: &Shown, now: &Shown) -> bool {
    matches!((before, now), (Shown::Unknown(_), Shown::Unknown(_))) || before == now
}

pub(super) fn sent(attempt: u32) -> Event {
    Event::Sent { attempt, route: ROUTE.to_owned(), at: now() }
}

fn slug(intent: &Intent) -> Result<Slug, Wrote> {
    let read = intent.handle.as_deref().map_or(Err("its slug is not known"), Slug::read);
    read.map_err(|why| Wrote::Refused(Fault::new("no_slug", format!("account {}: {why}", intent.account))))
}
