//! Everything else that a server may say: pages of JSON, refusals, the odd shapes of an upload's answer.
//!
//! Owns: handing the same bytes to each reader. Leaves to others: the readers.
//! A newcomer gets wrong: one target for all of them is enough, since each is a few types over the same JSON.

use std::hash::Hash;

pub(super) fn read(body: &[u8]) -> impl Hash + use<> {
    let of_sources = (crate::extract::entra::fuzz_answers(body), crate::extract::google::fuzz_answers(body));
    let of_targets = (
        crate::load::jira::fuzz_answers(body),
        crate::load::confluence::fuzz_answers(body),
        crate::load::bitbucket::fuzz_answers(body),
        crate::load::atlassian::fuzz_answers(body),
    );
    (of_sources, of_targets)
}
