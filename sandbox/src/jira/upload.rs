//! Step 1 of a change: the upload, raw or multipart.
//!
//! Owns: its checks, the session's one temporary avatar, creation at once for small squares, both forms of answer
//! (docs/wire/atlassian.md §3.5).
//! Leaves to others: decoding and crops (`pictures`), the confirmation (`avatars`).
//! A newcomer gets wrong: the multipart variant answers HTML, and its errors are 200.

use axum::http::HeaderName;
use serde_json::{Value, json};

use super::pictures::{NoPicture, Uploaded};
use super::site::Call;
use super::store::{Account, Temporary};
use super::switches;
use crate::atlassian::auth::AuthPolicy;
use crate::atlassian::made_up::milliseconds;
use crate::atlassian::reply::Reply;
use crate::atlassian::site::Answer;

const FORBIDDEN_IN_NAMES: &[char] = &['\\', '/', '"', '%', ':', '$', '?', '*', '<', '|', '>'];
const TYPES: [&str; 5] = ["image/jpeg", "image/png", "image/gif", "image/pjpeg", "image/x-png"];
const CONTENT_LENGTH: HeaderName = axum::http::header::CONTENT_LENGTH;

/// What arrived, in whichever form.
struct Arrived {
    name: String,
    mime: String,
    bytes: axum::body::Bytes,
}

impl Call<'_> {
    pub(super) fn upload(&mut self) -> Answer {
        match self.request.mime().is_some_and(|mime| mime == "multipart/form-data") {
            true => self.multipart_upload(),
            false => self.raw_upload(),
        }
    }

    fn raw_upload(&mut self) -> Answer {
        match self.site.context.switch(&switches::RAW_UPLOAD).as_str() {
            "404" => return Err(Reply::error(404, "Not Found")),
            "405" => return Err(Reply::error(405, "Method Not Allowed")),
            "415" => return Err(Reply::error(415, "Unsupported Media Type")),
            _ => {}
        }
        let account = self.subject()?;
        self.check_edit(&account)?;
        let arrived = self.raw().map_err(|words| Reply::error(400, &words))?;
        self.take(&account, &arrived).map(|answer| Reply::json(201, &answer)).map_err(|words| Reply::error(400, &words))
    }

    /// Without `size` the length must be known beforehand, so a chunked body is refused.
    fn raw(&self) -> Result<Arrived, String> {
        let name = self.request.query("filename").unwrap_or_default().to_owned();
        let length = self.request.headers.get(CONTENT_LENGTH).and_then(|text| text.to_str().ok()?.parse().ok());
        let size = match self.request.query("size") {
            Some(text) => Some(text.parse::<usize>().map_err(|_| format!("size: \"{text}\" is no number"))?),
            None => length,
        };
        let size = size.ok_or("The size of the avatar is not known.")?;
        if size != self.request.body.len() {
            return Err(format!("The size is said to be {size} bytes, but {} bytes arrived.", self.request.body.len()));
        }
        let mime = self.request.mime().unwrap_or_default();
        Ok(Arrived { name, mime, bytes: self.request.body.clone() })
    }

    fn multipart_upload(&mut self) -> Answer {
        if self.site.context.is(&switches::MULTIPART_UPLOAD, "off") {
            return Err(Reply::error(415, "Unsupported Media Type"));
        }
        let account = self.subject()?;
        self.check_edit(&account)?;
        let arrived =
            self.request.part.clone().map(|part| Arrived { name: part.file_name, mime: part.mime, bytes: part.bytes });
        let taken = arrived.ok_or_else(|| "No file was uploaded.".to_owned());
        match taken.and_then(|arrived| self.take(&account, &arrived)) {
            Ok(answer) => Ok(in_textarea(201, &as_text(answer))),
            Err(words) => Ok(in_textarea(200, &json!({"errorMessages": [words], "errors": {}}))),
        }
    }

    /// Checks an upload and keeps it in the session, or makes the avatar at once.
    fn take(&mut self, account: &Account, arrived: &Arrived) -> Result<Value, String> {
        if arrived.name.trim().is_empty() {
            return Err("The file name is missing.".to_owned());
        }
        if arrived.name.contains(FORBIDDEN_IN_NAMES) {
            return Err(format!("The file name \"{}\" has characters that are not allowed.", arrived.name));
        }
        if !TYPES.contains(&arrived.mime.as_str()) {
            return Err(format!("Files of the type \"{}\" are not supported.", arrived.mime));
        }
        let largest = self.site.context.number(&switches::ATTACHMENT_LIMIT);
        if arrived.bytes.len() as u64 > largest {
            return Err(format!("The file is larger than the limit of {largest} bytes."));
        }
        #[expect(clippy::cast_precision_loss, reason = "a handful of megapixels")]
        let megapixels = self.site.context.number(&switches::MEGAPIXELS) as f64;
        let uploaded = Uploaded::read(&arrived.bytes, megapixels).map_err(|fault| match fault {
            NoPicture::Unreadable => "The image could not be read.".to_owned(),
            NoPicture::TooLarge => "The image has too many pixels.".to_owned(),
        })?;
        if uploaded.is_finished() && self.site.context.is(&switches::ONE_STEP, "on") {
            let png = uploaded.cut(uploaded.whole()).ok_or("The image could not be read.")?;
            let id = self.create(account, png);
            return Ok(self.avatar_bean(id, account, None));
        }
        Ok(self.keep(account, uploaded))
    }

    fn keep(&mut self, account: &Account, uploaded: Uploaded) -> Value {
        let crop = uploaded.suggested();
        let meant_for = account.key.clone();
        let session = self.caller.session.as_ref().and_then(|id| self.store.auth_state.sessions.get_mut(id));
        let former = session.and_then(|s| s.data.replace(Temporary { uploaded, meant_for: meant_for.clone() }));
        if let Some(former) = former {
            self.store.counters.temporary_overwritten += 1;
            if former.meant_for != meant_for {
                let words = format!(
                    "the upload for {} was overwritten in its session by one for {meant_for}",
                    former.meant_for
                );
                self.site.context.violation(words);
            }
        }
        let magic = milliseconds(self.site.context.now());
        json!({
            "cropperWidth": crop.side,
            "cropperOffsetX": crop.x,
            "cropperOffsetY": crop.y,
            "url": format!("{}/secure/temporaryavatar?cropped=true&magic={magic}", self.site.base()),
            "needsCropping": true,
        })
    }
}

/// The multipart form of an answer: every value as text, `isCroppingNeeded` for `needsCropping`.
fn as_text(answer: Value) -> Value {
    let Value::Object(fields) = answer else { return answer };
    let text = |value: Value| match value {
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        other => other,
    };
    let renamed = |name: String| if name == "needsCropping" { "isCroppingNeeded".to_owned() } else { name };
    fields.into_iter().map(|(name, value)| (renamed(name), text(value))).collect::<serde_json::Map<_, _>>().into()
}

fn in_textarea(status: u16, value: &Value) -> Reply {
    let text = value.to_string().replace('&', "&amp;").replace('<', "&lt;");
    let page = format!("<html><body><textarea>{text}</textarea></body></html>");
    Reply::typed(status, "text/html;charset=UTF-8", page.into_bytes())
}
