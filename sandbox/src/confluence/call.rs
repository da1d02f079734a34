//! One call in progress: who asks, which endpoint answers, and the few changes that all ways of writing share.
//!
//! Owns: the table of endpoints, the permission rules, storing, choosing and removing with their broken rules.
//! Leaves to others: the endpoints (`people`, `rpc`, `json_rpc`, `endpoint`, `web`).
//! A newcomer gets wrong: EDIT on another person means Confluence administrator; there is no finer permission
//! (docs/wire/atlassian.md §4.4).

use axum::http::Method;
use bytes::Bytes;
use serde_json::json;

use super::errors::error;
use super::people::GroupAsked;
use super::site::Call;
use super::store::{Account, Shows};
use super::switches;
use super::version::Release;
use crate::atlassian::auth::{AuthPolicy, Role};
use crate::atlassian::filters::check_forgery;
use crate::atlassian::reply::Reply;
use crate::atlassian::site::Answer;
use crate::observer::{Former, PictureChange};

impl Call<'_> {
    pub(super) fn answer(&mut self) -> Answer {
        let path: Vec<&str> = self.request.path.iter().map(String::as_str).collect();
        if path.first() != Some(&"rpc")
            && let Err(refusal) = check_forgery(self.site, self.request, false)
        {
            self.store.auth_state.counters.refused_by_xsrf += 1;
            return Err(refusal);
        }
        let get = self.request.method == Method::GET;
        match path[..] {
            ["rest", "api", ref resource @ ..] if get => self.api(resource),
            ["rest", "api", ..] => Err(error(405, "Method Not Allowed")),
            ["rest", "mobile", "1.0" | "latest", "profile", name] if get => self.mobile_profile(name),
            ["rest", "user-profile", "1.0" | "latest", key, "avatar", what] => self.internal_avatar(key, what),
            ["rest", "scriptrunner", "latest", "custom", "avatarpipe"] => self.custom_endpoint(),
            ["rest", "applinks", "1.0" | "latest", "manifest"] => Ok(self.manifest()),
            ["rpc", "xmlrpc"] => self.xml_rpc(),
            ["rpc", "json-rpc", "confluenceservice-v2"] => self.json_rpc(None),
            ["rpc", "json-rpc", "confluenceservice-v2", method] => self.json_rpc(Some(method)),
            ["download", "attachments", content, name] if get => self.download(content, name),
            ["images", "icons", "profilepics", file] if get => self.stock_picture(file),
            ["login.action"] => Ok(Reply::page(200, "Log in", "Username, password.")),
            ["rest", ..] => Err(Reply::json(404, &json!({"message": "null for uri", "status-code": 404}))),
            _ => Err(Reply::page(404, "Page Not Found", "Not found")),
        }
    }

    fn api(&mut self, resource: &[&str]) -> Answer {
        let site = self.site;
        match resource {
            ["user"] => self.user(),
            ["user", "current"] => Ok(self.current_user()),
            ["user", "list"] if site.stands(&switches::USER_LIST, self.has_user_list()) => self.list(),
            ["group", "member"] if site.stands(&switches::GROUP_MEMBER, site.version.has_group_member()) => {
                match self.request.query("groupName").map(str::to_owned) {
                    Some(name) => self.group_members(&name, GroupAsked::ByParameter),
                    None => Err(error(400, "groupName is required")),
                }
            }
            ["group", name, "member"] => self.group_members(name, GroupAsked::InThePath),
            ["admin", "users", "list", "active"] => self.active_list(),
            ["server-information"] => self.server_information(),
            _ => Err(error(404, "null for uri")),
        }
    }

    pub(super) fn me(&self) -> Option<Account> {
        self.caller.key.as_ref().and_then(|key| self.store.accounts.get(key)).cloned()
    }

    /// A page of the web, which sends strangers to the login.
    pub(super) fn to_login(&self) -> Reply {
        Reply::redirect(&format!("{}/login.action?permissionViolation=true", self.site.base()))
    }

    /// Notes a change for the truth that tests read.
    pub(super) fn wrote(&self, what: String, account: &Account, who: &Account) {
        let session = self.caller.serial(self.store).map(|serial| serial.to_string());
        self.site.context.wrote(what, &account.key, &who.name, session.as_deref());
        self.site.context.changed();
    }

    /// Stores a file on a profile. Putting a version over somebody else's file breaks a rule.
    pub(super) fn store_file(&mut self, owner: &Account, who: &Account, name: &str, mime: &str, bytes: Bytes) {
        let former = self.store.current(&owner.key, name).map(|nth| self.store.files[nth].creator.clone());
        if let Some(creator) = former.filter(|creator| *creator != who.name) {
            let words = format!("{name} of {}, stored by {creator}, was overwritten by {}", owner.name, who.name);
            self.site.context.violation(words);
        }
        self.site.context.judge(&owner.name, PictureChange::Stores(&bytes));
        self.store.put(&owner.key, name, mime, &who.name, bytes);
        self.wrote(format!("store {name}"), owner, who);
    }

    pub(super) fn choose(&mut self, owner: &Account, who: &Account, value: &str) {
        let default = self.site.default_picture();
        let file = |shows: Shows| match shows {
            Shows::File(nth) => Some(&self.store.files[nth]),
            Shows::Default | Shows::Stock(_) => None,
        };
        let before = self.store.accounts.get(&owner.key).and_then(|account| file(self.store.shows(account, &default)));
        let changed = Account { chosen: Some(value.to_owned()), ..owner.clone() };
        let own = before.is_none_or(|file| file.creator != "world");
        match (before, file(self.store.shows(&changed, &default))) {
            (Some(before), Some(after)) if before.name == after.name => {}
            (_, Some(after)) if own => {
                self.site.context.judge(&owner.name, PictureChange::Shows(&after.bytes, Former::Other))
            }
            (_, Some(after)) => {
                self.site.context.judge(&owner.name, PictureChange::Shows(&after.bytes, Former::Chosen))
            }
            (Some(_), None) => self.site.context.judge(&owner.name, PictureChange::Resets),
            (None, None) => {}
        }
        if let Some(account) = self.store.accounts.get_mut(&owner.key) {
            account.chosen = Some(value.to_owned());
        }
        self.wrote(format!("select {value}"), owner, who);
    }

    /// Removes a file with its versions. Removing what somebody else stored breaks a rule.
    pub(super) fn remove_file(&mut self, owner: &Account, who: &Account, nth: usize) {
        let shows = self.store.accounts.get(&owner.key).map(|now| self.store.shows(now, &self.site.default_picture()));
        if shows == Some(Shows::File(nth)) {
            self.site.context.judge(&owner.name, PictureChange::Resets);
        }
        let file = &self.store.files[nth];
        let (name, creator) = (file.name.clone(), file.creator.clone());
        if creator != who.name {
            let words = format!("{name} of {}, stored by {creator}, was removed by {}", owner.name, who.name);
            self.site.context.violation(words);
        }
        self.store.remove(&owner.key, &name, &who.name);
        self.wrote(format!("remove {name}"), owner, who);
    }
}

pub(super) fn may_edit(who: &Account, owner: &Account) -> bool {
    who.role >= Role::Admin || who.key == owner.key
}
