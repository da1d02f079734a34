//! Every reader of what a Jira sends, for bytes that nobody sent.

use crate::model::Shown;

use super::avatar;
use super::wire::{AvatarLists, GroupPage, Permissions, ServerInfo, Temporary, UserList};

/// Every answer, with what its avatar URLs say.
pub(crate) fn answers(body: &[u8]) -> impl std::hash::Hash + use<> {
    let kind = Temporary::read(body).map(|read| match read {
        Temporary::Made { .. } => 0,
        Temporary::Crop => 1,
        Temporary::Refused(_) => 2,
    });
    let listed = serde_json::from_slice::<UserList>(body).ok();
    let shown = listed.iter().flat_map(|list| &list.values).map(|user| {
        let base = url::Url::parse("https://jira.example/x").expect("a URL");
        let urls = user.avatar_urls.clone().unwrap_or_default();
        (user.life() as u8, avatar::shown(&urls, &"K1".into(), &base) == Shown::Default)
    });
    let shown: Vec<_> = shown.take(3).collect();
    let others = [
        serde_json::from_slice::<GroupPage>(body).is_ok(),
        serde_json::from_slice::<AvatarLists>(body).is_ok(),
        serde_json::from_slice::<ServerInfo>(body).is_ok(),
        serde_json::from_slice::<Permissions>(body).is_ok(),
    ];
    (kind, shown, others)
}
