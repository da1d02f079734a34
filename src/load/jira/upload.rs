//! The ways a picture goes to Jira, and what stands in the way of each.
//!
//! Owns: the temporary avatar, our own crop, showing and deleting (docs/wire/atlassian.md §1, §3.5).
//! Leaves to others: what is recorded around a write for a person (`session.rs`), trying a route out (`probe.rs`) and
//! choosing one (`prepare.rs`).
//! A newcomer gets wrong: the crop that the server suggests is an off-centre zoom. Ours is always the whole square.

use std::sync::atomic::Ordering;

use serde::Serialize;

use crate::http::{Failure, FailureKind, Request};
use crate::load::WriteError;
use crate::load::atlassian::client::{INTERNAL_ERROR, NOT_FOUND, WRONG_METHOD, WRONG_TYPE, fault};
use crate::model::{Fault, PictureRef, Rendition};
use crate::secret::server_message;

use super::client::JiraClient;
use super::connection::JiraConnection;
use super::version::JiraVersion;
use super::wire::{Avatar, Temporary, is_number};

/// The largest size that Jira stores (§3.5).
pub(super) const LARGEST: u32 = 256;
/// Up to this side a square is created in one request (§1.2).
pub(super) const ONE_STEP: u32 = 48;
/// Above this side Jira scales a temporary avatar down before it is cropped.
const SCALED_ABOVE: u32 = 500;
/// So many confirmations in a row that find no temporary avatar are no accident.
const LOSSES: u32 = 3;
/// The code of a fault that stands for a confirmation without a temporary avatar.
pub(super) const SESSION_LOST: &str = "session_lost";

/// What an administrator can switch on (§1.1, §11).
pub(super) const SWITCH: &str = "let an administrator start Jira with `-Datlassian.pats.invalidate.session.enabled=false` (for OAuth 2.0 \
    tokens `-Datlassian.oauth2.provider.invalidate.session.enabled=false`), or allow basic authentication under System > \
    Authentication methods and write `credential: { username: …, password: … }`";
/// How a server answers that has no raw variant of the upload: the path is there, with another method or type.
const NO_RAW: [&str; 3] = [NOT_FOUND, WRONG_METHOD, WRONG_TYPE];
pub(super) const ENDS: &str = "a token ends its web session after each request";
const WITHOUT: &str = "`upload: one_step` works without a session, at 48 px";

/// A picture that exists on the server.
#[derive(Debug)]
pub(super) struct TemporaryAvatar {
    pub mark: PictureRef,
    pub owner: Option<String>,
    /// The turn of the session in which it was made.
    pub turn: u64,
}

/// Our crop: the whole square.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CropRequest {
    cropper_width: u32,
    cropper_offset_x: u32,
    cropper_offset_y: u32,
    needs_cropping: bool,
}

impl CropRequest {
    fn whole(side: u32) -> Self {
        Self { cropper_width: side.min(SCALED_ABOVE), cropper_offset_x: 0, cropper_offset_y: 0, needs_cropping: false }
    }
}

/// Uploads, and confirms where the server wants a crop. Nothing is selected by it.
pub(super) async fn create(
    client: &JiraClient,
    shared: &JiraConnection,
    name: &str,
    rendition: &Rendition,
) -> Result<TemporaryAvatar, WriteError> {
    let turn = client.http().turn();
    match temporary(client, shared, name, rendition).await? {
        Temporary::Made { id, owner } => Ok(TemporaryAvatar { mark: PictureRef::new(id), owner, turn }),
        Temporary::Refused(why) => Err(WriteError::Refused(Fault::new("refused", server_message(&why)))),
        Temporary::Crop => confirm(client, shared, name, rendition.side).await,
    }
}

/// The temporary avatar: as raw bytes, or as a form where the server has only that (§3.5).
pub(super) async fn temporary(
    client: &JiraClient,
    shared: &JiraConnection,
    name: &str,
    rendition: &Rendition,
) -> Result<Temporary, WriteError> {
    // A constant: a name of the person's could hold characters that Jira refuses.
    let (file, media_type) = (format!("avatar.{}", rendition.media_type.ending()), rendition.media_type.word());
    let form = Request::post(client.api("user/avatar/temporary", &[("username", name)])).multipart(
        "avatar",
        &file,
        media_type,
        rendition.bytes.clone(),
    );
    let response = if shared.multipart.load(Ordering::Relaxed) {
        client.write(form).await?
    } else {
        let size = rendition.bytes.len().to_string();
        let query = [("username", name), ("filename", file.as_str()), ("size", &size)];
        let raw = Request::post(client.api("user/avatar/temporary", &query)).bytes(media_type, rendition.bytes.clone());
        match client.write(raw).await {
            Err(WriteError::Refused(no) | WriteError::Unknown(no)) if NO_RAW.contains(&no.code.as_str()) => {
                let response = client.write(form).await?;
                shared.multipart.store(true, Ordering::Relaxed);
                response
            }
            other => other?,
        }
    };
    Temporary::read(&response.body).ok_or_else(|| WriteError::Unknown(fault("upload_odd", &response)))
}

/// Confirms the session's temporary avatar with our own crop. 500 means that the session has none (§3.5).
async fn confirm(
    client: &JiraClient,
    shared: &JiraConnection,
    name: &str,
    side: u32,
) -> Result<TemporaryAvatar, WriteError> {
    // Another session's upload may have taken the place of ours meanwhile.
    client.http().alone()?;
    let turn = client.http().turn();
    let request = Request::post(client.api("user/avatar", &[("username", name)])).json(&CropRequest::whole(side));
    let response = match client.write(request).await {
        Err(WriteError::Unknown(lost)) if lost.code == INTERNAL_ERROR => return Err(session_lost(shared, lost)),
        Err(WriteError::Refused(lost)) if lost.code == "unauthorized" => return Err(session_lost(shared, lost)),
        other => other?,
    };
    shared.losses.store(0, Ordering::Relaxed);
    match response.json::<Avatar>() {
        Ok(avatar) if is_number(&avatar.id) => {
            Ok(TemporaryAvatar { mark: PictureRef::new(avatar.id), owner: avatar.owner, turn })
        }
        _ => Err(WriteError::Unknown(fault("confirmation_odd", &response))),
    }
}

fn session_lost(shared: &JiraConnection, lost: Fault) -> WriteError {
    shared.losses.fetch_add(1, Ordering::Relaxed);
    WriteError::Unknown(Fault::new(SESSION_LOST, format!("{}: the web session has no temporary avatar", lost.message)))
}

/// Whether the session route has shown itself to be closed.
pub(super) fn sessions_are_lost(shared: &JiraConnection) -> bool {
    shared.losses.load(Ordering::Relaxed) >= LOSSES
}

/// Why the target stops then.
pub(super) fn lost_sessions(shared: &JiraConnection, lost: &Fault) -> Failure {
    let found = format!("{LOSSES} confirmations in a row found no temporary avatar in the web session");
    Failure::new(FailureKind::Odd, lost.message.clone(), found).hint(remedy(shared))
}

/// What to do about sessions that do not hold.
pub(super) fn remedy(shared: &JiraConnection) -> String {
    if shared.is_token() {
        return format!("{ENDS}: {SWITCH}; {WITHOUT}");
    }
    format!("is there a load balancer without session affinity, or a proxy that drops cookies? {WITHOUT}")
}

/// Under which key the route is learnt: another version or another kind of credential may behave otherwise.
pub(super) fn key(shared: &JiraConnection, version: &JiraVersion) -> String {
    format!("upload {version} {}", if shared.is_token() { "token" } else { "password" })
}

/// Deletes an avatar; one that is gone already is as good, if the list of avatars says so: a gateway, or a server that
/// is starting, answers 404 to everything. The caller has checked the owner: Jira does not (§1.7).
pub(super) async fn delete(client: &JiraClient, name: &str, mark: &PictureRef) -> Result<(), WriteError> {
    if !is_number(mark.as_str()) {
        return Err(WriteError::Refused(Fault::new("mark_odd", format!("`{mark}` is not the id of an avatar"))));
    }
    let mut url = client.api("user/avatar", &[("username", name)]);
    if let Ok(mut path) = url.path_segments_mut() {
        path.push(mark.as_str());
    }
    let doubt = match client.write(Request::delete(url)).await {
        Ok(response) if response.status == 204 => return Ok(()),
        // No Jira answers so: what stands before it may have.
        Ok(response) => fault("answer_odd", &response),
        Err(WriteError::Refused(gone)) if gone.code == NOT_FOUND => gone,
        Err(trouble) => return Err(trouble),
    };
    match client.avatars(name).await? {
        Ok(avatars) if avatars.ids().contains(mark) => Err(WriteError::Unknown(doubt)),
        Ok(_) => Ok(()),
        Err(unread) => Err(WriteError::Unknown(unread)),
    }
}

/// Selects an avatar. Any success counts, with or without a body (§3.5).
pub(super) async fn select(client: &JiraClient, name: &str, mark: &PictureRef) -> Result<(), WriteError> {
    let body = serde_json::json!({ "id": mark.as_str() });
    client.write(Request::put(client.api("user/avatar", &[("username", name)])).json(&body)).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crop_is_the_whole_square() {
        for (side, width) in [(48, 48), (49, 49), (256, 256), (500, 500), (1024, 500)] {
            let crop = serde_json::to_value(CropRequest::whole(side)).unwrap();
            let expected = serde_json::json!({
                "cropperWidth": width, "cropperOffsetX": 0, "cropperOffsetY": 0, "needsCropping": false
            });
            assert_eq!(crop, expected, "{side}");
        }
    }
}
