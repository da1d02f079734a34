//! One call in progress: who asks, for whom, and which endpoint answers.
//!
//! Owns: the table of endpoints, the permission rules, how a user is named in a query.
//! Leaves to others: the endpoints (`users`, `listing`, `avatars`, `upload`, `web`).
//! A newcomer gets wrong: `username` is optional on avatar calls; left out, the caller's own picture is meant
//! (docs/wire/atlassian.md §12).

use axum::http::Method;

use super::site::Call;
use super::store::Account;
use super::switches;
use super::world::Standing;
use crate::atlassian::auth::{AccountStore as _, Role};
use crate::atlassian::caller::LoginMethod;
use crate::atlassian::filters::check_forgery;
use crate::atlassian::reply::Reply;
use crate::atlassian::request::Fault;
use crate::atlassian::site::Answer;

impl Call<'_> {
    pub(super) fn answer(&mut self) -> Answer {
        if let (Some(Fault::NamePasses), Some(name)) = (self.request.fault, self.request.query("username")) {
            self.store.pass_on(name);
        }
        let path: Vec<&str> = self.request.path.iter().map(String::as_str).collect();
        let strict =
            matches!((&self.request.method, &path[..]), (&Method::POST, ["rest", "api", _, "user", "avatar", ..]));
        if let Err(refusal) = check_forgery(self.site, self.request, strict) {
            self.store.auth_state.counters.refused_by_xsrf += 1;
            return Err(refusal);
        }
        match path[..] {
            ["rest", "api", "2" | "latest", ref resource @ ..] => self.api(resource),
            ["rest", "auth", "1" | "latest", "session"] => self.session(),
            ["rest", "applinks", "1.0" | "latest", "manifest"] => self.manifest(),
            ["secure", "useravatar"] => self.image(),
            ["secure", "temporaryavatar"] => self.temporary_image(),
            ["login.jsp"] => Ok(Reply::page(200, "Log in", "Username, password.")),
            ["rest", ..] => Ok(no_such_resource()),
            _ => Ok(Reply::page(404, "Oops, you've found a dead link.", "Not found")),
        }
    }

    fn api(&mut self, resource: &[&str]) -> Answer {
        const GET: &Method = &Method::GET;
        const POST: &Method = &Method::POST;
        const PUT: &Method = &Method::PUT;
        const DELETE: &Method = &Method::DELETE;
        let method = self.request.method.clone();
        match (&method, resource) {
            (m, ["serverInfo"]) if m == GET => self.server_info(),
            (m, ["myself"]) if m == GET => self.myself(),
            (m, ["mypermissions"]) if m == GET => self.my_permissions(),
            (m, ["user"]) if m == GET => self.user(),
            (m, ["user", "search"]) if m == GET => self.search(),
            (m, ["user", "list"]) if m == GET => self.list(),
            (m, ["user", "duplicated", "list" | "count"]) if m == GET => self.duplicated(),
            (m, ["group", "member"]) if m == GET => self.group_members(),
            (m, ["user", "avatars"]) if m == GET => self.avatars(),
            (m, ["avatar", "user", "system"]) if m == GET => self.system_avatars(),
            (m, ["user", "avatar", "temporary"]) if m == POST => self.upload(),
            (m, ["user", "avatar"]) if m == POST => self.confirm(),
            (m, ["user", "avatar"]) if m == PUT => self.select(),
            (m, ["user", "avatar", id]) if m == DELETE => self.delete_avatar(id),
            (_, ["user", "properties"]) => self.property_keys(),
            (_, ["user", "properties", key]) => self.property(key),
            (_, ["serverInfo" | "myself" | "mypermissions" | "user"])
            | (_, ["user", "search" | "avatars" | "avatar"])
            | (_, ["user", "avatar", _])
            | (_, ["group", "member"]) => Ok(Reply::error(405, "Method Not Allowed")),
            _ => Ok(no_such_resource()),
        }
    }

    /// The caller's account, or 401.
    pub(super) fn me(&self) -> Result<Account, Reply> {
        let account = self.caller.key.as_ref().and_then(|key| self.store.accounts.get(key));
        account.cloned().ok_or_else(Reply::login_required)
    }

    pub(super) fn is_admin(&self) -> bool {
        self.caller.key.as_ref().and_then(|key| self.store.accounts.get(key)).is_some_and(|me| me.role >= Role::Admin)
    }

    /// The user that an avatar call is about: `username`, else the caller. Nobody checks whether it is active (§3.9).
    pub(super) fn subject(&self) -> Result<Account, Reply> {
        let me = self.me()?;
        match self.request.query("username") {
            None => Ok(me),
            Some(name) => self.named(name),
        }
    }

    /// The user of that name, or 404.
    pub(super) fn named(&self, name: &str) -> Result<Account, Reply> {
        let found = self.store.by_name(name).filter(|account| account.standing != Standing::Deleted);
        found.cloned().ok_or_else(|| Reply::error(404, &format!("The user named '{name}' does not exist")))
    }

    /// Whether the caller may edit that user's avatars: an administrator, or the user. A plain administrator may even
    /// edit a system administrator's (§3.1).
    pub(super) fn may_edit(&self, account: &Account) -> bool {
        self.is_admin() || self.caller.key.as_deref() == Some(&account.key)
    }

    /// Refuses what no OAuth 2.0 scope covers to a service account (§13).
    pub(super) fn check_scope(&self) -> Result<(), Reply> {
        match self.caller.method == LoginMethod::Token && self.site.context.is(&switches::TOKEN_SCOPE, "service") {
            true => Err(Reply::message(403, "The token does not have the scope that is needed.")),
            false => Ok(()),
        }
    }

    /// As [`Call::may_edit`], as a refusal.
    pub(super) fn check_edit(&self, account: &Account) -> Result<(), Reply> {
        self.check_scope()?;
        if self.may_edit(account) {
            return Ok(());
        }
        let status = if self.site.context.is(&switches::PERMISSION_STATUS, "401") { 401 } else { 403 };
        Err(Reply::error(status, "You do not have permission to edit the avatars of this user."))
    }

    pub(super) fn wrote(&self, what: String, account: &str) {
        let who = self.me().map(|me| me.name).unwrap_or_default();
        let session = self.caller.serial(self.store).map(|serial| serial.to_string());
        self.site.context.wrote(what, account, &who, session.as_deref());
        self.site.context.changed();
    }
}

fn no_such_resource() -> Reply {
    Reply::json(404, &serde_json::json!({"message": "null for uri", "status-code": 404}))
}
