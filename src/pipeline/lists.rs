//! What lists of the file may not hold: nothing, one name twice, one server twice, a folder that is read and written.
//!
//! Owns: these faults. Leaves to others: when a list is judged (`file`).
//! A newcomer gets wrong: a name that nobody wrote can be there twice, too; then the element is shown.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::fault::{FileFault, Span};
use super::read::{At, Reader};
use super::scalar::Name;

pub(super) fn refuse_empty(reader: &mut Reader<'_>, span: &Span, count: usize, key: &str, kind: &str) {
    if count == 0 {
        let fault = FileFault::new(span.clone(), format!("there is nothing under `{key}`"));
        reader.fault(fault.help(format!("write an element such as `- {kind}: {{ … }}`")));
    }
}

/// Reports names that two elements have. `spans` are of the elements, for those whose name nobody wrote.
pub(super) fn refuse_twice<'a>(
    reader: &mut Reader<'_>,
    ids: impl Iterator<Item = (&'a At<Name>, &'a Span)>,
    what: &str,
) {
    let mut seen: BTreeMap<&str, &Span> = BTreeMap::new();
    for (id, element) in ids {
        let Some(name) = id.get() else { continue };
        let span = if id.written { &id.span } else { element };
        if let Some(first) = seen.get(name.0.as_str()) {
            let fault = FileFault::new(span.clone(), format!("two {what} have the id `{}`", name.0));
            reader.fault(fault.related((*first).clone(), "first here").help("give each its own `id`"));
        } else {
            seen.insert(&name.0, span);
        }
    }
}

/// Reports two targets for one server: each would take the other's pictures for somebody's own.
pub(super) fn refuse_twins<'a>(reader: &mut Reader<'_>, servers: impl Iterator<Item = (String, &'a Span)>) {
    let mut seen: BTreeMap<String, &Span> = BTreeMap::new();
    for (server, span) in servers {
        if let Some(first) = seen.get(&server) {
            let fault = FileFault::new(span.clone(), format!("two targets write to one server, {server}"));
            reader.fault(fault.related((*first).clone(), "first here").help("write one element for each server"));
        } else {
            seen.insert(server, span);
        }
    }
}

/// Reports targets that write into a folder that a source reads from, or around it, by their text; what links make of them is
/// known when the pipeline runs (`run::folders`).
pub(super) fn refuse_written_sources<'a>(
    reader: &mut Reader<'_>,
    sources: impl Iterator<Item = (PathBuf, &'a Span)>,
    targets: impl Iterator<Item = (PathBuf, &'a Span)>,
) {
    let sources: Vec<_> = sources.collect();
    for (target, span) in targets {
        let both = |source: &PathBuf| {
            source.is_absolute() == target.is_absolute() && (target.starts_with(source) || source.starts_with(&target))
        };
        let read = sources.iter().find(|(source, _)| both(source));
        if let Some((_, source)) = read {
            let fault = FileFault::new(span.clone(), "a target writes where a source reads");
            reader.fault(
                fault
                    .related((*source).clone(), "read here")
                    .help("give the target a folder that lies beside the source's"),
            );
        }
    }
}
