//! The limits of the file, over a finished plan (pipelines/README.md, "Limits, report, state").
//!
//! Owns: when a limit is broken, what `--allow` lets pass, and how that is said.
//! Leaves to others: which there are (`settings`), counting and what a broken limit stops (`run`).
//! A newcomer gets wrong: `--allow reverts=412` passes 412 and nothing else; 413 tomorrow stops again.

use std::fmt;
use std::str::FromStr;

use crate::model::Place;
use crate::settings::{Limit, LimitName, Limits};

/// `--allow LIMIT=N`, `--allow ID.LIMIT=N`: exactly this many pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The source or target; `None`: any.
    pub scope: Option<String>,
    /// The limit.
    pub limit: LimitName,
    /// The value found that passes.
    pub value: u64,
}

impl Allowance {
    fn is_of(&self, found: &LimitCount) -> bool {
        self.names(found.limit, &found.scope)
    }

    /// Whether it is of this limit there.
    pub(crate) fn names(&self, limit: LimitName, of: &str) -> bool {
        self.limit == limit && self.scope.as_ref().is_none_or(|scope| scope == of)
    }
}

/// What is wrong with an `--allow`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParseAllowanceError {
    /// No `=`, or no number behind it.
    #[error("`{0}` is not LIMIT=N: write for instance `reverts=412`, or `jira.reverts=412` for one target")]
    Shape(String),
    /// No such limit.
    #[error("`{0}` is not a limit: write one of {list}", list = LimitName::ALL.map(LimitName::word).join(", "))]
    Name(String),
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, limit, value } = self;
        let scope = scope.as_ref().map(|scope| format!("{scope}.")).unwrap_or_default();
        write!(f, "{scope}{limit}={value}")
    }
}

impl FromStr for Allowance {
    type Err = ParseAllowanceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shape = || ParseAllowanceError::Shape(text.to_owned());
        let (name, value) = text.split_once('=').ok_or_else(shape)?;
        let (scope, word) = name.rsplit_once('.').map_or((None, name), |(scope, word)| (Some(scope), word));
        let limit = LimitName::ALL
            .into_iter()
            .find(|limit| limit.word() == word)
            .ok_or_else(|| ParseAllowanceError::Name(word.to_owned()))?;
        Ok(Self { scope: scope.map(str::to_owned), limit, value: value.parse().map_err(|_| shape())? })
    }
}

/// A value held against its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    /// The limit.
    pub limit: LimitName,
    /// The source or target.
    pub scope: String,
    /// Found.
    pub value: u64,
    /// The whole.
    pub of: u64,
    /// The most that passes without `--allow`; `None`: nothing is limited.
    pub allowed: Option<u64>,
    /// The limit stops its scope.
    pub broken: bool,
    /// It would, had `--allow` not named exactly this value.
    pub overridden: bool,
    /// What `--allow` named in vain.
    pub in_vain: Vec<u64>,
    /// Where the limit stands.
    pub rule: Place,
}

impl Checked {
    /// What to write to get past, if the limit is broken: of this source or target alone, so that nothing else passes with it.
    pub(crate) fn remedy(&self) -> Option<String> {
        let Self { limit, scope, value, rule, .. } = self;
        let in_vain: String = self.in_vain.iter().map(|said| format!(" --allow said {said}.")).collect();
        let counts = limit.counts();
        let at = if rule.is_default() { rule.to_string() } else { format!("limit at {rule}") };
        self.broken.then(|| format!("{counts}{in_vain} If that is right, pass --allow {scope}.{limit}={value} ({at})"))
    }
}

/// What was counted for one limit of one source or target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LimitCount {
    /// The limit.
    pub limit: LimitName,
    /// The source or target.
    pub scope: String,
    /// How many.
    pub value: u64,
    /// Of how many.
    pub of: u64,
}

/// Holds everything that was counted against the limits of the file, in the order it was counted.
pub(crate) fn guard(found: &[LimitCount], limits: &Limits, allowances: &[Allowance]) -> Vec<Checked> {
    found
        .iter()
        .map(|found| {
            let limit = limits.of(found.limit);
            let allowed = most(&limit.value, found.of, limits.shares_from);
            let over = allowed.is_some_and(|allowed| found.value > allowed);
            let of_it = || allowances.iter().filter(|allowance| allowance.is_of(found));
            // What names the source or target counts in place of what names none.
            let named = of_it().any(|allowance| allowance.scope.is_some());
            let counts = || of_it().filter(|allowance| !named || allowance.scope.is_some());
            let let_pass = counts().any(|allowance| allowance.value == found.value);
            let said = counts().map(|allowance| allowance.value);
            let in_vain = if over && !let_pass { said.collect() } else { Vec::new() };
            Checked { in_vain, ..checked(found, allowed, over, let_pass, limit.place.clone()) }
        })
        .collect()
}

fn checked(found: &LimitCount, allowed: Option<u64>, over: bool, let_pass: bool, rule: Place) -> Checked {
    Checked {
        limit: found.limit,
        scope: found.scope.clone(),
        value: found.value,
        of: found.of,
        allowed,
        broken: over && !let_pass,
        overridden: over && let_pass,
        in_vain: Vec::new(),
        rule,
    }
}

/// `count` or `share`, either breaks it; shares count from `shares_from` on.
fn most(limit: &Limit, of: u64, shares_from: u64) -> Option<u64> {
    let share = limit.share.filter(|_| of >= shares_from).map(|share| share.of(of));
    match (limit.count, share) {
        (Some(count), Some(share)) => Some(count.min(share)),
        (count, share) => count.or(share),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Share;

    fn limit(count: Option<u64>, percent: Option<u16>) -> Limit {
        let share = percent.and_then(|percent| Share::from_hundredths(percent * 100));
        Limit { count, share }
    }

    #[test]
    fn a_count_or_a_share_breaks_a_limit() {
        // (count, share in %, value, of) → the most that passes; shares count from 100 on.
        let cases = [
            (Some(50), Some(5), 310, Some(15)),
            (Some(50), Some(5), 10_000, Some(50)),
            (Some(50), Some(5), 99, Some(50)),
            (None, Some(5), 99, None),
            (None, Some(5), 100, Some(5)),
            (None, Some(100), 100, Some(100)),
            (Some(0), None, 7, Some(0)),
            (None, None, 7, None),
        ];
        for (count, share, of, expected) in cases {
            assert_eq!(most(&limit(count, share), of, 100), expected, "{count:?} {share:?} of {of}");
        }
    }

    #[test]
    fn an_allowance_names_a_limit_and_a_number() {
        let reverts =
            |scope: Option<&str>| Allowance { scope: scope.map(str::to_owned), limit: LimitName::Reverts, value: 412 };
        assert_eq!("reverts=412".parse(), Ok(reverts(None)));
        assert_eq!("jira.reverts=412".parse(), Ok(reverts(Some("jira"))));
        assert_eq!(reverts(Some("jira")).to_string(), "jira.reverts=412");
        assert_eq!("j.2.reverts=412".parse(), Ok(reverts(Some("j.2"))));
        for wrong in [
            "jira.=1",
            "jira.revert=1",
            "reverts.jira=1",
            "",
            "reverts",
            "reverts=",
            "reverts=-1",
            "revert=1",
            "=1",
            "reverts=1=2",
        ] {
            assert!(wrong.parse::<Allowance>().is_err(), "{wrong}");
        }
    }
}
