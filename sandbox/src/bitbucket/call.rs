//! One call in progress: who asks, which endpoint answers, and all endpoints that change or serve a picture.
//!
//! Owns: the table of endpoints, permissions, upload, removal, the served picture, the server itself
//! (docs/wire/atlassian.md §5).
//! Leaves to others: listings and beans (`people`).
//! A newcomer gets wrong: a missing permission is 401, with a login that works; only the text tells them apart.

use axum::http::{Method, header};
use serde_json::json;

use super::errors::{error, not_permitted};
use super::people::gravatar;
use super::site::Call;
use super::store::{Account, Picture};
use super::switches;
use super::truth::stored;
use crate::atlassian::auth::{AccountStore as _, AuthPolicy, Role};
use crate::atlassian::caller::LoginMethod;
use crate::atlassian::filters::check_forgery;
use crate::atlassian::made_up::milliseconds;
use crate::atlassian::manifest::Manifest;
use crate::atlassian::reply::Reply;
use crate::atlassian::site::Answer;
use crate::jira::pictures;
use crate::observer::{Former, PictureChange};

/// Sides that are served; the request's `s` is brought between them.
const SIDES: (u32, u32) = (16, 512);
/// Side of a picture request that names none.
const USUAL_SIDE: u32 = 64;

impl Call<'_> {
    pub(super) fn answer(&mut self) -> Answer {
        // DELETE needs no XSRF header (§5).
        if self.request.method != Method::DELETE
            && let Err(refusal) = check_forgery(self.site, self.request, false)
        {
            self.store.auth_state.counters.refused_by_xsrf += 1;
            return Err(refusal);
        }
        let path: Vec<&str> = self.request.path.iter().map(String::as_str).collect();
        let get = self.request.method == Method::GET;
        match path[..] {
            ["rest", "api", "latest" | "1.0", ref resource @ ..] => self.api(resource),
            ["rest", "applinks", "1.0" | "latest", "manifest"] => Ok(self.manifest()),
            ["plugins", "servlet", "applinks", "whoami"] if get && self.site.context.is(&switches::WHOAMI, "on") => {
                let name = self.me().map(|me| me.name).unwrap_or_default();
                Ok(Reply::typed(200, "text/plain;charset=UTF-8", name.into_bytes()))
            }
            ["users", slug, "avatar.png"] if get => self.image(slug),
            ["login"] => Ok(Reply::page(200, "Log in", "Username, password.")),
            ["rest", ..] => {
                Err(error(404, "The resource does not exist.", "com.atlassian.bitbucket.NoSuchEntityException"))
            }
            _ => Err(Reply::page(404, "Page not found", "Not found")),
        }
    }

    fn api(&mut self, resource: &[&str]) -> Answer {
        match (self.request.method.as_str(), resource) {
            ("GET", ["users"]) => self.list(),
            ("GET", ["admin", "users"]) => self.admin_list(),
            ("GET", ["admin", "permissions", "users"]) => self.permissions(),
            ("GET", ["users", slug]) => self.user(slug),
            ("POST", ["users", slug, "avatar.png"]) => self.upload(slug),
            ("DELETE", ["users", slug, "avatar.png"]) => self.remove(slug),
            ("GET", ["application-properties"]) if self.site.context.is(&switches::PROPERTIES, "on") => {
                let version = self.site.version;
                let build = version.major * 1_000_000 + version.minor * 1000 + version.patch;
                Ok(Reply::json(
                    200,
                    &json!({"version": version.to_string(), "buildNumber": build.to_string(),
                            "buildDate": "1700000000000", "displayName": "Bitbucket"}),
                ))
            }
            (_, ["users" | "application-properties"] | ["users", _] | ["users", _, "avatar.png"]) => {
                Err(error(405, "Method Not Allowed", "javax.ws.rs.NotAllowedException"))
            }
            _ => Err(error(404, "The resource does not exist.", "com.atlassian.bitbucket.NoSuchEntityException")),
        }
    }

    pub(super) fn me(&self) -> Option<Account> {
        self.caller.key.as_ref().and_then(|key| self.store.account(key)).cloned()
    }

    /// The caller with the rights that its login carries; none for strangers.
    pub(super) fn rights(&self) -> Result<(Account, Role), Reply> {
        let me = self.me().ok_or_else(|| self.site.login_required())?;
        let plain = self.caller.method == LoginMethod::Token && self.site.context.is(&switches::TOKEN_RIGHTS, "plain");
        let role = if plain { Role::User } else { me.role };
        Ok((me, role))
    }

    fn named(&self, slug: &str) -> Result<Account, Reply> {
        let none = || {
            let words = format!("There is no user with the slug '{slug}'.");
            error(404, &words, "com.atlassian.bitbucket.user.NoSuchUserException")
        };
        self.store.by_slug(slug).cloned().ok_or_else(none)
    }

    fn user(&mut self, slug: &str) -> Answer {
        self.rights()?;
        let account = self.named(slug)?;
        let mut bean = self.bean(&account);
        if self.site.context.is(&switches::SINGLE_URLS, "off") {
            bean.as_object_mut().map(|bean| bean.remove("avatarUrl"));
        }
        Ok(Reply::json(200, &bean))
    }

    /// The owner of a picture that the caller may change: one's own, others' as an administrator, a system
    /// administrator's as another one.
    fn edited(&self, slug: &str) -> Result<(Account, Account), Reply> {
        let (me, role) = self.rights()?;
        let owner = self.named(slug)?;
        let needed = if owner.role == Role::SystemAdmin { Role::SystemAdmin } else { Role::Admin };
        match me.id == owner.id || role >= needed {
            true => Ok((owner, me)),
            false => Err(not_permitted()),
        }
    }

    fn upload(&mut self, slug: &str) -> Answer {
        let (owner, me) = self.edited(slug)?;
        let refused = |status, words: &str| Err(error(status, words, "com.atlassian.bitbucket.avatar.AvatarException"));
        let Some(part) = self.request.part.clone() else {
            return refused(400, "The part 'avatar' is missing.");
        };
        let limit = if self.site.context.is(&switches::LIMIT_STATUS, "413") { 413 } else { 400 };
        let largest = self.site.context.number(&switches::MAX_SIZE);
        if part.bytes.len() as u64 > largest {
            return refused(limit, &format!("The avatar is larger than the limit of {largest} bytes."));
        }
        let reader = image::ImageReader::new(std::io::Cursor::new(&part.bytes)).with_guessed_format().ok();
        let Some((width, height)) = reader.and_then(|reader| reader.into_dimensions().ok()) else {
            return refused(400, "The avatar is not an image that can be read.");
        };
        let dimension = self.site.context.number(&switches::MAX_DIMENSION);
        if u64::from(width.max(height)) > dimension {
            return refused(limit, &format!("The avatar has more than {dimension} pixels on a side."));
        }
        let chosen = owner.picture.as_ref().is_some_and(|former| former.creator == "world");
        let former = if chosen { Former::Chosen } else { Former::Other };
        self.site.context.judge(&owner.name, PictureChange::Shows(&part.bytes, former));
        let picture = Picture::new(milliseconds(self.site.context.now()), &me.name, part.bytes);
        let what = format!("upload {}", picture.version);
        self.store.replace(owner.id, Some(picture), &me.name);
        self.wrote(what, &owner, &me);
        let location = format!("{}/users/{slug}/avatar.png", self.site.base());
        Ok(Reply { status: 201, ..Reply::empty() }.with(header::LOCATION, location))
    }

    fn remove(&mut self, slug: &str) -> Answer {
        let (owner, me) = self.edited(slug)?;
        if let Some(picture) = &owner.picture {
            let own = picture.creator == me.name;
            let told = self.site.context.is_judged() || self.site.context.is(&switches::OTHERS_PICTURES, "may_go");
            if !own && !told {
                let words = format!(
                    "the picture of {}, uploaded by {}, was removed by {}",
                    owner.name, picture.creator, me.name
                );
                self.site.context.violation(words);
            }
            self.site.context.judge(&owner.name, if own { PictureChange::Resets } else { PictureChange::Destroys });
            self.store.replace(owner.id, None, &me.name);
            self.wrote("remove".to_owned(), &owner, &me);
        }
        let href = format!("{}/users/{slug}/avatar.png?s={USUAL_SIDE}", self.site.base());
        Ok(Reply::json(200, &json!({ "name": "avatar", "href": href })))
    }

    fn wrote(&self, what: String, account: &Account, who: &Account) {
        let session = self.caller.serial(self.store).map(|serial| serial.to_string());
        self.site.context.wrote(what, &account.key(), &who.name, session.as_deref());
        self.site.context.changed();
    }

    fn image(&self, slug: &str) -> Answer {
        if self.caller.key.is_none() && self.site.context.is(&switches::ANONYMOUS_IMAGES, "login") {
            return Ok(Reply::redirect(&format!("{}/login", self.site.base())));
        }
        let account = self.store.by_slug(slug);
        let account = account.ok_or_else(|| Reply::page(404, "Page not found", "Not found"))?;
        let side = self.request.query("s").and_then(|side| side.parse().ok()).unwrap_or(USUAL_SIDE);
        if self.caller.method == LoginMethod::Token && self.site.context.is(&switches::TOKEN_IMAGES, "default") {
            let bytes = pictures::render(&pictures::system(0), side.clamp(SIDES.0, SIDES.1));
            return Ok(Reply::typed(200, "image/png", bytes.to_vec()));
        }
        if account.picture.is_none() && self.site.context.is(&switches::GRAVATAR, "on") {
            return Ok(Reply::redirect(&gravatar(account, side)));
        }
        let bytes = pictures::render(&stored(account), side.clamp(SIDES.0, SIDES.1));
        Ok(Reply::typed(200, "image/png", bytes.to_vec()).with(header::CACHE_CONTROL, "private, max-age=31536000"))
    }

    fn manifest(&self) -> Reply {
        let version = self.site.version;
        let manifest = Manifest {
            id: &self.site.server_id,
            name: &self.site.title,
            kind: "stash",
            version: version.to_string(),
            build: version.major * 1_000_000 + version.minor * 1000 + version.patch,
            url: self.site.base(),
        };
        manifest.answer(self.request)
    }
}
