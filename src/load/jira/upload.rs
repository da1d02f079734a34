//! The ways a picture goes to Jira, and how it is told which one works.
//!
//! Owns: the temporary avatar, our own crop, the route (reference §1, §3.5), the probe.
//! Leaves to others: what is recorded around a write for a person (`session.rs`).
//! A newcomer gets wrong: the crop that the server suggests is an off-centre zoom. Ours is always the whole square.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use serde::Serialize;

use crate::http::{Call, Cookies, Failure, FailureKind};
use crate::load::atlassian::door::{INTERNAL_ERROR, NOT_FOUND, Trouble, WRONG_TYPE, fault};
use crate::load::atlassian::now;
use crate::load::{Learnt, Probe, ProbeWhen, Upload};
use crate::model::{AccountId, Before, Digest, Event, Fault, Intent, IntentKind, Mark};

use super::desk::Desk;
use super::version::Version;
use super::wire::{Avatar, Temporary};
use super::{Jira, Known, Route, Shared, UploadPolicy};

/// The largest size that Jira stores (reference §3.5).
const LARGEST: u32 = 256;
/// Up to this side a square is created in one request (reference §1.2).
const ONE_STEP: u32 = 48;
/// Above this side Jira scales a temporary avatar down before it is cropped.
const SCALED_ABOVE: u32 = 500;
/// Jira's default limit on attachments, which holds for avatars too.
const BYTES: usize = 10 * 1024 * 1024;
/// So many confirmations in a row that find no temporary avatar are no accident.
const LOSSES: u32 = 3;
/// The code of a fault that stands for a confirmation without a temporary avatar.
pub(super) const SESSION_LOST: &str = "session_lost";

/// What an administrator can switch on (reference §1.1, §11).
const NOTE: &str = "pictures go up at 48 px, since a token ends its web session after each request. For 256 px let an \
    administrator start Jira with `-Datlassian.pats.invalidate.session.enabled=false` (for OAuth 2.0 tokens \
    `-Datlassian.oauth2.provider.invalidate.session.enabled=false`), or allow basic authentication under System > \
    Authentication methods and write `credential: { username: …, password: … }`";

/// A picture that exists on the server.
#[derive(Debug)]
pub(super) struct Made {
    pub mark: Mark,
    pub owner: Option<String>,
}

/// A square picture to send.
#[derive(Clone, Debug)]
pub(super) struct Square<'a> {
    pub bytes: &'a Bytes,
    pub mime: &'static str,
    pub side: u32,
}

/// Our crop: the whole square.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Crop {
    cropper_width: u32,
    cropper_offset_x: u32,
    cropper_offset_y: u32,
    needs_cropping: bool,
}

impl Crop {
    fn whole(side: u32) -> Self {
        Self { cropper_width: side.min(SCALED_ABOVE), cropper_offset_x: 0, cropper_offset_y: 0, needs_cropping: false }
    }
}

/// Uploads, and confirms where the server wants a crop. Nothing is selected by it.
pub(super) async fn create(desk: &Desk, shared: &Shared, name: &str, square: &Square<'_>) -> Result<Made, Trouble> {
    match temporary(desk, shared, name, square).await? {
        Temporary::Made { id, owner } => Ok(Made { mark: Mark::new(id), owner }),
        Temporary::Refused(why) => Err(Trouble::No(Fault::new("refused", why))),
        Temporary::Crop => confirm(desk, shared, name, square.side).await,
    }
}

/// The temporary avatar: as raw bytes, or as a form where the server has only that (reference §3.5).
async fn temporary(desk: &Desk, shared: &Shared, name: &str, square: &Square<'_>) -> Result<Temporary, Trouble> {
    // A constant: a name of the person's could hold characters that Jira refuses.
    let file = if square.mime == "image/jpeg" { "avatar.jpg" } else { "avatar.png" };
    let form = Call::post(desk.api("user/avatar/temporary", &[("username", name)])).multipart(
        "avatar",
        file,
        square.mime,
        square.bytes.clone(),
    );
    let answer = if shared.multipart.load(Ordering::Relaxed) {
        desk.write(form).await?
    } else {
        let size = square.bytes.len().to_string();
        let query = [("username", name), ("filename", file), ("size", &size)];
        let raw = Call::post(desk.api("user/avatar/temporary", &query)).bytes(square.mime, square.bytes.clone());
        match desk.write(raw).await {
            Err(Trouble::No(no)) if [NOT_FOUND, WRONG_TYPE].contains(&no.code.as_str()) => {
                let answer = desk.write(form).await?;
                shared.multipart.store(true, Ordering::Relaxed);
                answer
            }
            other => other?,
        }
    };
    Temporary::read(&answer.body).ok_or_else(|| Trouble::Maybe(fault("upload_odd", &answer)))
}

/// Confirms the session's temporary avatar with our own crop. 500 means that the session has none (reference §3.5).
async fn confirm(desk: &Desk, shared: &Shared, name: &str, side: u32) -> Result<Made, Trouble> {
    let call = Call::post(desk.api("user/avatar", &[("username", name)])).json(&Crop::whole(side));
    let answer = match desk.write(call).await {
        Err(Trouble::Maybe(lost)) if lost.code == INTERNAL_ERROR => return Err(session_lost(shared, lost)),
        Err(Trouble::No(lost)) if lost.code == "unauthorized" => return Err(session_lost(shared, lost)),
        other => other?,
    };
    shared.losses.store(0, Ordering::Relaxed);
    match answer.json::<Avatar>() {
        Ok(avatar) if !avatar.id.is_empty() => Ok(Made { mark: Mark::new(avatar.id), owner: avatar.owner }),
        _ => Err(Trouble::Maybe(fault("confirmation_odd", &answer))),
    }
}

fn session_lost(shared: &Shared, lost: Fault) -> Trouble {
    shared.losses.fetch_add(1, Ordering::Relaxed);
    Trouble::Maybe(Fault::new(SESSION_LOST, format!("{}: the web session has no temporary avatar", lost.message)))
}

/// Whether the session route has shown itself to be closed.
pub(super) fn sessions_are_lost(shared: &Shared) -> bool {
    shared.losses.load(Ordering::Relaxed) >= LOSSES
}

/// Why the target stops then.
pub(super) fn lost_sessions(shared: &Shared, lost: &Fault) -> Failure {
    let found = format!("{LOSSES} confirmations in a row found no temporary avatar in the web session");
    let hint = if shared.is_token() {
        NOTE.to_owned()
    } else {
        "is there a load balancer without session affinity, or a proxy that drops cookies? `upload: one_step` works \
         without a session, at 48 px"
            .to_owned()
    };
    Failure::new(FailureKind::Odd, lost.message.clone(), found).hint(hint)
}

/// Under which key the route is learnt: another version or another kind of credential may behave otherwise.
pub(super) fn key(shared: &Shared, version: &Version) -> String {
    format!("upload {version} {}", if shared.is_token() { "token" } else { "password" })
}

/// Decides the route.
pub(super) async fn prepare(jira: &Jira, learnt: &mut Learnt, probe: Option<Probe<'_>>) -> Result<Upload, Failure> {
    let shared = &jira.shared;
    let key = key(shared, &jira.version().await?);
    let remembered = learnt.get(&key).and_then(|word| Route::from_word(word));
    let route = match (shared.settings.upload, remembered, probe) {
        (UploadPolicy::OneStep, ..) => Route::OneStep,
        (policy, _, Some(probe)) if probe.when == ProbeWhen::Asked => {
            let told = try_session(jira, probe).await?;
            if told != Some(Route::Session) && (policy == UploadPolicy::Session || !shared.is_token()) {
                return Err(probe_failed(jira, told));
            }
            told.inspect(|route| _ = learnt.insert(key, route.word().to_owned())).unwrap_or(Route::OneStep)
        }
        (UploadPolicy::Session, ..) => Route::Session,
        (UploadPolicy::Auto, ..) if !shared.is_token() => Route::Session,
        (UploadPolicy::Auto, Some(route), _) => route,
        (UploadPolicy::Auto, None, Some(probe)) => {
            let told = try_session(jira, probe).await?;
            if let Some(route) = told {
                learnt.insert(key, route.word().to_owned());
            }
            told.unwrap_or(Route::OneStep)
        }
        (UploadPolicy::Auto, None, None) => Route::OneStep,
    };
    shared.learn(|known| known.route = Some(route));
    Ok(Upload {
        side: Some(match route {
            Route::Session => LARGEST,
            Route::OneStep => ONE_STEP,
        }),
        bytes: BYTES,
        route: route.word().to_owned(),
        note: (route == Route::OneStep && shared.settings.upload == UploadPolicy::Auto).then(|| NOTE.to_owned()),
    })
}

/// A probe that was asked for showed that the only way which pictures may go is closed.
fn probe_failed(jira: &Jira, told: Option<Route>) -> Failure {
    let found = match told {
        Some(_) => "the web session has no temporary avatar",
        None => "the picture was refused, or it cannot be told what became of it",
    };
    Failure::new(FailureKind::Odd, format!("a probe on our own account of {}", jira.line.base()), found).hint(
        "is there a load balancer without session affinity, or a proxy that drops cookies? `upload: one_step` works \
         without a session, at 48 px",
    )
}

/// Uploads and confirms a grey picture on our own account and deletes it again. `None`: it could not be told.
async fn try_session(jira: &Jira, probe: Probe<'_>) -> Result<Option<Route>, Failure> {
    let Probe { run, journal, when: _ } = probe;
    let shared = &jira.shared;
    let me = jira.desk.myself().await?;
    let account = AccountId::new(me.key);
    let Ok(avatars) = jira.desk.avatars(&me.name).await? else { return Ok(None) };
    let picture = pattern()?;
    let intent = Intent {
        run: run.clone(),
        target: shared.settings.id.clone(),
        server: server(&shared.known(), jira)?,
        account: account.clone(),
        account_name: me.name.clone(),
        handle: None,
        kind: IntentKind::Probe,
        person: None,
        photo: None,
        recipe: None,
        rendition: Some(Digest::of(&picture)),
        luma: shared.looks.luma(&picture),
        stood: avatars.shown(),
        base: avatars.ids(),
        making: None,
        old: None,
        before: Before::from(&avatars.shown()),
        begun_at: now(),
    };
    let base = intent.base.clone();
    let sent = Event::Sent { attempt: 1, route: Route::Session.word().to_owned(), at: now() };
    journal.begin(intent, sent).await?;

    // A jar of its own: whether the server keeps what it names is the question.
    let jar = Desk::new(jira.line.session(Cookies::Keep)?, jira.line.clone(), shared.clone());
    let square = Square { bytes: &picture, mime: "image/png", side: LARGEST };
    match create(&jar, shared, &me.name, &square).await {
        Ok(made) => {
            if base.contains(&made.mark) || made.owner.is_some_and(|owner| owner != account.as_str()) {
                let tried = format!("a probe on {}", me.name);
                let found = format!("the new avatar {} is not a new one of ours", made.mark);
                return Err(Failure::new(FailureKind::Odd, tried, found).hint("write `upload: one_step`"));
            }
            journal.record(Event::Abandoned { mark: made.mark.clone() }).await?;
            match delete(&jira.desk, &me.name, &made.mark).await {
                Ok(()) => journal.record(Event::Closed).await?,
                Err(Trouble::Stop(failure)) => return Err(failure),
                // It stays open, and the next run takes the picture away.
                Err(Trouble::No(_) | Trouble::Maybe(_)) => {}
            }
            Ok(Some(Route::Session))
        }
        Err(Trouble::No(no)) => {
            journal.record(Event::Refused { why: no.message }).await?;
            Ok(None)
        }
        Err(Trouble::Maybe(lost)) if lost.code == SESSION_LOST => {
            shared.losses.store(0, Ordering::Relaxed);
            match jira.desk.avatars(&me.name).await? {
                Ok(after) if after.beyond(&base, &account).is_empty() => {
                    journal.record(Event::Void { why: lost.message }).await?;
                }
                // It stays open and is judged by looking, as every other.
                _ => {}
            }
            Ok(Some(Route::OneStep))
        }
        Err(Trouble::Maybe(_)) => Ok(None),
        Err(Trouble::Stop(failure)) => Err(failure),
    }
}

fn server(known: &Known, jira: &Jira) -> Result<crate::model::ServerId, Failure> {
    known.server.clone().ok_or_else(|| {
        let tried = format!("a probe on {}", jira.line.base());
        Failure::new(FailureKind::Odd, tried, "the server was not identified before")
    })
}

/// Deletes an avatar; one that is gone already is as good. The caller has checked the owner: Jira does not
/// (reference §1.7).
pub(super) async fn delete(desk: &Desk, name: &str, mark: &Mark) -> Result<(), Trouble> {
    let mut url = desk.api("user/avatar", &[("username", name)]);
    if let Ok(mut path) = url.path_segments_mut() {
        path.push(mark.as_str());
    }
    match desk.write(Call::delete(url)).await {
        Ok(_) => Ok(()),
        Err(Trouble::No(gone)) if gone.code == NOT_FOUND => Ok(()),
        Err(trouble) => Err(trouble),
    }
}

/// Selects an avatar. Any success counts, with or without a body (reference §3.5).
pub(super) async fn select(desk: &Desk, name: &str, mark: &Mark) -> Result<(), Trouble> {
    let body = serde_json::json!({ "id": mark.as_str() });
    desk.write(Call::put(desk.api("user/avatar", &[("username", name)])).json(&body)).await.map(|_| ())
}

/// A grey picture that no portrait looks like: two crossed slopes.
fn pattern() -> Result<Bytes, Failure> {
    let side = LARGEST as usize;
    let slope = |at: usize| if at < side / 2 { at } else { side - 1 - at };
    let grey: Vec<u8> =
        (0..side * side).map(|n| u8::try_from(slope(n / side) + slope(n % side)).unwrap_or(u8::MAX)).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, LARGEST, LARGEST);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&grey))
        .map_err(|error| Failure::new(FailureKind::Odd, "making a picture for the probe", error.to_string()))?;
    Ok(Bytes::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crop_is_the_whole_square() {
        for (side, width) in [(48, 48), (49, 49), (256, 256), (500, 500), (1024, 500)] {
            let crop = serde_json::to_value(Crop::whole(side)).unwrap();
            let expected = serde_json::json!({
                "cropperWidth": width, "cropperOffsetX": 0, "cropperOffsetY": 0, "needsCropping": false
            });
            assert_eq!(crop, expected, "{side}");
        }
    }

    #[test]
    fn the_probe_sends_a_real_picture() {
        let picture = image::load_from_memory(&pattern().unwrap()).unwrap().to_luma8();
        assert_eq!(picture.dimensions(), (LARGEST, LARGEST));
        assert!(picture.get_pixel(0, 0).0[0] < 8 && picture.get_pixel(127, 127).0[0] > 240);
    }
}
