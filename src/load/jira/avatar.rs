//! Which picture an account shows: read off an avatar URL, or off the account's avatar lists.
//!
//! Owns: the classification table of docs/wire/atlassian.md §3.2 and the comparison with what a plan saw.
//! Leaves to others: whether a picture is ours (`model::Picture`).
//! A newcomer gets wrong: a URL is parsed and never compared as text; host, order and size of its parameters differ.

use std::collections::BTreeMap;

use url::Url;

use crate::model::{AccountId, PictureRef, Shown};

use super::wire::{Avatar, AvatarLists, is_number};

/// What the `avatarUrls` of a user bean say.
pub(super) fn shown(urls: &BTreeMap<String, String>, owner: &AccountId, base: &Url) -> Shown {
    let Some(text) = urls.get("48x48").or_else(|| urls.values().next()) else {
        return Shown::Unknown("the server sent no avatar URL".into());
    };
    match base.join(text) {
        Ok(url) => shown_at(&url, owner),
        Err(_) => Shown::Unknown("the server sent an avatar URL that is none".into()),
    }
}

fn shown_at(url: &Url, account: &AccountId) -> Shown {
    if url.path().ends_with("/secure/useravatar") {
        let parameter = |name: &str| {
            url.query_pairs().find(|(key, _)| key == name).map(|(_, v)| v.into_owned()).filter(|v| !v.is_empty())
        };
        return match (parameter("avatarId"), parameter("ownerId")) {
            (Some(id), _) if !is_number(&id) => Shown::Unknown("its avatarId is no number".into()),
            (Some(id), None) => Shown::System(PictureRef::new(id)),
            (Some(id), Some(owner)) if owner == account.as_str() => Shown::Custom(PictureRef::new(id)),
            (Some(id), Some(owner)) => {
                Shown::Custom(PictureRef::of_another(&AccountId::new(owner), &PictureRef::new(id)))
            }
            (None, _) => Shown::Unknown("its avatar URL holds no avatarId".into()),
        };
    }
    if is_gravatar(url) {
        // With Gravatar on, a custom avatar still wins: this URL stands for the default or a missing choice.
        return Shown::Default;
    }
    Shown::Unknown(format!("its avatar URL leads to {}", url.path()))
}

/// `/avatar/<md5>`, on the public host or on one of the site's own; newer ones use SHA-256.
fn is_gravatar(url: &Url) -> bool {
    let Some((_, hash)) = url.path().rsplit_once("/avatar/") else { return false };
    matches!(hash.len(), 32 | 64) && hash.bytes().all(|b| b.is_ascii_hexdigit())
}

/// An account's avatars as `user/avatars` lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Avatars {
    /// The one that is selected.
    pub selected: Selected,
    /// The uploaded ones with their owners' keys.
    pub custom: Vec<(PictureRef, Option<String>)>,
    /// The stock pictures.
    pub system: Vec<PictureRef>,
    /// Whether the answer has the list of uploads at all. One without it proves of no picture that it is not there.
    pub lists_uploads: bool,
}

/// What is said of an answer without the list of uploads (docs/wire/atlassian.md §3.4).
pub(super) fn no_uploads(name: &str) -> String {
    format!("the answer lists no uploads of {name}, not even none")
}

/// What is selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Selected {
    /// Nothing in either list.
    Nothing,
    /// A stock picture: the default, or a chosen one.
    System(PictureRef),
    /// An upload.
    Custom(PictureRef),
}

impl From<AvatarLists> for Avatars {
    fn from(lists: AvatarLists) -> Self {
        let chosen = |list: &[Avatar]| list.iter().find(|a| a.chosen()).map(|a| PictureRef::new(a.id.clone()));
        let lists_uploads = lists.custom.is_some();
        let uploads = lists.custom.unwrap_or_default();
        let selected = match (chosen(&uploads), chosen(&lists.system)) {
            (Some(mark), _) => Selected::Custom(mark),
            (None, Some(mark)) => Selected::System(mark),
            (None, None) => Selected::Nothing,
        };
        Self {
            selected,
            custom: uploads.into_iter().map(|a| (PictureRef::new(a.id), a.owner)).collect(),
            system: lists.system.into_iter().map(|a| PictureRef::new(a.id)).collect(),
            lists_uploads,
        }
    }
}

impl Avatars {
    /// Whether every uploaded picture belongs to this account. If not, the name does not lead to the account any more.
    pub(super) fn all_of(&self, account: &AccountId) -> bool {
        self.custom.iter().all(|(_, owner)| owner.as_deref() == Some(account.as_str()))
    }

    /// Whether this upload is there and belongs to this account.
    pub(super) fn has(&self, mark: &PictureRef, account: &AccountId) -> bool {
        self.custom.iter().any(|(id, owner)| id == mark && owner.as_deref() == Some(account.as_str()))
    }

    /// Whose upload this is, by the list.
    pub(super) fn owner(&self, mark: &PictureRef) -> Option<AccountId> {
        let (_, owner) = self.custom.iter().find(|(id, _)| id == mark)?;
        owner.clone().map(AccountId::new)
    }

    /// Whether this upload is selected.
    pub(super) fn shows(&self, mark: &PictureRef) -> bool {
        self.selected == Selected::Custom(mark.clone())
    }

    /// The ids of all uploads.
    pub(super) fn ids(&self) -> Vec<PictureRef> {
        self.custom.iter().map(|(id, _)| id.clone()).collect()
    }

    /// Uploads of this account that were not there before.
    pub(super) fn beyond(&self, base: &[PictureRef], account: &AccountId) -> Vec<PictureRef> {
        let new = |(id, owner): &&(PictureRef, Option<String>)| {
            !base.contains(id) && owner.as_deref() == Some(account.as_str())
        };
        self.custom.iter().filter(new).map(|(id, _)| id.clone()).collect()
    }

    /// Uploads of other accounts that were not there before and that nobody selected.
    pub(super) fn strays(&self, base: &[PictureRef], account: &AccountId) -> Vec<(PictureRef, AccountId)> {
        let new = self.custom.iter().filter(|(id, _)| !base.contains(id) && !self.shows(id));
        let of = |(id, owner): &(PictureRef, Option<String>)| Some((id.clone(), AccountId::new(owner.clone()?)));
        new.filter_map(of).filter(|(_, owner)| owner != account).collect()
    }

    /// Whether the account still shows what the plan saw.
    pub(super) fn stand_as(&self, stood: &Shown, default: Option<&PictureRef>) -> bool {
        match (stood, &self.selected) {
            (Shown::Custom(was), Selected::Custom(is)) | (Shown::System(was), Selected::System(is)) => was == is,
            // Gravatar stands for the default or a missing choice (§3.2).
            (Shown::Default, Selected::Nothing) => true,
            (Shown::Default, Selected::System(is)) => default.is_none_or(|default| default == is),
            _ => false,
        }
    }

    /// The same in the words of the model, for a probe's intent.
    pub(super) fn shown(&self) -> Shown {
        match &self.selected {
            Selected::Nothing => Shown::Default,
            Selected::System(mark) => Shown::System(mark.clone()),
            Selected::Custom(mark) => Shown::Custom(mark.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_avatar_url_says_what_is_shown() {
        let custom = Shown::Custom("15017".into());
        let system = Shown::System("10122".into());
        let table: Vec<(&str, Shown)> = vec![
            ("https://jira.ex.org/secure/useravatar?ownerId=JIRAUSER1&avatarId=15017", custom.clone()),
            ("https://jira.ex.org/secure/useravatar?avatarId=15017&size=small&ownerId=JIRAUSER1", custom.clone()),
            ("https://other.ex.org/jira/secure/useravatar?ownerId=JIRAUSER%31&avatarId=15017", custom.clone()),
            ("/secure/useravatar?ownerId=JIRAUSER1&avatarId=15017", custom),
            (
                "https://jira.ex.org/secure/useravatar?ownerId=SOMEBODY&avatarId=15017",
                Shown::Custom(PictureRef::of_another(&"SOMEBODY".into(), &"15017".into())),
            ),
            ("https://jira.ex.org/secure/useravatar?avatarId=10122", system.clone()),
            ("https://jira.ex.org/secure/useravatar?ownerId=&avatarId=10122", system),
            ("https://www.gravatar.com/avatar/205e460b479e2e5b48aec07710c08d50?d=mm&s=48", Shown::Default),
            ("https://faces.ex.org/g/avatar/205E460B479E2E5B48AEC07710C08D50?s=48", Shown::Default),
        ];
        let base = Url::parse("https://jira.ex.org/").unwrap();
        for (url, expected) in table {
            let urls = BTreeMap::from([("16x16".to_owned(), "x".to_owned()), ("48x48".to_owned(), url.to_owned())]);
            assert_eq!(shown(&urls, &"JIRAUSER1".into(), &base), expected, "{url}");
        }
        for url in [
            "https://jira.ex.org/secure/useravatar?ownerId=JIRAUSER1",
            "https://jira.ex.org/secure/useravatar?ownerId=JIRAUSER1&avatarId=..",
            "https://jira.ex.org/secure/useravatar?avatarId=15017%2F..",
            "https://jira.ex.org/login.jsp",
            "https://jira.ex.org/avatar/me",
        ] {
            let urls = BTreeMap::from([("48x48".to_owned(), url.to_owned())]);
            assert!(matches!(shown(&urls, &"JIRAUSER1".into(), &base), Shown::Unknown(_)), "{url}");
        }
        assert!(matches!(shown(&BTreeMap::new(), &"JIRAUSER1".into(), &base), Shown::Unknown(_)));
    }

    #[test]
    fn what_stands_is_compared_with_what_the_plan_saw() {
        let with = |selected| Avatars { selected, custom: vec![], system: vec![], lists_uploads: true };
        let default = PictureRef::from("10122");
        let table = [
            (Shown::Custom("5".into()), Selected::Custom("5".into()), true),
            (Shown::Custom("5".into()), Selected::Custom("6".into()), false),
            (Shown::Custom("5".into()), Selected::System("5".into()), false),
            (Shown::System("10130".into()), Selected::System("10130".into()), true),
            (Shown::System("10122".into()), Selected::Nothing, false),
            (Shown::Default, Selected::Nothing, true),
            (Shown::Default, Selected::System("10122".into()), true),
            (Shown::Default, Selected::System("10130".into()), false),
            (Shown::Unknown("?".into()), Selected::Nothing, false),
        ];
        for (stood, selected, expected) in table {
            assert_eq!(with(selected.clone()).stand_as(&stood, Some(&default)), expected, "{stood:?} {selected:?}");
        }
    }

    #[test]
    fn only_pictures_of_the_account_itself_count_as_new() {
        let avatars = Avatars {
            selected: Selected::Nothing,
            custom: vec![
                ("5".into(), Some("K".into())),
                ("6".into(), Some("L".into())),
                ("7".into(), Some("K".into())),
            ],
            system: vec![],
            lists_uploads: true,
        };
        assert_eq!(avatars.beyond(&["5".into()], &"K".into()), [PictureRef::from("7")]);
        assert!(!avatars.all_of(&"K".into()));
        assert!(!avatars.has(&"6".into(), &"K".into()));
    }
}
