//! What is not the documented REST API: served pictures, and the internal upload of the profile page.
//!
//! Owns: `/download/attachments`, `/images/icons/profilepics`, `/rest/user-profile/1.0` (docs/wire/atlassian.md §4.3).
//! Leaves to others: what is stored (`store`).
//! A newcomer gets wrong: the internal upload puts the picture on the caller's profile, whomever it names; for another
//! person it then fails with 500. It is recorded as a broken rule.

use axum::http::{Method, header};
use bytes::Bytes;
use serde_json::{Value, json};

use super::call::may_edit;
use super::errors::error;
use super::site::Call;
use super::stock::drawn;
use super::store::BY_HAND;
use super::{switches, xml};
use crate::atlassian::auth::AuthPolicy;
use crate::atlassian::caller::LoginMethod;
use crate::atlassian::made_up::milliseconds;
use crate::atlassian::reply::Reply;
use crate::atlassian::site::Answer;

const LARGEST_UPLOAD: usize = 5 * 1024 * 1024;

impl Call<'_> {
    pub(super) fn download(&mut self, content: &str, name: &str) -> Answer {
        let switch = match self.caller.method {
            LoginMethod::Anonymous => Some(&switches::ANONYMOUS_FILES),
            LoginMethod::Token => Some(&switches::TOKEN_FILES),
            LoginMethod::Basic | LoginMethod::Cookie => None,
        };
        if switch.is_some_and(|switch| self.site.context.is(switch, "login")) {
            return Ok(self.to_login());
        }
        let owner = content.parse().ok().and_then(|content| self.store.owner_of(content));
        let nth = owner.and_then(|owner| self.store.current(&owner.key, name));
        let file = nth.map(|nth| &self.store.files[nth]);
        let file = file.ok_or_else(|| Reply::page(404, "Page Not Found", "Attachment not found"))?;
        let served = Reply::typed(200, &file.mime, file.bytes.to_vec());
        Ok(served.with(header::CACHE_CONTROL, "private, max-age=3600"))
    }

    pub(super) fn stock_picture(&mut self, file: &str) -> Answer {
        let found = drawn(file, &self.site.default_picture());
        let (bytes, mime) = found.ok_or_else(|| Reply::page(404, "Page Not Found", "Not found"))?;
        Ok(Reply::typed(200, mime, bytes.to_vec()).with(header::CACHE_CONTROL, "max-age=31536000"))
    }

    pub(super) fn internal_avatar(&mut self, key: &str, what: &str) -> Answer {
        match (&self.request.method, what) {
            (method, "upload") if method == Method::POST => self.internal_upload(key),
            // It answers as if it had done something (§4.3).
            (method, "default") if method == Method::GET => {
                self.me().ok_or_else(|| self.site.login_required())?;
                Ok(Reply::json(200, &json!({})))
            }
            _ => Err(error(404, "null for uri")),
        }
    }

    fn internal_upload(&mut self, key: &str) -> Answer {
        let me = self.me().ok_or_else(|| self.site.login_required())?;
        let missing = || error(404, "User not found");
        let owner = self.store.accounts.get(key).cloned().ok_or_else(missing)?;
        if self.request.body.len() > LARGEST_UPLOAD {
            return Err(error(413, "Request Entity Too Large"));
        }
        let body: Value = serde_json::from_slice(&self.request.body).unwrap_or_default();
        let data = body["avatarDataURI"].as_str().unwrap_or_default();
        let bytes = data.split_once(',').map_or(data, |(_, data)| data);
        let bytes = xml::decoded(bytes).filter(|bytes| !bytes.is_empty()).ok_or_else(missing)?;
        if !may_edit(&me, &owner) {
            return Err(missing());
        }
        let own = me.key == owner.key;
        if !own {
            let words = format!("the internal upload was called by {} for {}", me.name, owner.name);
            self.site.context.violation(words);
        }
        if own || self.site.context.is(&switches::FOREIGN_UPLOAD, "keeps") {
            self.store.put(&me.key, BY_HAND.0, BY_HAND.1, &me.name, Bytes::from(bytes));
            self.wrote(format!("store {}", BY_HAND.0), &me, &me);
        }
        if !own {
            return Err(error(500, "java.lang.IllegalArgumentException: the attachment belongs to another user"));
        }
        self.choose(&me, &me, BY_HAND.0);
        let content = self.store.accounts.get(&me.key).and_then(|account| account.content).unwrap_or_default();
        let version = self.store.current(&me.key, BY_HAND.0).map_or(0, |nth| self.store.files[nth].version);
        let modified = milliseconds(self.site.context.now());
        let path = format!(
            "/download/attachments/{content}/{}?version={version}&modificationDate={modified}&api=v2",
            BY_HAND.0
        );
        Ok(Reply::json(200, &json!({ "avatarPath": path })))
    }
}
