//! Showing again what an account showed before a run (docs/write-protocols.md, "Undoing a run").
//!
//! Owns: the steps of it. Leaves to others: judging what was cut off (`observe.rs`), which is that of a revert.
//! A newcomer gets wrong: Jira stores any number that it is told to select. So the earlier upload must be in the account's
//! own list, or it stays as it is.

use crate::load::clock::now;
use crate::load::{Journal, WriteError, recorded};
use crate::model::{Event, Fault, Intent, PictureRef, Shown};

use super::avatar::Avatars;
use super::session::JiraSession;
use super::upload;

impl JiraSession {
    /// Shows what stood before, then takes ours away, if this is still ours.
    pub(super) async fn given_back(
        &self,
        mut draft: Intent,
        back: &Shown,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let avatars = self.avatars(&draft.account_name).await?;
        let default = self.shared.known().default;
        if !avatars.all_of(&draft.account) || !avatars.stand_as(&draft.stood, default.as_ref()) {
            return Err(WriteError::ChangedMeanwhile);
        }
        // Without uploads the list names nobody.
        if avatars.custom.is_empty() && !self.is_called(&draft).await? {
            return Err(WriteError::ChangedMeanwhile);
        }
        let mark = earlier(&avatars, &draft, back, default).map_err(WriteError::Refused)?;
        draft.base = avatars.ids();
        draft.old = draft.old.filter(|old| draft.stood == Shown::Custom(old.clone()));
        let goes = self.looked_at(&draft).await?;
        if draft.old.is_some() && goes.is_none() {
            // Whoever owns pictures here: what is not ours is nothing to undo.
            return self.foreign(draft, journal).await;
        }
        let sent = Event::Sent { attempt: 1, route: "revert".to_owned(), at: now() };
        journal.begin(draft.clone(), sent).await?;
        recorded(upload::select(&self.client, &draft.account_name, &mark).await, journal).await?;
        journal.record(Event::Reset).await?;
        if let Some(ours) = &goes {
            self.delete(&draft.account_name, ours).await?;
        }
        journal.record(Event::Closed).await?;
        Ok(None)
    }
}

/// The avatar to select.
fn earlier(avatars: &Avatars, draft: &Intent, back: &Shown, default: Option<PictureRef>) -> Result<PictureRef, Fault> {
    match back {
        Shown::System(mark) => Ok(mark.clone()),
        Shown::Custom(mark) if avatars.has(mark, &draft.account) => Ok(mark.clone()),
        Shown::Custom(mark) => Err(Fault::new("gone", format!("the earlier avatar {mark} is not there any more"))),
        Shown::Default => default.ok_or_else(|| {
            let found = "no account of this server shows the default picture, so it cannot be told which one it is";
            Fault::new("default_unknown", found)
        }),
        Shown::Unknown(why) => Err(Fault::new("gone", why.clone())),
    }
}
