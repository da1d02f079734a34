//! Settings of targets as a file without any options gives them.

use crate::model::Place;
use crate::settings::{Accounts, Placed, Share};

/// A setting with a line.
pub(crate) fn placed<T>(value: T) -> Placed<T> {
    Placed { value, place: Place { file: "x.yaml".into(), line: 1 } }
}

/// Everybody who is in use.
pub(crate) fn everybody() -> Accounts {
    Accounts {
        active: placed(true),
        groups: placed(Vec::new()),
        exclude: placed(Vec::new()),
        rollout: placed(Share::WHOLE),
    }
}

/// The members of these groups.
pub(crate) fn members_of(groups: &[&str]) -> Accounts {
    Accounts { groups: placed(groups.iter().map(|group| (*group).to_owned()).collect()), ..everybody() }
}
