//! How many requests a plan costs when nothing has to be repeated.
//!
//! Owns: the arithmetic of docs/write-protocols.md, "Confluence". Leaves to others: sending exactly these
//! (`session.rs`, `survey.rs`).
//! A newcomer gets wrong: the confirming survey belongs to it, and costs what the first one did.

use crate::load::Changes;

use super::connection::ConfluenceKnowledge;
use super::survey::PAGE;

pub(super) fn requests(changes: &Changes, known: &ConfluenceKnowledge) -> u64 {
    // Every write reads first who carries the name. What goes is looked at before. A picture that is shown already costs
    // no selecting.
    let (read, write, remove) = (1, 1, 2);
    let writes = changes.replace_over_ours * (read + write + remove)
        + changes.replace * (read + write)
        + changes.revert_made * (read + write + remove)
        + changes.revert_adopted * (read + write)
        // An earlier file is asked for before it is selected.
        + changes.given_back
        + changes.kept
        + changes.finish_over_ours * (read + remove)
        + changes.finish * read
        + changes.tidy * (read + remove);
    let survey = known.survey_requests.unwrap_or_else(|| changes.accounts.div_ceil(PAGE).max(1));
    if writes == 0 { 0 } else { writes + survey }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_costs_what_its_protocol_says() {
        let known = ConfluenceKnowledge { survey_requests: Some(3), ..ConfluenceKnowledge::default() };
        let none = Changes::default();
        let table = [
            (Changes { replace: 5, ..none.clone() }, 10 + 3),
            (Changes { replace_over_ours: 5, ..none.clone() }, 20 + 3),
            (Changes { revert_made: 1, ..none.clone() }, 4 + 3),
            (Changes { revert_adopted: 1, ..none.clone() }, 2 + 3),
            (Changes { revert_made: 1, given_back: 1, ..none.clone() }, 5 + 3),
            (Changes { replace_over_ours: 1, kept: 1, ..none.clone() }, 5 + 3),
            (Changes { finish: 1, ..none.clone() }, 1 + 3),
            (Changes { finish_over_ours: 1, ..none.clone() }, 3 + 3),
            (Changes { tidy: 1, ..none.clone() }, 3 + 3),
            (none, 0),
        ];
        for (changes, cost) in table {
            assert_eq!(requests(&changes, &known), cost, "{changes:?}");
        }
        let known = ConfluenceKnowledge::default();
        let changes = Changes { replace: 1, accounts: 401, ..Changes::default() };
        assert_eq!(requests(&changes, &known), 2 + 3);
    }
}
