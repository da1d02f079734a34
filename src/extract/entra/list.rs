//! Everybody of a tenant, page by page, and who is in the named groups (docs/wire/microsoft-graph.md §2).
//!
//! Owns: the two listings, following links, and translating a user. Leaves to others: photos (`batch.rs`).
//! A newcomer gets wrong: a next link is followed as it is, to the configured host only, and does not carry headers:
//! `ConsistencyLevel` goes with every page (§2.2).

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::Entra;
use super::error;
use crate::extract::rules::{GroupMembers, Member};
use crate::extract::unmet::Seen;
use crate::extract::wire::{Fields, Record, note_of_nameless};
use crate::extract::{Listing, UserFacts};
use crate::http::{Brought, Failure, FailureKind, Pages, Request, Response, Sparse, Url, entries, short};
use crate::model::{Person, PersonId, PersonKey};
use crate::secret::redact;
use crate::settings::UserType;

/// What the keys and rules need. `otherMails` is left out: it is not proven to be the person's.
const SELECT: &str =
    "id,userPrincipalName,mail,displayName,accountEnabled,userType,onPremisesSamAccountName,employeeId,proxyAddresses";
const TOP: &str = "&$top=999";

/// A group page costs 5 resource units, less 1 for `$select` (§5).
const GROUP_UNITS: u32 = 4;

/// What a refusal of the members' listing lacks: the first is the least (§12).
const MEMBERS: &str = "GroupMember.ReadBasic.All` or `GroupMember.Read.All";

#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
struct ListPage<T> {
    #[serde(deserialize_with = "entries")]
    value: Vec<Record<T>>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    /// How many there are in all; on the first page (§2.2).
    #[serde(rename = "@odata.count", default)]
    count: Sparse,
    #[serde(rename = "@odata.context", default)]
    context: Sparse,
}

#[derive(Deserialize)]
struct ListedMember {
    #[serde(default)]
    id: Sparse,
}

/// Every field may be anything: an odd one is that person's matter (§12).
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct User {
    id: Sparse,
    user_principal_name: Sparse,
    mail: Sparse,
    display_name: Sparse,
    account_enabled: Sparse,
    user_type: Sparse,
    on_premises_sam_account_name: Sparse,
    employee_id: Sparse,
    proxy_addresses: Sparse,
}

impl Entra {
    /// Lists everybody; groups first, since a person's standing depends on them.
    pub(super) async fn list_users(&self, page: &mut (dyn FnMut(Vec<Person>) + Send)) -> Result<Listing, Failure> {
        let mut seen = Seen::nobody(&self.users);
        let members = self.members(&mut seen).await?;
        let mut listing = Listing::default();
        let mut with_state = 0;
        let first = self.first_page(&mut listing).await?;
        let (mut response, mut pages) = (first, Pages::default());
        loop {
            let users: ListPage<User> = read_page(&response)?;
            let records = users.value.len();
            let users_of_page = users.value.into_iter().filter_map(|Record(user)| user);
            let told = users_of_page.inspect(|user| with_state += u64::from(user.account_enabled.0.is_boolean()));
            let people: Vec<Person> = told.filter_map(|user| self.person(user, &members, &mut seen)).collect();
            let listed = people.len();
            listing.people += listed as u64;
            listing.nameless += (records - listed) as u64;
            page(people);
            let Some(next) = users.next else { break };
            let link = self.follow(&mut pages, &response, &next, Brought::of(listed))?;
            response = self.page(Request::get(link), "User.Read.All").await?;
        }
        if self.users.active && listing.people > 0 && with_state == 0 {
            return Err(response.failure(FailureKind::Refused, "nobody's `accountEnabled` is told").hint(
                "grant `User.Read.All`: `User.ReadBasic.All` does not show it; or write `users: { active: false }`",
            ));
        }
        listing.notes.extend(note_of_nameless(listing.nameless));
        (listing.groups, listing.unmet) = (seen.groups(), seen.unmet());
        Ok(listing)
    }

    /// The first page. Graph has refused its own documented page size before (§7): then without one.
    async fn first_page(&self, listing: &mut Listing) -> Result<Response, Failure> {
        let url = |top: &str| self.graph.url(&format!("v1.0/users?$select={SELECT}{top}"));
        let response = self.ask_whole(Request::get(url(TOP))).await?;
        if response.status != 400 {
            return good(response, "User.Read.All");
        }
        let refusal = error::error_of(&response).words(response.status);
        let response = self.page(Request::get(url("")), "User.Read.All").await?;
        listing.notes.push(format!("listed in small pages, since Graph refused pages of 999: {refusal}"));
        Ok(response)
    }

    /// Everybody in the groups that a rule names, nested ones included. One that cannot be read fails the source: a wish to
    /// show no photo must not be lost.
    async fn members(&self, seen: &mut Seen<'_>) -> Result<GroupMembers, Failure> {
        let mut members = GroupMembers::default();
        for group in self.users.named_groups() {
            self.members_of(group, &mut members, seen).await?;
        }
        Ok(members)
    }

    async fn members_of(&self, group: &str, members: &mut GroupMembers, seen: &mut Seen<'_>) -> Result<(), Failure> {
        let (mut response, mut pages) = (self.first_members(group, TOP).await?, Pages::default());
        let (mut met, mut nameless, mut told) = (HashSet::new(), 0, None);
        loop {
            let page: ListPage<ListedMember> = read_page(&response)?;
            if let Some(other) = page.context.0.as_str().and_then(|context| other_group(context, group)) {
                return Err(contradicts(&response, &format!("the members of `{group}` come as those of `{other}`")));
            }
            told = told.or(page.count.0.as_u64());
            let before = met.len();
            for Record(member) in page.value {
                match member.and_then(|member| id_of(&member.id)) {
                    Some(id) => {
                        let id = folded(&id);
                        met.insert(short(&id));
                        seen.group(group);
                        members.add(&self.users, group, Member::Person(&id));
                    }
                    None if self.users.is_of_wishes(group) => return Err(nameless_member(&response, group)),
                    None => nameless += 1,
                }
            }
            let Some(next) = page.next else {
                // Part of a list is no list: whoever is missing in it would be shown.
                let listed = met.len() as u64 + nameless;
                return match told.filter(|told| *told != listed) {
                    Some(told) => {
                        let found =
                            format!("the group `{group}` is said to have {told} members, and {listed} are listed");
                        Err(contradicts(&response, &found))
                    }
                    None => Ok(()),
                };
            };
            let link = self.follow(&mut pages, &response, &next, Brought::of(met.len() - before))?;
            response = self.page(members_call(link), MEMBERS).await.map_err(|failure| of_group(failure, group))?;
        }
    }

    /// The first page of a group's members; without a page size where that one is refused.
    async fn first_members(&self, group: &str, top: &str) -> Result<Response, Failure> {
        let path = group_path(group)?;
        let response = self.ask_whole(members_call(self.graph.url(&format!("{path}{top}")))).await?;
        let response = match response.status {
            400 => self.ask_whole(members_call(self.graph.url(&path))).await?,
            _ => response,
        };
        good(response, MEMBERS).map_err(|failure| of_group(failure, group))
    }

    /// One member of each named group, to see whether we may.
    pub(super) async fn ask_groups(&self) -> Result<(), Failure> {
        for group in self.users.named_groups() {
            self.first_members(group, "&$top=1").await?;
        }
        Ok(())
    }

    async fn page(&self, request: Request, permission: &str) -> Result<Response, Failure> {
        good(self.ask_whole(request).await?, permission)
    }

    /// `None` for a record that names nobody.
    fn person(&self, user: User, members: &GroupMembers, seen: &mut Seen<'_>) -> Option<Person> {
        let id = id_of(&user.id)?;
        let mut fields = Fields::default();
        let upn = fields.text("userPrincipalName", user.user_principal_name);
        let mail = fields.text("mail", user.mail);
        let proxies = fields.texts("proxyAddresses", user.proxy_addresses);
        let aliases = proxies.iter().filter_map(|address| smtp(address));
        let sam = fields.text("onPremisesSamAccountName", user.on_premises_sam_account_name);
        let names: Vec<&str> = [upn.as_str(), &mail, &sam, &id].into_iter().chain(aliases.clone()).collect();
        seen.person(&names);
        let enabled = fields.flag("accountEnabled", &user.account_enabled);
        if enabled.is_none() && self.users.active {
            fields.is_odd::<()>("`accountEnabled` is not told".to_owned());
        }
        let standing = self.users.standing(UserFacts {
            active: enabled.unwrap_or(false),
            user_type: Some(user_type(&fields.text("userType", user.user_type))),
            belongs: members.of(&folded(&id)),
            names: &names,
        });
        // For reports alone: whatever else stands there is no matter.
        let shown = user.display_name.0.as_str().filter(|name| !name.trim().is_empty()).unwrap_or(&upn);
        let mut person = Person::new(PersonId::new(id.as_str()), shown, standing);
        person.add_upn(&upn);
        person.add_main_email(&mail);
        aliases.for_each(|alias| person.add_key(PersonKey::Email, alias));
        person.add_key(PersonKey::Sam, &sam);
        person.add_key(PersonKey::EmployeeId, &fields.text("employeeId", user.employee_id));
        fields.mark(&mut person);
        Some(person)
    }

    /// The next link, if the token may go there. It is followed as it is (§2.2).
    fn follow(&self, pages: &mut Pages, response: &Response, link: &str, brought: Brought) -> Result<Url, Failure> {
        let odd = |what: &str| response.failure(FailureKind::Odd, format!("{what}: {}", redact(link)));
        let url = Url::parse(link).map_err(|_| odd("the next link is not a URL"))?;
        if !self.graph.same_server(&url) {
            return Err(odd("the next link leads to another host, where no token is sent"));
        }
        pages.goes_on(link, brought).map_err(odd)?;
        Ok(url)
    }
}

/// An id is a text; what stands in its place is none.
fn id_of(Sparse(value): &Sparse) -> Option<String> {
    value.as_str().filter(|id| !id.trim().is_empty()).map(str::to_owned)
}

/// An id as two lists of one tenant have it: the letters of a GUID may be of any case (RFC 9562 §4), and whoever is not found
/// among the members of a group would be shown against their wish.
fn folded(id: &str) -> Cow<'_, str> {
    if uuid::Uuid::try_parse(id).is_ok() { id.to_ascii_lowercase().into() } else { id.into() }
}

fn members_call(link: Url) -> Request {
    Request::get(link).header("ConsistencyLevel", "eventual").units(GROUP_UNITS)
}

fn nameless_member(response: &Response, group: &str) -> Failure {
    response.failure(FailureKind::Odd, format!("a member of the group `{group}` has no id")).hint(
        "whose wish to show no photo it is cannot be told, so nobody's picture was touched: look at the group, and run again",
    )
}

/// An answer that cannot be true is none.
fn contradicts(response: &Response, found: &str) -> Failure {
    response.failure(FailureKind::Odd, found).hint(
        "who is in it cannot be told, so nobody's picture was touched: run again, and look at the group if it stays so",
    )
}

/// The object id of another group, where the context names one.
fn other_group<'a>(context: &'a str, group: &str) -> Option<&'a str> {
    let (_, named) = context.split_once("#groups")?;
    let named = named.trim_start_matches(['(', '\'', '/']);
    let id = named.split(['\'', ')', '/', '(']).next()?;
    (uuid::Uuid::try_parse(id).is_ok() && !id.eq_ignore_ascii_case(group)).then_some(id)
}

/// Very old accounts hold no type; they are members (§2.3).
fn user_type(text: &str) -> UserType {
    if text.eq_ignore_ascii_case("guest") { UserType::Guest } else { UserType::Member }
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
    Ok(format!("v1.0/groups/{group}/transitiveMembers/microsoft.graph.user?$select=id&$count=true"))
}

fn of_group(failure: Failure, group: &str) -> Failure {
    if failure.kind != FailureKind::Odd || !failure.found.starts_with("404") {
        return failure;
    }
    Failure { kind: FailureKind::Misconfigured, ..failure }
        .hint(format!("`users` names the group `{group}`, which is not there"))
}

fn good(response: Response, permission: &str) -> Result<Response, Failure> {
    if response.status == 200 { Ok(response) } else { Err(error::failure(&response, permission)) }
}

fn read_page<T: DeserializeOwned>(response: &Response) -> Result<ListPage<T>, Failure> {
    response.json()
}

/// A page of people, a page of members, a refusal.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(body: &[u8]) -> impl std::hash::Hash + use<> {
    let users = serde_json::from_slice::<ListPage<User>>(body).ok();
    let shown = users.map(|page| {
        for Record(user) in &page.value {
            let proxies = user.as_ref().map(|user| user.proxy_addresses.clone()).unwrap_or_default();
            Fields::default().texts("", proxies).iter().for_each(|address| _ = smtp(address));
        }
        (page.value.len().min(2), page.next.is_some())
    });
    let members = serde_json::from_slice::<ListPage<ListedMember>>(body).is_ok();
    let error = serde_json::from_slice(body).map(|json| error::GraphError::of(&json)).unwrap_or_default();
    (shown, members, error.words(400).is_empty(), error.code)
}
