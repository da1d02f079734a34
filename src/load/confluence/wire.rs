//! Confluence's JSON as it comes.
//!
//! Owns: the wire types; none of them leaves `confluence`. Leaves to others: what a path says (`picture.rs`).
//! A newcomer gets wrong: only one listing of newer releases has mail addresses, and a listing may leave the picture out.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::picture::{self, ConfluencePicture};
use crate::http::entries;
use crate::load::account_filter::Life;

/// A person, in listings and alone.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfluenceUser {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub username: Option<String>,
    pub user_key: Option<String>,
    pub display_name: Option<String>,
    /// In `admin/users/list/active` alone.
    pub email: Option<String>,
    profile_picture: Option<ProfilePicture>,
    status: Option<StatusField>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProfilePicture {
    path: Option<String>,
    is_default: Option<bool>,
}

/// A word, or an object that holds one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum StatusField {
    Word(String),
    Object(BTreeMap<String, serde_json::Value>),
}

impl ConfluenceUser {
    /// What the person shows; `None` if the answer does not say.
    pub(super) fn picture(&self, base: &Url) -> Option<ConfluencePicture> {
        let picture = self.profile_picture.as_ref()?;
        Some(picture::read(picture.path.as_deref()?, picture.is_default, base))
    }

    pub(super) fn life(&self) -> Life {
        if self.kind.as_deref().is_some_and(|kind| kind != "known") {
            return Life::Gone;
        }
        let word = match &self.status {
            Some(StatusField::Word(word)) => word.as_str(),
            Some(StatusField::Object(fields)) => {
                ["status", "value", "name"].iter().find_map(|name| fields.get(*name)?.as_str()).unwrap_or_default()
            }
            None => "",
        };
        match word.to_ascii_lowercase().as_str() {
            "deactivated" | "inactive" | "disabled" => Life::Disabled,
            "deleted" | "externally_deleted" | "unsynced" | "trashed" => Life::Gone,
            _ => Life::Active,
        }
    }
}

/// A page of people.
#[derive(Debug, Deserialize)]
pub(super) struct UserPage {
    #[serde(deserialize_with = "people")]
    pub results: Vec<ConfluenceUser>,
    #[serde(default, rename = "_links")]
    pub links: NextLink,
}

/// An odd record is somebody without key and name: it costs nobody else.
fn people<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ConfluenceUser>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum UserRecord {
        User(Box<ConfluenceUser>),
        Odd(IgnoredAny),
    }
    let listed: Vec<UserRecord> = entries(deserializer)?;
    let person = |listed| match listed {
        UserRecord::User(person) => *person,
        UserRecord::Odd(_) => ConfluenceUser::default(),
    };
    Ok(listed.into_iter().map(person).collect())
}

/// Where the next page is.
#[derive(Debug, Default, Deserialize)]
pub(super) struct NextLink {
    pub next: Option<String>,
}

/// `GET server-information`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServerInformation {
    pub version: Option<String>,
    pub base_url: Option<String>,
}

/// What the shipped endpoint answers (`pipelines/confluence-endpoint.groovy`).
#[derive(Debug, Default, Deserialize)]
pub(super) struct Endpoint {
    pub endpoint: Option<String>,
    pub key: Option<String>,
    pub version: Option<u32>,
    pub file: Option<String>,
    pub removed: Option<bool>,
    #[serde(rename = "default")]
    pub is_default: Option<bool>,
    pub error: Option<String>,
    pub message: Option<String>,
}

/// Every answer, with what its pictures' paths say.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(body: &[u8]) -> impl std::hash::Hash + use<> {
    let base = Url::parse("https://wiki.example/x").expect("a URL");
    let people = serde_json::from_slice::<UserPage>(body).ok();
    let listed = people.iter().flat_map(|page| &page.results);
    let shown: Vec<_> = listed.take(3).map(|person| (person.life() as u8, person.picture(&base).is_some())).collect();
    let path = String::from_utf8_lossy(body);
    let content = picture::read(&path, None, &base).content.is_some();
    let others = [
        serde_json::from_slice::<ServerInformation>(body).is_ok(),
        serde_json::from_slice::<Endpoint>(body).is_ok(),
        content,
    ];
    (people.is_some(), shown, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_record_costs_nobody_else() {
        let odd = r#"{"username":7,"userKey":"K"},null,"x",{"username":"b","userKey":"L","profilePicture":[1]}"#;
        let page = format!(r#"{{"results":[{odd},{{"username":"ada","userKey":"M","email":null}}]}}"#);
        let people = serde_json::from_str::<UserPage>(&page).unwrap().results;
        let keys: Vec<_> = people.iter().map(|person| person.user_key.as_deref()).collect();
        assert_eq!(keys, [None, None, None, None, Some("M")]);
    }

    #[test]
    fn the_life_of_an_account_is_read_in_either_shape() {
        for (json, life) in [
            (r#"{"type":"known"}"#, Life::Active),
            (r#"{"type":"known","status":"current"}"#, Life::Active),
            (r#"{"type":"known","status":"deactivated"}"#, Life::Disabled),
            (r#"{"type":"known","status":{"status":"DEACTIVATED"}}"#, Life::Disabled),
            (r#"{"type":"known","status":"externally_deleted"}"#, Life::Gone),
            (r#"{"type":"unknown"}"#, Life::Gone),
            (r#"{"type":"anonymous"}"#, Life::Gone),
        ] {
            assert_eq!(serde_json::from_str::<ConfluenceUser>(json).unwrap().life(), life, "{json}");
        }
    }
}
