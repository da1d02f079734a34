//! Everybody of a tenant, page by page, and who is in the named groups (`reference/microsoft-graph.md` §2).
//!
//! Owns: the two listings, following links, and translating a user. Leaves to others: photos (`batch.rs`).
//! A newcomer gets wrong: a next link is followed as it is, to the configured host only, and does not carry headers:
//! `ConsistencyLevel` goes with every page (§2.2).

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Entra, error};
use crate::extract::rules::{Member, Members};
use crate::extract::wire::short;
use crate::extract::{Activity, Facts, Listing, UserType};
use crate::http::{Answer, Call, Failure, FailureKind, Url, entries, redact};
use crate::model::{Person, PersonId, PersonKey};

/// What the keys and rules need. `otherMails` is left out: it is not proven to be the person's.
const SELECT: &str =
    "id,userPrincipalName,mail,displayName,accountEnabled,userType,onPremisesSamAccountName,employeeId,proxyAddresses";
const TOP: &str = "&$top=999";

/// A group page costs 5 resource units, less 1 for `$select` (§5).
const GROUP_UNITS: u32 = 4;

#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
struct Page<T> {
    #[serde(deserialize_with = "entries")]
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct ListedMember {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    id: String,
    user_principal_name: Option<String>,
    mail: Option<String>,
    display_name: Option<String>,
    account_enabled: Option<bool>,
    user_type: Option<String>,
    on_premises_sam_account_name: Option<String>,
    employee_id: Option<String>,
    #[serde(default)]
    proxy_addresses: Vec<String>,
}

impl Entra {
    /// Lists everybody; groups first, since a person's standing depends on them.
    pub(super) async fn list_users(&self, page: &mut (dyn FnMut(Vec<Person>) + Send)) -> Result<Listing, Failure> {
        let members = self.members().await?;
        let mut listing = Listing::default();
        let mut with_state = 0;
        let first = self.first_page(&mut listing).await?;
        let (mut answer, mut pages) = (first, Pages::default());
        loop {
            let users: Page<User> = read_page(&answer)?;
            listing.people += users.value.len() as u64;
            with_state += users.value.iter().filter(|user| user.account_enabled.is_some()).count() as u64;
            page(users.value.into_iter().map(|user| self.person(user, &members)).collect());
            let Some(next) = users.next else { break };
            let link = pages.next(self, &answer, &next)?;
            answer = self.page(Call::get(link), "User.Read.All").await?;
        }
        if self.users.active == Activity::Required && listing.people > 0 && with_state == 0 {
            return Err(answer.failure(FailureKind::Refused, "nobody's `accountEnabled` is told").hint(
                "grant `User.Read.All`: `User.ReadBasic.All` does not show it; or write `users: { active: false }`",
            ));
        }
        Ok(listing)
    }

    /// The first page. Graph has refused its own documented page size before (§7): then without one.
    async fn first_page(&self, listing: &mut Listing) -> Result<Answer, Failure> {
        let url = |top: &str| self.graph.url(&format!("v1.0/users?$select={SELECT}{top}"));
        let answer = self.ask_whole(Call::get(url(TOP))).await?;
        if answer.status != 400 {
            return good(answer, "User.Read.All");
        }
        let refusal = error::error_of(&answer).words(answer.status);
        let answer = self.page(Call::get(url("")), "User.Read.All").await?;
        listing.notes.push(format!("listed in small pages, since Graph refused pages of 999: {refusal}"));
        Ok(answer)
    }

    /// Everybody in the groups that a rule names, nested ones included. One that cannot be read fails the source: a wish to
    /// show no photo must not be lost.
    async fn members(&self) -> Result<Members, Failure> {
        let mut members = Members::default();
        for group in self.users.named_groups() {
            let url = self.graph.url(&group_path(group)?);
            let (mut link, mut pages) = (url, Pages::default());
            loop {
                let call = Call::get(link).header("ConsistencyLevel", "eventual").units(GROUP_UNITS);
                let answer =
                    self.page(call, "GroupMember.Read.All").await.map_err(|failure| of_group(failure, group))?;
                let users: Page<ListedMember> = read_page(&answer)?;
                users.value.iter().for_each(|one| members.add(&self.users, group, Member::Person(&one.id)));
                let Some(next) = users.next else { break };
                link = pages.next(self, &answer, &next)?;
            }
        }
        Ok(members)
    }

    async fn page(&self, call: Call, permission: &str) -> Result<Answer, Failure> {
        good(self.ask_whole(call).await?, permission)
    }

    fn person(&self, user: User, members: &Members) -> Person {
        let upn = user.user_principal_name.as_deref().unwrap_or_default();
        let mail = user.mail.as_deref().unwrap_or_default();
        let aliases = user.proxy_addresses.iter().filter_map(|address| smtp(address));
        let names: Vec<&str> = [upn, mail, user.id.as_str()].into_iter().chain(aliases.clone()).collect();
        let standing = self.users.standing(Facts {
            // Not told for one person: then nothing is changed for that person.
            active: user.account_enabled.unwrap_or(false),
            user_type: Some(user_type(user.user_type.as_deref())),
            belongs: members.of(&user.id),
            names: &names,
        });
        let shown = user.display_name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(upn);
        let mut person = Person::new(PersonId::new(user.id.as_str()), shown, standing);
        person.add_upn(upn);
        person.add_main_email(mail);
        aliases.for_each(|alias| person.add_key(PersonKey::Email, alias));
        person.add_key(PersonKey::Sam, user.on_premises_sam_account_name.as_deref().unwrap_or_default());
        person.add_key(PersonKey::EmployeeId, user.employee_id.as_deref().unwrap_or_default());
        person
    }
}

/// Very old accounts hold no type; they are members (§2.3).
fn user_type(text: Option<&str>) -> UserType {
    match text {
        Some(text) if text.eq_ignore_ascii_case("guest") => UserType::Guest,
        _ => UserType::Member,
    }
}

/// The mail address in a proxy address; `x500:`, `sip:` and the like are none.
fn smtp(address: &str) -> Option<&str> {
    let (kind, rest) = address.split_once(':')?;
    kind.eq_ignore_ascii_case("smtp").then_some(rest)
}

fn group_path(group: &str) -> Result<String, Failure> {
    if group.is_empty() || !group.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        let found = format!("`{group}` is not an object id");
        return Err(Failure::new(FailureKind::Misconfigured, "reading the groups under `users`", found)
            .hint("write the group's object id, as the Entra admin center shows it"));
    }
    Ok(format!("v1.0/groups/{group}/transitiveMembers/microsoft.graph.user?$select=id&$count=true{TOP}"))
}

fn of_group(failure: Failure, group: &str) -> Failure {
    if failure.kind != FailureKind::Odd || !failure.found.starts_with("404") {
        return failure;
    }
    Failure { kind: FailureKind::Misconfigured, ..failure }
        .hint(format!("`users` names the group `{group}`, which is not there"))
}

fn good(answer: Answer, permission: &str) -> Result<Answer, Failure> {
    if answer.status == 200 { Ok(answer) } else { Err(error::failure(&answer, permission)) }
}

fn read_page<T: DeserializeOwned>(answer: &Answer) -> Result<Page<T>, Failure> {
    answer.json()
}

/// The links followed so far, to notice a circle.
#[derive(Default)]
struct Pages {
    seen: HashSet<[u8; 16]>,
}

impl Pages {
    /// The next link, if the token may go there. It is followed as it is (§2.2).
    fn next(&mut self, entra: &Entra, answer: &Answer, link: &str) -> Result<Url, Failure> {
        let odd = |what: &str| answer.failure(FailureKind::Odd, format!("{what}: {}", redact(link)));
        let url = Url::parse(link).map_err(|_| odd("the next link is not a URL"))?;
        if !entra.graph.same_server(&url) {
            return Err(odd("the next link leads to another host, where no token is sent"));
        }
        if !self.seen.insert(short(link)) {
            return Err(odd("the next link leads in a circle"));
        }
        Ok(url)
    }
}

/// A page of people, a page of members, a refusal.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(body: &[u8]) -> u64 {
    let users = serde_json::from_slice::<Page<User>>(body).ok();
    let shown = users.map(|page| {
        page.value.iter().flat_map(|user| &user.proxy_addresses).for_each(|address| _ = smtp(address));
        (page.value.len().min(2), page.next.is_some())
    });
    let members = serde_json::from_slice::<Page<ListedMember>>(body).is_ok();
    let error = serde_json::from_slice(body).map(|json| error::GraphError::of(&json)).unwrap_or_default();
    crate::fuzzing::shape((shown, members, error.words(400).is_empty(), error.code))
}
