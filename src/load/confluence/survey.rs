//! Who answers, and all accounts with the picture each shows.
//!
//! Owns: the listing calls of docs/wire/atlassian.md §4.1, their ends, the path of the default.
//! Leaves to others: what a path says (`picture.rs`), which accounts are selected (`account_filter.rs`).
//! A newcomer gets wrong: the server may give smaller pages than asked. Only the next link says where to go on, and only
//! its parameters are taken from it: a credential goes to the configured host.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use url::Url;

use crate::http::{Failure, FailureKind, Response};
use crate::load::atlassian::client::with_query;
use crate::load::atlassian::{login, manifest};
use crate::load::clock::now;
use crate::load::listing::{GroupPages, ListedAccounts, TakePage, hash};
use crate::load::{Learnt, Server, Surveyed};
use crate::model::{Account, AccountId, AccountStanding, counted};
use crate::settings::ConfluenceUpload;

use super::client::{ConfluenceClient, segment};
use super::picture::ConfluencePicture;
use super::remote_api;
use super::version::ConfluenceVersion;
use super::wire::{ConfluenceUser, ServerInformation, UserPage};

/// The key of the learnt path of the default picture.
const DEFAULT_PATH: &str = "default_path";
const BY_NAME: &str =
    "match by name: `match: [username]`, or a pair such as `{ person: email_local, account: username }`";
/// What is asked for in one page.
pub(super) const PAGE: u64 = 200;

/// Who answers there.
pub(super) async fn identify(client: &ConfluenceClient) -> Result<Server, Failure> {
    let shared = client.shared();
    let response = client.atlassian().read(client.api("server-information", &[])).await?;
    let info = match response.status {
        200 => Some(response.json::<ServerInformation>()?),
        // An older Confluence, a script that answers in its stead, or no Confluence at all: the next calls tell.
        403 | 404 => None,
        _ => return Err(client.failed(&response)),
    };
    let base = info.as_ref().and_then(|info| info.base_url.as_deref());
    let user = login::user(&response);
    let id = manifest::server_id(client.atlassian(), "Confluence", &["confluence"], base, user.as_deref()).await?;
    let address = Some(manifest::address(client.atlassian(), base));
    let user = who(client).await?;
    let mut version = info.and_then(|info| info.version).as_deref().and_then(ConfluenceVersion::read);
    if version.is_none() && shared.upload == ConfluenceUpload::Xmlrpc {
        version = remote_api::version(client).await?;
    }
    shared.learn(|known| known.version = version.clone());
    let product = version.map_or_else(|| "Confluence".to_owned(), |version| format!("Confluence {version}"));
    Ok(Server { id, address, product, user: Some(user) })
}

async fn who(client: &ConfluenceClient) -> Result<String, Failure> {
    client.current().await.map_err(|failure| match failure.kind {
        FailureKind::Odd if failure.found.starts_with("404") && failure.hint.is_none() => Failure {
            kind: FailureKind::Misconfigured,
            found: "404, no Confluence here".to_owned(),
            hint: Some("`base_url` is the address of the start page, with its context path if it has one".to_owned()),
            ..failure
        },
        _ => failure,
    })
}

/// All accounts.
pub(super) async fn survey(
    client: &ConfluenceClient,
    learnt: &mut Learnt,
    page: TakePage<'_>,
) -> Result<Surveyed, Failure> {
    let shared = client.shared();
    let began = now();
    shared.learn(|known| known.removals.recall(learnt));
    let known = shared.known();
    let listed = known.listed.unwrap_or_else(|| known.version.as_ref().is_none_or(ConfluenceVersion::has_list));
    let mut listing = ConfluenceSurvey::new(client, page);
    if shared.with_addresses {
        listing.addresses = Some(listing.addresses().await?);
    }
    let by_list = listed && listing.by_list().await?;
    if !by_list {
        listing.by_groups().await?;
    }
    shared.learn(|known| {
        known.listed = Some(by_list);
        known.surveyed_at = began;
    });
    listing.finish(learnt)
}

/// A survey under way.
struct ConfluenceSurvey<'a> {
    client: &'a ConfluenceClient,
    listed: ListedAccounts<'a>,
    /// Mail addresses by hashes of keys, where `match` needs them.
    addresses: Option<HashMap<u64, Box<str>>>,
    default_path: Option<String>,
}

impl<'a> ConfluenceSurvey<'a> {
    fn new(client: &'a ConfluenceClient, page: TakePage<'a>) -> Self {
        Self { client, listed: ListedAccounts::new(page), addresses: None, default_path: None }
    }

    /// `user/list`. False if this release has none.
    async fn by_list(&mut self) -> Result<bool, Failure> {
        let path = self.client.api("user/list", &[]);
        let mut next = Some(first_page(path.clone(), &[]));
        let (mut first, mut turning) = (true, Turning::default());
        while let Some(url) = next {
            let response = self.client.atlassian().read(url.clone()).await?;
            if first && matches!(response.status, 404 | 405) {
                return Ok(false);
            }
            if first && !self.client.shared().accounts.groups.is_empty() {
                let members = self.members_of_groups().await?;
                self.listed.among(members);
            }
            let people = self.people(&response, first)?;
            turning.page(&response, &people)?;
            next = follow(&response, &path, &url, people.links.next.as_deref())?;
            self.add(people.results).await?;
            first = false;
        }
        Ok(true)
    }

    /// The mail addresses of everybody who is active: newer releases have one listing that tells them (§13).
    async fn addresses(&mut self) -> Result<HashMap<u64, Box<str>>, Failure> {
        let path = self.client.api("admin/users/list/active", &[]);
        let mut addresses = HashMap::new();
        let mut next = Some(first_page(path.clone(), &[]));
        let (mut first, mut turning) = (true, Turning::default());
        while let Some(url) = next {
            let response = self.client.atlassian().read(url.clone()).await?;
            if first && matches!(response.status, 404 | 405) {
                let found =
                    format!("{}, this Confluence lists no e-mail addresses; releases from 9.3 on do", response.status);
                return Err(response.failure(FailureKind::Misconfigured, found).hint(BY_NAME));
            }
            let people = self.people(&response, first)?;
            turning.page(&response, &people)?;
            next = follow(&response, &path, &url, people.links.next.as_deref())?;
            for person in people.results {
                if let (Some(key), Some(address)) = (person.user_key, person.email.filter(|email| !email.is_empty())) {
                    addresses.insert(hash(&key), address.into_boxed_str());
                }
            }
            first = false;
        }
        if addresses.is_empty() {
            let found = "the listing shows nobody's e-mail address";
            return Err(Failure::new(FailureKind::Misconfigured, format!("GET {path}"), found).hint(BY_NAME));
        }
        Ok(addresses)
    }

    fn people(&mut self, response: &Response, first: bool) -> Result<UserPage, Failure> {
        self.listed.requests += 1;
        if response.status != 200 {
            return Err(self.client.failed(response));
        }
        let people: UserPage = response.json()?;
        if people.results.is_empty() && !first {
            let found = "an empty page where the one before promised more: the listing is cut off";
            return Err(response.failure(FailureKind::Odd, found).hint("accounts came or went meanwhile: run again"));
        }
        Ok(people)
    }

    /// The members of `accounts.groups` as the listing.
    async fn by_groups(&mut self) -> Result<(), Failure> {
        let shared = self.client.shared();
        if shared.accounts.groups.is_empty() {
            let tried = format!("GET {}", self.client.api("user/list", &[]));
            return Err(Failure::new(FailureKind::Misconfigured, tried, "Confluence before 8.4 cannot list everybody")
                .hint("write `accounts: { groups: [confluence-users] }` with your groups, or update Confluence"));
        }
        self.listed.by_groups();
        for group in &shared.accounts.groups {
            let (mut roster, mut found) = (Roster::of(self.client, group), 0);
            while let Some(people) = self.group_page(&mut roster).await? {
                found += people.len();
                self.add(people).await?;
            }
            self.listed.group(group, found);
        }
        Ok(())
    }

    /// Hashes of the keys of everybody in `accounts.groups`.
    async fn members_of_groups(&mut self) -> Result<HashSet<u64>, Failure> {
        let mut members = HashSet::new();
        let shared = self.client.shared();
        for group in &shared.accounts.groups {
            let (mut roster, mut found) = (Roster::of(self.client, group), 0);
            while let Some(people) = self.group_page(&mut roster).await? {
                found += people.len();
                members.extend(people.into_iter().filter_map(|person| person.user_key.as_deref().map(hash)));
            }
            self.listed.group(group, found);
        }
        Ok(members)
    }

    async fn group_page(&mut self, roster: &mut Roster<'_>) -> Result<Option<Vec<ConfluenceUser>>, Failure> {
        let Some(url) = roster.next.take() else { return Ok(None) };
        let response = self.client.atlassian().read(url.clone()).await?;
        if let Some(failure) = roster.refusal(&response) {
            return Err(failure);
        }
        let people = self.people(&response, roster.first)?;
        roster.turning.page(&response, &people)?;
        roster.next = follow(&response, &roster.path, &url, people.links.next.as_deref())?;
        if let Some(next) = &roster.next {
            let keys = people.results.iter().filter_map(|person| person.user_key.as_deref());
            let pages = roster.turning.pages.goes_on(next.as_str(), keys);
            pages.map_err(|found| response.failure(FailureKind::Odd, found))?;
        }
        roster.first = false;
        Ok(Some(people.results))
    }

    async fn add(&mut self, people: Vec<ConfluenceUser>) -> Result<(), Failure> {
        let mut accounts = Vec::with_capacity(people.len());
        for person in people {
            let (Some(key), Some(name)) = (person.user_key.clone(), person.username.clone()) else {
                self.listed.nameless += 1;
                continue;
            };
            if !self.listed.is_new(&key) {
                continue;
            }
            let member = self.listed.is_member(&key);
            let id = AccountId::new(key);
            let standing = self.client.shared().accounts.standing(&id, &name, person.life(), member);
            let picture = self.picture(&id, standing, &person).await?;
            if let Some(path) = picture.default {
                self.default_path = Some(path);
            }
            accounts.push(Account {
                handle: picture.content,
                email: self
                    .addresses
                    .as_ref()
                    .and_then(|known| known.get(&hash(id.as_str())))
                    .map(|known| known.to_string()),
                id,
                display_name: person.display_name.unwrap_or_else(|| name.clone()),
                name,
                standing,
                shown: picture.shown,
            });
        }
        self.listed.put(accounts);
        Ok(())
    }

    /// What the listing says; where it leaves pictures out, what the user's own page says.
    async fn picture(
        &mut self,
        id: &AccountId,
        standing: AccountStanding,
        person: &ConfluenceUser,
    ) -> Result<ConfluencePicture, Failure> {
        if let Some(picture) = person.picture(self.client.atlassian().http().base()) {
            return Ok(picture);
        }
        if standing != AccountStanding::Active {
            return Ok(ConfluencePicture::unknown("the listing does not say, and the account is not selected"));
        }
        self.listed.asks_singly();
        Ok(self.client.now(id).await?.map_or_else(|fault| ConfluencePicture::unknown(fault.message), |now| now.picture))
    }

    /// The sum, and the path of the default.
    fn finish(mut self, learnt: &mut Learnt) -> Result<Surveyed, Failure> {
        let tried = || format!("listing the accounts of {}", self.client.atlassian().http().base());
        let accounts = self.listed.count(tried, "the account has to be a Confluence administrator")?;
        let mut notes = self.listed.empty_groups();
        notes.extend(self.listed.one_by_one());
        if self.listed.nameless > 0 {
            let users = counted(self.listed.nameless, "listed user has", "listed users have");
            notes.push(format!("{users} no key or no name that could be read; left out"));
        }
        let default_path = self.default_path.or_else(|| learnt.get(DEFAULT_PATH).cloned());
        match &default_path {
            Some(path) => _ = learnt.insert(DEFAULT_PATH.to_owned(), path.clone()),
            None => notes.push("no account shows the default picture, so nothing can be reverted".to_owned()),
        }
        self.client.shared().learn(|known| {
            known.default_path = default_path;
            known.survey_requests = Some(self.listed.requests);
        });
        Ok(Surveyed { accounts, notes, ..Surveyed::default() })
    }
}

/// The members of one group, page by page.
struct Roster<'a> {
    group: &'a str,
    /// As a parameter, which newer releases take (§13).
    by_parameter: bool,
    path: Url,
    next: Option<Url>,
    first: bool,
    turning: Turning,
}

impl<'a> Roster<'a> {
    /// A name that a path cannot hold would be cut, and the members of another group listed (§4.1): it is a parameter.
    /// Every release knows the other way.
    fn of(client: &ConfluenceClient, group: &'a str) -> Self {
        let in_path = segment(group).filter(|_| !group.contains([';', '%']));
        let (path, query) = match &in_path {
            Some(group) => (client.api(&format!("group/{group}/member"), &[]), None),
            None => (client.api("group/member", &[]), Some(("groupName", group))),
        };
        let next = Some(first_page(path.clone(), query.as_slice()));
        Self { group, by_parameter: in_path.is_none(), path, next, first: true, turning: Turning::default() }
    }

    fn refusal(&self, response: &Response) -> Option<Failure> {
        let group = self.group;
        let (found, hint) = match (response.status, self.by_parameter) {
            (404, false) => (format!("404, there is no group `{group}`"), "correct `accounts.groups`"),
            (404 | 405, true) => (
                format!(
                    "{}, there is no group `{group}`, or this release cannot be asked for such a name",
                    response.status
                ),
                "name other groups under `accounts.groups`, or update Confluence: 10.2 takes any name",
            ),
            _ => return None,
        };
        Some(response.failure(FailureKind::Misconfigured, found).hint(hint))
    }
}

/// Whether a listing gets on. A server that ignores where to go on would list the same people for ever.
#[derive(Default)]
struct Turning {
    first: Option<u64>,
    last: Option<u64>,
    repeated: u32,
    pages: GroupPages,
}

impl Turning {
    /// One page may come again when accounts come and go meanwhile.
    fn page(&mut self, response: &Response, people: &UserPage) -> Result<(), Failure> {
        let mut hasher = DefaultHasher::new();
        people.results.iter().for_each(|person| person.user_key.hash(&mut hasher));
        let page = Some(hasher.finish());
        let is_known = !people.results.is_empty() && (self.first == page || self.last == page);
        self.repeated = if is_known { self.repeated + 1 } else { 0 };
        self.first = self.first.or(page);
        self.last = page;
        match self.repeated {
            0 | 1 => Ok(()),
            _ => {
                Err(response
                    .failure(FailureKind::Odd, "page after page brings the same people: the listing has no end"))
            }
        }
    }
}

fn first_page(path: Url, query: &[(&str, &str)]) -> Url {
    let page = PAGE.to_string();
    with_query(path, &[query, &[("start", "0"), ("limit", &page), ("expand", "status")]].concat())
}

/// The next page: our own path with the parameters of the server's link.
fn follow(response: &Response, path: &Url, url: &Url, next: Option<&str>) -> Result<Option<Url>, Failure> {
    let Some(next) = next.filter(|next| !next.is_empty()) else { return Ok(None) };
    let stuck =
        || response.failure(FailureKind::Odd, "the next page begins where this one did: the listing has no end");
    let link = url.join(next).map_err(|_| response.failure(FailureKind::Odd, "a next link that cannot be read"))?;
    let start = |url: &Url| {
        url.query_pairs().find(|(name, _)| name == "start").and_then(|(_, value)| value.parse::<u64>().ok())
    };
    if start(&link).is_none_or(|to| start(url).is_some_and(|from| to <= from)) {
        return Err(stuck());
    }
    let mut pairs: Vec<(String, String)> = link.query_pairs().into_owned().collect();
    for (name, value) in url.query_pairs().filter(|(name, _)| matches!(name.as_ref(), "expand" | "groupName")) {
        if !pairs.iter().any(|(known, _)| *known == name) {
            pairs.push((name.into_owned(), value.into_owned()));
        }
    }
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Ok(Some(with_query(path.clone(), &pairs)))
}
