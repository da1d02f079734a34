//! Settings of targets as a file without any options gives them.

use std::time::Duration;

use crate::model::{AccountKey, PersonKey, Place};
use crate::settings::{Accounts, Matching, Ownership, Pair, Patterns, Placed, Share, Target, TargetKind};

/// A target of everybody, who is matched by nothing.
pub(super) fn target(id: &str, kind: TargetKind) -> Target {
    Target {
        id: id.into(),
        place: place(),
        matching: Matching::Pairs(Vec::new()),
        accounts: everybody(),
        ownership: placed(Ownership::Provider),
        dry_run: placed(false),
        freeze: placed(false),
        rate: "default".into(),
        http: "default".into(),
        quiet: Duration::from_secs(120),
        kind,
    }
}

/// A line of `match`.
pub(super) fn pair(person: PersonKey, account: AccountKey) -> Pair {
    Pair { person, account, place: place() }
}

fn place() -> Place {
    Place { file: "x.yaml".into(), line: 1 }
}

/// A setting with a line.
pub(super) fn placed<T>(value: T) -> Placed<T> {
    Placed { value, place: place() }
}

/// Everybody who is in use.
pub(super) fn everybody() -> Accounts {
    Accounts {
        active: placed(true),
        groups: placed(Vec::new()),
        exclude: placed(Patterns::default()),
        rollout: placed(Share::WHOLE),
    }
}

/// The members of these groups.
pub(super) fn members_of(groups: &[&str]) -> Accounts {
    Accounts { groups: placed(groups.iter().map(|group| (*group).to_owned()).collect()), ..everybody() }
}
