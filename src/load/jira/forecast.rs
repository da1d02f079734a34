//! How many requests a plan costs when nothing has to be repeated.
//!
//! Owns: the arithmetic of docs/write-protocols.md, "Jira". Leaves to others: sending exactly these (`session.rs`,
//! `survey.rs`).
//! A newcomer gets wrong: the confirming survey belongs to it, and costs what the first one did.

use crate::load::{Changes, RECHECKED};

use super::connection::{JiraKnowledge, UploadRoute};
use super::session::SAMPLED;
use super::survey::{LIST_PAGE, MEMBER_PAGE, SEARCH_PAGE, search_ends};
use super::version::ListingWay;

pub(super) fn requests(changes: &Changes, known: &JiraKnowledge) -> u64 {
    // Read, temporary, confirm, select; in one step the temporary avatar is the finished one.
    let replace = match known.route {
        Some(UploadRoute::OneStep) => 3,
        Some(UploadRoute::Session) | None => 4,
    };
    // What an earlier run made is looked at before it is deleted.
    let goes = 2;
    let writes = changes.replace_over_ours * (replace + goes)
        + changes.replace * replace
        + changes.revert_made * (2 + goes)
        + changes.revert_adopted * 2
        + changes.finish_over_ours * (2 + goes)
        + changes.finish * 2
        + changes.tidy * (1 + goes)
        + changes.kept;
    let looks = compared(&changes.sessions) + rechecked(&changes.sessions);
    if writes == 0 { 0 } else { writes + looks + survey(changes.accounts, known) }
}

/// Looks while it is written: the first picture of every session, and some of the others.
fn compared(sessions: &[u64]) -> u64 {
    sessions.iter().map(|made| made.div_ceil(SAMPLED)).sum()
}

/// Looks after the writes: the last picture of every worker, and some of the others that nobody has looked at.
fn rechecked(sessions: &[u64]) -> u64 {
    let last = sessions.iter().filter(|made| **made > 0 && (**made - 1) % SAMPLED != 0).count() as u64;
    let others = sessions.iter().sum::<u64>().saturating_sub(compared(sessions) + last);
    last + others.min(RECHECKED as u64)
}

/// The confirming survey: what the last one cost, else what so many accounts should.
fn survey(accounts: u64, known: &JiraKnowledge) -> u64 {
    known.survey_requests.unwrap_or_else(|| match known.way {
        Some(ListingWay::Members) => accounts.div_ceil(MEMBER_PAGE),
        Some(ListingWay::Search) => {
            let rest = accounts % SEARCH_PAGE;
            accounts / SEARCH_PAGE + 1 + u64::from(rest > 0 && !search_ends(rest))
        }
        Some(ListingWay::Cursor | ListingWay::CursorIfThere) | None => accounts.div_ceil(LIST_PAGE).max(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_costs_what_its_protocol_says() {
        let session =
            JiraKnowledge { route: Some(UploadRoute::Session), survey_requests: Some(2), ..JiraKnowledge::default() };
        let one_step = JiraKnowledge { route: Some(UploadRoute::OneStep), ..session.clone() };
        let none = Changes::default();
        let table = [
            (Changes { replace: 1, sessions: vec![1], ..none.clone() }, 4 + 1 + 2, 3 + 1 + 2),
            (Changes { replace_over_ours: 1, sessions: vec![1], ..none.clone() }, 6 + 1 + 2, 5 + 1 + 2),
            (Changes { replace: 2, sessions: vec![1, 1], ..none.clone() }, 8 + 2 + 2, 6 + 2 + 2),
            (Changes { replace: 4, sessions: vec![2, 2], ..none.clone() }, 16 + 2 + 2 + 2, 12 + 2 + 2 + 2),
            // Of the first session the last one is looked at while it is written.
            (
                Changes { replace: 101, sessions: vec![51, 50], ..none.clone() },
                404 + 3 + 1 + 20 + 2,
                303 + 3 + 1 + 20 + 2,
            ),
            (Changes { revert_made: 1, ..none.clone() }, 6, 6),
            (Changes { revert_adopted: 1, ..none.clone() }, 4, 4),
            (Changes { revert_made: 1, kept: 1, ..none.clone() }, 7, 7),
            (Changes { finish: 1, ..none.clone() }, 4, 4),
            (Changes { finish_over_ours: 1, ..none.clone() }, 6, 6),
            (Changes { tidy: 1, ..none.clone() }, 5, 5),
            (none, 0, 0),
        ];
        for (changes, by_session, in_one_step) in table {
            assert_eq!(
                (requests(&changes, &session), requests(&changes, &one_step)),
                (by_session, in_one_step),
                "{changes:?}"
            );
        }
    }

    #[test]
    fn a_survey_costs_its_pages() {
        let table = [
            (ListingWay::Cursor, 1, 1),
            (ListingWay::Cursor, 2000, 1),
            (ListingWay::Cursor, 2001, 2),
            (ListingWay::Search, 450, 2),
            (ListingWay::Search, 451, 1),
            (ListingWay::Search, 1451, 2),
            (ListingWay::Members, 101, 3),
        ];
        for (way, accounts, pages) in table {
            let known = JiraKnowledge { way: Some(way), ..JiraKnowledge::default() };
            assert_eq!(survey(accounts, &known), pages, "{way:?} {accounts}");
        }
    }
}
