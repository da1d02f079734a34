//! Who answers, and all accounts with the picture each shows.
//!
//! Owns: the listing of docs/wire/atlassian.md §5 and its end.
//! Leaves to others: what an avatar URL says (`mark.rs`), which accounts are selected (`account_filter.rs`).
//! A newcomer gets wrong: the next page begins where the server says, never at `start + limit`: what we may not see is
//! counted too.

use std::collections::HashSet;

use crate::http::{Failure, FailureKind, Response};
use crate::load::atlassian::{login, manifest};
use crate::load::clock::now;
use crate::load::listing::{GroupPages, ListedAccounts, TakePage, hash};
use crate::load::{Learnt, Server, Surveyed};
use crate::model::{Account, AccountId, Shown, counted};

use super::client::{BitbucketClient, PAGE};
use super::connection::Sight;
use super::slug::Slug;
use super::wire::{Properties, User, UserPage};

/// Under which word it is kept that a server shows no version of anybody's picture.
const HIDDEN: &str = "versions";

/// Who answers there.
pub(super) async fn identify(client: &BitbucketClient) -> Result<Server, Failure> {
    let (response, root) = properties(client).await?;
    let properties: Properties = response.json()?;
    if let Some(other) = properties.display_name.as_deref().filter(|name| !["Bitbucket", "Stash"].contains(name)) {
        return Err(response
            .failure(FailureKind::Misconfigured, format!("this is `{other}`, not Bitbucket"))
            .hint("name that product under `load`, or correct `base_url`"));
    }
    let user = login::user(&response);
    client.shared().learn(|known| {
        known.root = Some(root);
        known.named = user.is_some();
    });
    // Bitbucket was called Stash, and its manifest still says so.
    let id =
        manifest::server_id(client.atlassian(), "Bitbucket", &["stash", "bitbucket"], None, user.as_deref()).await?;
    let address = Some(manifest::address(client.atlassian(), None));
    Ok(Server { id, address, product: format!("Bitbucket {}", properties.version), user })
}

/// The properties, and the REST version that has them.
async fn properties(client: &BitbucketClient) -> Result<(Response, &'static str), Failure> {
    let mut last = None;
    for root in ["latest", "1.0"] {
        let url = client.atlassian().http().url(&format!("rest/api/{root}/application-properties"));
        let response = client.atlassian().read(url).await?;
        match response.status {
            200 => return Ok((response, root)),
            404 => last = Some(response),
            _ => return Err(client.failed(&response)),
        }
    }
    let tried =
        last.map_or_else(|| client.atlassian().http().base().to_string(), |response| response.tried().to_owned());
    Err(Failure::new(FailureKind::Misconfigured, tried, "404, no Bitbucket here")
        .hint("`base_url` is the address of the start page, with its context path if it has one"))
}

/// All accounts.
pub(super) async fn survey(
    client: &BitbucketClient,
    learnt: &mut Learnt,
    page: TakePage<'_>,
) -> Result<Surveyed, Failure> {
    let shared = client.shared();
    let began = now();
    let known = shared.known();
    // A server that took pictures and shows no version of any will not show one.
    let hidden = learnt.contains_key(HIDDEN) || (known.posted > 0 && !known.versions);
    let mut links = PageLinks { versions: false, any: false };
    let mut listing = BitbucketSurvey { client, listed: ListedAccounts::new(page) };
    if let Some(members) = listing.members().await? {
        listing.listed.among(members);
    }
    let (mut unlinked, mut next) = (0, Some(0));
    while let Some(users) = listing.page(&[], &mut next).await? {
        let mut accounts = Vec::with_capacity(users.len());
        for user in users {
            links.note(&user, client);
            let sight = if hidden && !links.versions { Sight::Nothing } else { Sight::Versions };
            match account(user, client, &listing.listed, sight) {
                Some(account) => {
                    unlinked += u64::from(account.handle.is_some() && matches!(account.shown, Shown::Unknown(_)));
                    accounts.push(account);
                }
                None => listing.listed.nameless += 1,
            }
        }
        listing.listed.put(accounts);
    }
    let listed = listing.listed;
    let tried = || format!("listing the users of {}", client.atlassian().http().base());
    let accounts = listed.count(tried, "the account needs a licence")?;
    let mut notes = Vec::new();
    let nameless = listed.nameless;
    if nameless > 0 {
        let users = counted(nameless, "listed user has", "listed users have");
        notes.push(format!("{users} no id, no name or no slug; left out"));
    }
    let sight = links.sight(hidden);
    if sight == Sight::Nothing {
        notes.push(
            "the server does not tell what anybody shows: with `ownership: provider` what was recorded counts, and nobody \
             notices what people upload; with `ownership: ours` everybody is left alone"
                .to_owned(),
        );
    } else if unlinked > 0 {
        notes.push(format!("{unlinked} listed users show no version of their picture and are left alone"));
    }
    if links.versions {
        learnt.remove(HIDDEN);
    } else if hidden {
        learnt.insert(HIDDEN.to_owned(), "hidden".to_owned());
    }
    shared.learn(|known| {
        known.versions |= links.versions;
        known.sight = sight;
        known.surveyed_at = began;
        known.survey_requests = Some(listed.requests);
    });
    Ok(Surveyed { accounts, notes, ..Surveyed::default() })
}

/// What the links of a listing tell.
struct PageLinks {
    /// Somebody's has a version.
    versions: bool,
    /// Somebody has one.
    any: bool,
}

impl PageLinks {
    fn note(&mut self, user: &User, client: &BitbucketClient) {
        self.any |= user.avatar_url.is_some();
        self.versions |= matches!(client.shown_by(user, Sight::Versions), Shown::Custom(_));
    }

    fn sight(&self, hidden: bool) -> Sight {
        if !self.versions && (hidden || !self.any) { Sight::Nothing } else { Sight::Versions }
    }
}

fn account(user: User, client: &BitbucketClient, listed: &ListedAccounts<'_>, sight: Sight) -> Option<Account> {
    let life = user.life();
    let shown = client.shown_by(&user, sight);
    let (Some(number), Some(name), Some(slug)) = (user.id, user.name, user.slug) else { return None };
    let (handle, shown) = match Slug::read(&slug) {
        Ok(_) => (Some(slug), shown),
        Err(why) => (None, Shown::Unknown(why.to_owned())),
    };
    let id = AccountId::new(number.to_string());
    let member = listed.is_member(id.as_str());
    Some(Account {
        standing: client.shared().accounts.standing(&id, &name, life, member),
        id,
        handle,
        email: user.email_address.filter(|email| !email.is_empty()),
        display_name: user.display_name.unwrap_or_else(|| name.clone()),
        name,
        shown,
    })
}

struct BitbucketSurvey<'a> {
    client: &'a BitbucketClient,
    listed: ListedAccounts<'a>,
}

impl BitbucketSurvey<'_> {
    /// Hashes of the ids of everybody in `accounts.groups`; `None` if none is named.
    async fn members(&mut self) -> Result<Option<HashSet<u64>>, Failure> {
        let groups = &self.client.shared().accounts.groups;
        if groups.is_empty() {
            return Ok(None);
        }
        let mut members = HashSet::new();
        for group in groups {
            let (mut found, mut next, mut pages) = (0, Some(0), GroupPages::default());
            while let Some(users) = self.page(&[("group", group)], &mut next).await? {
                found += users.len();
                if let Some(next) = next {
                    let ids: Vec<String> = users.iter().filter_map(|user| Some(user.id?.to_string())).collect();
                    let endless = |found: &str| {
                        Failure::new(FailureKind::Odd, format!("listing the members of `{group}`"), found)
                    };
                    pages.goes_on(&next.to_string(), ids.iter().map(String::as_str)).map_err(endless)?;
                }
                members.extend(users.into_iter().filter_map(|user| Some(hash(&user.id?.to_string()))));
            }
            if found == 0 {
                let tried = format!("listing the members of `{group}`");
                return Err(Failure::new(
                    FailureKind::Misconfigured,
                    tried,
                    "nobody is in it, or there is no such group",
                )
                .hint("correct `accounts.groups`"));
            }
        }
        Ok(Some(members))
    }

    /// A page of users, `None` after the last. `next` is where it begins, and is moved past it.
    async fn page(&mut self, more: &[(&str, &str)], next: &mut Option<u64>) -> Result<Option<Vec<User>>, Failure> {
        let Some(start) = *next else { return Ok(None) };
        let response = self.client.users(start, PAGE, more).await?;
        self.listed.requests += 1;
        if response.status != 200 {
            return Err(self.client.failed(&response));
        }
        let page: UserPage = response.json()?;
        let odd = |found: &str| Err(response.failure(FailureKind::Odd, found));
        *next = match (page.is_last_page, page.next_page_start) {
            (Some(true), _) => None,
            (Some(false), Some(next)) if next > start => Some(next),
            (Some(false), _) => return odd("more pages, but no next start: the listing has no end"),
            (None, _) => return odd("a page that does not say whether it is the last"),
        };
        Ok(Some(page.values))
    }
}
