//! Which accounts are written to: `accounts` of the pipeline file.
//!
//! Owns: how an account stands by it.
//! Leaves to others: who is in a group, and whether the server calls an account disabled (each product's survey).
//! A newcomer gets wrong: an account that is not selected is listed all the same; matching is judged over all.

use crate::model::{AccountId, AccountStanding, Digest};
use crate::settings::{Accounts, Patterns, Share};

/// What the server says of an account's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// In use.
    Active,
    /// Switched off, and may come back.
    Disabled,
    /// Deleted, anonymised, or nobody's.
    Gone,
}

/// `accounts` of the pipeline file, ready to judge.
#[derive(Debug)]
pub(crate) struct AccountFilter {
    /// Disabled accounts are left alone. Deleted and anonymised ones always are.
    active_alone: bool,
    /// Only members of one of these; empty: everybody.
    pub groups: Vec<String>,
    /// Names that are left alone.
    exclude: Patterns,
    /// An account that is in stays in as the share grows.
    rollout: Share,
}

impl AccountFilter {
    pub(crate) fn new(accounts: &Accounts) -> Self {
        Self {
            active_alone: accounts.active.value,
            groups: accounts.groups.value.clone(),
            exclude: accounts.exclude.value.clone(),
            rollout: accounts.rollout.value,
        }
    }

    /// How an account stands. `member`: it is in one of the groups, or none is named.
    pub(crate) fn standing(&self, id: &AccountId, name: &str, life: Life, member: bool) -> AccountStanding {
        if life == Life::Gone || (life == Life::Disabled && self.active_alone) {
            AccountStanding::Inactive
        } else if !member {
            AccountStanding::NotInGroups
        } else if self.exclude.matches(&[name]) {
            AccountStanding::Excluded
        } else if !in_share(id, self.rollout) {
            AccountStanding::NotInRollout
        } else {
            AccountStanding::Active
        }
    }
}

/// Whether an account falls into the first `share` of all, by its id alone: the same on every machine and in every run.
fn in_share(id: &AccountId, share: Share) -> bool {
    let digest = Digest::of(id.as_str().as_bytes());
    let head = digest.as_bytes().iter().take(4).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    head * u64::from(Share::WHOLE.hundredths()) < u64::from(share.hundredths()) << 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::tests::{everybody, placed};

    #[test]
    fn standing_follows_the_rules() {
        let filter = |active_alone| {
            AccountFilter::new(&Accounts {
                active: placed(active_alone),
                exclude: placed(Patterns::somewhere(&["svc-*", "Root", "zoe\u{308}", "kim"])),
                ..everybody()
            })
        };
        let table = [
            ("ada", Life::Active, true, AccountStanding::Active, AccountStanding::Active),
            ("ada", Life::Disabled, true, AccountStanding::Inactive, AccountStanding::Active),
            ("ada", Life::Gone, true, AccountStanding::Inactive, AccountStanding::Inactive),
            ("ada", Life::Active, false, AccountStanding::NotInGroups, AccountStanding::NotInGroups),
            ("SVC-build", Life::Active, true, AccountStanding::Excluded, AccountStanding::Excluded),
            ("root", Life::Active, true, AccountStanding::Excluded, AccountStanding::Excluded),
            ("ZO\u{cb}", Life::Active, true, AccountStanding::Excluded, AccountStanding::Excluded),
            ("\u{212a}im", Life::Active, true, AccountStanding::Excluded, AccountStanding::Excluded),
        ];
        for (name, life, member, alone, with_disabled) in table {
            let judge = |active_alone| filter(active_alone).standing(&"K".into(), name, life, member);
            assert_eq!((judge(true), judge(false)), (alone, with_disabled), "{name} {life:?}");
        }
    }

    #[test]
    fn a_growing_share_only_adds_accounts() {
        let ids: Vec<AccountId> = (0..1000).map(|n| AccountId::new(format!("JIRAUSER{n}"))).collect();
        let share = |hundredths| Share::from_hundredths(hundredths).unwrap();
        let inside = |hundredths| ids.iter().filter(|id| in_share(id, share(hundredths))).collect::<Vec<_>>();
        assert_eq!((inside(0).len(), inside(10_000).len()), (0, 1000));
        let (tenth, half) = (inside(1_000), inside(5_000));
        assert!((60..140).contains(&tenth.len()) && (430..570).contains(&half.len()));
        assert!(tenth.iter().all(|id| half.contains(id)));
    }
}
