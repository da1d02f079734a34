//! What is not the REST API of users: pictures, the session resource, the application's manifest.
//!
//! Owns: `/secure/useravatar` with real pixels, `/secure/temporaryavatar`, `/rest/auth/1/session`, the manifest.
//! Leaves to others: pixels (`pictures`), sessions (`login`).
//! A newcomer gets wrong: a picture request can answer 302 or another picture; neither is the picture asked for
//! (docs/wire/atlassian.md §3.2).

use axum::http::{Method, header};
use serde_json::{Value, json};

use super::pictures;
use super::site::Call;
use super::switches;
use super::version::Release;
use crate::atlassian::auth::AuthPolicy;
use crate::atlassian::caller::{Caller, LoginMethod};
use crate::atlassian::login::{check_password, end_session, enter};
use crate::atlassian::manifest::Manifest;
use crate::atlassian::reply::Reply;
use crate::atlassian::request::encode;
use crate::atlassian::site::Answer;

impl Call<'_> {
    pub(super) fn image(&mut self) -> Answer {
        let to_login = match self.caller.method {
            LoginMethod::Anonymous => self.site.context.is(&switches::ANONYMOUS_IMAGES, "login"),
            LoginMethod::Token => self.site.context.is(&switches::TOKEN_IMAGES, "login"),
            LoginMethod::Basic | LoginMethod::Cookie => false,
        };
        if to_login {
            return Ok(self.to_login());
        }
        let stored = match self.image_id() {
            Some(id) => self.store.picture(id),
            None if self.site.context.is(&switches::MISSING_IMAGE, "not_found") => None,
            None => self.store.picture(self.store.default_avatar),
        };
        let stored = stored.ok_or_else(|| Reply::page(404, "Not found", "Avatar not found"))?;
        let side = pictures::side_of(self.request.query("size"));
        let served = Reply::typed(200, "image/png", pictures::render(&stored, side).to_vec());
        Ok(served.with(header::CACHE_CONTROL, "private, max-age=31536000"))
    }

    /// The avatar a picture request means; none if it is not there, or not that owner's.
    fn image_id(&self) -> Option<u64> {
        let owner = self.request.query("ownerId");
        let Some(id) = self.request.query("avatarId") else {
            let account = self.store.accounts.get(owner?)?;
            return Some(self.store.shown_id(account));
        };
        let id: u64 = id.parse().ok()?;
        match self.store.avatar(id) {
            Some(avatar) => owner.is_none_or(|owner| owner == avatar.owner).then_some(id),
            None => Some(id).filter(|id| self.store.picture(*id).is_some()),
        }
    }

    pub(super) fn temporary_image(&mut self) -> Answer {
        let session = self.caller.session.as_ref().and_then(|id| self.store.auth_state.sessions.get(id));
        match session.and_then(|session| session.data.as_ref()) {
            Some(temporary) => Ok(Reply::typed(200, "image/png", temporary.uploaded.preview())),
            None => Err(Reply::page(404, "Not found", "No temporary avatar")),
        }
    }

    fn to_login(&self) -> Reply {
        let asked = self.request.query.iter().map(|(name, value)| format!("{name}={}", encode(value)));
        let destination = format!("/secure/useravatar?{}", asked.collect::<Vec<_>>().join("&"));
        let base = self.site.base();
        Reply::redirect(&format!("{base}/login.jsp?permissionViolation=true&os_destination={}", encode(&destination)))
    }

    pub(super) fn session(&mut self) -> Answer {
        match self.request.method {
            Method::POST => self.log_in(),
            Method::GET => {
                let me = self.me()?;
                let myself = format!("{}/rest/api/latest/user?username={}", self.site.base(), encode(&me.name));
                Ok(Reply::json(200, &json!({"self": myself, "name": me.name, "loginInfo": login_info()})))
            }
            Method::DELETE => {
                self.me()?;
                end_session(self.site, self.store, self.caller);
                Ok(Reply::empty())
            }
            _ => Ok(Reply::error(405, "Method Not Allowed")),
        }
    }

    fn log_in(&mut self) -> Answer {
        if !self.site.stands(&switches::SESSION_LOGIN, self.site.version.has_password_logins()) {
            return Err(Reply::message(403, "Basic Authentication has been disabled on this instance."));
        }
        let body: Value =
            serde_json::from_slice(&self.request.body).map_err(|_| Reply::error(400, "The body is not JSON."))?;
        let (name, password) = (body["username"].as_str(), body["password"].as_str());
        let checked = check_password(self.site, self.store, name.unwrap_or_default(), password.unwrap_or_default());
        let key = match checked {
            Ok(key) => key,
            Err(Some(captcha)) => return Err(captcha),
            Err(None) => {
                let refused = Reply::error(401, "Login failed");
                return Err(Caller::refused(self.caller.node).sign(self.store, refused));
            }
        };
        let arrived = enter(self.site, self.store, Caller::arriving(self.caller.node, key), None);
        let (name, value) = (self.site.session_cookie(), arrived.session.as_deref().unwrap_or_default());
        let answer = json!({"session": {"name": name, "value": value}, "loginInfo": login_info()});
        Ok(arrived.sign(self.store, Reply::json(200, &answer)))
    }

    /// Who this server is, as application links tell each other.
    pub(super) fn manifest(&mut self) -> Answer {
        let version = self.site.version;
        let manifest = Manifest {
            id: &self.site.server_id,
            name: &self.site.title,
            kind: "jira",
            version: version.to_string(),
            build: version.build_number(),
            url: self.site.base(),
        };
        Ok(manifest.answer(self.request))
    }
}

fn login_info() -> Value {
    json!({"failedLoginCount": 0, "loginCount": 1, "previousLoginTime": "2024-01-01T00:00:00.000+0000"})
}
