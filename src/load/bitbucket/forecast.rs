//! How many requests a plan costs when nothing has to be repeated.
//!
//! Owns: the arithmetic of docs/write-protocols.md, "Bitbucket". Leaves to others: sending exactly these (`session.rs`,
//! `survey.rs`).
//! A newcomer gets wrong: the confirming survey belongs to it, and costs what the first one did.

use crate::load::Changes;

use super::client::PAGE;
use super::connection::BitbucketKnowledge;

pub(super) fn requests(changes: &Changes, known: &BitbucketKnowledge) -> u64 {
    // Every write is one, after a read by the slug; what we made is looked at before it is deleted. A mending only closes
    // the journal.
    let written = changes.replace + changes.replace_over_ours + changes.revert_made + changes.revert_adopted;
    let writes = written * 2 + changes.revert_made + changes.looked_after + changes.kept;
    let shown = written + changes.finish + changes.finish_over_ours;
    let survey = known.survey_requests.unwrap_or_else(|| changes.accounts.div_ceil(PAGE).max(1));
    if shown == 0 { 0 } else { writes + survey }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_costs_what_its_protocol_says() {
        let known = BitbucketKnowledge { survey_requests: Some(2), ..BitbucketKnowledge::default() };
        let none = Changes::default();
        for (changes, cost) in [
            (Changes { replace: 3, ..none.clone() }, 8),
            (Changes { replace_over_ours: 3, ..none.clone() }, 8),
            (Changes { replace: 3, looked_after: 3, ..none.clone() }, 11),
            (Changes { replace: 3, kept: 2, ..none.clone() }, 10),
            (Changes { revert_made: 1, ..none.clone() }, 5),
            (Changes { revert_adopted: 1, ..none.clone() }, 4),
            (Changes { finish: 2, ..none.clone() }, 2),
            (none, 0),
        ] {
            assert_eq!(requests(&changes, &known), cost, "{changes:?}");
        }
        let changes = Changes { replace: 1, accounts: 2001, ..Changes::default() };
        assert_eq!(requests(&changes, &BitbucketKnowledge::default()), 2 + 3);
    }
}
