//! Showing again what an account showed before a run (docs/write-protocols.md, "Undoing a run").
//!
//! Owns: the steps of it. Leaves to others: judging what was cut off (`observe.rs`), which is that of a revert.
//! A newcomer gets wrong: Jira stores any number that it is told to select. So the earlier upload must be in the account's
//! own list, or it stays as it is.

use crate::load::{Journal, WriteError};
use crate::model::{Fault, Intent, PictureRef, Shown};

use super::avatar::Avatars;
use super::session::JiraSession;

impl JiraSession {
    /// Shows what stood before, then takes ours away, if this is still ours.
    pub(super) async fn given_back(
        &self,
        mut draft: Intent,
        back: &Shown,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let avatars = self.avatars(&draft.account_name).await?;
        let default = self.shared.known().default;
        if !avatars.all_of(&draft.account) || !avatars.stand_as(&draft.stood, default.as_ref()) {
            return Err(WriteError::ChangedMeanwhile);
        }
        // Without uploads the list names nobody.
        if avatars.custom.is_empty() && !self.is_called(&draft).await? {
            return Err(WriteError::ChangedMeanwhile);
        }
        let mark = earlier(&avatars, &draft, back, default).map_err(WriteError::Refused)?;
        draft.base = avatars.ids();
        draft.old = draft.old.filter(|old| draft.stood == Shown::Custom(old.clone()));
        let goes = self.looked_at(&draft).await?;
        if draft.old.is_some() && goes.is_none() {
            // Whoever owns pictures here: what is not ours is nothing to undo.
            return self.foreign(draft, journal).await;
        }
        self.select_in_place_of_ours(draft, &mark, goes, journal).await
    }
}

/// The avatar to select.
fn earlier(avatars: &Avatars, draft: &Intent, back: &Shown, default: Option<PictureRef>) -> Result<PictureRef, Fault> {
    match back {
        Shown::System(mark) if avatars.system.contains(mark) => Ok(mark.clone()),
        Shown::System(mark) => Err(Fault::new("gone", format!("the stock picture {mark} is not there any more"))),
        Shown::Custom(mark) if avatars.has(mark, &draft.account) => Ok(mark.clone()),
        Shown::Custom(mark) => Err(Fault::new("gone", format!("the earlier avatar {mark} is not there any more"))),
        Shown::Default => default.ok_or_else(|| {
            let found = "no account of this server shows the default picture, so it cannot be told which one it is";
            Fault::new("default_unknown", found)
        }),
        Shown::Unknown(why) => Err(Fault::new("gone", why.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::avatar::Selected;
    use super::super::tests::intent;
    use super::*;
    use crate::model::IntentKind;

    /// Jira stores whatever number it is told, so each has to be in a list of the account (docs/wire/atlassian.md §3.6).
    #[test]
    fn only_what_the_account_can_choose_is_selected() {
        let draft = intent(IntentKind::Revert);
        let owner = |key: &str| Some(key.to_owned());
        let avatars = Avatars {
            selected: Selected::Nothing,
            custom: vec![("5".into(), owner(draft.account.as_str())), ("6".into(), owner("somebody"))],
            system: vec!["1".into(), "2".into()],
            lists_uploads: true,
        };
        for (back, default, expected) in [
            (Shown::Custom("5".into()), None, Some("5")),
            (Shown::Custom("6".into()), None, None),
            (Shown::Custom("7".into()), None, None),
            (Shown::System("2".into()), None, Some("2")),
            (Shown::System("5".into()), None, None),
            (Shown::Default, Some("1".into()), Some("1")),
            (Shown::Default, None, None),
            (Shown::Unknown("?".into()), Some("1".into()), None),
        ] {
            let found = earlier(&avatars, &draft, &back, default).ok();
            assert_eq!(found, expected.map(PictureRef::from), "{back:?}");
        }
    }
}
