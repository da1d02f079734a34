//! Users and the members of groups (docs/wire/microsoft-graph.md §2).
//!
//! Owns: listing, paging, selecting, filtering.
//! Leaves to others: parsing the query (`query`), photos (`photos`).
//! A newcomer gets wrong: an advanced query needs its header on every page; the next link does not carry it.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Map, Value, json};

use super::query::Condition;
use super::service::Graph;
use super::switches::{EMPTY_PAGES, PAGE_SIZE, USER_ORDER};
use super::wire::{Call, Reply};
use crate::entra::LivePerson;
use crate::entra::world::Person;

const MAY_LIST: [&str; 4] = ["User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];
const MAY_READ_GROUPS: [&str; 4] =
    ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"];
/// Enough for ids alone (§12).
const MAY_READ_IDS: [&str; 1] = ["GroupMember.ReadBasic.All"];
const DEFAULT_FIELDS: [&str; 11] = [
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];
/// Fields kept in other stores: 501 on the collection (§2.1).
const ELSEWHERE: [&str; 6] = ["aboutMe", "birthday", "interests", "skills", "schools", "mailboxSettings"];
const LARGEST_PAGE: usize = 999;

/// All e-mail addresses of a person, each once.
pub(super) fn emails(person: &Person) -> Vec<String> {
    let proxies = person
        .proxy_addresses
        .iter()
        .filter_map(|a| a.get(..5).filter(|p| p.eq_ignore_ascii_case("smtp:")).map(|_| &a[5..]));
    let all =
        person.mail.iter().map(String::as_str).chain(proxies).chain(person.other_mails.iter().map(String::as_str));
    let mut seen = BTreeSet::new();
    all.filter(|a| seen.insert(a.to_lowercase())).map(str::to_owned).collect()
}

impl Graph {
    pub(super) fn list_users(&self, call: &Call) -> Reply {
        if !self.may(&MAY_LIST) {
            return self.denied(call);
        }
        let conditions = match call.query.get("$filter").map(Condition::parse) {
            None => Vec::new(),
            Some(Some(conditions)) => conditions,
            Some(None) => return self.error(call, 400, "Request_UnsupportedQuery", "Unsupported Query."),
        };
        if conditions.iter().any(Condition::advanced) && !is_advanced(call) {
            return self.error(
                call,
                400,
                "Request_UnsupportedQuery",
                "Unsupported or invalid query filter clause specified.",
            );
        }
        let mut people = self.directory.people();
        people.retain(|live| conditions.iter().all(|c| c.holds(live)));
        self.page(call, "users", people, Fields::All)
    }

    pub(super) fn one_user(&self, call: &Call, id: &str) -> Reply {
        if !self.may(&MAY_LIST) {
            return self.denied(call);
        }
        let Some(live) = self.directory.find(id) else { return self.no_user(call, id) };
        match self.project(call, &live, Fields::All) {
            Ok(mut user) => {
                user.insert("@odata.context".into(), self.metadata("users/$entity").into());
                Reply::json(Value::Object(user))
            }
            Err(reply) => reply,
        }
    }

    /// The answer for a user that the directory does not hold.
    pub(super) fn no_user(&self, call: &Call, id: &str) -> Reply {
        let message =
            format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present.");
        self.error(call, 404, "Request_ResourceNotFound", &message)
    }

    pub(super) fn group_members(&self, call: &Call, id: &str) -> Reply {
        let ids_alone = call.query.get("$select").is_some_and(|fields| fields == "id");
        let may = self.may(&MAY_READ_GROUPS) || (ids_alone && self.may(&MAY_READ_IDS));
        if !may {
            return self.denied(call);
        }
        let tenant = &self.directory.tenant;
        if !tenant.groups.iter().any(|g| g.id.eq_ignore_ascii_case(id)) {
            return self.no_user(call, id);
        }
        if !is_advanced(call) {
            return self.error(call, 400, "Request_UnsupportedQuery", "The specified cast is an advanced query.");
        }
        // Without a permission to read users, members come as id and type with null fields (§2.4).
        let fields = if self.may(&MAY_LIST) { Fields::All } else { Fields::IdOnly };
        let members = self.members_of(id);
        let people = self.directory.people().into_iter().filter(|live| members.contains(&live.person.id));
        self.page(call, &format!("groups/{id}/transitiveMembers/microsoft.graph.user"), people.collect(), fields)
    }

    /// The object ids in a group and the groups inside it, which may hold one another.
    fn members_of(&self, id: &str) -> BTreeSet<String> {
        let (mut members, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![id.to_lowercase()]);
        while let Some(id) = open.pop() {
            let group = self.directory.tenant.groups.iter().find(|g| g.id.eq_ignore_ascii_case(&id));
            if let Some(group) = group.filter(|_| seen.insert(id)) {
                members.extend(group.members.iter().cloned());
                open.extend(group.groups.iter().map(|g| g.to_lowercase()));
            }
        }
        members
    }

    fn page(&self, call: &Call, path: &str, mut people: Vec<Arc<LivePerson>>, fields: Fields) -> Reply {
        let top = match call.query.get("$top").map(str::parse::<usize>) {
            None => 100,
            Some(Ok(top)) if (1..=LARGEST_PAGE).contains(&top) => top,
            Some(_) => {
                let asked = call.query.get("$top").unwrap_or_default();
                let message = format!("Invalid page size specified: '{asked}'. Must be between 1 and 999 inclusive.");
                return self.error(call, 400, "Request_BadRequest", &message);
            }
        };
        if call.query.get("$skip").is_some() {
            return self.error(call, 400, "Request_BadRequest", "'$skip' is not supported by the service.");
        }
        let Some(place) = Place::of(call.query.get("$skiptoken")) else {
            return self.error(call, 400, "Request_BadRequest", "The specified page token value is invalid.");
        };
        if self.context.is(&USER_ORDER, "shuffled") {
            people.sort_by_key(|live| *blake3::hash(live.person.id.as_bytes()).as_bytes());
        }
        let size = top.min(self.context.number(&PAGE_SIZE).max(1) as usize);
        let empty = place.empty && self.context.is(&EMPTY_PAGES, "yes");
        let end = if empty { place.from } else { (place.from + size).min(people.len()) };
        let shown = people.get(place.from..end).unwrap_or_default();
        let values: Result<Vec<Value>, Reply> =
            shown.iter().map(|live| self.project(call, live, fields).map(Value::Object)).collect();
        let values = match values {
            Ok(values) => values,
            Err(reply) => return reply,
        };
        let select = call.query.get("$select").map(|s| format!("({s})")).unwrap_or_default();
        let mut body = json!({ "@odata.context": self.metadata(&format!("users{select}")) });
        if place.from == 0 && call.query.counted() && is_advanced(call) {
            body["@odata.count"] = people.len().into();
        }
        if end < people.len() {
            let next = Place { from: end, empty: !empty }.token();
            let query = call.query.with_skip_token(&next);
            body["@odata.nextLink"] = format!("{}/v1.0/{path}?{query}", self.context.base()).into();
        }
        body["value"] = values.into();
        Reply::json(body)
    }

    pub(super) fn metadata(&self, what: &str) -> String {
        format!("{}/v1.0/$metadata#{what}", self.context.base())
    }

    /// The fields of a user that `$select` asks for.
    fn project(&self, call: &Call, live: &LivePerson, fields: Fields) -> Result<Map<String, Value>, Reply> {
        let all = all_fields(live);
        let mut out = Map::new();
        for field in call.query.select().unwrap_or_else(|| DEFAULT_FIELDS.to_vec()) {
            if ELSEWHERE.iter().any(|e| e.eq_ignore_ascii_case(field)) {
                return Err(self.error(call, 501, "NotImplemented", "This operation target is not yet supported."));
            }
            // `photo` is a navigation property: asked for, it is silently left out (§0.2).
            if field == "photo" {
                continue;
            }
            let Some((name, value)) = all.iter().find(|(name, _)| name.eq_ignore_ascii_case(field)) else {
                let message = format!(
                    "Parsing OData Select and Expand failed: Could not find a property named '{field}' on type 'microsoft.graph.user'."
                );
                return Err(self.error(call, 400, "BadRequest", &message));
            };
            let hidden = fields == Fields::IdOnly && name != "id";
            out.insert(name.clone(), if hidden { Value::Null } else { value.clone() });
        }
        if fields == Fields::IdOnly {
            out.insert("@odata.type".into(), "#microsoft.graph.user".into());
            out.insert("id".into(), live.person.id.clone().into());
        }
        Ok(out)
    }
}

/// How much of a user may be shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fields {
    All,
    IdOnly,
}

fn is_advanced(call: &Call) -> bool {
    let level = call.headers.get("consistencylevel");
    call.query.counted() && level.is_some_and(|l| l.eq_ignore_ascii_case("eventual"))
}

fn all_fields(live: &LivePerson) -> Map<String, Value> {
    let person = &live.person;
    let (given, family) =
        person.name.rsplit_once(' ').map_or((Some(person.name.as_str()), None), |(g, f)| (Some(g), Some(f)));
    let value = json!({
        "id": person.id, "displayName": person.name, "givenName": given, "surname": family,
        "userPrincipalName": person.upn, "mail": person.mail, "proxyAddresses": person.proxy_addresses,
        "otherMails": person.other_mails, "accountEnabled": live.enabled, "userType": person.user_type,
        "onPremisesSamAccountName": person.sam, "employeeId": person.employee_id,
        "mailNickname": person.upn.split('@').next(), "businessPhones": [], "jobTitle": null, "mobilePhone": null,
        "officeLocation": null, "preferredLanguage": null, "assignedPlans": [], "assignedLicenses": [],
    });
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Where a page begins, as `$skiptoken` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    from: usize,
    /// Whether this is the turn of an empty page, where the switch has some.
    empty: bool,
}

impl Place {
    fn token(self) -> String {
        BASE64URL.encode(format!("DSpt\n\x01\x00{}:{}", self.from, u8::from(self.empty)))
    }

    fn of(token: Option<&str>) -> Option<Self> {
        let Some(token) = token else { return Some(Self { from: 0, empty: false }) };
        let text = String::from_utf8(BASE64URL.decode(token).ok()?).ok()?;
        let (from, empty) = text.strip_prefix("DSpt\n\x01\x00")?.split_once(':')?;
        Some(Self { from: from.parse().ok()?, empty: empty == "1" })
    }
}
