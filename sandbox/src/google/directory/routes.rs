//! From a request to the one dispatcher that plain calls and parts of batches share (docs/wire/google-directory.md §2 to §5).
//!
//! Owns: token, quota, scope, role; the Directory API as a simulator.
//! Leaves to others: each family of calls (`users`, `photos`, `members`, `batch`).
//! A newcomer gets wrong: a token that may list users need not be one that may read photos.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use jsonwebtoken::Algorithm;
use serde_json::Value;

use super::call::{Call, Drift, Reply};
use crate::google::live::LivePhoto;
use crate::google::scopes::PREFIX;
use crate::google::switches;
use crate::google::switches::{API, BARE_ACCOUNT, QUOTA_ROW, RETRY_AFTER, SCOPE_ROW};
use crate::google::tokens::{Grant, Principal, bearer};
use crate::google::world::Role;
use crate::jwt::{Parsed, seconds};
use crate::simulator::Special;
use crate::simulator::{SimulatedAnswer, Simulator};
use crate::switches::Switch;
use crate::truth::Person;

use super::service::Directory;

/// `aud` of a token that a service account signs for itself (§1.6).
const AUDIENCE: &str = "https://admin.googleapis.com/";

/// The scopes that `users.get` and `users.photos.get` take.
const READ_USERS: [&str; 2] = ["admin.directory.user.readonly", "admin.directory.user"];
/// The scopes that `users.list` takes: one more (§1.4).
const LIST_USERS: [&str; 3] = ["admin.directory.user.readonly", "admin.directory.user", "cloud-platform"];
/// The scopes that `members.list` takes.
const LIST_MEMBERS: [&str; 4] = [
    "admin.directory.group.member.readonly",
    "admin.directory.group.member",
    "admin.directory.group.readonly",
    "admin.directory.group",
];

impl Directory {
    /// Answers one call, or one part of a batch.
    pub(super) fn dispatch(&self, call: &Call) -> (Reply, Option<String>) {
        let grant = match self.authenticate(call) {
            Ok(grant) => grant,
            Err(name) => {
                let reply = self.refuse(call, name, None);
                let realm = "Bearer realm=\"https://accounts.google.com/\"";
                let error = if name == "required" { "" } else { ", error=\"invalid_token\"" };
                return (reply.with("WWW-Authenticate", format!("{realm}{error}")), None);
            }
        };
        let who = grant.who.name().to_owned();
        (self.permitted(call, &grant).unwrap_or_else(|refusal| refusal), Some(who))
    }

    /// For whom the call speaks, or the row of the refusal.
    fn authenticate(&self, call: &Call) -> Result<Grant, &'static str> {
        let Some(authorization) = call.header("authorization") else { return Err("required") };
        let token = bearer(authorization).ok_or("required")?;
        self.workspace.tokens.find(token, self.context.now()).or_else(|| self.self_signed(token)).ok_or("authError")
    }

    /// A token that a service account signed for itself: no token endpoint asked, and no subject possible (§1.6).
    fn self_signed(&self, token: &str) -> Option<Grant> {
        let token = Parsed::read(token)?;
        let live = self.workspace.account(token.claim("iss")?)?;
        let account = &live.account;
        let now = seconds(self.context.now());
        let (iat, exp) = (token.time("iat")?, token.time("exp")?);
        let fits = exp > iat && exp - iat <= 3600 && iat <= now + 300 && exp > now;
        let own = token.claim("sub") == Some(&account.email) && token.claims["aud"] == AUDIENCE;
        let known = token.header.get("kid").is_none_or(|kid| *kid == live.key.id.as_str());
        let signed = live.key.verifies(&token, &[Algorithm::RS256]) && !self.workspace.is_revoked(&account.email);
        let scopes = LIST_USERS.iter().chain(&LIST_MEMBERS).map(|scope| format!("{PREFIX}{scope}")).collect();
        (fits && own && known && signed && !account.deleted)
            .then(|| Grant { who: Principal::Account(account.email.clone()), scopes })
    }

    fn permitted(&self, call: &Call, grant: &Grant) -> Result<Reply, Reply> {
        if !self.context.is(&API, "enabled") {
            return Err(self.refuse(call, &self.context.switch(&API), None));
        }
        self.quota.take(&self.context, grant.who.name()).map_err(|wait| self.beyond_quota(call, wait))?;
        let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
        let scopes: &[&str] = match segments[..] {
            _ if call.method != "GET" => return Err(self.refuse(call, "notFoundPage", None)),
            ["users"] => &LIST_USERS,
            ["users", _] | ["users", _, "photos", "thumbnail"] => &READ_USERS,
            ["groups", _, "members"] => &LIST_MEMBERS,
            _ => return Err(self.refuse(call, "notFoundPage", None)),
        };
        let has = |scope: &&str| grant.scopes.iter().any(|had| had.strip_prefix(PREFIX) == Some(scope));
        if !scopes.iter().any(has) {
            let reply = self.refuse(call, &self.context.switch(&SCOPE_ROW), None);
            let wanted: Vec<String> = scopes.iter().map(|scope| format!("{PREFIX}{scope}")).collect();
            let realm = "Bearer realm=\"https://accounts.google.com/\", error=insufficient_scope";
            return Err(reply.with("WWW-Authenticate", format!("{realm}, scope=\"{}\"", wanted.join(" "))));
        }
        self.judge_role(call, grant)?;
        Ok(match segments[..] {
            ["users"] => self.list_users(call, grant),
            ["users", key] => self.one_user(call, key),
            ["users", key, _, _] => self.photo(call, key),
            [_, key, _] => self.list_members(call, key),
            _ => self.refuse(call, "notFoundPage", None),
        })
    }

    /// A scope is not a privilege: whoever the token speaks for must be allowed to read users (§1.4).
    fn judge_role(&self, call: &Call, grant: &Grant) -> Result<(), Reply> {
        let role = match &grant.who {
            Principal::User(email) => self.workspace.find(email).map_or(Role::None, |live| live.user.role),
            Principal::Account(email) => self.workspace.account(email).map_or(Role::None, |live| live.account.role),
            Principal::External(_) => Role::None,
        };
        if matches!(role, Role::ReadUsers | Role::Super) {
            return Ok(());
        }
        let public = call.get("viewType").is_some_and(|view| view.eq_ignore_ascii_case("domain_public"));
        if public && matches!(grant.who, Principal::User(_)) && call.segments[0] == "users" && call.segments.len() < 3 {
            return Ok(());
        }
        let bare = matches!(grant.who, Principal::Account(_)) && self.context.is(&BARE_ACCOUNT, "backendError");
        Err(self.refuse(call, if bare { "backendError" } else { "forbidden" }, None))
    }

    fn beyond_quota(&self, call: &Call, wait: i64) -> Reply {
        let reply = self.refuse(call, &self.context.switch(&QUOTA_ROW), None);
        if self.context.is(&RETRY_AFTER, "seconds") { reply.with("Retry-After", wait.to_string()) } else { reply }
    }
}

async fn answer(State(directory): State<Arc<Directory>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // The server has read the body already, so this cannot fail or grow.
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut call = Call::of_request(&parts);
    match parts.extensions.get::<Special>().map(|special| special.0.as_str()) {
        None => {}
        Some("token_expired") => _ = directory.workspace.tokens.revoke_all(),
        Some(drift @ ("page_skips" | "page_repeats")) => call.drift = Drift::named(drift),
        Some(row) => return directory.refuse(&call, row, None).into_response(&call),
    }
    let is_batch = ["/batch", "/batch/admin/directory_v1"].contains(&parts.uri.path());
    let (reply, answer) = if is_batch && call.method == "POST" {
        directory.batch(&call, &body).await
    } else if call.is_directory {
        let (reply, who) = directory.dispatch(&call);
        (reply, SimulatedAnswer { who, units: Some(1), ..SimulatedAnswer::default() })
    } else {
        (directory.refuse(&call, "notFoundPage", None), SimulatedAnswer::default())
    };
    let mut response = reply.into_response(&call);
    response.extensions_mut().insert(answer);
    response
}

impl Simulator for Directory {
    fn name(&self) -> &str {
        self.context.name()
    }

    fn title(&self) -> String {
        "Google Directory API".into()
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(answer).with_state(self)
    }

    fn switches(&self) -> Vec<&'static Switch> {
        switches::SWITCHES.iter().collect()
    }

    fn people(&self) -> Vec<Person> {
        let users = self.workspace.users().into_iter().filter(|live| !live.user.deleted);
        users
            .map(|live| Person {
                simulator: self.name().to_owned(),
                display_name: format!("{} {}", live.user.given_name, live.user.family_name),
                emails: [&live.user.email].into_iter().chain(&live.user.aliases).cloned().collect(),
                enabled: !live.user.suspended,
                kind: if live.user.archived { "archived user".into() } else { "user".into() },
                photo: match &live.photo {
                    LivePhoto::Present { bytes, .. } => Some((bytes.clone(), "image/jpeg".into())),
                    LivePhoto::None | LivePhoto::Vanished { .. } | LivePhoto::Failing { .. } => None,
                },
                instead: match &live.photo {
                    LivePhoto::Present { .. } => None,
                    LivePhoto::None => Some("no photo".into()),
                    LivePhoto::Vanished { .. } => Some("photoNotFound".into()),
                    LivePhoto::Failing { row, .. } => Some(row.clone()),
                },
                proven_absent: matches!(live.photo, LivePhoto::None | LivePhoto::Vanished { .. }),
                id: live.user.id.clone(),
                user_name: live.user.email.clone(),
            })
            .collect()
    }

    fn control(&self, command: &Value) -> Result<Value, String> {
        let answer = self.workspace.command(command, self.context.now())?;
        self.context.changed();
        Ok(answer)
    }
}
