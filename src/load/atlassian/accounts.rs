//! Which accounts are written to: `accounts` of the pipeline file.
//!
//! Owns: the rules and how an account stands by them.
//! Leaves to others: who is in a group, and whether the server calls an account disabled (each product's survey).
//! A newcomer gets wrong: an account that is not selected is listed all the same; matching is judged over all.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::http::{Failure, FailureKind};
use crate::model::{AccountId, AccountStanding, Digest, normalise_key};

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

/// Whether disabled accounts are written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Inactive {
    /// They are left alone: `active: true`.
    #[default]
    Skip,
    /// They are treated as the others: `active: false`. Deleted and anonymised ones never are.
    Include,
}

/// `accounts` of the pipeline file.
#[derive(Clone, Debug)]
pub(crate) struct AccountRules {
    /// Whether disabled accounts are written to.
    pub inactive: Inactive,
    /// Only members of one of these; empty: everybody.
    pub groups: Vec<String>,
    /// Globs over account names that are left out.
    pub exclude: Vec<String>,
    /// The share of accounts to write to, 0 to 1. An account that is in stays in as the share grows.
    pub rollout: f64,
}

impl Default for AccountRules {
    fn default() -> Self {
        Self { inactive: Inactive::Skip, groups: Vec::new(), exclude: Vec::new(), rollout: 1.0 }
    }
}

/// The same, ready to judge.
#[derive(Debug)]
pub(crate) struct Rules {
    inactive: Inactive,
    pub groups: Vec<String>,
    exclude: GlobSet,
    rollout: f64,
}

impl Rules {
    pub(crate) fn new(rules: &AccountRules) -> Result<Self, Failure> {
        let wrong = |error: globset::Error| {
            Failure::new(FailureKind::Misconfigured, "reading `accounts.exclude`", error.to_string())
        };
        let mut exclude = GlobSetBuilder::new();
        for glob in &rules.exclude {
            // As match keys are compared (docs/architecture.md, "Matching"): the products store names in lower case and
            // compare them so.
            let folded = normalise_key(glob);
            exclude.add(GlobBuilder::new(&folded).backslash_escape(true).build().map_err(wrong)?);
        }
        Ok(Self {
            inactive: rules.inactive,
            groups: rules.groups.clone(),
            exclude: exclude.build().map_err(wrong)?,
            rollout: rules.rollout,
        })
    }

    /// How an account stands. `member`: it is in one of the groups, or none is named.
    pub(crate) fn standing(&self, id: &AccountId, name: &str, life: Life, member: bool) -> AccountStanding {
        if life == Life::Gone || (life == Life::Disabled && self.inactive == Inactive::Skip) {
            AccountStanding::Inactive
        } else if !member {
            AccountStanding::NotInGroups
        } else if self.exclude.is_match(normalise_key(name)) {
            AccountStanding::Excluded
        } else if !in_share(id, self.rollout) {
            AccountStanding::NotInRollout
        } else {
            AccountStanding::Active
        }
    }
}

/// Whether an account falls into the first `share` of all, by its id alone: the same on every machine and in every run.
fn in_share(id: &AccountId, share: f64) -> bool {
    let digest = Digest::of(id.as_str().as_bytes());
    let head = digest.as_bytes().iter().take(4).fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    f64::from(head) < share * (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standing_follows_the_rules() {
        let rules = |inactive| {
            Rules::new(&AccountRules {
                inactive,
                exclude: vec!["svc-*".into(), "Root".into(), "zoe\u{308}".into(), "kim".into()],
                ..AccountRules::default()
            })
            .unwrap()
        };
        let table = [
            ("ada", Life::Active, true, AccountStanding::Active, AccountStanding::Active),
            ("ada", Life::Disabled, true, AccountStanding::Inactive, AccountStanding::Active),
            ("ada", Life::Gone, true, AccountStanding::Inactive, AccountStanding::Inactive),
            ("ada", Life::Active, false, AccountStanding::NotInGroups, AccountStanding::NotInGroups),
            ("SVC-build", Life::Active, true, AccountStanding::Excluded, AccountStanding::Excluded),
            ("root", Life::Active, true, AccountStanding::Excluded, AccountStanding::Excluded),
            ("ZO\u{cb}", Life::Active, true, AccountStanding::Excluded, AccountStanding::Excluded),
            ("\u{212a}im", Life::Active, true, AccountStanding::Active, AccountStanding::Active),
        ];
        for (name, life, member, skip, include) in table {
            let judge = |inactive| rules(inactive).standing(&"K".into(), name, life, member);
            assert_eq!((judge(Inactive::Skip), judge(Inactive::Include)), (skip, include), "{name} {life:?}");
        }
    }

    #[test]
    fn a_growing_share_only_adds_accounts() {
        let ids: Vec<AccountId> = (0..1000).map(|n| AccountId::new(format!("JIRAUSER{n}"))).collect();
        let inside = |share| ids.iter().filter(|id| in_share(id, share)).collect::<Vec<_>>();
        assert_eq!((inside(0.0).len(), inside(1.0).len()), (0, 1000));
        let (tenth, half) = (inside(0.1), inside(0.5));
        assert!((60..140).contains(&tenth.len()) && (430..570).contains(&half.len()));
        assert!(tenth.iter().all(|id| half.contains(id)));
    }

    #[test]
    fn a_wrong_glob_is_a_fault_of_the_file() {
        let rules = AccountRules { exclude: vec!["a[".into()], ..AccountRules::default() };
        assert_eq!(Rules::new(&rules).unwrap_err().kind, FailureKind::Misconfigured);
    }
}
