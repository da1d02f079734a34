//! Listing users, and one user (docs/wire/google-directory.md §2).
//!
//! Owns: the parameters, the user resource, field masks.
//! Leaves to others: queries (`query`), pages (`pages`), photos (`photos`).
//! A newcomer gets wrong: the public view of a user may have a photo all the same.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::call::{Call, Reply};
use super::mask::Mask;
use super::pages::digest;
use super::query;
use super::service::Directory;
use crate::google::live::LiveUser;
use crate::google::switches::{EMPTY_USERS, FALSE_FLAGS, PUBLIC_PHOTOS, SEARCH_LAG};
use crate::google::tokens::{Grant, Principal};
use crate::google::world::{Role, User};

/// The members of a user, and what is not looked into below them.
const USER: [&str; 36] = [
    "kind",
    "id",
    "etag",
    "primaryEmail",
    "name/*",
    "isAdmin",
    "isDelegatedAdmin",
    "lastLoginTime",
    "creationTime",
    "deletionTime",
    "agreedToTerms",
    "suspended",
    "suspensionReason",
    "archived",
    "changePasswordAtNextLogin",
    "ipWhitelisted",
    "emails/*",
    "aliases",
    "nonEditableAliases",
    "externalIds/*",
    "organizations/*",
    "phones/*",
    "customerId",
    "orgUnitPath",
    "isMailboxSetup",
    "isEnrolledIn2Sv",
    "isEnforcedIn2Sv",
    "includeInGlobalAddressList",
    "thumbnailPhotoUrl",
    "thumbnailPhotoEtag",
    "customSchemas/*",
    "relations/*",
    "addresses/*",
    "locations/*",
    "recoveryEmail",
    "recoveryPhone",
];

impl Directory {
    pub(super) fn list_users(&self, call: &Call, grant: &Grant) -> Reply {
        self.users(call, grant).unwrap_or_else(|refusal| refusal)
    }

    fn users(&self, call: &Call, grant: &Grant) -> Result<Reply, Reply> {
        let mut all = self.population(call, grant)?;
        if let Some(text) = call.get("query") {
            let clauses = query::parse(text);
            let clauses = clauses.ok_or_else(|| self.refuse(call, "invalid", Some("Invalid Input: query")))?;
            let (now, lag) = (self.context.now(), self.context.number(&SEARCH_LAG));
            all.retain(|live| clauses.iter().all(|clause| clause.fits(live.indexed(now, lag))));
        }
        self.sort(call, &mut all)?;
        let view = self.view(call)?;
        let page = self.page(call, all, 500, 100)?;
        let users: Vec<Value> = page.items.iter().map(|live| self.resource(live, view)).collect();
        let mut body = json!({ "kind": "admin#directory#users" });
        body["etag"] = self.workspace.etag(&digest(&json!(users).to_string())).into();
        if !users.is_empty() || self.context.is(&EMPTY_USERS, "list") {
            body["users"] = users.into();
        }
        if let Some(next) = page.next {
            body["nextPageToken"] = next.into();
        }
        let users = USER.map(|path| format!("users/{path}"));
        let mut known = vec!["kind", "etag", "nextPageToken", "trigger_event", "users"];
        known.extend(users.iter().map(String::as_str));
        self.masked(call, &body, &known)
    }

    /// Whom the listing is about: the users of a customer or of one of its domains.
    fn population(&self, call: &Call, grant: &Grant) -> Result<Vec<Arc<LiveUser>>, Reply> {
        let world = &self.workspace.world;
        let invalid = |says: &str| self.refuse(call, "invalid", Some(says));
        let deleted = call.get("showDeleted") == Some("true");
        let mut all = self.workspace.users();
        all.retain(|live| live.user.deleted == deleted);
        match (call.get("customer"), call.get("domain")) {
            (None, None) => Err(self.refuse(call, "badRequest", None)),
            (Some(_), Some(_)) => Err(invalid("Invalid Input: give customer or domain, not both")),
            // A service account belongs to no domain, so it has no customer of its own (§1.6).
            (Some("my_customer"), None) if matches!(grant.who, Principal::Account(_)) => Err(invalid("Invalid Input")),
            (Some(customer), None) if customer == "my_customer" || customer == world.customer => Ok(all),
            (Some(_), None) => Err(invalid("Invalid Input: customer")),
            (None, Some(domain)) if !domain.contains('.') || domain.contains('@') => {
                Err(invalid("Invalid Input: domain"))
            }
            (None, Some(domain)) => {
                if !world.domains.iter().any(|own| own.eq_ignore_ascii_case(domain)) {
                    return Err(self.refuse(call, "domainNotFound", None));
                }
                let suffix = format!("@{}", domain.to_lowercase());
                all.retain(|live| live.user.email.to_lowercase().ends_with(&suffix));
                Ok(all)
            }
        }
    }

    fn sort(&self, call: &Call, all: &mut [Arc<LiveUser>]) -> Result<(), Reply> {
        let key: fn(&User) -> &String = match call.get("orderBy").map(str::to_lowercase).as_deref() {
            None => return Ok(()),
            Some("email") => |user| &user.email,
            Some("familyname") => |user| &user.family_name,
            Some("givenname") => |user| &user.given_name,
            Some(_) => return Err(self.refuse(call, "invalid", Some("Invalid value for: orderBy"))),
        };
        all.sort_by_key(|live| key(&live.user).to_lowercase());
        match call.get("sortOrder").map(str::to_uppercase).as_deref() {
            None | Some("ASCENDING") => {}
            Some("DESCENDING") => all.reverse(),
            Some(_) => return Err(self.refuse(call, "invalid", Some("Invalid value for: sortOrder"))),
        }
        Ok(())
    }

    /// The checked `projection` and `viewType`.
    fn view(&self, call: &Call) -> Result<View, Reply> {
        match call.get("projection").map(str::to_lowercase).as_deref() {
            None | Some("basic" | "full") => {}
            Some("custom") if call.get("customFieldMask").is_some() => {}
            Some(_) => return Err(self.refuse(call, "invalid", Some("Invalid value for: projection"))),
        }
        match call.get("viewType").map(str::to_lowercase).as_deref() {
            None | Some("admin_view") => Ok(View::Admin),
            Some("domain_public") => Ok(View::Public),
            Some(_) => Err(self.refuse(call, "invalid", Some("Invalid value for: viewType"))),
        }
    }

    /// The answer with only what `fields` asks for.
    pub(super) fn masked(&self, call: &Call, body: &Value, known: &[&str]) -> Result<Reply, Reply> {
        let Some(fields) = call.get("fields") else { return Ok(Reply::json(body.clone())) };
        let wrong =
            |what: &str| self.refuse(call, "invalidParameter", Some(&format!("Invalid field selection {what}")));
        let mask = Mask::parse(fields).map_err(|rest| wrong(&rest))?;
        match mask.unknown(known) {
            Some(name) => Err(wrong(name.rsplit('/').next().unwrap_or_default())),
            None => Ok(Reply::json(mask.apply(body))),
        }
    }

    pub(super) fn one_user(&self, call: &Call, key: &str) -> Reply {
        let view = match self.view(call) {
            Ok(view) => view,
            Err(refusal) => return refusal,
        };
        let Some(live) = self.workspace.find(key) else { return self.refuse(call, "userNotFound", None) };
        self.masked(call, &self.resource(&live, view), &USER).unwrap_or_else(|refusal| refusal)
    }

    /// The user resource (§2.1).
    fn resource(&self, live: &LiveUser, view: View) -> Value {
        let user = &live.user;
        let name = json!({ "givenName": user.given_name, "familyName": user.family_name,
                           "fullName": format!("{} {}", user.given_name, user.family_name) });
        let mut resource = json!({
            "kind": "admin#directory#user", "id": user.id, "primaryEmail": user.email, "name": name,
            "emails": emails(user),
        });
        // The user's own etag moves with every field (§2.1).
        resource["etag"] = self.workspace.etag(&digest(&format!("{user:?}{:?}", live.suffix()))).into();
        let public_photos = self.context.is(&PUBLIC_PHOTOS, "present");
        if let Some(suffix) = live.suffix().filter(|_| view == View::Admin || public_photos) {
            resource["thumbnailPhotoEtag"] = self.workspace.etag(suffix).into();
            let url = format!("https://lh3.googleusercontent.com/a-/ALV-Uj{suffix}=s96-c");
            resource["thumbnailPhotoUrl"] = url.into();
        }
        if view == View::Public {
            return resource;
        }
        resource["isAdmin"] = (user.role == Role::Super).into();
        resource["isDelegatedAdmin"] = matches!(user.role, Role::ReadUsers | Role::Other).into();
        resource["customerId"] = self.workspace.world.customer.as_str().into();
        resource["orgUnitPath"] = user.org_unit.as_str().into();
        for (name, flag) in [("suspended", user.suspended), ("archived", user.archived)] {
            if flag || self.context.is(&FALSE_FLAGS, "present") {
                resource[name] = flag.into();
            }
        }
        if user.suspended {
            resource["suspensionReason"] = "ADMIN".into();
        }
        if user.deleted {
            resource["deletionTime"] =
                humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_secs(1_790_000_000)).to_string().into();
        }
        if !user.aliases.is_empty() {
            resource["aliases"] = user.aliases.clone().into();
        }
        let hidden = user.email.replace('@', ".").to_lowercase();
        resource["nonEditableAliases"] = json!([format!("{hidden}@example.test-google-a.com")]);
        if let Some(id) = &user.employee_id {
            resource["externalIds"] = json!([{ "value": id, "type": "organization" }]);
        }
        resource
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    Admin,
    Public,
}

fn emails(user: &User) -> Value {
    let primary = json!({ "address": user.email, "primary": true });
    [primary].into_iter().chain(user.aliases.iter().map(|alias| json!({ "address": alias }))).collect()
}
