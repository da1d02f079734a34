//! Who people are: user beans, one user, the caller, permissions, properties, duplicates.
//!
//! Owns: the user bean and the URLs in it (docs/wire/atlassian.md §3.2), preflight (§3.1), user properties (§3.8).
//! Leaves to others: many users at once (`listing`), avatar beans (`avatars`).
//! A newcomer gets wrong: the 48 px URL has no `size`, the others have it first; and a chosen default looks like none.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::site::Call;
use super::store::{Account, Shows};
use super::switches;
use super::version::Release;
use super::world::Standing;
use crate::atlassian::auth::{AccountStore as _, AuthPolicy, Role};
use crate::atlassian::reply::Reply;
use crate::atlassian::request::encode;
use crate::atlassian::site::Answer;

/// The sizes a bean has URLs for; the first is the default size.
const BEAN_SIZES: [(&str, Option<&str>, u32); 4] =
    [("48x48", None, 48), ("24x24", Some("small"), 24), ("16x16", Some("xsmall"), 16), ("32x32", Some("medium"), 32)];

impl Call<'_> {
    pub(super) fn server_info(&mut self) -> Answer {
        if self.caller.key.is_none() && self.site.context.is(&switches::ANONYMOUS_SERVER_INFO, "refused") {
            return Err(Reply::login_required());
        }
        let version = self.site.version;
        Ok(Reply::json(
            200,
            &json!({
                "baseUrl": self.site.base(),
                "version": version.to_string(),
                "versionNumbers": [version.major, version.minor, version.patch],
                "deploymentType": "Server",
                "buildNumber": version.build_number(),
                "buildDate": "2024-01-01T00:00:00.000+0000",
                "scmInfo": "0000000000000000000000000000000000000000",
                "serverTitle": self.site.title,
            }),
        ))
    }

    pub(super) fn myself(&mut self) -> Answer {
        let me = self.me()?;
        Ok(Reply::json(200, &self.bean(&me)).no_store())
    }

    pub(super) fn my_permissions(&mut self) -> Answer {
        let role = self.me().map(|me| me.role).ok();
        let permission = |id: &str, key: &str, name: &str, have: bool| json!({"id": id, "key": key, "name": name, "type": "GLOBAL", "description": "", "havePermission": have});
        Ok(Reply::json(
            200,
            &json!({"permissions": {
                "ADMINISTER": permission("0", "ADMINISTER", "Jira Administrators", role >= Some(Role::Admin)),
                "SYSTEM_ADMIN": permission("44", "SYSTEM_ADMIN", "Jira System Administrators", role == Some(Role::SystemAdmin)),
                "USER_PICKER": permission("27", "USER_PICKER", "Browse Users", role.is_some()),
            }}),
        ))
    }

    pub(super) fn user(&mut self) -> Answer {
        self.me()?;
        let (found, words) = match (self.request.query("username"), self.request.query("key")) {
            (Some(name), _) => (self.store.by_name(name), format!("The user named '{name}' does not exist")),
            (None, Some(key)) => {
                (self.store.accounts.get(key), format!("The user with the key '{key}' does not exist"))
            }
            (None, None) => {
                let words = "Either the 'username' or the 'key' query parameters need to be provided";
                return Err(Reply::error(400, words));
            }
        };
        let deleted_too = self.request.flag("includeDeleted", false);
        let found = found.filter(|account| deleted_too || account.standing != Standing::Deleted);
        let bean = found.map(|account| self.bean(account));
        bean.map(|bean| Reply::json(200, &bean).no_store()).ok_or_else(|| Reply::error(404, &words))
    }

    pub(super) fn duplicated(&mut self) -> Answer {
        let me = self.me()?;
        if me.role < Role::Admin {
            return Err(Reply::error(403, "You are not authorized to perform this operation."));
        }
        match self.request.path.last().map(String::as_str) {
            Some("count") => Ok(Reply::json(200, &json!(0))),
            _ => Ok(Reply::json(200, &json!({}))),
        }
    }

    /// A user bean as this caller sees it.
    pub(super) fn bean(&self, account: &Account) -> Value {
        let mut bean = Map::new();
        let base = self.site.base();
        let mut put = |name: &str, value: Value| bean.insert(name.to_owned(), value);
        put("self", json!(format!("{base}/rest/api/2/user?username={}", encode(&account.name))));
        put("key", json!(account.key));
        put("name", json!(account.name));
        put("displayName", json!(account.display_name));
        put("active", json!(account.standing == Standing::Active));
        put("deleted", json!(account.standing == Standing::Deleted));
        put("timeZone", json!("Europe/Paris"));
        put("locale", json!("en_US"));
        put("avatarUrls", self.avatar_urls(account));
        if let Some(email) = self.email(account) {
            put("emailAddress", json!(email));
        }
        if self.caller.key.as_ref() == Some(&account.key) || self.request.query("expand").is_some() {
            let groups: Vec<Value> = account.groups.iter().map(|name| json!({"name": name})).collect();
            put("groups", json!({"size": groups.len(), "items": groups}));
            put("applicationRoles", json!({"size": 1, "items": []}));
        }
        put("expand", json!("groups,applicationRoles"));
        Value::Object(bean)
    }

    fn email(&self, account: &Account) -> Option<String> {
        let email = account.email.as_ref()?;
        let own = self.caller.key.as_ref() == Some(&account.key);
        match self.site.context.switch(&switches::EMAIL).as_str() {
            "hidden" if !own => None,
            "masked" if !own => Some(email.replace('@', " at ").replace('.', " dot ")),
            _ => Some(email.clone()),
        }
    }

    fn avatar_urls(&self, account: &Account) -> Value {
        if account.standing == Standing::Deleted {
            return self.urls_of(self.store.anonymous_avatar(), None);
        }
        match self.store.shows(account) {
            Shows::Custom(id) => self.urls_of(id, Some(&account.key)),
            // A foreign id that was stored unchecked still stands in the URL; the picture behind it is the default.
            Shows::Default if account.chosen.is_some_and(|id| self.store.avatar(id).is_some()) => {
                self.urls_of(account.chosen.unwrap_or_default(), Some(&account.key))
            }
            Shows::Default if self.site.context.is(&switches::GRAVATAR, "on") => gravatar(account),
            Shows::Default => self.urls_of(self.store.default_avatar, None),
            Shows::System(id) => self.urls_of(id, None),
        }
    }

    /// The four URLs of an avatar; `owner` only for custom ones.
    pub(super) fn urls_of(&self, id: u64, owner: Option<&str>) -> Value {
        let base = self.site.base();
        let owner = owner.map(|key| format!("ownerId={}&", encode(key))).unwrap_or_default();
        let url = |size: Option<&str>| {
            let size = size.map(|size| format!("size={size}&")).unwrap_or_default();
            json!(format!("{base}/secure/useravatar?{size}{owner}avatarId={id}"))
        };
        BEAN_SIZES.iter().map(|(name, size, _)| ((*name).to_owned(), url(*size))).collect::<Map<_, _>>().into()
    }

    pub(super) fn property_keys(&mut self) -> Answer {
        let account = self.property_owner()?;
        let keys: Vec<Value> = account.properties.keys().map(|key| json!({"key": key})).collect();
        Ok(Reply::json(200, &json!({ "keys": keys })))
    }

    pub(super) fn property(&mut self, key: &str) -> Answer {
        let account = self.property_owner()?;
        let none = || Reply::error(404, &format!("The property with key '{key}' does not exist."));
        match self.request.method {
            Method::GET => {
                let value = account.properties.get(key).ok_or_else(none)?;
                Ok(Reply::json(200, &json!({"key": key, "value": value})))
            }
            Method::PUT => {
                let value = serde_json::from_slice(&self.request.body)
                    .map_err(|_| Reply::error(400, "The value is not JSON."))?;
                let stored = self.store.accounts.get_mut(&account.key);
                let before = stored.and_then(|account| account.properties.insert(key.to_owned(), value));
                self.wrote(format!("property {key}"), &account.key);
                Ok(Reply { status: if before.is_some() { 200 } else { 201 }, ..Reply::empty() })
            }
            Method::DELETE => {
                let stored = self.store.accounts.get_mut(&account.key);
                stored.and_then(|account| account.properties.remove(key)).ok_or_else(none)?;
                self.wrote(format!("property {key} removed"), &account.key);
                Ok(Reply::empty())
            }
            _ => Ok(Reply::error(405, "Method Not Allowed")),
        }
    }

    fn property_owner(&self) -> Result<Account, Reply> {
        self.me()?;
        let account = match (self.request.query("username"), self.request.query("userKey")) {
            (Some(name), _) => self.named(name)?,
            (None, Some(key)) => {
                let words = format!("The user with the key '{key}' does not exist");
                self.store.accounts.get(key).cloned().ok_or_else(|| Reply::error(404, &words))?
            }
            (None, None) => return Err(Reply::error(400, "Either username or userKey is required.")),
        };
        match self.may_edit(&account) {
            true => Ok(account),
            false => {
                Err(Reply::error(403, "You do not have permission to browse or edit the properties of this user."))
            }
        }
    }
}

/// Gravatar's URLs. The 32 digits stand in for the MD5 of the address: nobody may depend on their value.
fn gravatar(account: &Account) -> Value {
    let address = account.email.as_deref().unwrap_or_default().trim().to_lowercase();
    let digits = blake3::hash(address.as_bytes()).to_hex().to_string().split_off(32);
    let url = |side: u32| json!(format!("https://www.gravatar.com/avatar/{digits}?d=mm&s={side}"));
    BEAN_SIZES.iter().map(|(name, _, side)| ((*name).to_owned(), url(*side))).collect::<Map<_, _>>().into()
}
