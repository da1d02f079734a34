//! Who the app is and what it may do, by its own token.
//!
//! Owns: reading a token's claims for people (docs/wire/microsoft-graph.md §6), and which permissions are needed.
//! Leaves to others: everything that a run depends on. The format of a token is not guaranteed.
//! A newcomer gets wrong: a token is issued without any permission too; what a run meets later is a 403.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::client::Entra;
use super::error;
use crate::http::{Failure, FailureKind, Request};
use crate::model::SignedIn;
use crate::secret::Secret;

const USERS: &str = "User.Read.All";
/// Enough for the ids of members (§12).
const MEMBERS: &str = "GroupMember.ReadBasic.All";
/// What was documented as the least before; nobody need take it away.
const MEMBERS_BEFORE: &str = "GroupMember.Read.All";

const HIDDEN: &str = "Member.Read.Hidden";

/// What else grants the same: more than is needed.
const MORE: [(&str, &[&str]); 2] = [
    (USERS, &["User.ReadWrite.All"]),
    (
        MEMBERS,
        &[
            MEMBERS_BEFORE,
            "GroupMember.ReadWrite.All",
            "Group.Read.All",
            "Group.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
    ),
];

/// One of these with one of those grants what `User.Read.All` does (§2.1, §3.4).
const LISTING: [&str; 2] = ["Directory.Read.All", "Directory.ReadWrite.All"];
const PHOTOS: [&str; 2] = ["ProfilePhoto.Read.All", "ProfilePhoto.ReadWrite.All"];

/// The claims that are told.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
struct AccessTokenClaims {
    app_displayname: Option<String>,
    appid: Option<String>,
    tid: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
}

impl AccessTokenClaims {
    /// Reads them without looking at the signature; `None` if the token is opaque.
    fn of(token: &Secret) -> Option<Self> {
        let part = token.expose().split('.').nth(1)?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?).ok()
    }

    fn who(&self) -> Option<String> {
        let app = self.appid.as_deref()?;
        let name = self.app_displayname.as_deref().map_or(String::new(), |name| format!("{name}, "));
        Some(format!("{name}app {app} of tenant {}", self.tid.as_deref().unwrap_or("?")))
    }

    fn has(&self, wanted: &str) -> bool {
        let more = MORE.iter().find(|(name, _)| *name == wanted).map_or(&[][..], |(_, more)| more);
        let any = |roles: &[&str]| self.roles.iter().any(|role| roles.contains(&role.as_str()));
        any(&[wanted]) || any(more) || (wanted == USERS && any(&LISTING) && any(&PHOTOS))
    }
}

/// Signs in, reads the token's claims, and asks for one person, and for one member of each named group.
pub(super) async fn whoami(entra: &Entra) -> Result<SignedIn, Failure> {
    let token = entra.tokens.token().await?;
    let claims = AccessTokenClaims::of(&token);
    let mut signed = told(claims.as_ref(), !entra.users.named_groups().is_empty());
    if signed.who.is_empty() {
        signed.who = entra.tokens.who().unwrap_or_else(|| "the identity of this machine".to_owned());
    }
    signed.expires = entra.tokens.expires().await;
    signed.notes.extend(entra.tokens.lasts());
    let response = entra.ask_whole(Request::get(entra.graph.url("v1.0/users?$top=1&$select=id"))).await?;
    match response.status {
        200 => {}
        403 => {
            signed.needs(USERS, false);
            signed.notes.push(error::failure(&response, USERS).to_string());
        }
        _ => return Err(error::failure(&response, USERS)),
    }
    match entra.ask_groups().await {
        Err(failure) if failure.kind == FailureKind::Refused => {
            signed.needs(MEMBERS, false);
            signed.notes.push(failure.to_string());
        }
        asked => asked?,
    }
    Ok(signed)
}

/// What the claims say.
fn told(claims: Option<&AccessTokenClaims>, groups: bool) -> SignedIn {
    let Some(claims) = claims else {
        let note = "the token is opaque: its permissions cannot be told, only that one person could be read";
        return SignedIn { notes: vec![note.to_owned()], ..SignedIn::default() };
    };
    let mut signed = SignedIn::of(claims.who().unwrap_or_default());
    signed.may.clone_from(&claims.roles);
    signed.may.sort_unstable();
    let needed: Vec<&str> = [Some(USERS), groups.then_some(MEMBERS)].into_iter().flatten().collect();
    // Members of a group with a hidden membership are told with it alone (§2.4).
    let enough = |role: &str| needed.contains(&role) || (groups && [HIDDEN, MEMBERS_BEFORE].contains(&role));
    signed.too_much = signed.may.iter().filter(|role| !enough(role)).cloned().collect();
    for needed in needed {
        if !claims.has(needed) {
            signed.needs(needed, false);
        }
    }
    signed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(claims: &serde_json::Value) -> Secret {
        Secret::new(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string())))
    }

    #[test]
    fn a_token_tells_who_it_is_for_and_what_it_may() {
        let claims =
            AccessTokenClaims::of(&token(&json!({ "appid": "3b6c", "app_displayname": "Avatars", "tid": "72f9" })))
                .unwrap();
        assert_eq!(claims.who().as_deref(), Some("Avatars, app 3b6c of tenant 72f9"));
        assert_eq!(AccessTokenClaims::of(&Secret::new("opaque")), None);
        assert_eq!(AccessTokenClaims::of(&Secret::new("a.b!.c")), None);
        assert!(!told(None, true).notes.is_empty());
    }

    #[test]
    fn permissions_are_missing_or_too_much() {
        for (roles, groups, missing, too_much) in [
            (vec!["User.Read.All"], false, vec![], vec![]),
            (vec!["User.Read.All"], true, vec![MEMBERS], vec![]),
            (vec!["User.Read.All", "Group.Read.All"], true, vec![], vec!["Group.Read.All"]),
            (vec!["User.Read.All", MEMBERS], false, vec![], vec![MEMBERS]),
            (vec!["User.Read.All", MEMBERS, HIDDEN], true, vec![], vec![]),
            (vec!["User.Read.All", MEMBERS_BEFORE], true, vec![], vec![]),
            (vec!["User.Read.All", MEMBERS_BEFORE], false, vec![], vec![MEMBERS_BEFORE]),
            (vec!["User.Read.All", "ProfilePhoto.Read.All"], false, vec![], vec!["ProfilePhoto.Read.All"]),
            (vec!["User.ReadWrite.All"], false, vec![], vec!["User.ReadWrite.All"]),
            (
                vec!["Directory.Read.All", "ProfilePhoto.Read.All"],
                false,
                vec![],
                vec!["Directory.Read.All", "ProfilePhoto.Read.All"],
            ),
            (vec!["Directory.Read.All"], false, vec![USERS], vec!["Directory.Read.All"]),
            (vec!["User.ReadBasic.All"], true, vec![USERS, MEMBERS], vec!["User.ReadBasic.All"]),
            (vec![], false, vec![USERS], vec![]),
        ] {
            let claims = AccessTokenClaims::of(&token(&json!({ "roles": roles }))).unwrap();
            let signed = told(Some(&claims), groups);
            assert_eq!(
                (signed.missing, signed.too_much),
                (missing.iter().map(ToString::to_string).collect(), too_much.iter().map(ToString::to_string).collect()),
                "{roles:?}"
            );
        }
    }
}
