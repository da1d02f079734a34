//! Who people are: one user, the caller, the listings, the server itself (docs/wire/atlassian.md §4.1).
//!
//! Owns: the person bean, pages and their links, what each release has.
//! Leaves to others: logins, and which picture is shown (`store`).
//! A newcomer gets wrong: only one listing of newer releases has e-mail addresses (§13), and `limit` in an answer may be lower than what was asked.

use serde_json::{Value, json};

use super::errors::error;
use super::site::Call;
use super::stock::STOCK_FOLDER;
use super::store::Account;
use super::switches;
use super::version::Release;
use super::world::Standing;
use crate::atlassian::auth::{AccountStore as _, AuthPolicy};
use crate::atlassian::manifest::Manifest;
use crate::atlassian::reply::Reply;
use crate::atlassian::request::encode;
use crate::atlassian::site::Answer;

/// Page of a listing that says nothing.
const PAGE: usize = 200;

/// How a group is named in the request (§4.1, §13).
#[derive(Clone, Copy, Debug)]
pub(super) enum GroupAsked {
    /// `group/{name}/account`.
    InThePath,
    /// `group/account?groupName=`.
    ByParameter,
}

impl Call<'_> {
    pub(super) fn has_user_list(&self) -> bool {
        self.site.version.has_user_list()
    }

    pub(super) fn user(&mut self) -> Answer {
        self.refuse_strangers()?;
        let found = match (self.request.query("username"), self.request.query("key")) {
            (Some(name), None) => self.store.by_name(name).filter(|account| account.standing != Standing::Deleted),
            (None, Some(key)) => self.store.accounts.get(key),
            _ => return Err(error(400, "Exactly one of 'key' or 'username' must be given.")),
        };
        let found = found.ok_or_else(|| error(404, "No user found with the given key or username"))?;
        Ok(Reply::json(200, &self.person(found, true)))
    }

    pub(super) fn current_user(&mut self) -> Reply {
        let Some(me) = self.me() else {
            let path = format!("{STOCK_FOLDER}anonymous.svg");
            let picture = json!({"path": path, "width": 48, "height": 48, "isDefault": true});
            return Reply::json(
                200,
                &json!({"type": "anonymous", "displayName": "Anonymous", "profilePicture": picture}),
            );
        };
        Reply::json(200, &self.person(&me, true))
    }

    pub(super) fn list(&mut self) -> Answer {
        let strangers = self.refuse_strangers()?;
        let disabled = self.site.context.is(&switches::LISTED_DISABLED, "on");
        let mut people = self.people(|a| a.standing == Standing::Active || disabled);
        people.retain(|_| !strangers);
        let largest = self.site.context.number(&switches::LIST_PAGE);
        self.page(&people, "/rest/api/user/list", largest)
    }

    pub(super) fn group_members(&mut self, name: &str, asked: GroupAsked) -> Answer {
        let strangers = self.refuse_strangers()?;
        if !self.store.groups.contains(name) {
            return Err(error(404, &format!("No group found with name: {name}")));
        }
        let disabled = self.site.context.is(&switches::GROUP_DISABLED, "on");
        let mut people = self.people(|a| a.groups.contains(name) && (a.standing == Standing::Active || disabled));
        people.retain(|_| !strangers);
        let largest = self.site.context.number(&switches::GROUP_PAGE);
        let name = encode(name).replace('+', "%20");
        match asked {
            GroupAsked::InThePath => self.page(&people, &format!("/rest/api/group/{name}/member"), largest),
            GroupAsked::ByParameter => self.page(&people, &format!("/rest/api/group/member?groupName={name}"), largest),
        }
    }

    pub(super) fn active_list(&mut self) -> Answer {
        if !self.site.stands(&switches::ACTIVE_LIST, self.site.version.has_active_list()) {
            return Err(error(404, "null for uri"));
        }
        self.me().ok_or_else(|| self.site.login_required())?;
        let people = self.people(|account| account.standing == Standing::Active);
        let largest = self.site.context.number(&switches::LIST_PAGE);
        let mut answer = self.page_of(&people, "/rest/api/admin/users/list/active", largest)?;
        let shown = self.site.context.is(&switches::EMAIL, "shown");
        for person in answer["results"].as_array_mut().into_iter().flatten() {
            let email = person["username"].as_str().and_then(|name| self.store.by_name(name)?.email.clone());
            person["email"] = json!(email.filter(|_| shown));
        }
        Ok(Reply::json(200, &answer))
    }

    pub(super) fn server_information(&mut self) -> Answer {
        if !self.site.stands(&switches::SERVER_INFORMATION, self.site.version.has_server_information()) {
            return Err(error(404, "null for uri"));
        }
        self.refuse_strangers()?;
        let version = self.site.version;
        Ok(Reply::json(
            200,
            &json!({
                "version": version.to_string(), "versionNumber": version.to_string(),
                "buildNumber": version.build_number().to_string(), "baseUrl": self.site.base(), "title": self.site.title,
            }),
        ))
    }

    pub(super) fn mobile_profile(&mut self, name: &str) -> Answer {
        if self.site.context.is(&switches::MOBILE_PROFILE, "off") {
            return Err(error(404, "null for uri"));
        }
        self.me().ok_or_else(|| self.site.login_required())?;
        let account = self.store.by_name(name).filter(|account| account.standing == Standing::Active);
        let account = account.ok_or_else(|| error(404, "User not found"))?;
        let path = self.store.path(account, &self.site.default_picture());
        let mut profile = json!({
            "userName": account.name, "fullName": account.display_name, "url": format!("/display/~{}", account.name),
            "avatarUrl": format!("{}{path}", self.site.base_path),
        });
        if self.site.context.is(&switches::EMAIL, "shown") {
            profile["email"] = json!(account.email);
        }
        Ok(Reply::json(200, &profile))
    }

    pub(super) fn manifest(&mut self) -> Reply {
        let version = self.site.version;
        let manifest = Manifest {
            id: &self.site.server_id,
            name: &self.site.title,
            kind: "confluence",
            version: version.to_string(),
            build: version.build_number(),
            url: self.site.base(),
        };
        manifest.answer(self.request)
    }

    /// Everybody who is not gone and fits, in the order of names.
    fn people(&self, fits: impl Fn(&Account) -> bool) -> Vec<Account> {
        let here =
            self.store.accounts.values().filter(|account| account.standing != Standing::Deleted && fits(account));
        let mut people: Vec<Account> = here.cloned().collect();
        people.sort_by(|a, b| a.name.cmp(&b.name));
        people
    }

    fn page(&self, people: &[Account], path: &str, largest: u64) -> Answer {
        Ok(Reply::json(200, &self.page_of(people, path, largest)?))
    }

    fn page_of(&self, people: &[Account], path: &str, largest: u64) -> Result<Value, Reply> {
        let largest = usize::try_from(largest).unwrap_or(usize::MAX).max(1);
        let number = |name, default| self.request.number(name, default).map_err(|words| error(400, &words));
        let (start, limit) = (number("start", 0)?, number("limit", PAGE)?.clamp(1, largest));
        let pictures = self.site.context.is(&switches::LISTED_PICTURES, "on");
        let page: Vec<Value> = people
            .iter()
            .skip(self.request.drifted(start))
            .take(limit)
            .map(|account| self.person(account, pictures))
            .collect();
        let (base, context) = (self.site.base(), &self.site.base_path);
        let mut links = json!({"self": format!("{base}{path}"), "base": base, "context": context});
        if start + page.len() < people.len() {
            let expand =
                self.request.query("expand").map(|what| format!("&expand={}", encode(what))).unwrap_or_default();
            let joint = if path.contains('?') { '&' } else { '?' };
            links["next"] = json!(format!("{path}{joint}limit={limit}&start={}{expand}", start + limit));
        }
        let size = page.len();
        Ok(json!({"results": page, "start": start, "limit": limit, "size": size, "_links": links}))
    }

    fn person(&self, account: &Account, with_picture: bool) -> Value {
        let unknown = account.standing == Standing::Deleted;
        let default = self.site.default_picture();
        let path = match unknown {
            true => format!("{STOCK_FOLDER}anonymous.svg"),
            false => self.store.path(account, &default),
        };
        let standard = unknown || path == format!("{STOCK_FOLDER}{default}");
        let display = match unknown {
            true => format!("Unknown User ({})", account.name),
            false => account.display_name.clone(),
        };
        let mut person = json!({
            "type": if unknown { "unknown" } else { "known" }, "username": account.name, "userKey": account.key,
            "displayName": display,
            "_links": {"self": format!("{}/rest/api/user?key={}", self.site.base(), account.key)},
            "_expandable": {"status": ""},
        });
        if with_picture {
            let path = format!("{}{path}", self.site.base_path);
            person["profilePicture"] = json!({"path": path, "width": 48, "height": 48, "isDefault": standard});
        }
        if self.request.query("expand").is_some_and(|what| what.split(',').any(|word| word == "status")) {
            let status = if account.standing == Standing::Active { "current" } else { "deactivated" };
            person["status"] = json!(status);
            person["_expandable"] = json!({});
        }
        person
    }

    /// Refuses an unknown caller, or says that it is one.
    fn refuse_strangers(&self) -> Result<bool, Reply> {
        match (self.caller.key.is_none(), self.site.context.is(&switches::ANONYMOUS_READS, "anonymous")) {
            (true, false) => Err(error(403, "User not permitted to use Confluence")),
            (stranger, _) => Ok(stranger),
        }
    }
}
