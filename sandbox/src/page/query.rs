//! What the page is asked for.

use serde::Deserialize;

use crate::truth::{Account, ShownKind};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Filter {
    #[default]
    All,
    Changed,
    Custom,
    System,
    Default,
}

impl Filter {
    pub(super) const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::All, "all", "All accounts"),
        (Self::Changed, "changed", "Changed"),
        (Self::Custom, "custom", "Own picture"),
        (Self::System, "system", "System picture"),
        (Self::Default, "default", "Default picture"),
    ];

    pub(super) fn takes(self, account: &Account) -> bool {
        match self {
            Self::All => true,
            Self::Changed => account.changed(),
            Self::Custom => account.now.kind == ShownKind::Custom,
            Self::System => account.now.kind == ShownKind::System,
            Self::Default => account.now.kind == ShownKind::Default,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PageQuery {
    pub(super) show: Filter,
    pub(super) q: String,
}

impl PageQuery {
    pub(super) fn finds(&self, texts: &[&str]) -> bool {
        let wanted = self.q.trim().to_lowercase();
        texts.iter().any(|text| text.to_lowercase().contains(&wanted))
    }
}
