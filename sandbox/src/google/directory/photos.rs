//! One user's photo (docs/wire/google-directory.md §3.1).
//!
//! Owns: the photo resource, its web-safe base64, conditional requests, the two kinds of 404.
//! Leaves to others: making the picture 96 by 96 (`super::super::thumbnail`).
//! A newcomer gets wrong: no photo and no user have the same status and reason; only the message tells them apart.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::json;

use super::call::{Call, Content, Reply};
use super::service::Directory;
use crate::google::live::LivePhoto;
use crate::google::switches::{IF_NONE_MATCH, MIME_TYPE, PADDING, PHOTO_ETAG, SUSPENDED_PHOTOS};

const PHOTO: [&str; 8] = ["kind", "id", "etag", "primaryEmail", "mimeType", "height", "width", "photoData"];

impl Directory {
    pub(super) fn photo(&self, call: &Call, key: &str) -> Reply {
        let Some(live) = self.workspace.find(key) else { return self.refuse(call, "userNotFound", None) };
        if live.user.suspended && self.context.is(&SUSPENDED_PHOTOS, "not_found") {
            return self.refuse(call, "photoNotFound", None);
        }
        let (bytes, suffix) = match &live.photo {
            LivePhoto::None | LivePhoto::Vanished { .. } => return self.refuse(call, "photoNotFound", None),
            LivePhoto::Failing { row, .. } => return self.refuse(call, row, None),
            LivePhoto::Present { bytes, suffix } => (bytes, suffix),
        };
        let other: String = suffix.chars().rev().collect();
        let same = self.context.is(&PHOTO_ETAG, "same");
        let etag = self.workspace.etag(if same { suffix } else { &other });
        if self.context.is(&IF_NONE_MATCH, "honoured") && call.header("if-none-match") == Some(&etag) {
            let reply = Reply { status: 304, headers: Vec::new(), content: Content::Nothing };
            return reply.with("ETag", etag);
        }
        let mut body = json!({
            "kind": "admin#directory#user#photo", "id": live.user.id, "primaryEmail": live.user.email, "etag": etag,
            "photoData": self.web_safe(bytes), "width": 96, "height": 96,
        });
        if !self.context.is(&MIME_TYPE, "absent") {
            body["mimeType"] = self.context.switch(&MIME_TYPE).into();
        }
        match self.masked(call, &body, &PHOTO) {
            Ok(reply) => reply.with("ETag", etag),
            Err(refusal) => refusal,
        }
    }

    fn web_safe(&self, bytes: &[u8]) -> String {
        let text = URL_SAFE.encode(bytes);
        let padding = match self.context.switch(&PADDING).as_str() {
            "none" => "",
            "dot" => ".",
            "star" => "*",
            "pipe" => "|",
            _ => "=",
        };
        text.replace('=', padding)
    }
}
