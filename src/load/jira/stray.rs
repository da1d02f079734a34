//! A picture that was made for another account: the name had passed to it between the survey and the write.
//!
//! Owns: taking it back, and finding it after a kill (docs/write-protocols.md, "Jira").
//! Leaves to others: noticing whose a new picture is (`session.rs`), judging everything else (`observe.rs`).
//! A newcomer gets wrong: the account that was meant is called something else by now, and none of its avatars is new. The
//! picture lies with whoever has the name that the write went by.

use std::sync::atomic::Ordering;

use crate::http::{Failure, FailureKind};
use crate::load::{Journal, Seen, WriteError};
use crate::model::{AccountId, Event, Fault, Intent, OpenIntent, PictureRef, Status};

use super::avatar::no_uploads;
use super::client::{GONE, JiraClient, ServedPicture};
use super::connection::JiraConnection;
use super::session::{JiraSession, fits, left_open};
use super::upload;

/// The second picture for a stranger in one run is no coincidence.
const STOPS_AT: u32 = 2;

impl JiraSession {
    /// What was just made belongs to somebody else. Nothing was shown; it goes again.
    pub(super) async fn strayed(
        &self,
        intent: &Intent,
        mark: PictureRef,
        owner: AccountId,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let name = &intent.account_name;
        let nth = self.shared.strays.fetch_add(1, Ordering::Relaxed) + 1;
        let tried = || format!("a picture for {name}");
        // Whoever answers may have got number and owner wrong. Only the account whose list has it can take it back; where it does
        // not, what was made is another one, which the next run finds as that of an answer that was lost.
        let avatars = self.avatars(name).await;
        let is_there = avatars.as_ref().map_or(true, |avatars| avatars.has(&mark, &owner));
        if is_there {
            journal.record(Event::Stray { mark: mark.clone(), owner: owner.clone() }).await?;
        }
        let avatars = avatars?;
        if !is_there {
            let found = format!("the new avatar {mark} is said to belong to {owner}, and {name} does not have it");
            return Err(WriteError::Stop(
                Failure::new(FailureKind::Odd, tried(), found).hint("nothing was shown; the next run looks for it"),
            ));
        }
        self.remove(name, &mark, avatars.shows(&mark)).await?;
        journal.record(Event::Closed).await?;
        if nth < STOPS_AT {
            return Err(WriteError::ChangedMeanwhile);
        }
        let found = format!("for the second time the new avatar belongs to another account ({mark}, of {owner})");
        Err(WriteError::Stop(
            Failure::new(FailureKind::Odd, tried(), found)
                .hint("user names pass from one account to another at this moment: run again when that is done"),
        ))
    }

    /// Takes back what a write that was cut off left with another account.
    pub(super) async fn take_back(
        &self,
        open: &OpenIntent,
        mark: &PictureRef,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let owner = match &open.status {
            Status::Stray { mark: stray, owner } if stray == mark => owner.clone(),
            Status::Sent { .. } => {
                let avatars = self.avatars(open.sent_name()).await?;
                let strays = avatars.strays(&open.intent.base, &open.intent.account);
                let found = strays.into_iter().find(|(stray, _)| stray == mark);
                let Some((_, owner)) = found else { return Err(WriteError::ChangedMeanwhile) };
                journal.record(Event::Stray { mark: mark.clone(), owner: owner.clone() }).await?;
                owner
            }
            _ => return Err(WriteError::ChangedMeanwhile),
        };
        if let Some((name, shown)) = found_with(&self.client, &owner, mark).await?.map_err(WriteError::Refused)? {
            // A server that was put back gives our number to what somebody uploads.
            let ours = match self.client.served(&owner, mark).await? {
                ServedPicture::Picture(bytes) => fits(&self.shared, Some(bytes), &open.intent),
                ServedPicture::Nothing => true,
                ServedPicture::NotNow(fault) => return Err(WriteError::Unknown(fault)),
            };
            if ours {
                self.remove(&name, mark, shown).await?;
            }
        }
        journal.record(Event::Closed).await?;
        Ok(None)
    }

    /// Deletes it, and shows the default first where it is shown.
    async fn remove(&self, name: &str, mark: &PictureRef, shown: bool) -> Result<(), WriteError> {
        if shown {
            let default = self.shared.known().default.ok_or_else(|| {
                let found = format!("{name} shows avatar {mark}, which was meant for another account");
                WriteError::Unknown(Fault::new("default_unknown", found))
            })?;
            tracing::warn!(%mark, "an account shows a picture that was meant for another one");
            upload::select(&self.client, name, &default).await.map_err(|trouble| {
                left_open(trouble, "not_taken_off", &format!("{name} shows avatar {mark} of another account"))
            })?;
        }
        self.delete(name, mark).await
    }
}

/// By which name an account has this avatar now, and whether it shows it.
async fn found_with(
    client: &JiraClient,
    owner: &AccountId,
    mark: &PictureRef,
) -> Result<Result<Option<(String, bool)>, Fault>, Failure> {
    let name = match client.user("key", owner.as_str()).await? {
        Ok(user) if user.key.as_deref() == Some(owner.as_str()) => user.name.unwrap_or_default(),
        Ok(_) => return Ok(Err(Fault::new("user_odd", format!("the server answered for another user than {owner}")))),
        Err(gone) if gone.code == GONE => return Ok(Ok(None)),
        Err(unread) => return Ok(Err(unread)),
    };
    Ok(match client.avatars(&name).await? {
        Ok(avatars) if !avatars.lists_uploads => Err(Fault::new("avatars_odd", no_uploads(&name))),
        Ok(avatars) => Ok(avatars.has(mark, owner).then(|| (name, avatars.shows(mark)))),
        Err(gone) if gone.code == GONE => Ok(None),
        Err(unread) => Err(unread),
    })
}

/// Whether a recorded stray is still there.
pub(super) async fn observe_recorded(
    client: &JiraClient,
    mark: &PictureRef,
    owner: &AccountId,
) -> Result<Seen, Failure> {
    Ok(match found_with(client, owner, mark).await? {
        Ok(Some(_)) => Seen::Stray { mark: mark.clone(), owner: owner.clone() },
        Ok(None) => Seen::Nothing("the picture of another account is gone".into()),
        Err(unread) => Seen::Unsure(unread.message),
    })
}

/// What an unrecorded creation left with whoever has the name that the write went by. `None`: nothing.
pub(super) async fn observe(
    client: &JiraClient,
    shared: &JiraConnection,
    open: &OpenIntent,
) -> Result<Option<Seen>, Failure> {
    let Status::Sent { attempt, .. } = open.status else { return Ok(None) };
    let intent = &open.intent;
    let avatars = match client.avatars(open.sent_name()).await? {
        Ok(avatars) => avatars,
        // Nobody is called so any more.
        Err(gone) if gone.code == GONE => return Ok(None),
        Err(unread) => return Ok(Some(Seen::Unsure(unread.message))),
    };
    if !avatars.lists_uploads {
        return Ok(Some(Seen::Unsure(no_uploads(open.sent_name()))));
    }
    let mut alike = Vec::new();
    for (mark, owner) in avatars.strays(&intent.base, &intent.account) {
        match client.picture(Some(&owner), &mark).await? {
            None => return Ok(Some(Seen::Unsure(format!("the new avatar {mark} of {owner} could not be looked at")))),
            picture if fits(shared, picture.clone(), intent) => alike.push((mark, owner)),
            Some(_) => {}
        }
    }
    if alike.len() as u64 > u64::from(attempt) {
        let found = format!("{} pictures of another account look like what was sent {attempt} times", alike.len());
        return Ok(Some(Seen::Unsure(found)));
    }
    Ok(alike.pop().map(|(mark, owner)| Seen::Stray { mark, owner }))
}
