//! Bitbucket's JSON as it comes.
//!
//! Owns: the wire types; none of them leaves `bitbucket`. Leaves to others: what an avatar URL says (`mark.rs`).
//! A newcomer gets wrong: the last page says so itself; its size says nothing.

use serde::Deserialize;

use crate::http::{Salvage, records};
use crate::load::account_filter::Life;
use crate::model::AccountId;

/// A user.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub id: Option<u64>,
    pub name: Option<String>,
    pub slug: Option<String>,
    pub email_address: Option<String>,
    pub display_name: Option<String>,
    active: Option<bool>,
    #[serde(rename = "type")]
    kind: Option<String>,
    pub avatar_url: Option<String>,
    /// A field of the record is not as documented: the account is left alone, and counts where others may be meant.
    #[serde(skip)]
    odd: bool,
}

impl Salvage for User {
    fn leave_out(&mut self, _: &str) {
        self.odd = true;
    }
}

impl User {
    /// Whether this is the account. Its id stays; its name and its slug may pass to somebody else.
    pub(super) fn is(&self, account: &AccountId) -> bool {
        self.id.is_some_and(|id| id.to_string() == account.as_str())
    }

    /// A service user has no person behind it.
    pub(super) fn life(&self) -> Life {
        match (self.kind.as_deref(), self.active) {
            _ if self.odd => Life::Gone,
            (Some("SERVICE"), _) => Life::Gone,
            (_, Some(false)) => Life::Disabled,
            _ => Life::Active,
        }
    }
}

/// A page of users.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserPage {
    #[serde(deserialize_with = "records")]
    pub values: Vec<User>,
    pub is_last_page: Option<bool>,
    pub next_page_start: Option<u64>,
}

/// What `DELETE` of a picture answers: a link to what is shown in its place. Without it nobody has taken anything away.
#[derive(Debug, Deserialize)]
pub(super) struct DeleteAnswer {
    #[serde(rename = "href")]
    _href: String,
}

/// `GET application-properties`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Properties {
    pub version: String,
    pub display_name: Option<String>,
}

/// Every answer, with what its avatar URLs say.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(body: &[u8]) -> impl std::hash::Hash + use<> {
    let base = url::Url::parse("https://git.example/x").expect("a URL");
    let users = serde_json::from_slice::<UserPage>(body).ok();
    let listed = users.iter().flat_map(|page| &page.values).take(3);
    let shown = listed.map(|user| {
        let shown = super::mark::shown(user.avatar_url.as_deref(), &base);
        (user.life() as u8, std::mem::discriminant(&shown))
    });
    let shown: Vec<_> = shown.collect();
    let text = String::from_utf8_lossy(body);
    let stand_in = super::mark::Window::read(&crate::model::PictureRef::new(text.as_ref())).is_some();
    (shown, users.is_some(), serde_json::from_slice::<Properties>(body).is_ok(), stand_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_users_are_nobodys() {
        for (json, life) in [
            (r#"{"active":true,"type":"NORMAL"}"#, Life::Active),
            (r#"{"active":false,"type":"NORMAL"}"#, Life::Disabled),
            (r#"{"active":true,"type":"SERVICE"}"#, Life::Gone),
            ("{}", Life::Active),
        ] {
            assert_eq!(serde_json::from_str::<User>(json).unwrap().life(), life, "{json}");
        }
    }

    /// One odd record must not cost the page: its account is left alone, and still counts where others may be meant.
    #[test]
    fn of_an_odd_record_the_account_stays_and_is_left_alone() {
        let users: UserPage = serde_json::from_str(r#"{"values":[{"id":1,"name":"ada","slug":"ada","active":true},{"id":2,"name":"bob","slug":"bob","emailAddress":7},null]}"#).unwrap();
        let told: Vec<_> = users.values.iter().map(|user| (user.name.as_deref(), user.life() == Life::Gone)).collect();
        assert_eq!(told, [(Some("ada"), false), (Some("bob"), true), (None, false)]);
    }
}
