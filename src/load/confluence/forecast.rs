//! How many requests a plan costs when nothing has to be repeated.
//!
//! Owns: the arithmetic of `write-protocols.md`, Confluence. Leaves to others: sending exactly these (`session.rs`,
//! `survey.rs`).
//! A newcomer gets wrong: the confirming survey belongs to it, and costs what the first one did.

use crate::load::Changes;

use super::survey::PAGE;
use super::{Known, ReadBefore};

pub(super) fn requests(changes: &Changes, read_before: ReadBefore, known: &Known) -> u64 {
    let read = u64::from(read_before == ReadBefore::EveryWrite);
    // Mending reads first, whoever owns the picture; a picture that is shown already costs no selecting.
    let writes = changes.replace_over_ours * (read + 2)
        + changes.replace * (read + 1)
        + changes.revert_made * 3
        + changes.revert_adopted * 2
        + changes.finish_over_ours * 2
        + changes.finish
        + changes.tidy * 2;
    let survey = known.survey_requests.unwrap_or_else(|| changes.accounts.div_ceil(PAGE).max(1));
    if writes == 0 { 0 } else { writes + survey }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_costs_what_its_protocol_says() {
        let known = Known { survey_requests: Some(3), ..Known::default() };
        let none = Changes::default();
        let table = [
            (Changes { replace: 5, ..none.clone() }, 5 + 3, 10 + 3),
            (Changes { replace_over_ours: 5, ..none.clone() }, 10 + 3, 15 + 3),
            (Changes { revert_made: 1, ..none.clone() }, 6, 6),
            (Changes { revert_adopted: 1, ..none.clone() }, 5, 5),
            (Changes { finish: 1, ..none.clone() }, 4, 4),
            (Changes { finish_over_ours: 1, ..none.clone() }, 5, 5),
            (Changes { tidy: 1, ..none.clone() }, 5, 5),
            (none, 0, 0),
        ];
        for (changes, provider, ours) in table {
            let cost = |read| requests(&changes, read, &known);
            assert_eq!((cost(ReadBefore::Reverts), cost(ReadBefore::EveryWrite)), (provider, ours), "{changes:?}");
        }
        let known = Known::default();
        let changes = Changes { replace: 1, accounts: 401, ..Changes::default() };
        assert_eq!(requests(&changes, ReadBefore::Reverts, &known), 1 + 3);
    }
}
