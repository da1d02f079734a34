//! Everybody of a customer, page by page, and who is in the named groups (docs/wire/google-directory.md §2).
//!
//! Owns: the two listings, and translating a user. Leaves to others: photos (`batch.rs`).
//! A newcomer gets wrong: `nextPageToken` has to stand in the field mask, or the first page looks like the last; and an
//! empty page has no `users` at all (§2.1).

use std::collections::HashSet;

use serde::Deserialize;

use super::client::Google;
use super::photo::version_of;
use crate::extract::rules::{GroupMembers, Member};
use crate::extract::unmet::Seen;
use crate::extract::wire::{Fields, Record, note_of_nameless, segment, written};
use crate::extract::{Listing, UserFacts};
use crate::http::{Brought, Failure, FailureKind, Pages, Request, Response, Sparse, entries, short};
use crate::model::{Person, PersonId, PersonKey, PhotoHint, Standing, normalise_key};

/// What the keys, the rules and the photo need. `nonEditableAliases` are of no use for matching (§2.1).
const USER_FIELDS: &str =
    "nextPageToken,users(id,primaryEmail,aliases,name(fullName),suspended,archived,orgUnitPath,thumbnailPhotoEtag)";
const MEMBER_FIELDS: &str = "nextPageToken,members(id,type)";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserPage {
    #[serde(default, deserialize_with = "entries")]
    users: Vec<Record<User>>,
    next_page_token: Option<String>,
}

/// Every field may be anything: an odd one is that person's matter.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct User {
    id: Sparse,
    primary_email: Sparse,
    aliases: Sparse,
    name: Sparse,
    suspended: Sparse,
    archived: Sparse,
    org_unit_path: Sparse,
    #[serde(deserialize_with = "written")]
    thumbnail_photo_etag: Option<Sparse>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MemberPage {
    #[serde(default, deserialize_with = "entries")]
    members: Vec<Record<ListedMember>>,
    next_page_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListedMember {
    id: Sparse,
    #[serde(rename = "type")]
    kind: Sparse,
}

impl Google {
    /// Lists everybody; groups first, since a person's standing depends on them.
    pub(super) async fn list_users(&self, page: &mut (dyn FnMut(Vec<Person>) + Send)) -> Result<Listing, Failure> {
        let mut seen = Seen::nobody(&self.users);
        let members = self.members(&mut seen).await?;
        let units: Vec<String> = self.users.org_units.iter().map(|unit| folded_unit(&unit.value)).collect();
        let mut listing = Listing::default();
        let (mut pages, mut token) = (Pages::default(), None);
        loop {
            let response = self.page("admin/directory/v1/users", &self.user_query(), token.as_deref()).await?;
            let UserPage { users, next_page_token } = response.json()?;
            let records = users.len();
            let users = users.into_iter().filter_map(|Record(user)| user);
            let people: Vec<Person> = users.filter_map(|user| self.person(user, &members, &units, &mut seen)).collect();
            let listed = people.len();
            listing.people += listed as u64;
            listing.nameless += (records - listed) as u64;
            listing.marked +=
                people.iter().filter(|person| matches!(person.hint, PhotoHint::Version(_))).count() as u64;
            page(people);
            token = next(&mut pages, &response, next_page_token, Brought::of(listed))?;
            if token.is_none() {
                break;
            }
        }
        if listing.people > 0 && listing.marked == 0 {
            listing.notes.push(
                "nobody's `thumbnailPhotoEtag` is told: that proves nothing, so each person was asked about".into(),
            );
        }
        listing.notes.extend(note_of_nameless(listing.nameless));
        (listing.groups, listing.unmet) = (seen.groups(), seen.unmet());
        Ok(listing)
    }

    /// One person, and one member of each named group, to see whether we may.
    pub(super) async fn ask_for_one(&self) -> Result<(), Failure> {
        let query = [("customer", self.asker.customer.as_str()), ("maxResults", "1"), ("fields", "users(id)")];
        self.page("admin/directory/v1/users", &query, None).await?;
        for group in self.users.named_groups() {
            let query = [("maxResults", "1"), ("fields", "members(id)")];
            self.page(&members_path(group), &query, None).await.map_err(|failure| of_group(failure, group))?;
        }
        Ok(())
    }

    fn user_query(&self) -> Vec<(&'static str, &str)> {
        vec![
            ("customer", self.asker.customer.as_str()),
            ("maxResults", "500"),
            ("orderBy", "email"),
            ("projection", "basic"),
            ("viewType", "admin_view"),
            ("prettyPrint", "false"),
            ("fields", USER_FIELDS),
        ]
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
        let query = [
            ("includeDerivedMembership", "true"),
            ("maxResults", "200"),
            ("prettyPrint", "false"),
            ("fields", MEMBER_FIELDS),
        ];
        let (path, rules) = (members_path(group), &self.users);
        let (mut pages, mut token, mut met) = (Pages::default(), None, HashSet::new());
        loop {
            let response =
                self.page(&path, &query, token.as_deref()).await.map_err(|failure| of_group(failure, group))?;
            let MemberPage { members: some, next_page_token } = response.json()?;
            let mut new = 0;
            for Record(member) in some {
                let kind = member.as_ref().and_then(|member| member.kind.0.as_str()).unwrap_or_default();
                let id = member.as_ref().and_then(|member| id_of(&member.id));
                let has_none = member.as_ref().is_some_and(|member| member.id.0.is_null());
                new += usize::from(id.as_ref().is_none_or(|id| met.insert(short(id))));
                if kind == "CUSTOMER" || (kind != "GROUP" && id.is_some()) {
                    seen.group(group);
                }
                match (kind, id) {
                    // A group may have the whole customer as its member.
                    ("CUSTOMER", _) => members.add(rules, group, Member::Everybody),
                    ("GROUP", _) => {}
                    (_, Some(id)) => members.add(rules, group, Member::Person(&id)),
                    // Members from outside the customer have none; they are no users of it.
                    (_, None) if has_none => {}
                    (_, None) if rules.is_of_wishes(group) => return Err(nameless_member(&response, group)),
                    (_, None) => {}
                }
            }
            token = next(&mut pages, &response, next_page_token, Brought::of(new))?;
            if token.is_none() {
                return Ok(());
            }
        }
    }

    /// One page; all parameters but the token stay the same from page to page (§2).
    async fn page(&self, path: &str, query: &[(&str, &str)], token: Option<&str>) -> Result<Response, Failure> {
        let mut url = self.directory.url(path);
        url.query_pairs_mut().extend_pairs(query).extend_pairs(token.map(|token| ("pageToken", token)));
        let response = self.ask_whole(Request::get(url)).await?;
        if response.status == 200 { Ok(response) } else { Err(self.asker.failure(&response)) }
    }

    /// `None` for a record that names nobody.
    fn person(&self, user: User, members: &GroupMembers, units: &[String], seen: &mut Seen<'_>) -> Option<Person> {
        let id = id_of(&user.id)?;
        let mut fields = Fields::default();
        let email = fields.text("primaryEmail", user.primary_email);
        let aliases = fields.texts("aliases", user.aliases);
        let names: Vec<&str> = [email.as_str(), &id].into_iter().chain(aliases.iter().map(String::as_str)).collect();
        let mut is_set = |name, value| fields.flag(name, value).unwrap_or(false);
        let (suspended, archived) = (is_set("suspended", &user.suspended), is_set("archived", &user.archived));
        let standing = self.users.standing(UserFacts {
            active: !suspended && !archived,
            user_type: None,
            belongs: members.of(&id),
            names: &names,
        });
        seen.person(&names);
        let unit = folded_unit(&fields.text("orgUnitPath", user.org_unit_path));
        let within = units.iter().enumerate().filter(|(_, one)| is_below(&unit, one)).map(|(nth, _)| nth);
        let elsewhere = within.inspect(|nth| seen.unit(*nth)).count() == 0 && !units.is_empty();
        let standing = if standing == Standing::InScope && elsewhere { Standing::OutOfScope } else { standing };
        // For reports alone: whatever else stands there is no matter.
        let shown = user.name.0["fullName"].as_str().filter(|name| !name.trim().is_empty()).unwrap_or(&email);
        let mut person = Person::new(PersonId::new(id.as_str()), shown, standing);
        person.add_main_email(&email);
        aliases.iter().for_each(|alias| person.add_key(PersonKey::Email, alias));
        person.hint = match user.thumbnail_photo_etag {
            // Only a marker that is left out says that there is no photo (§2.3).
            None => PhotoHint::Unmarked,
            Some(etag) => {
                let etag = fields.text("thumbnailPhotoEtag", etag);
                version_of(&etag).map_or(PhotoHint::Silent, PhotoHint::Version)
            }
        };
        fields.mark(&mut person);
        Some(person)
    }
}

/// An id is a text; what stands in its place is none. A number has lost its last digits.
fn id_of(Sparse(value): &Sparse) -> Option<String> {
    value.as_str().filter(|id| !id.trim().is_empty()).map(str::to_owned)
}

fn nameless_member(response: &Response, group: &str) -> Failure {
    response.failure(FailureKind::Odd, format!("a member of the group `{group}` has no id that can be read")).hint(
        "whose wish to show no photo it is cannot be told, so nobody's picture was touched: look at the group, and run again",
    )
}

fn members_path(group: &str) -> String {
    format!("admin/directory/v1/groups/{}/members", segment(group))
}

/// `/Corp/Sales` without a slash at its end, folded; the root is empty.
fn folded_unit(path: &str) -> String {
    normalise_key(path).trim_end_matches('/').to_owned()
}

/// Whether a unit is this one, or below it; both folded.
fn is_below(path: &str, unit: &str) -> bool {
    path.strip_prefix(unit).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn of_group(failure: Failure, group: &str) -> Failure {
    if failure.kind != FailureKind::Misconfigured {
        return failure;
    }
    failure.hint(format!(
        "`users` names the group `{group}`: write the group's e-mail address, as the Admin console shows it"
    ))
}

/// The token of the next page, if there is one. Tokens live three days, and none is kept for another run (§6).
fn next(
    pages: &mut Pages,
    response: &Response,
    token: Option<String>,
    brought: Brought,
) -> Result<Option<String>, Failure> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
    pages.goes_on(&token, brought).map_err(|what| response.failure(FailureKind::Odd, what))?;
    Ok(Some(token))
}

/// A page of people, a page of members, a refusal.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(body: &[u8]) -> impl std::hash::Hash + use<> {
    let users = serde_json::from_slice::<UserPage>(body).ok();
    let shown = users.map(|page| {
        let users = page.users.iter().filter_map(|Record(user)| user.as_ref());
        let etags = users.filter_map(|user| user.thumbnail_photo_etag.clone());
        etags.for_each(|etag| _ = version_of(&Fields::default().text("", etag)));
        (page.users.len().min(2), page.next_page_token.is_some())
    });
    let members = serde_json::from_slice::<MemberPage>(body).ok().map(|page| page.members.len().min(2));
    let error = super::error::GoogleError::of(body);
    let classes = [200, 400, 401, 403, 404, 429, 503].map(|status| error.class(status) as u8);
    (shown, members, classes, error.words(403).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_holds_itself_and_what_is_below() {
        for (path, unit, below) in [
            ("/Corp/Sales", "/Corp/Sales", true),
            ("/Corp/Sales/EMEA", "/Corp/Sales", true),
            ("/corp/sales/emea", "/Corp/Sales/", true),
            ("/Corp/Salesforce", "/Corp/Sales", false),
            ("/Corp", "/Corp/Sales", false),
            ("/Other/Corp/Sales", "/Corp/Sales", false),
            ("/", "/", true),
            ("/Corp", "/", true),
            ("/", "/Corp", false),
        ] {
            assert_eq!(is_below(&folded_unit(path), &folded_unit(unit)), below, "{path} {unit}");
        }
    }
}
