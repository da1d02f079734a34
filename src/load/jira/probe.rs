//! Trying out how pictures go, on the service account's own avatars.
//!
//! Owns: one throw-away avatar a route, which is never selected, and its deletion.
//! Leaves to others: choosing a route by what was told (`prepare.rs`), a probe that was killed (`observe.rs`).
//! A newcomer gets wrong: that a session holds says nothing about the one-step upload, nor the other way round; a server
//! may have its own mind about each.

use crate::http::{Cookies, Failure, FailureKind};
use crate::load::clock::now;
use crate::load::probe;
use crate::load::{Learnt, Probe, ProbeResult, Tried, WriteError};
use crate::model::{AccountId, Event, Fault, Intent, PictureRef, Rendition};

use super::client::JiraClient;
use super::connection::UploadRoute;
use super::server::version;
use super::upload::{self, LARGEST, ONE_STEP, SESSION_LOST, TemporaryAvatar};
use super::wire::Temporary;

/// What the session route said.
pub(super) enum SessionTold {
    /// The confirmation found the temporary avatar.
    Holds,
    /// It found none: the session had ended.
    Lost(Fault),
    /// It cannot be told by this.
    Unclear(Fault),
}

impl SessionTold {
    /// The route that is known to be right then.
    pub(super) fn route(&self) -> Option<UploadRoute> {
        match self {
            Self::Holds => Some(UploadRoute::Session),
            Self::Lost(_) => Some(UploadRoute::OneStep),
            Self::Unclear(_) => None,
        }
    }
}

/// Tries both ways; what the first one tells is learnt.
pub(super) async fn try_out(client: &JiraClient, learnt: &mut Learnt, probe: Probe<'_>) -> Result<Vec<Tried>, Failure> {
    let key = upload::key(client.shared(), &version(client).await?);
    let Probe { run, journal } = probe;
    let by_session = session(client, Probe { run, journal }).await?;
    if let Some(route) = by_session.route() {
        learnt.insert(key, route.word().to_owned());
    }
    let at_once = one_step(client, Probe { run, journal }).await?;
    let fails = |fault: Fault, hint: &str| ProbeResult::Fails(failure(client, fault.message).hint(hint));
    Ok(vec![
        Tried {
            route: UploadRoute::Session.word().to_owned(),
            told: match by_session {
                SessionTold::Holds => ProbeResult::Works,
                SessionTold::Lost(fault) | SessionTold::Unclear(fault) => {
                    fails(fault, &upload::remedy(client.shared()))
                }
            },
        },
        Tried {
            route: UploadRoute::OneStep.word().to_owned(),
            told: match at_once {
                Ok(()) => ProbeResult::Works,
                Err(fault) => fails(fault, "`upload: session` works where the web session holds"),
            },
        },
    ])
}

/// Uploads and confirms a picture in a session of its own, and deletes it again.
pub(super) async fn session(client: &JiraClient, probe: Probe<'_>) -> Result<SessionTold, Failure> {
    let shared = client.shared();
    let Begun { intent, picture, probe } = match begin(client, probe, UploadRoute::Session, LARGEST).await? {
        Ok(begun) => begun,
        Err(fault) => return Ok(SessionTold::Unclear(fault)),
    };
    // A jar of its own: whether the server keeps what it names is the question.
    let jar = JiraClient::new(client.http().session(Cookies::Keep)?, client.http().clone(), shared.clone());
    match upload::create(&jar, shared, &intent.account_name, &picture).await {
        Ok(made) => Ok(match take_back(client, probe, &intent, made).await? {
            Ok(()) => SessionTold::Holds,
            Err(fault) => SessionTold::Unclear(fault),
        }),
        Err(WriteError::Refused(no)) => {
            probe.journal.record(Event::Refused { why: no.message.clone() }).await?;
            Ok(SessionTold::Unclear(no))
        }
        Err(WriteError::Unknown(lost)) if lost.code == SESSION_LOST => {
            shared.losses.store(0, std::sync::atomic::Ordering::Relaxed);
            match client.avatars(&intent.account_name).await? {
                Ok(after) if after.beyond(&intent.base, &intent.account).is_empty() => {
                    probe.journal.record(Event::Void { why: lost.message.clone() }).await?;
                }
                // It stays open and is judged by looking, as every other.
                _ => {}
            }
            Ok(SessionTold::Lost(lost))
        }
        Err(error) => Ok(SessionTold::Unclear(error.fault()?)),
    }
}

/// Uploads a picture of 48 px, which has to be the finished avatar at once, and deletes it again.
async fn one_step(client: &JiraClient, probe: Probe<'_>) -> Result<Result<(), Fault>, Failure> {
    let Begun { intent, picture, probe } = match begin(client, probe, UploadRoute::OneStep, ONE_STEP).await? {
        Ok(begun) => begun,
        Err(fault) => return Ok(Err(fault)),
    };
    let no = match upload::temporary(client, client.shared(), &intent.account_name, &picture).await {
        Ok(Temporary::Made { id, owner }) => {
            return take_back(client, probe, &intent, TemporaryAvatar { mark: PictureRef::new(id), owner, turn: 0 })
                .await;
        }
        Ok(Temporary::Refused(why)) => Fault::new("refused", why),
        // What was uploaded ends with its session.
        Ok(Temporary::Crop) => Fault::new("wants_a_crop", format!("the server wants a crop even of {ONE_STEP} px")),
        Err(WriteError::Refused(no)) => no,
        Err(error) => return Ok(Err(error.fault()?)),
    };
    probe.journal.record(Event::Refused { why: no.message.clone() }).await?;
    Ok(Err(no))
}

struct Begun<'a> {
    intent: Intent,
    picture: Rendition,
    probe: Probe<'a>,
}

/// Writes down what is about to be sent. The inner fault: our own avatars cannot be read.
async fn begin<'a>(
    client: &JiraClient,
    probe: Probe<'a>,
    route: UploadRoute,
    side: u32,
) -> Result<Result<Begun<'a>, Fault>, Failure> {
    let shared = client.shared();
    let me = client.myself().await?;
    let avatars = match client.avatars(&me.name).await? {
        Ok(avatars) => avatars,
        Err(unread) => return Ok(Err(unread)),
    };
    let server = probe::server(shared.known().server, || tried(client))?;
    let account = AccountId::new(me.key);
    let own = probe::Own { server, account, name: me.name, handle: None, shown: avatars.shown() };
    let picture = probe::picture(side, Some(shared.looks.as_ref()))?;
    let intent = Intent { base: avatars.ids(), ..probe::intent(&probe, &shared.id, own, &picture) };
    let sent = Event::Sent { attempt: 1, route: route.word().to_owned(), at: now() };
    probe.journal.begin(intent.clone(), sent).await?;
    Ok(Ok(Begun { intent, picture, probe }))
}

/// Deletes what was made, if it is ours. It was never selected.
async fn take_back(
    client: &JiraClient,
    probe: Probe<'_>,
    intent: &Intent,
    made: TemporaryAvatar,
) -> Result<Result<(), Fault>, Failure> {
    let TemporaryAvatar { mark, owner, .. } = made;
    if intent.base.contains(&mark) || owner.is_some_and(|owner| owner != intent.account.as_str()) {
        return Err(failure(client, format!("the new avatar {mark} is not a new one of ours"))
            .hint("a proxy that mixes up answers? nothing was deleted"));
    }
    probe.journal.record(Event::Abandoned { mark: mark.clone() }).await?;
    match upload::delete(client, &intent.account_name, &mark).await {
        Ok(()) => {
            probe.journal.record(Event::Closed).await?;
            Ok(Ok(()))
        }
        // It stays open, and the next run takes the picture away.
        Err(error) => {
            let why = error.fault()?.message;
            let found =
                format!("it got there, but avatar {mark} could not be deleted again; the next run tries: {why}");
            Ok(Err(Fault::new("not_taken_back", found)))
        }
    }
}

fn tried(client: &JiraClient) -> String {
    format!("a probe on our own account of {}", client.http().base())
}

fn failure(client: &JiraClient, found: String) -> Failure {
    Failure::new(FailureKind::Odd, tried(client), found)
}
