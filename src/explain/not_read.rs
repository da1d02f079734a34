//! What the last plan or run did not read, and whom the state alone knows.
//!
//! Owns: which sources and targets that is, and finding people and accounts of theirs by id. Leaves to others: what the state
//! says of them (`collect`).
//! A newcomer gets wrong: whoever is missing at a source or target that was not read may well be there.

use super::explanation::NotReadExplained;
use super::who::{Elements, Meant, split};
use crate::state::{Facts, Reading, StateError, Store};

/// In the order of the file.
pub(super) fn all(facts: &Facts, elements: &Elements) -> Result<Vec<NotReadExplained>, StateError> {
    let sources = elements.sources.iter().map(|id| (id.to_string(), "source", facts.source_reading(id)));
    let targets = elements.targets.iter().map(|(id, _)| (id.to_string(), "target", facts.target_reading(id)));
    let mut found = Vec::new();
    for (id, kind, looked) in sources.chain(targets) {
        match looked? {
            Reading::Whole => {}
            Reading::Failed(why) => found.push(NotReadExplained { id, kind, why: Some(why) }),
            Reading::NotAsked => found.push(NotReadExplained { id, kind, why: None }),
        }
    }
    Ok(found)
}

/// In words, after its id.
pub(super) fn words(why: Option<&str>) -> String {
    why.map_or_else(|| "was not asked last time".to_owned(), |why| format!("could not be read last time: {why}"))
}

/// Whoever has this id in the state.
pub(super) fn meant_by_id(store: &Store, elements: &Elements, who: &str, meant: &mut Meant) -> Result<(), StateError> {
    let (of_target, id) = split(elements, who);
    if id.is_empty() {
        return Ok(());
    }
    let found = store.with_id(id)?;
    meant.people.extend(found.people.into_iter().filter(|_| of_target.is_none()));
    let accounts = found.accounts.into_iter().filter(|(target, _)| {
        of_target.map_or_else(|| elements.targets.iter().any(|(id, _)| id == target), |id| id == target.as_str())
    });
    meant.accounts.extend(accounts);
    Ok(())
}
