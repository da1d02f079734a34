//! The members of a group (docs/wire/google-directory.md §2.2).
//!
//! Owns: pages of at most 200, nested groups, members from outside.
//! Leaves to others: pages and masks as such (`users`).
//! A newcomer gets wrong: without `includeDerivedMembership` a group inside is one member of the type `GROUP`, and its
//! own members are not listed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::call::{Call, Reply};
use super::service::Directory;
use crate::google::world::Group;

const MEMBERS: [&str; 13] = [
    "kind",
    "etag",
    "nextPageToken",
    "members",
    "members/kind",
    "members/id",
    "members/etag",
    "members/email",
    "members/role",
    "members/type",
    "members/status",
    "members/delivery_settings",
    "members/is_mailbox",
];

impl Directory {
    pub(super) fn list_members(&self, call: &Call, key: &str) -> Reply {
        self.members(call, key).unwrap_or_else(|refusal| refusal)
    }

    fn members(&self, call: &Call, key: &str) -> Result<Reply, Reply> {
        let Some(group) = self.group(key) else { return Err(self.refuse(call, "groupNotFound", None)) };
        let derived = call.get("includeDerivedMembership") == Some("true");
        let mut seen = BTreeSet::from([group.email.to_lowercase()]);
        let mut all = Vec::new();
        self.collect(group, derived, &mut seen, &mut all);
        if let Some(roles) = call.get("roles") {
            all.retain(|member| roles.split(',').any(|role| member["role"] == role.trim().to_uppercase()));
        }
        let page = self.page(call, all, 200, 200)?;
        let mut body = json!({ "kind": "admin#directory#members", "etag": self.workspace.etag("members") });
        if !page.items.is_empty() {
            body["members"] = page.items.into();
        }
        if let Some(next) = page.next {
            body["nextPageToken"] = next.into();
        }
        self.masked(call, &body, &MEMBERS)
    }

    fn group(&self, key: &str) -> Option<&Group> {
        let mut groups = self.workspace.world.groups.iter();
        groups.find(|group| group.id == key || group.email.eq_ignore_ascii_case(key))
    }

    /// The members of a group, those of groups inside it only if they are asked for. Circles end where they began.
    fn collect(&self, group: &Group, derived: bool, seen: &mut BTreeSet<String>, into: &mut Vec<Value>) {
        for address in &group.members {
            let user = self.workspace.find(address);
            let inner = self.group(address);
            let id = user.as_ref().map(|live| live.user.id.clone()).or_else(|| inner.map(|group| group.id.clone()));
            let email = user.as_ref().map_or(address, |live| &live.user.email);
            if !seen.insert(email.to_lowercase()) {
                continue;
            }
            let status = match &user {
                Some(live) if live.user.suspended => "SUSPENDED",
                _ => "ACTIVE",
            };
            let kind = if inner.is_some() { "GROUP" } else { "USER" };
            let mut member = json!({ "kind": "admin#directory#member", "email": email, "role": "MEMBER", "type": kind,
                                     "status": status, "etag": self.workspace.etag("member") });
            // Somebody from outside has an id, too, but none that this directory knows.
            let made = || format!("11{}", &address.bytes().map(u64::from).sum::<u64>().to_string());
            member["id"] = id.unwrap_or_else(made).into();
            into.push(member);
            if let Some(inner) = inner.filter(|_| derived) {
                self.collect(inner, derived, seen, into);
            }
        }
    }
}
