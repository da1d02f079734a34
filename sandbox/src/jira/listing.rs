//! Many users at once: search, the cursor listing, members of a group.
//!
//! Owns: which users each call returns, its pages and its caps by version (docs/wire/atlassian.md §3.3).
//! Leaves to others: the bean of one user (`users`).
//! A newcomer gets wrong: a short or empty page of `user/search` need not be the end of the users; past 100 (10.x) or
//! 1000 (8.5) there is silence, not an error.

use serde_json::{Value, json};

use super::site::Call;
use super::store::{Account, Sorted};
use super::switches;
use super::version::Release;
use super::version::SearchReach;
use super::world::Standing;
use crate::atlassian::auth::{AuthPolicy, Role};
use crate::atlassian::made_up::number_from;
use crate::atlassian::reply::Reply;
use crate::atlassian::request::encode;
use crate::atlassian::site::Answer;

/// Largest page of `user/search`, and its default.
const SEARCH_PAGE: (usize, usize) = (1000, 50);
/// Default and largest page of `user/list`.
const LIST_PAGE: usize = 2000;
/// The first cursor that is handed out; cursors look like internal ids, not like positions.
const FIRST_CURSOR: usize = 1345;
/// The term that matches everybody (§3.3).
const EVERYBODY: &str = ".";

impl Call<'_> {
    pub(super) fn search(&mut self) -> Answer {
        if self.refuse_strangers()? {
            return Ok(Reply::json(200, &json!([])));
        }
        let Some(term) = self.request.query("username").filter(|term| !term.is_empty()) else {
            return Err(Reply::error(400, "The username query parameter was not provided"));
        };
        let start = self.request.drifted(self.number("startAt", 0)?);
        let page = self.number("maxResults", SEARCH_PAGE.1)?.min(SEARCH_PAGE.0);
        let (active, inactive) =
            (self.request.flag("includeActive", true), self.request.flag("includeInactive", false));
        let term = term.to_lowercase();
        let here = |sorted: &&Sorted| match sorted.standing {
            Standing::Active => active,
            Standing::Inactive | Standing::Anonymised => inactive,
            Standing::Deleted => false,
        };
        let reach = match (self.site.context.switch(&switches::SEARCH_REACH).parse(), self.site.version.search_reach())
        {
            (Ok(reach), _) => reach,
            (Err(_), SearchReach::FirstThousand) => 1000,
            (Err(_), SearchReach::Pages) => usize::MAX,
            (Err(_), SearchReach::FirstHundred) => 100,
        };
        self.store.sort();
        let here = self.store.sorted().filter(here);
        let beans: Vec<Value> = if term == EVERYBODY {
            let found = here.take(reach).skip(start).take(page).filter_map(|sorted| self.store.account(sorted));
            found.map(|account| self.bean(account)).collect()
        } else {
            let found = here.filter_map(|sorted| self.store.account(sorted)).filter(|account| matches(account, &term));
            found.take(reach).skip(start).take(page).map(|account| self.bean(account)).collect()
        };
        Ok(Reply::json(200, &json!(beans)).no_store())
    }

    pub(super) fn list(&mut self) -> Answer {
        self.check_scope()?;
        if !self.site.stands(&switches::USER_LIST, self.site.version.has_user_list()) {
            return Err(Reply::error(404, "The user named 'list' does not exist"));
        }
        if self.refuse_strangers()? {
            return Ok(Reply::json(200, &json!({"maxResults": 0, "isLast": true, "values": []})));
        }
        let page = self.number("maxResults", LIST_PAGE)?.clamp(1, LIST_PAGE);
        let start = match self.number("cursor", 0)? {
            0 => 0,
            cursor => cursor.checked_sub(FIRST_CURSOR).ok_or_else(|| Reply::error(400, "Invalid cursor"))?,
        };
        let inactive = self.site.context.is(&switches::USER_LIST_INACTIVE, "on");
        let mut all: Vec<&Account> = self.store.accounts.values().collect();
        all.retain(|a| a.standing == Standing::Active || (inactive && a.standing != Standing::Deleted));
        all.sort_by_key(|account| number_from(&account.key, "order"));
        let values = all.iter().skip(start).take(page).map(|account| self.listed(account)).collect::<Vec<_>>();
        let (end, last) = (start + values.len(), start + values.len() >= all.len());
        let url = format!("{}/rest/api/2/user/list", self.site.base());
        let mut answer = json!({"self": url, "maxResults": page, "isLast": last, "values": values});
        if !last {
            let cursor = end + FIRST_CURSOR;
            answer["nextCursor"] = json!(cursor.to_string());
            answer["nextPage"] = json!(format!("{url}?maxResults={page}&cursor={cursor}"));
        }
        Ok(Reply::json(200, &answer).no_store())
    }

    pub(super) fn group_members(&mut self) -> Answer {
        let me = self.me()?;
        if me.role < Role::Admin {
            return Err(Reply::error(
                403,
                "You are not authorized to perform this operation. Administrator rights needed.",
            ));
        }
        let name = self.request.query("groupname").filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Reply::error(400, "You must specify the group name."))?;
        if !self.store.groups.contains(name) {
            return Err(Reply::error(404, &format!("Group '{name}' does not exist.")));
        }
        let inactive = self.request.flag("includeInactiveUsers", false);
        let start = self.number("startAt", 0)?;
        let largest = usize::try_from(self.site.context.number(&switches::GROUP_PAGE)).unwrap_or(usize::MAX).max(1);
        let page = self.number("maxResults", largest)?.min(largest);
        let account = |account: &&Account| {
            let here = account.standing == Standing::Active || (inactive && account.standing != Standing::Deleted);
            here && account.groups.contains(name)
        };
        let mut members: Vec<&Account> = self.store.accounts.values().filter(account).collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        let values: Vec<Value> =
            members.iter().skip(self.request.drifted(start)).take(page).map(|account| self.bean(account)).collect();
        let last = start + values.len() >= members.len();
        let url = |at: usize| {
            let base = self.site.base();
            let group = encode(name);
            format!(
                "{base}/rest/api/2/group/member?includeInactiveUsers={inactive}&maxResults={page}&groupname={group}&startAt={at}"
            )
        };
        let mut answer = json!({
            "self": url(start), "maxResults": page, "startAt": start, "total": members.len(), "isLast": last, "values": values,
        });
        if !last {
            answer["nextPage"] = json!(url(start + page));
        }
        Ok(Reply::json(200, &answer))
    }

    fn listed(&self, account: &Account) -> Value {
        let mut bean = self.bean(account);
        if self.site.context.is(&switches::USER_LIST_AVATARS, "off") {
            bean.as_object_mut().map(|bean| bean.remove("avatarUrls"));
        }
        bean
    }

    /// Whether an unknown caller gets an empty answer instead of 401.
    fn refuse_strangers(&self) -> Result<bool, Reply> {
        match (self.caller.key.is_none(), self.site.context.is(&switches::ANONYMOUS_SEARCH, "anonymous")) {
            (false, _) => Ok(false),
            (true, true) => Ok(true),
            (true, false) => Err(Reply::login_required()),
        }
    }

    fn number(&self, name: &str, default: usize) -> Result<usize, Reply> {
        self.request.number(name, default).map_err(|words| Reply::error(400, &words))
    }
}

/// Prefix match on name, e-mail and the words of the display name (§3.3).
fn matches(account: &Account, term: &str) -> bool {
    let display = account.display_name.to_lowercase();
    let email = account.email.as_deref().unwrap_or_default().to_lowercase();
    account.name.starts_with(term)
        || email.starts_with(term)
        || display.starts_with(term)
        || display.split_whitespace().any(|word| word.starts_with(term))
}
