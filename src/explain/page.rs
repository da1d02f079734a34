//! Where a picture is to be seen that somebody has to take off by hand.
//!
//! Owns: the page of an account, of the targets that have such pictures. Leaves to others: when that is (`plan`).
//! A newcomer gets wrong: no variable is looked up here, so an address that the file does not have in clear is not told.

use url::Url;

use crate::model::Account;
use crate::pipeline::Element;

/// In words, after "take it off by hand".
pub(super) fn whereabouts(target: &Element, account: &Account) -> Option<String> {
    let stands = target.stands.as_deref()?;
    match target.kind.as_str() {
        "bitbucket" => {
            let mut page = Url::parse(stands).ok()?;
            page.path_segments_mut().ok()?.pop_if_empty().extend(["users", account.handle.as_deref()?]);
            Some(format!(
                "{page} is the account; its owner takes the picture off under \"Manage account\", an administrator with \
                 `DELETE rest/api/latest/users/{}/avatar.png`",
                account.handle.as_deref()?
            ))
        }
        "folder" => Some(format!("its file is in `{stands}`, and named after {}", account.name)),
        _ => None,
    }
}
