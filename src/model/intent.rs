//! A remote write that may or may not have happened, and the journal of what is known about it.
//!
//! Owns: the intent, its events, and the one table of legal steps; an intent's status is derived from its events and
//! stored nowhere (docs/write-protocols.md).
//! Leaves to others: making events durable (`state`), looking at the server (`load`), mending (`plan`).
//! A newcomer gets wrong: `Sent` is recorded *before* the request leaves, so it means "maybe done", never "done".

use serde::{Deserialize, Serialize};

use super::{
    AccountId, Before, Digest, Fingerprint, KeysDigest, Luma, PersonRef, PictureRef, Placement, Provenance, Recipe,
    RunId, ServerId, Shown, TargetId,
};

/// A row of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IntentId(pub i64);

/// What the write is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentKind {
    /// A picture is made and shown.
    Replace,
    /// The default, or what stood before, is shown and our picture goes.
    Revert,
    /// A throw-away picture on the service account's own profile, to learn which upload works.
    Probe,
}

/// Everything that must be known to judge a write after a kill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The run that wrote.
    pub run: RunId,
    /// The target.
    pub target: TargetId,
    /// The server behind it at that time.
    pub server: ServerId,
    /// The account.
    pub account: AccountId,
    /// Its name at that time: what the calls want.
    pub account_name: String,
    /// Its handle at that time ([`super::Account::handle`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// What the write is for.
    pub kind: IntentKind,
    /// Whose photo.
    pub person: Option<PersonRef>,
    /// Digest of the original photo; `None` for a revert.
    pub photo: Option<Digest>,
    /// The recipe; `None` for a revert.
    pub recipe: Option<Recipe>,
    /// Digest of the bytes that are uploaded; `None` for a revert.
    pub rendition: Option<Digest>,
    /// What the rendition looks like; `None` for a revert.
    pub luma: Option<Luma>,
    /// What the account showed.
    pub stood: Shown,
    /// Every custom picture the account had (Jira: avatar ids).
    pub base: Vec<PictureRef>,
    /// The mark that the new picture will have, where we choose it (Confluence: the file name).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub making: Option<PictureRef>,
    /// The picture of ours that is to go, if we made one.
    pub old: Option<PictureRef>,
    /// What `old` looks like: before it is deleted, a look must not show another picture under its mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_looks: Option<Fingerprint>,
    /// Of the keys by which person and account were matched, for the placement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeysDigest>,
    /// What stood there before our first write.
    pub before: Before,
    /// Of the owner whom the account named at that time ([`KeysDigest::of_owner`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<KeysDigest>,
    /// What leads to what it showed, where its mark alone does not (Confluence: the id of the personal information; a
    /// folder: how the file's name ends).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stood_in: Option<String>,
    /// Whose photo it showed, where that was on record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stood_of: Option<PersonRef>,
    /// Of a write that undoes a run: what is shown again; `None` of a revert: the default. Of a replacement: what was kept of
    /// it is uploaded, and stands there as somebody's own choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<Shown>,
    /// Unix seconds.
    pub begun_at: u64,
}

impl Intent {
    /// What a revert shows.
    pub fn goal(&self) -> &Shown {
        self.back.as_ref().unwrap_or(&Shown::Default)
    }

    /// Whether it uploads what stood before a run: then what is shown is not ours.
    pub fn gives_back_a_kept_one(&self) -> bool {
        self.kind == IntentKind::Replace && self.back.is_some()
    }

    /// The placement that holds once the picture is shown under `mark`; `None` for a revert, a probe, or what is not ours.
    pub fn placement(&self, mark: &PictureRef, provenance: Provenance) -> Option<Placement> {
        match (self.kind, self.photo, &self.recipe, self.rendition) {
            _ if self.gives_back_a_kept_one() => None,
            (IntentKind::Replace, Some(photo), Some(recipe), Some(rendition)) => Some(Placement {
                target: self.target.clone(),
                account: self.account.clone(),
                person: self.person.clone(),
                photo,
                recipe: recipe.clone(),
                rendition,
                mark: mark.clone(),
                provenance,
                before: self.before.clone(),
                looks: self.luma.as_ref().map(Luma::fingerprint),
                keys: self.keys,
            }),
            _ => None,
        }
    }
}

/// What became known about an intent, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// A write is about to leave.
    Sent {
        /// 1, or one more after each "maybe".
        attempt: u32,
        /// Which way: `session`, `one_step`, `revert`.
        route: String,
        /// Unix seconds.
        at: u64,
    },
    /// The picture exists on the server under this mark and is not shown yet.
    Made {
        /// How the target names it.
        mark: PictureRef,
    },
    /// The picture is shown. The placement is written in the same transaction.
    Shown {
        /// How the target names it.
        mark: PictureRef,
    },
    /// A picture that looks like what was sent is shown, and nothing but its looks tells whose it is: ours of a lost
    /// answer, or the same portrait, uploaded by the person. The placement is written in the same transaction, as
    /// adopted: what may be the person's own is never deleted (promise P1).
    Recognised {
        /// How the target names it.
        mark: PictureRef,
    },
    /// A later listing told how the target really names what is shown. The placement learns it in the same transaction.
    Confirmed {
        /// How the target names it.
        mark: PictureRef,
    },
    /// The server's picture is not the one we sent; it must go.
    Bad {
        /// How the target names it.
        mark: PictureRef,
    },
    /// The name or slug had passed to somebody else, and the picture was made for that account; it must go.
    Stray {
        /// How the target names it.
        mark: PictureRef,
        /// Whom it was made for.
        owner: AccountId,
    },
    /// The default, or what stood before, is shown in place of our picture. The placement is deleted in the same transaction.
    Reset,
    /// Our made picture is not wanted any more, or the person chose another: it must go.
    Abandoned {
        /// How the target names it.
        mark: PictureRef,
    },
    /// What stands there under the mark of ours is another picture, and nothing was written. The placement is deleted in the
    /// same transaction.
    Foreign,
    /// The server refused; nothing happened.
    Refused {
        /// Its words.
        why: String,
    },
    /// Looking showed that nothing happened, or that nothing is left to do.
    Void {
        /// What was seen.
        why: String,
    },
    /// Looking could not tell; left alone and reported.
    Unsure {
        /// What was seen.
        why: String,
    },
    /// What stands under the mark of our picture looks like another one: it is somebody's own, and nothing was sent. The
    /// placement is deleted in the same transaction.
    Disowned {
        /// How the target names it.
        mark: PictureRef,
    },
    /// Everything is done, leftovers included.
    Closed,
}

/// Where an intent stands, derived from its events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Written down, nothing sent.
    Begun,
    /// Maybe done.
    Sent {
        /// How often it was sent.
        attempt: u32,
        /// Which way.
        route: String,
        /// Unix seconds of the last sending.
        at: u64,
    },
    /// Made, not shown.
    Made(PictureRef),
    /// Shown; the old picture may still be there.
    Shown(PictureRef),
    /// The default is shown; our picture may still be there.
    Reset,
    /// This picture of ours must go.
    Leftover(PictureRef),
    /// This picture of ours, which was made for another account, must go.
    Stray {
        /// How the target names it.
        mark: PictureRef,
        /// Whom it was made for.
        owner: AccountId,
    },
    /// It cannot be told; left alone.
    Unsure,
    /// Nothing is open.
    Closed,
}

/// An event that cannot follow: the journal is damaged or the code is wrong.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the journal cannot go from {status:?} by {event:?}")]
pub struct IllegalEvent {
    // Boxed, so that every error which may hold one stays small.
    status: Box<Status>,
    event: Box<Event>,
}

impl Status {
    /// The next status. Every pair that is not listed is an error.
    pub fn after(self, event: &Event) -> Result<Self, IllegalEvent> {
        use Event as E;
        match (self, event) {
            (Self::Begun, E::Sent { attempt: attempt @ 1, route, at }) => {
                Ok(Self::Sent { attempt: *attempt, route: route.clone(), at: *at })
            }
            (Self::Sent { attempt: last, .. }, E::Sent { attempt, route, at }) if *attempt == last + 1 => {
                Ok(Self::Sent { attempt: *attempt, route: route.clone(), at: *at })
            }
            (Self::Sent { .. }, E::Made { mark }) => Ok(Self::Made(mark.clone())),
            (Self::Sent { .. } | Self::Made(_), E::Shown { mark }) => Ok(Self::Shown(mark.clone())),
            (Self::Sent { .. }, E::Recognised { mark }) => Ok(Self::Shown(mark.clone())),
            (Self::Shown(_), E::Confirmed { mark }) => Ok(Self::Shown(mark.clone())),
            // Of a leftover: the person chose another picture, and the one of ours before it is to go, too.
            (Self::Sent { .. } | Self::Leftover(_), E::Reset) => Ok(Self::Reset),
            (Self::Sent { .. }, E::Foreign) => Ok(Self::Closed),
            (Self::Sent { .. } | Self::Made(_), E::Bad { mark } | E::Abandoned { mark }) => {
                Ok(Self::Leftover(mark.clone()))
            }
            (Self::Sent { .. }, E::Stray { mark, owner }) => {
                Ok(Self::Stray { mark: mark.clone(), owner: owner.clone() })
            }
            (Self::Sent { .. }, E::Unsure { .. }) => Ok(Self::Unsure),
            (Self::Unsure, E::Unsure { .. }) => Ok(Self::Unsure),
            (Self::Begun | Self::Sent { .. } | Self::Unsure, E::Refused { .. } | E::Void { .. }) => Ok(Self::Closed),
            (Self::Begun | Self::Shown(_), E::Disowned { .. }) => Ok(Self::Closed),
            (Self::Shown(_) | Self::Reset | Self::Leftover(_) | Self::Stray { .. }, E::Closed) => Ok(Self::Closed),
            (status, event) => Err(IllegalEvent { status: Box::new(status), event: Box::new(event.clone()) }),
        }
    }

    /// The status after all these events.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<Self, IllegalEvent> {
        events.into_iter().try_fold(Self::Begun, Self::after)
    }
}

/// What looking at the server says of an open intent (docs/write-protocols.md, "What holds for all").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// It is too early: a slow server may still be at it. Unix seconds from which on to look again.
    TooEarly(u64),
    /// Nothing happened, or nothing is left to do.
    Nothing(String),
    /// Our picture is there and not shown.
    HalfDone(PictureRef),
    /// Our picture is shown; the old one of ours, if any, is to be tidied.
    Shown(PictureRef),
    /// A picture that looks like ours is shown; it may be the person's own. An old one of ours is to be tidied as above.
    Alike(PictureRef),
    /// The default is shown; this picture of ours is still there.
    Reset(Option<PictureRef>),
    /// A picture of ours is there, and the account shows one that somebody else chose.
    Leftover(PictureRef),
    /// A picture of ours was made for another account, to which the name had passed.
    Stray {
        /// How the target names it.
        mark: PictureRef,
        /// Whom it was made for.
        owner: AccountId,
    },
    /// Our picture may be there, not shown, where nobody can look now. Making the same picture again covers it.
    Perhaps(PictureRef),
    /// It cannot be told.
    Unsure(String),
}

/// An intent of an earlier run that is not closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenIntent {
    /// Its row.
    pub id: IntentId,
    /// What was intended.
    pub intent: Intent,
    /// Where it stands.
    pub status: Status,
    /// What the account was called when it was sent, where it is called something else now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_as: Option<String>,
}

impl OpenIntent {
    /// The name that the write went by: another account may have it now.
    pub fn sent_name(&self) -> &str {
        self.sent_as.as_deref().unwrap_or(&self.intent.account_name)
    }

    /// The calls go by name, and the account is called so now.
    pub fn renamed(&mut self, now: &str) {
        if self.intent.account_name != now {
            let sent_as = std::mem::replace(&mut self.intent.account_name, now.to_owned());
            self.sent_as.get_or_insert(sent_as);
        }
    }

    /// When its last write, of which the outcome is not recorded, was sent: Unix seconds. A slow server may be at it
    /// for `quiet` from then on. `None`: there is no such write.
    pub fn last_write(&self) -> Option<u64> {
        match &self.status {
            Status::Sent { at, .. } => Some(*at),
            // When it was selected is not recorded; it was not before the beginning.
            Status::Made(_) => Some(self.intent.begun_at),
            _ => None,
        }
    }

    /// It was surely begun and sent by then. A later time in the journal is that of a clock which was ahead, and nobody
    /// waits for it.
    pub fn not_after(&mut self, latest: u64) {
        self.intent.begun_at = self.intent.begun_at.min(latest);
        if let Status::Sent { at, .. } = &mut self.status {
            *at = latest.min(*at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(attempt: u32) -> Event {
        Event::Sent { attempt, route: "session".into(), at: 7 }
    }

    fn m(mark: &str) -> PictureRef {
        mark.into()
    }

    #[test]
    fn every_legal_path_ends_closed() {
        let paths: Vec<Vec<Event>> = vec![
            vec![sent(1), Event::Made { mark: m("5") }, Event::Shown { mark: m("5") }, Event::Closed],
            vec![sent(1), sent(2), Event::Shown { mark: m("5") }, Event::Closed],
            vec![sent(1), Event::Shown { mark: m("sent:1") }, Event::Confirmed { mark: m("5") }, Event::Closed],
            vec![sent(1), Event::Recognised { mark: m("5") }, Event::Closed],
            vec![sent(1), Event::Made { mark: m("5") }, Event::Bad { mark: m("5") }, Event::Closed],
            vec![sent(1), Event::Abandoned { mark: m("5") }, Event::Closed],
            vec![sent(1), Event::Stray { mark: m("5"), owner: "L".into() }, Event::Closed],
            vec![sent(1), Event::Reset, Event::Closed],
            vec![sent(1), Event::Abandoned { mark: m("5") }, Event::Reset, Event::Closed],
            vec![sent(1), Event::Foreign],
            vec![sent(1), Event::Refused { why: "403".into() }],
            vec![Event::Void { why: "nothing was sent".into() }],
            vec![Event::Disowned { mark: m("5") }],
            vec![sent(1), Event::Unsure { why: "two fit".into() }, Event::Void { why: "gone".into() }],
        ];
        for path in paths {
            assert_eq!(Status::of(&path), Ok(Status::Closed), "{path:?}");
        }
    }

    #[test]
    fn illegal_steps_are_errors() {
        let paths: Vec<Vec<Event>> = vec![
            vec![Event::Made { mark: m("5") }],
            vec![sent(2)],
            vec![sent(1), sent(3)],
            vec![sent(1), Event::Closed],
            vec![sent(1), Event::Disowned { mark: m("5") }],
            vec![sent(1), Event::Made { mark: m("5") }, sent(2)],
            vec![sent(1), Event::Confirmed { mark: m("5") }],
            vec![sent(1), Event::Made { mark: m("5") }, Event::Stray { mark: m("5"), owner: "L".into() }],
            vec![sent(1), Event::Made { mark: m("5") }, Event::Recognised { mark: m("5") }],
            vec![sent(1), Event::Reset, Event::Shown { mark: m("5") }],
            vec![sent(1), Event::Made { mark: m("5") }, Event::Foreign],
            vec![sent(1), Event::Refused { why: "403".into() }, sent(2)],
        ];
        for path in paths {
            assert!(Status::of(&path).is_err(), "{path:?}");
        }
    }
}
