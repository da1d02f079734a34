//! All accounts with the picture each shows.
//!
//! Owns: the listing calls of docs/wire/atlassian.md §3.3, their ends and cuts.
//! Leaves to others: what an avatar URL says (`avatar.rs`), the version table (`version.rs`), which accounts are selected
//! (`account_filter.rs`), which picture is the default (`default.rs`).
//! A newcomer gets wrong: `user/search` says no total. A full page followed by an empty one is a cut and not an end.

use std::collections::HashSet;

use url::Url;

use crate::http::{Failure, FailureKind};
use crate::load::account_filter::AccountFilter;
use crate::load::listing::{GroupPages, ListedAccounts, TakePage, hash};
use crate::load::{Learnt, Surveyed};
use crate::model::{Account, AccountId, AccountStanding, PictureRef, Shown, counted};

use super::avatar;
use super::client::JiraClient;
use super::default::{DEFAULT, Stock, ask_default};
use super::server::version;
use super::upload;
use super::version::{JiraVersion, ListingWay};
use super::wire::{Email, FoundUsers, GroupPage, User, UserList};

/// The most that `user/list` gives in one page.
pub(super) const LIST_PAGE: u64 = 2000;
/// The most that `user/search` gives in one page.
pub(super) const SEARCH_PAGE: u64 = 1000;
/// The most that `group/member` gives in one page.
pub(super) const MEMBER_PAGE: u64 = 50;
/// The other number at which `user/search` was cut (§13).
const CUT: u64 = 100;

/// All accounts.
pub(super) async fn survey(client: &JiraClient, learnt: &mut Learnt, page: TakePage<'_>) -> Result<Surveyed, Failure> {
    let shared = client.shared();
    let version = version(client).await?;
    if upload::sessions_are_lost(shared) {
        learnt.remove(&upload::key(shared, &version));
    }
    let way = match shared.known().way.unwrap_or(version.way()) {
        // The members of a group are listed to the last by every version (§3.3).
        ListingWay::Search if version.cuts() && !shared.accounts.groups.is_empty() => ListingWay::Members,
        other => other,
    };
    let mut listing = JiraSurvey::new(client, page);
    if !listing.rules.groups.is_empty() && way != ListingWay::Members {
        let members = listing.members_of_groups().await?;
        listing.listed.among(members);
    }
    match way {
        ListingWay::Cursor | ListingWay::CursorIfThere => {
            let other = listing.by_cursor(way).await?;
            let way = if other.is_none() { ListingWay::Cursor } else { ListingWay::Members };
            shared.learn(|known| known.way = Some(way));
            if let Some(why) = other {
                // None of it is asked again in this run.
                listing.listed.requests = 0;
                listing.notes.extend(why.note());
                listing.by_groups(&why).await?;
            }
        }
        ListingWay::Members => listing.by_groups(&NoListing::Lists100(version)).await?,
        ListingWay::Search => listing.by_search(&version).await?,
    }
    listing.finish(learnt).await
}

/// Why a server does not list everybody to us.
enum NoListing {
    /// `user/search` ends after 100 accounts, and there is no `user/list`.
    Lists100(JiraVersion),
    /// `user/list` is refused to this token.
    NoScope(Failure),
}

impl NoListing {
    fn note(&self) -> Option<String> {
        match self {
            Self::Lists100(_) => None,
            Self::NoScope(refused) => Some(format!(
                "user/list is refused to this token ({}), as it is to every service account of Jira 11: the members of \
                 `accounts.groups` are listed in its place",
                refused.found
            )),
        }
    }

    fn failure(&self, tried: &Url) -> Failure {
        match self {
            Self::Lists100(version) => Failure::new(
                FailureKind::Misconfigured,
                format!("GET {tried}"),
                format!("Jira {version} lists 100 accounts in all (JRASERVER-78520)"),
            )
            .hint("write `accounts: { groups: [jira-software-users] }` with your groups, or update Jira to the latest 10.3"),
            Self::NoScope(refused) => refused.clone().hint(
                "a service account of Jira 11 (client credentials) has no scope for this call, and probably none to set \
                 other people's pictures: use the personal access token of a Jira administrator; to list the members of \
                 groups alone write `accounts: { groups: [jira-software-users] }` with your groups",
            ),
        }
    }
}

/// A survey under way.
struct JiraSurvey<'a> {
    client: &'a JiraClient,
    rules: &'a AccountFilter,
    listed: ListedAccounts<'a>,
    stock: Stock,
    notes: Vec<String>,
    masked: u64,
}

impl<'a> JiraSurvey<'a> {
    fn new(client: &'a JiraClient, page: TakePage<'a>) -> Self {
        Self {
            client,
            rules: &client.shared().accounts,
            listed: ListedAccounts::new(page),
            stock: Stock::default(),
            notes: Vec::new(),
            masked: 0,
        }
    }

    /// `user/list`. `Some`: the server does not list everybody to us, and why.
    async fn by_cursor(&mut self, promised: ListingWay) -> Result<Option<NoListing>, Failure> {
        let size = LIST_PAGE.to_string();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = vec![("maxResults", size.as_str())];
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            self.listed.requests += 1;
            let response = self.client.read(self.client.api("user/list", &query)).await?;
            match response.status {
                200 => {}
                404 if promised == ListingWay::CursorIfThere && cursor.is_none() => {
                    return Ok(Some(NoListing::Lists100(version(self.client).await?)));
                }
                // The call has no OAuth 2.0 scope (§13). Somebody without the permission fares no better below.
                401 | 403 if self.client.shared().is_token() && cursor.is_none() => {
                    self.client.myself().await?;
                    return Ok(Some(NoListing::NoScope(self.client.failed_once(&response))));
                }
                _ => return Err(self.client.failed(&response)),
            }
            let list: UserList = response.json()?;
            self.add(list.values).await?;
            match list.next_cursor {
                _ if list.is_last == Some(true) => return Ok(None),
                None => return Ok(None),
                Some(next) if cursor.as_deref() == Some(next.as_str()) => {
                    return Err(response.failure(FailureKind::Odd, "the cursor does not move: the listing has no end"));
                }
                Some(next) => cursor = Some(next),
            }
        }
    }

    /// `user/search`, until a page shows that it is the last.
    async fn by_search(&mut self, version: &JiraVersion) -> Result<(), Failure> {
        let size = SEARCH_PAGE.to_string();
        let (mut start, mut last) = (0_u64, 0_u64);
        let mut firsts = HashSet::new();
        loop {
            let from = start.to_string();
            let query = [("username", "."), ("startAt", &from), ("maxResults", &size), ("includeInactive", "true")];
            let response = self.client.read(self.client.api("user/search", &query)).await?;
            self.listed.requests += 1;
            if response.status != 200 {
                return Err(self.client.failed(&response));
            }
            let FoundUsers(users) = response.json()?;
            let length = users.len() as u64;
            let full = last >= SEARCH_PAGE || start == SEARCH_PAGE;
            if length == 0 && start > 0 && (full || (version.cuts() && start == CUT)) {
                let found = format!("the listing ends after exactly {start} accounts: it is cut off");
                let hint = if version.cuts() {
                    "Jira up to 8.20.3 may list no more than 1000 accounts, or 100 (JRASERVER-65089, JSWSERVER-21156): \
                     write `accounts: { groups: [jira-software-users] }` with your groups, or update Jira"
                } else {
                    "add or disable one account to tell a cut from an end, and look for a limit on `user/search`"
                };
                return Err(response.failure(FailureKind::Odd, found).hint(hint));
            }
            let first = users.first().and_then(|user| user.key.as_deref()).map(hash);
            self.add(users).await?;
            if search_ends(length) {
                return Ok(());
            }
            if first.is_some_and(|first| !firsts.insert(first)) {
                let found = "a page begins as an earlier one did: the listing has no end";
                return Err(response.failure(FailureKind::Odd, found));
            }
            start += length;
            last = length;
        }
    }

    /// The members of `accounts.groups` as the listing.
    async fn by_groups(&mut self, why: &NoListing) -> Result<(), Failure> {
        if self.rules.groups.is_empty() {
            return Err(why.failure(&self.client.api("user/search", &[])));
        }
        let rules = self.rules;
        self.listed.by_groups();
        for group in &rules.groups {
            let (mut start, mut found, mut pages) = (0, 0, GroupPages::default());
            while let Some(users) = self.group_page(group, &mut start, &mut pages).await? {
                found += users.len();
                self.add(users).await?;
            }
            self.listed.group(group, found);
        }
        Ok(())
    }

    /// Hashes of the keys of everybody in `accounts.groups`.
    async fn members_of_groups(&mut self) -> Result<HashSet<u64>, Failure> {
        let mut members = HashSet::new();
        let rules = self.rules;
        for group in &rules.groups {
            let (mut start, mut found, mut pages) = (0, 0, GroupPages::default());
            while let Some(users) = self.group_page(group, &mut start, &mut pages).await? {
                found += users.len();
                members.extend(users.into_iter().filter_map(|user| user.key.as_deref().map(hash)));
            }
            self.listed.group(group, found);
        }
        Ok(members)
    }

    /// One page of a group, `None` after the last. `start` is moved past it, to `u64::MAX` at the end.
    async fn group_page(
        &mut self,
        group: &str,
        start: &mut u64,
        pages: &mut GroupPages,
    ) -> Result<Option<Vec<User>>, Failure> {
        if *start == u64::MAX {
            return Ok(None);
        }
        let (from, size) = (start.to_string(), MEMBER_PAGE.to_string());
        let query = [("groupname", group), ("includeInactiveUsers", "true"), ("startAt", &from), ("maxResults", &size)];
        let response = self.client.read(self.client.api("group/member", &query)).await?;
        self.listed.requests += 1;
        match response.status {
            200 => {}
            404 => {
                return Err(response
                    .failure(FailureKind::Misconfigured, format!("404, there is no group `{group}`"))
                    .hint("correct `accounts.groups`"));
            }
            _ => return Err(self.client.failed(&response)),
        }
        let members: GroupPage = response.json()?;
        let reached = *start + members.values.len() as u64;
        let last = members.values.is_empty() || members.is_last.unwrap_or(members.total.is_none_or(|t| reached >= t));
        if last && members.total.is_some_and(|total| reached < total) {
            let found = format!("the listing of `{group}` ends after {reached} of {}", members.total.unwrap_or(0));
            return Err(response.failure(FailureKind::Odd, found).hint("members came or went meanwhile: run again"));
        }
        if !last {
            let keys = members.values.iter().filter_map(|user| user.key.as_deref());
            pages.goes_on(&reached.to_string(), keys).map_err(|found| response.failure(FailureKind::Odd, found))?;
        }
        *start = if last { u64::MAX } else { reached };
        Ok(Some(members.values))
    }

    /// Takes a page in.
    async fn add(&mut self, users: Vec<User>) -> Result<(), Failure> {
        let mut accounts = Vec::with_capacity(users.len());
        for user in users {
            let (Some(key), Some(name)) = (user.key.clone(), user.name.clone()) else {
                self.listed.nameless += 1;
                continue;
            };
            if !self.listed.is_new(&key) {
                continue;
            }
            let member = self.listed.is_member(&key);
            let id = AccountId::new(key);
            let standing = self.rules.standing(&id, &name, user.life(), member);
            let shown = self.shown(&id, standing, &user).await?;
            let usable = user.active != Some(false) && standing != AccountStanding::Inactive;
            let email = user.email();
            self.masked += u64::from(email == Email::Masked);
            let email = email.address().map(str::to_owned);
            self.stock.count(&shown, usable.then_some(&name));
            accounts.push(Account {
                handle: None,
                id,
                email,
                display_name: user.display_name.unwrap_or_else(|| name.clone()),
                name,
                standing,
                shown,
            });
        }
        self.listed.put(accounts);
        Ok(())
    }

    /// What the bean says; where listings carry no avatar URLs, what the user's own bean says.
    async fn shown(&mut self, id: &AccountId, standing: AccountStanding, user: &User) -> Result<Shown, Failure> {
        let base = self.client.http().base();
        if let Some(urls) = user.avatar_urls.as_ref().filter(|urls| !urls.is_empty()) {
            return Ok(avatar::shown(urls, id, base));
        }
        if standing != AccountStanding::Active {
            return Ok(Shown::Unknown("the listing does not say, and the account is not selected".into()));
        }
        self.listed.asks_singly();
        let response = self.client.read(self.client.api("user", &[("key", id.as_str())])).await?;
        match response.status {
            200 => Ok(match response.json::<User>() {
                Ok(user) if user.key.as_deref() == Some(id.as_str()) => {
                    avatar::shown(&user.avatar_urls.unwrap_or_default(), id, base)
                }
                Ok(_) => Shown::Unknown("the server answered for another user".into()),
                Err(odd) => Shown::Unknown(odd.to_string()),
            }),
            401 => Err(self.client.failed(&response)),
            status => Ok(Shown::Unknown(format!("{status} when its user was read"))),
        }
    }

    /// The sum, and the default.
    async fn finish(mut self, learnt: &mut Learnt) -> Result<Surveyed, Failure> {
        let accounts = self.listed.count(
            || format!("listing the accounts of {}", self.client.http().base()),
            "give the account the global permissions Browse Users and Jira Administrators",
        )?;
        self.notes.extend(self.listed.empty_groups());
        self.notes.extend(self.listed.one_by_one());
        if self.listed.nameless > 0 {
            let users = counted(self.listed.nameless, "listed user has", "listed users have");
            self.notes.push(format!("{users} no key or no name; left out"));
        }
        if self.masked > 0 {
            let accounts = counted(self.masked, "account shows", "accounts show");
            self.notes.push(format!(
                "{accounts} a masked e-mail address, which counts as none: to match by it, let an administrator set \
                 User email visibility to public or to signed-in users"
            ));
        }
        let remembered = learnt.get(DEFAULT).map(|id| PictureRef::new(id.clone()));
        let candidates = self.stock.candidates(remembered.as_ref(), accounts);
        let asked = self.client.shared().known().default_asked;
        let found = if asked { None } else { ask_default(self.client, &candidates).await? };
        let default = found.or(remembered);
        if let Some(mark) = &default {
            learnt.insert(DEFAULT.into(), mark.as_str().to_owned());
        } else {
            self.notes.push("the default picture is not known: no account shows it, or two stock pictures are shown as often, so nothing can be reverted".into());
        }
        self.client.shared().learn(|known| {
            known.default = default.clone();
            known.default_asked = true;
            known.survey_requests = Some(self.listed.requests);
        });
        Ok(Surveyed { accounts, default, notes: self.notes, lost: false })
    }
}

/// Whether a page of `user/search` is the last. Servers that lower the page size lower it to a round number, so a short
/// page of a round length is followed by one more question.
pub(super) fn search_ends(length: u64) -> bool {
    length == 0 || (length < SEARCH_PAGE && !length.is_multiple_of(50))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_short_page_is_not_trusted_to_be_the_last() {
        for (length, ends) in [(0, true), (1, true), (999, true), (1000, false), (500, false), (100, false), (37, true)]
        {
            assert_eq!(search_ends(length), ends, "{length}");
        }
    }
}
