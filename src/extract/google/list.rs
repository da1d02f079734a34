//! Everybody of a customer, page by page, and who is in the named groups (`reference/google-directory.md` §2).
//!
//! Owns: the two listings, and translating a user. Leaves to others: photos (`batch.rs`).
//! A newcomer gets wrong: `nextPageToken` has to stand in the field mask, or the first page looks like the last; and an
//! empty page has no `users` at all (§2.1).

use std::collections::HashSet;

use serde::Deserialize;

use super::Google;
use super::photo::version_of;
use crate::extract::rules::{Member, Members};
use crate::extract::wire::{segment, short};
use crate::extract::{Facts, Listing};
use crate::http::{Answer, Call, Failure, FailureKind, entries};
use crate::model::{Person, PersonId, PersonKey, PhotoHint, Standing, normalise_key};

/// What the keys, the rules and the photo need. `nonEditableAliases` are of no use for matching (§2.1).
const USER_FIELDS: &str =
    "nextPageToken,users(id,primaryEmail,aliases,name(fullName),suspended,archived,orgUnitPath,thumbnailPhotoEtag)";
const MEMBER_FIELDS: &str = "nextPageToken,members(id,type)";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserPage {
    #[serde(default, deserialize_with = "entries")]
    users: Vec<User>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    id: String,
    #[serde(default)]
    primary_email: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    name: Name,
    #[serde(default)]
    suspended: bool,
    #[serde(default)]
    archived: bool,
    org_unit_path: Option<String>,
    thumbnail_photo_etag: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Name {
    full_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MemberPage {
    #[serde(default, deserialize_with = "entries")]
    members: Vec<ListedMember>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct ListedMember {
    #[serde(default)]
    id: String,
    #[serde(default, rename = "type")]
    kind: String,
}

impl Google {
    /// Lists everybody; groups first, since a person's standing depends on them.
    pub(super) async fn list_users(&self, page: &mut (dyn FnMut(Vec<Person>) + Send)) -> Result<Listing, Failure> {
        let members = self.members().await?;
        let units: Vec<String> = self.settings.org_units.iter().map(|unit| folded_unit(unit)).collect();
        let mut listing = Listing::default();
        let mut pages = Pages::default();
        loop {
            let answer = self.page("admin/directory/v1/users", &self.user_query(), pages.token.as_deref()).await?;
            let UserPage { users, next_page_token } = answer.json()?;
            listing.people += users.len() as u64;
            let people: Vec<Person> = users.into_iter().map(|user| self.person(user, &members, &units)).collect();
            listing.marked +=
                people.iter().filter(|person| matches!(person.hint, PhotoHint::Version(_))).count() as u64;
            page(people);
            if !pages.next(&answer, next_page_token)? {
                if listing.people > 0 && listing.marked == 0 {
                    listing.notes.push(
                        "nobody's `thumbnailPhotoEtag` is told: that proves nothing, so each person was asked about"
                            .into(),
                    );
                }
                return Ok(listing);
            }
        }
    }

    /// One person, and one member of each named group, to see whether we may.
    pub(super) async fn ask_for_one(&self) -> Result<(), Failure> {
        let query = [("customer", self.settings.customer.as_str()), ("maxResults", "1"), ("fields", "users(id)")];
        self.page("admin/directory/v1/users", &query, None).await?;
        for group in self.settings.users.named_groups() {
            let query = [("maxResults", "1"), ("fields", "members(id)")];
            self.page(&members_path(group), &query, None).await.map_err(|failure| of_group(failure, group))?;
        }
        Ok(())
    }

    fn user_query(&self) -> Vec<(&'static str, &str)> {
        vec![
            ("customer", self.settings.customer.as_str()),
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
    async fn members(&self) -> Result<Members, Failure> {
        let query = [
            ("includeDerivedMembership", "true"),
            ("maxResults", "200"),
            ("prettyPrint", "false"),
            ("fields", MEMBER_FIELDS),
        ];
        let mut members = Members::default();
        for group in self.settings.users.named_groups() {
            let path = members_path(group);
            let mut pages = Pages::default();
            loop {
                let answer = self
                    .page(&path, &query, pages.token.as_deref())
                    .await
                    .map_err(|failure| of_group(failure, group))?;
                let MemberPage { members: some, next_page_token } = answer.json()?;
                for member in &some {
                    match member.kind.as_str() {
                        // A group may have the whole customer as its member.
                        "CUSTOMER" => members.add(&self.settings.users, group, Member::Everybody),
                        "GROUP" => {}
                        _ => members.add(&self.settings.users, group, Member::Person(&member.id)),
                    }
                }
                if !pages.next(&answer, next_page_token)? {
                    break;
                }
            }
        }
        Ok(members)
    }

    /// One page; all parameters but the token stay the same from page to page (§2).
    async fn page(&self, path: &str, query: &[(&str, &str)], token: Option<&str>) -> Result<Answer, Failure> {
        let mut url = self.directory.url(path);
        url.query_pairs_mut().extend_pairs(query).extend_pairs(token.map(|token| ("pageToken", token)));
        let answer = self.ask_whole(Call::get(url)).await?;
        if answer.status == 200 { Ok(answer) } else { Err(self.asker.failure(&answer)) }
    }

    fn person(&self, user: User, members: &Members, units: &[String]) -> Person {
        let aliases = user.aliases.iter().map(String::as_str);
        let names: Vec<&str> = [user.primary_email.as_str(), user.id.as_str()].into_iter().chain(aliases).collect();
        let standing = self.settings.users.standing(Facts {
            active: !user.suspended && !user.archived,
            user_type: None,
            belongs: members.of(&user.id),
            names: &names,
        });
        let elsewhere = !units.is_empty() && !user.org_unit_path.as_deref().is_some_and(|path| is_below(path, units));
        let standing = if standing == Standing::InScope && elsewhere { Standing::OutOfScope } else { standing };
        let shown = if user.name.full_name.trim().is_empty() { &user.primary_email } else { &user.name.full_name };
        let mut person = Person::new(PersonId::new(user.id.as_str()), shown, standing);
        person.add_main_email(&user.primary_email);
        user.aliases.iter().for_each(|alias| person.add_key(PersonKey::Email, alias));
        person.hint = match user.thumbnail_photo_etag.as_deref().and_then(version_of) {
            Some(version) => PhotoHint::Version(version),
            None => PhotoHint::Unmarked,
        };
        person
    }
}

fn members_path(group: &str) -> String {
    format!("admin/directory/v1/groups/{}/members", segment(group))
}

/// `/Corp/Sales` without a slash at its end, folded; the root is empty.
fn folded_unit(path: &str) -> String {
    normalise_key(path).trim_end_matches('/').to_owned()
}

/// Whether a unit is one of these, or below one of them.
fn is_below(path: &str, units: &[String]) -> bool {
    let path = folded_unit(path);
    units
        .iter()
        .any(|unit| path.strip_prefix(unit.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

fn of_group(failure: Failure, group: &str) -> Failure {
    if failure.kind != FailureKind::Misconfigured {
        return failure;
    }
    failure.hint(format!(
        "`users` names the group `{group}`: write the group's e-mail address, as the Admin console shows it"
    ))
}

/// Where a listing stands; notices a circle.
#[derive(Default)]
struct Pages {
    token: Option<String>,
    seen: HashSet<[u8; 16]>,
}

impl Pages {
    /// Whether there is another page. Tokens live three days, and none is kept for another run (§6).
    fn next(&mut self, answer: &Answer, token: Option<String>) -> Result<bool, Failure> {
        self.token = token.filter(|token| !token.is_empty());
        match &self.token {
            Some(token) if !self.seen.insert(short(token)) => {
                Err(answer.failure(FailureKind::Odd, "the page token leads in a circle"))
            }
            token => Ok(token.is_some()),
        }
    }
}

/// A page of people, a page of members, a refusal.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(body: &[u8]) -> u64 {
    let users = serde_json::from_slice::<UserPage>(body).ok();
    let shown = users.map(|page| {
        page.users.iter().filter_map(|user| user.thumbnail_photo_etag.as_deref()).for_each(|etag| _ = version_of(etag));
        (page.users.len().min(2), page.next_page_token.is_some())
    });
    let members = serde_json::from_slice::<MemberPage>(body).ok().map(|page| page.members.len().min(2));
    let error = super::error::GoogleError::of(body);
    let classes = [200, 400, 401, 403, 404, 429, 503].map(|status| error.class(status) as u8);
    crate::fuzzing::shape((shown, members, classes, error.words(403).is_empty()))
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
            assert_eq!(is_below(path, &[folded_unit(unit)]), below, "{path} {unit}");
        }
    }
}
