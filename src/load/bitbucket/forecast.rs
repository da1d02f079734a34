//! How many requests a plan costs when nothing has to be repeated.
//!
//! Owns: the arithmetic of `write-protocols.md`, Bitbucket. Leaves to others: sending exactly these (`session.rs`,
//! `survey.rs`).
//! A newcomer gets wrong: the confirming survey belongs to it, and costs what the first one did.

use crate::load::Changes;

use super::Known;
use super::survey::PAGE;

pub(super) fn requests(changes: &Changes, known: &Known) -> u64 {
    // A revert reads first. One of a picture that we adopted is refused before anything is sent; a mending only closes
    // the journal.
    let replaced = changes.replace + changes.replace_over_ours;
    let writes = replaced + changes.revert_made * 2;
    let shown = replaced + changes.revert_made + changes.finish + changes.finish_over_ours;
    let survey = known.survey_requests.unwrap_or_else(|| changes.accounts.div_ceil(PAGE).max(1));
    if shown == 0 { 0 } else { writes + survey }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_costs_what_its_protocol_says() {
        let known = Known { survey_requests: Some(2), ..Known::default() };
        let none = Changes::default();
        for (changes, cost) in [
            (Changes { replace: 3, ..none.clone() }, 5),
            (Changes { replace_over_ours: 3, ..none.clone() }, 5),
            (Changes { revert_made: 1, ..none.clone() }, 4),
            (Changes { revert_adopted: 1, ..none.clone() }, 0),
            (Changes { finish: 2, ..none.clone() }, 2),
            (none, 0),
        ] {
            assert_eq!(requests(&changes, &known), cost, "{changes:?}");
        }
        let changes = Changes { replace: 1, accounts: 2001, ..Changes::default() };
        assert_eq!(requests(&changes, &Known::default()), 1 + 3);
    }
}
