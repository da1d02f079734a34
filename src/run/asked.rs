//! What a run was asked for, as it stands on record.
//!
//! Owns: the words of the options. Leaves to others: who somebody is (`cli`), the record (`run_row`).
//! A newcomer gets wrong: names given to `--only` and `--only-file` are people's, and the state holds no names; their number is on record.

use std::time::Duration;

use super::selection::Selection;
use crate::plan::{Allowance, Rerender};
use crate::report::short_digest;

/// What is put on record and changes nothing of what the run decides.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Who began it; `None`: nobody knows.
    pub started_by: Option<String>,
    /// `--max-duration`.
    pub max_duration: Option<Duration>,
}

/// The options as on the command line.
pub(super) fn words(asked: &Asked, selection: &Selection, allow: &[Allowance], rerender: Rerender) -> Vec<String> {
    let listed = selection.only.iter().filter(|only| only.place.is_some()).count();
    let only = [("--only", selection.only.len() - listed), ("--only-file", listed)];
    let only = only.into_iter().filter(|(_, names)| *names > 0).map(|(flag, names)| format!("{flag} ({names})"));
    let targets = selection.targets.iter().map(|target| format!("--target {target}"));
    let allow = allow.iter().map(|one| format!("--allow {one}"));
    let rerender = (rerender == Rerender::All).then(|| "--rerender".to_owned());
    let reviewed = selection.reviewed.as_ref().map(|plan| format!("--plan {}", short_digest(&plan.digest.to_string())));
    let most = asked.max_duration.map(|time| format!("--max-duration {}", humantime::format_duration(time)));
    only.chain(targets).chain(allow).chain(rerender).chain(reviewed).chain(most).collect()
}
