//! What stands in place of what a file says, laid over its tree so that everything after it is the usual way.
//!
//! Owns: laying it there. Leaves to others: what is laid there (`cli`, for `--sandbox`), reading the result (`file`).
//! A newcomer gets wrong: what is laid over is gone, and with it the need for its variable.

use std::collections::BTreeMap;

use super::elements::elements;
use super::environment::Environment;
use super::fault::FileFault;
use super::tree::{Id, Kind, Tree};
use crate::secret::Secret;

/// Keys, and the YAML that stands there; `None`: nothing does.
pub(crate) type KeyTexts = Vec<(&'static str, Option<String>)>;

/// What stands in place of what a file says.
#[derive(Clone, Debug, Default)]
pub struct Overlay {
    /// Keys of the whole file.
    pub file: KeyTexts,
    /// Keys of elements.
    pub elements: Vec<ElementKeys>,
    /// Keys of every entry under `http`, and of `default`.
    pub http: Option<KeptKeys>,
    /// Keys of `state`.
    pub state: Option<KeptKeys>,
    /// Keys of `report`.
    pub report: Option<KeptKeys>,
    /// The key of `state.keep_replaced`, where that is written.
    pub kept_key: Option<String>,
    /// What `${file:PATH}` gives before a file is looked for: a secret stands outside of the file.
    pub secrets: BTreeMap<String, Secret>,
}

/// Keys of one element.
#[derive(Clone, Debug)]
pub struct ElementKeys {
    /// `extract` or `load`.
    pub list: &'static str,
    /// The kind that the keys are of.
    pub kind: String,
    /// The id of the element.
    pub id: String,
    /// What stands there.
    pub keys: KeyTexts,
}

/// Keys of a map of which some stay.
#[derive(Clone, Debug)]
pub struct KeptKeys {
    /// The keys that stay as they are written; no other does.
    pub kept: &'static [&'static str],
    /// What stands beside them.
    pub keys: KeyTexts,
}

/// Puts everything in its place. What does not fit its element is a fault: nothing may reach a real server because it was
/// left out in silence.
pub(super) fn apply(tree: &mut Tree, overlay: &Overlay) -> Vec<FileFault> {
    let mut faults = Vec::new();
    for laid in &overlay.elements {
        let Some(below) = elements(tree, laid.list).into_iter().find(|below| below.id == laid.id) else { continue };
        if below.kind == laid.kind {
            lay(tree, below.settings, &laid.keys, &mut faults);
        } else {
            let message = format!("nothing can stand in place of `{}`: another kind was given", laid.id);
            faults.push(FileFault::new(tree.node(below.settings).head.clone(), message));
        }
    }
    if let Some(way) = &overlay.http {
        for entry in ways(tree) {
            tree.keep(entry, way.kept);
            lay(tree, entry, &way.keys, &mut faults);
        }
    }
    let root = tree.root;
    for (key, keys) in [("state", &overlay.state), ("report", &overlay.report)] {
        if let Some(keys) = keys
            && let Some(map) = map_at(tree, root, key)
        {
            tree.keep(map, keys.kept);
            lay(tree, map, &keys.keys, &mut faults);
        }
    }
    if let (Some(key), Some(state)) = (&overlay.kept_key, map_at(tree, root, "state"))
        && let Some(keep) = tree.get(state, "keep_replaced")
        && matches!(tree.node(keep).kind, Kind::Map(_))
    {
        lay(tree, keep, &vec![("key", Some(key.clone()))], &mut faults);
    }
    lay(tree, root, &overlay.file, &mut faults);
    faults
}

fn lay(tree: &mut Tree, map: Id, keys: &KeyTexts, faults: &mut Vec<FileFault>) {
    let at = tree.node(map).head.clone();
    for (key, text) in keys {
        match text.as_ref().map(|text| tree.graft(text, &at)) {
            Some(Some(value)) => tree.set(map, key, value),
            None => tree.unset(map, key),
            Some(None) => {
                faults.push(FileFault::new(at.clone(), format!("what stands in place of `{key}` is not YAML")))
            }
        }
    }
}

/// Every entry under `http`; `default`, too, if nobody wrote it.
fn ways(tree: &mut Tree) -> Vec<Id> {
    let root = tree.root;
    let http = map_at(tree, root, "http");
    http.and_then(|http| map_at(tree, http, "default"));
    match http.map(|http| &tree.node(http).kind) {
        Some(Kind::Map(entries)) => entries.iter().map(|entry| entry.value).collect(),
        _ => Vec::new(),
    }
}

/// What stands under a key; a map, if nobody wrote it.
fn map_at(tree: &mut Tree, within: Id, key: &str) -> Option<Id> {
    if tree.get(within, key).is_none()
        && let Some(empty) = tree.graft("{}", &(0..0))
    {
        tree.set(within, key, empty);
    }
    tree.get(within, key)
}

/// The environment, with what the overlay brings.
pub(super) struct OverlaidEnvironment<'e> {
    pub(super) overlay: &'e Overlay,
    pub(super) environment: &'e dyn Environment,
}

impl Environment for OverlaidEnvironment<'_> {
    fn var(&self, name: &str) -> Option<String> {
        self.environment.var(name)
    }

    fn where_set(&self, name: &str) -> String {
        self.environment.where_set(name)
    }

    fn file(&self, path: &str) -> Result<String, String> {
        match self.overlay.secrets.get(path) {
            Some(secret) => Ok(secret.expose().to_owned()),
            None => self.environment.file(path),
        }
    }

    fn output(&self, command: &[String]) -> Result<String, String> {
        self.environment.output(command)
    }
}
