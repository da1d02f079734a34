//! The steps of a write, each between the journal calls that docs/write-protocols.md puts around it.
//!
//! Owns: replace, revert and mend for one account at a time.
//! Leaves to others: the calls themselves (`client.rs`), judging what was cut off (`observe.rs`).
//! A newcomer gets wrong: a complete success does not close the intent. The picture's `v` is not known before the
//! confirming survey shows it, and `run` closes the intent then (`Target::confirm`).

use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::http::Response;
use crate::load::clock::now;
use crate::load::{Journal, Mend, WriteError, WriteProtocol, recorded, unmendable};
use crate::model::{Event, Fault, Intent, IntentKind, OpenIntent, PictureRef, Rendition, Shown, Status};

use super::client::{BitbucketClient, TOKEN_IMAGES};
use super::mark::Window;
use super::observe;
use super::slug::Slug;

/// The longest side that a Bitbucket takes unless its administrator says otherwise (`avatar.max.dimension`).
pub(super) const SIDE: u32 = 1024;
/// The most bytes that it takes (`avatar.max.size`).
pub(super) const BYTES: usize = 1024 * 1024;
/// The one way that pictures go.
pub(super) const ROUTE: &str = "multipart";

/// One worker's session.
pub(super) struct BitbucketSession {
    client: BitbucketClient,
}

#[async_trait]
impl WriteProtocol for BitbucketSession {
    async fn replace(
        &mut self,
        draft: Intent,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let slug = slug(&draft)?;
        if rendition.side > SIDE || rendition.bytes.len() > BYTES {
            let found =
                format!("{} px and {} bytes; it takes {SIDE} and {BYTES}", rendition.side, rendition.bytes.len());
            return Err(WriteError::Refused(Fault::new("too_large", found)));
        }
        self.client.atlassian().http().alone()?;
        journal.begin(draft.clone(), sent(1)).await?;
        if let Err(unsent) = self.expect(&draft, &draft.stood, &slug).await {
            journal.record(Event::Void { why: "nothing was sent".to_owned() }).await?;
            return Err(unsent);
        }
        self.post(&draft, &slug, rendition, journal).await
    }

    async fn revert(&mut self, draft: Intent, journal: &mut dyn Journal) -> Result<Option<PictureRef>, WriteError> {
        let slug = slug(&draft)?;
        match (&draft.stood, draft.old_looks) {
            (Shown::Custom(_), _) | (Shown::Unknown(_), Some(_)) => {}
            // Nothing tells whose picture it is.
            (Shown::Unknown(why), None) => return Err(WriteError::Refused(Fault::new("not_looked_at", why.clone()))),
            (Shown::Default | Shown::System(_), _) => return Err(WriteError::ChangedMeanwhile),
        }
        // The person may have uploaded since the survey, and a deleted picture does not come back.
        self.expect(&draft, &draft.stood, &slug).await?;
        self.look(&draft, &slug, journal).await?;
        let sent = Event::Sent { attempt: 1, route: "revert".to_owned(), at: now() };
        journal.begin(draft, sent).await?;
        self.settled(self.client.delete(&slug).await, journal).await?;
        journal.end(Event::Reset).await?;
        Ok(None)
    }

    async fn mend(
        &mut self,
        open: &OpenIntent,
        mend: &Mend,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        match mend {
            Mend::Finish(mark) => finish(open, mark, self.client.shared().quiet, journal).await,
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
    async fn expect(&self, intent: &Intent, stood: &Shown, slug: &Slug) -> Result<(), WriteError> {
        let now = self.client.stands(&intent.account, &intent.account_name, slug).await?;
        match now.map_err(WriteError::Refused)? {
            Some(now) if is_same(stood, &now) => Ok(()),
            Some(_) | None => Err(WriteError::ChangedMeanwhile),
        }
    }

    /// Before a picture of ours is deleted it must look like ours: a person's upload within moments of our write, or a
    /// restored server, may have got its version (docs/write-protocols.md). What is not ours is not looked at.
    async fn look(&self, draft: &Intent, slug: &Slug, journal: &mut dyn Journal) -> Result<(), WriteError> {
        let ours = draft.old.as_ref().filter(|old| match &draft.stood {
            Shown::Custom(stood) => stood == *old,
            // Only looks can tell.
            Shown::Unknown(_) => true,
            Shown::Default | Shown::System(_) => false,
        });
        let (Some(mark), Some(looks)) = (ours, draft.old_looks) else { return Ok(()) };
        let served = self.client.looks(slug).await?;
        let unread =
            |why: &str| WriteError::Refused(Fault::new("not_looked_at", format!("nothing was deleted: {why}")));
        match served {
            Some(served) if looks.fits(&served) => Ok(()),
            Some(_) if self.client.is_by_token() => Err(unread(TOKEN_IMAGES)),
            Some(_) => {
                journal.begin(draft.clone(), Event::Disowned { mark: mark.clone() }).await?;
                let why =
                    "another picture than ours stands there under its version: it is the person's own, and was left";
                Err(WriteError::Refused(Fault::new("not_ours", why)))
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
    ) -> Result<Option<PictureRef>, WriteError> {
        let from = now();
        let response = self.settled(self.client.post(slug, rendition).await, journal).await?;
        let mark = window(from, now(), &response, &intent.stood).mark();
        journal.record(Event::Shown { mark: mark.clone() }).await?;
        Ok(Some(mark))
    }

    /// Bitbucket keeps no picture but the one that is shown, so only a probe leaves one to take away.
    async fn tidy(
        &self,
        open: &OpenIntent,
        mark: &PictureRef,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let intent = &open.intent;
        if intent.kind != IntentKind::Probe {
            return Err(unmendable(open));
        }
        let slug = slug(intent)?;
        self.expect(intent, &Shown::Custom(mark.clone()), &slug).await?;
        match &open.status {
            Status::Sent { .. } => journal.record(Event::Abandoned { mark: mark.clone() }).await?,
            Status::Leftover(_) => {}
            _ => return Err(unmendable(open)),
        }
        self.client.delete(&slug).await.map_err(WriteError::after_a_step)?;
        journal.record(Event::Closed).await?;
        Ok(None)
    }

    /// What a write came to; a definite refusal is recorded.
    async fn settled<T>(&self, done: Result<T, WriteError>, journal: &mut dyn Journal) -> Result<T, WriteError> {
        let done = recorded(done, journal).await;
        if matches!(done, Err(WriteError::Refused(_))) {
            // A refusal that is everybody's has tripped the circuit breaker.
            self.client.atlassian().circuit_breaker().pass()?;
        }
        done
    }

    async fn again(
        &self,
        open: &OpenIntent,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let intent = &open.intent;
        let (Status::Sent { attempt, .. }, IntentKind::Replace) = (&open.status, intent.kind) else {
            return Err(unmendable(open));
        };
        let slug = slug(intent)?;
        self.expect(intent, &intent.stood, &slug).await?;
        journal.record(sent(attempt + 1)).await?;
        self.post(intent, &slug, rendition, journal).await
    }
}

/// The picture is shown under this mark: only the journal has to learn it.
async fn finish(
    open: &OpenIntent,
    mark: &PictureRef,
    quiet: Duration,
    journal: &mut dyn Journal,
) -> Result<Option<PictureRef>, WriteError> {
    match &open.status {
        Status::Sent { .. } if open.intent.kind == IntentKind::Replace => {
            let event = match observe::is_ours(open, mark, quiet) {
                true => Event::Shown { mark: mark.clone() },
                false => Event::Recognised { mark: mark.clone() },
            };
            journal.record(event).await?;
        }
        Status::Shown(known) if known != mark => journal.record(Event::Confirmed { mark: mark.clone() }).await?,
        Status::Shown(_) => {}
        _ => return Err(unmendable(open)),
    }
    journal.record(Event::Closed).await?;
    Ok(Some(mark.clone()))
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

fn slug(intent: &Intent) -> Result<Slug, WriteError> {
    let read = intent.handle.as_deref().map_or(Err("its slug is not known"), Slug::read);
    read.map_err(|why| WriteError::Refused(Fault::new("no_slug", format!("account {}: {why}", intent.account))))
}
