//! The elements of a file that has been read without a fault, as they stand in its tree.
//!
//! Owns: an element's id, kind and way to sign in, without its meaning. Leaves to others: reading it (`kinds`).
//! A newcomer gets wrong: the id that nobody wrote is the word of the kind.

use super::tree::{Id, Kind, MapEntry, Tree};

/// What stands below a key that says a kind.
pub(super) struct Below {
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) credential: Option<String>,
    pub(super) stands: Option<String>,
    pub(super) settings: Id,
}

/// The elements of `extract` or `load`, in a file without a fault.
pub(super) fn elements(tree: &Tree, list: &str) -> Vec<Below> {
    let Some(Kind::List(items)) = tree.get(tree.root, list).map(|list| &tree.node(list).kind) else {
        return Vec::new();
    };
    let element = |item: &Id| match &tree.node(*item).kind {
        Kind::Map(entries) => entries.first().map(|entry| Below {
            kind: entry.key.clone(),
            id: id_of(tree, entry),
            credential: credential_of(tree, entry),
            stands: stands_of(tree, entry),
            settings: entry.value,
        }),
        Kind::Scalar(_) | Kind::List(_) => None,
    };
    items.iter().filter_map(element).collect()
}

fn id_of(tree: &Tree, element: &MapEntry) -> String {
    let written = tree.get(element.value, "id").map(|id| &tree.node(id).kind);
    match written {
        Some(Kind::Scalar(scalar)) => scalar.text.raw().to_owned(),
        // The default of every kind is its word.
        _ => element.key.clone(),
    }
}

/// A value from outside is not looked up, and may be a secret.
fn stands_of(tree: &Tree, element: &MapEntry) -> Option<String> {
    let written = ["base_url", "path"].iter().find_map(|key| tree.get(element.value, key))?;
    match &tree.node(written).kind {
        Kind::Scalar(scalar) => scalar.text.value().map(str::to_owned),
        Kind::Map(_) | Kind::List(_) => None,
    }
}

fn credential_of(tree: &Tree, element: &MapEntry) -> Option<String> {
    let credential = tree.get(element.value, "credential")?;
    match &tree.node(credential).kind {
        Kind::Map(entries) => entries.first().map(|entry| entry.key.clone()),
        Kind::Scalar(_) | Kind::List(_) => None,
    }
}
