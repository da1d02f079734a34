//! Who people are: the bean of a user, and the two listings (docs/wire/atlassian.md §5).
//!
//! Owns: `avatarUrl` in all its forms, paging.
//! Leaves to others: logins, pictures (`call`).
//! A newcomer gets wrong: `start` is a position of the server's own; `start + limit` is some other one.

use serde_json::{Value, json};

use super::errors::{error, not_permitted};
use super::site::Call;
use super::store::Account;
use super::switches;
use super::world::{Kind, Standing};
use crate::atlassian::auth::{AuthPolicy, Role};
use crate::atlassian::reply::Reply;
use crate::atlassian::request::encode;
use crate::atlassian::site::Answer;

/// Page of a listing that names none.
const PAGE: usize = 25;
/// How far the positions of two accounts lie apart when there are gaps.
const GAP: usize = 3;

impl Call<'_> {
    pub(super) fn list(&mut self) -> Answer {
        self.rights()?;
        let inactive = self.site.context.is(&switches::LISTED_INACTIVE, "on");
        let group = self.request.query("group");
        self.page(|account| {
            let here = account.standing == Standing::Active || inactive;
            (here && group.is_none_or(|group| account.groups.contains(group))).then(|| self.bean(account))
        })
    }

    /// Whoever is licensed may list (§13).
    pub(super) fn admin_list(&mut self) -> Answer {
        self.rights()?;
        self.page(|account| {
            let mut bean = self.bean(account);
            bean["directoryName"] = json!("Internal Directory");
            bean["deletable"] = json!(true);
            bean["mutableDetails"] = json!(true);
            bean["mutableGroups"] = json!(true);
            bean["lastAuthenticationTimestamp"] = json!(1_700_000_000_000_u64);
            Some(bean)
        })
    }

    /// Who has a global permission; only administrators may ask (§13).
    pub(super) fn permissions(&mut self) -> Answer {
        if self.rights()?.1 < Role::Admin {
            return Err(not_permitted());
        }
        self.page(|account| {
            let permission = match account.role {
                Role::SystemAdmin => "SYS_ADMIN",
                Role::Admin => "ADMIN",
                Role::User => "LICENSED_USER",
            };
            Some(json!({ "user": self.bean(account), "permission": permission }))
        })
    }

    fn page(&self, bean: impl Fn(&Account) -> Option<Value>) -> Answer {
        let number = |name, default| {
            let found = self.request.number(name, default);
            found.map_err(|words| error(400, &words, "com.atlassian.bitbucket.validation.ArgumentValidationException"))
        };
        let cap = usize::try_from(self.site.context.number(&switches::PAGE_CAP)).unwrap_or(usize::MAX).max(1);
        let (start, limit) = (number("start", 0)?, number("limit", PAGE)?.clamp(1, cap));
        let gap = if self.site.context.is(&switches::NEXT_PAGE, "sum") { 1 } else { GAP };
        let filter = self.request.query("filter").map(str::to_lowercase);
        let wanted =
            self.store.accounts.values().filter(|account| filter.as_ref().is_none_or(|text| fits(account, text)));
        let found: Vec<Value> = wanted.filter_map(bean).collect();
        let first = self.request.drifted(start.div_ceil(gap)) * gap;
        let mut rest = (0..).step_by(gap).zip(found).skip_while(|(position, _)| *position < first);
        let values: Vec<Value> = rest.by_ref().take(limit).map(|(_, bean)| bean).collect();
        let next = rest.next().map(|(position, _)| position);
        Ok(Reply::json(
            200,
            &json!({"size": values.len(), "limit": limit, "isLastPage": next.is_none(), "values": values,
                    "start": start, "nextPageStart": next}),
        ))
    }

    /// The bean of a user, with `avatarUrl` if the request names a size.
    pub(super) fn bean(&self, account: &Account) -> Value {
        let kind = if account.kind == Kind::Service { "SERVICE" } else { "NORMAL" };
        let href = format!("{}/users/{}", self.site.base(), encode(&account.slug));
        let mut bean = json!({
            "id": account.id, "name": account.name, "slug": account.slug, "displayName": account.display_name,
            "active": account.standing == Standing::Active, "type": kind, "links": {"self": [{"href": href}]},
        });
        if let Some(email) = &account.email {
            bean["emailAddress"] = json!(email);
        }
        let size = self.request.query("avatarSize").and_then(|size| size.parse().ok());
        if let Some(size) = size.filter(|_| self.site.context.is(&switches::AVATAR_URLS, "on")) {
            bean["avatarUrl"] = json!(self.avatar_url(account, size));
        }
        bean
    }

    fn avatar_url(&self, account: &Account, size: u32) -> String {
        let versions = self.site.context.is(&switches::AVATAR_VERSIONS, "on");
        let path = format!("{}/users/{}/avatar.png?s={size}", self.site.base_path, encode(&account.slug));
        match &account.picture {
            Some(picture) if versions => format!("{path}&v={}", picture.version),
            None if self.site.context.is(&switches::GRAVATAR, "on") => gravatar(account, size),
            _ => path,
        }
    }
}

/// Whether name, display name or e-mail begin with the text or hold it.
fn fits(account: &Account, text: &str) -> bool {
    let email = account.email.as_deref().unwrap_or_default().to_lowercase();
    [account.name.to_lowercase(), account.display_name.to_lowercase(), email].iter().any(|known| known.contains(text))
}

/// Gravatar's URL. The 32 digits stand in for the MD5 of the address: nobody may depend on their value.
pub(super) fn gravatar(account: &Account, size: u32) -> String {
    let address = account.email.as_deref().unwrap_or_default().trim().to_lowercase();
    let digits = blake3::hash(address.as_bytes()).to_hex().to_string().split_off(32);
    format!("https://secure.gravatar.com/avatar/{digits}.jpg?s={size}&d=mm")
}
